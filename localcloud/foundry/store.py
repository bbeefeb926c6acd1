"""The state of the stand-in: everything in memory, in the order it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Protocol, TypeVar

from localcloud.foundry.errors import bad_request, not_found
from localcloud.foundry.records import Assistant, Message, Run, Step, Thread


class Record(Protocol):
    id: str


T = TypeVar("T", bound=Record)


@dataclass
class Store:
    assistants: dict[str, Assistant] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    messages: dict[str, dict[str, Message]] = field(default_factory=dict)  # by thread
    runs: dict[str, dict[str, Run]] = field(default_factory=dict)  # by thread
    steps: dict[str, dict[str, Step]] = field(default_factory=dict)  # by run
    # The place of every id ever given out: a page may be asked for `after` something deleted meanwhile.
    places: dict[str, int] = field(default_factory=dict)
    _next: count[int] = field(default_factory=count)

    def assistant(self, key: str) -> Assistant:
        return found(self.assistants, key, "assistant")

    def thread(self, key: str) -> Thread:
        return found(self.threads, key, "thread")

    def message(self, thread_id: str, key: str) -> Message:
        return found(self.messages_of(thread_id), key, "message")

    def run(self, thread_id: str, key: str) -> Run:
        return found(self.runs_of(thread_id), key, "run")

    def step(self, thread_id: str, run_id: str, key: str) -> Step:
        return found(self.steps_of(thread_id, run_id), key, "run step")

    def messages_of(self, thread_id: str) -> dict[str, Message]:
        return self.messages[self.thread(thread_id).id]

    def runs_of(self, thread_id: str) -> dict[str, Run]:
        return self.runs[self.thread(thread_id).id]

    def steps_of(self, thread_id: str, run_id: str) -> dict[str, Step]:
        return self.steps[self.run(thread_id, run_id).id]

    def add_assistant(self, assistant: Assistant) -> Assistant:
        return self._add(self.assistants, assistant)

    def add_thread(self, thread: Thread) -> Thread:
        self.messages[thread.id], self.runs[thread.id] = {}, {}
        return self._add(self.threads, thread)

    def add_message(self, message: Message) -> Message:
        return self._add(self.messages_of(message.thread_id), message)

    def add_run(self, run: Run) -> Run:
        self.steps[run.id] = {}
        return self._add(self.runs_of(run.thread_id), run)

    def add_step(self, step: Step) -> Step:
        # A run may outlive its thread by a moment: its steps then go nowhere.
        return self._add(self.steps.setdefault(step.run_id, {}), step)

    def delete_thread(self, key: str) -> None:
        for run_id in self.runs_of(key):
            self.steps.pop(run_id, None)
        del self.threads[key], self.messages[key], self.runs[key]

    def active_run(self, thread_id: str) -> Run | None:
        return next((run for run in self.runs_of(thread_id).values() if run.active), None)

    def refuse_when_busy(self, thread_id: str, sentence: str) -> None:
        """Answer 400 while a run is active; `sentence` may name {thread} and {run}."""
        if busy := self.active_run(thread_id):
            raise bad_request(sentence.format(thread=thread_id, run=busy.id))

    def _add(self, shelf: dict[str, T], record: T) -> T:
        self.places[record.id] = next(self._next)
        shelf[record.id] = record
        return record


def found(shelf: dict[str, T], key: str, kind: str) -> T:
    try:
        return shelf[key]
    except KeyError:
        raise not_found(kind, key) from None
