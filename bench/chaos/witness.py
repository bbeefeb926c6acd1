"""What tool calls and replies went over the queues: seen at the proxy and told by the agent service's journal."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.storageproxy.proxy import Exchange

TEXT = re.compile(rb"<MessageText>([^<]*)</MessageText>")
DELIVERED = re.compile(r"/azure-function-[a-z0-9-]+-input(-poison)?/messages")
REPLIED = re.compile(r"/azure-function-[a-z0-9-]+-output/messages")
TAKEN = ("received", "late", "duplicate", "unknown", "malformed", "dropped")


@dataclass
class Witness:
    """By CorrelationId. Only what reached the app counts as delivered, and only what reached storage as replied."""

    delivered: Counter[str] = field(default_factory=Counter)
    put: Counter[str] = field(default_factory=Counter)
    unanswered_puts: Counter[str] = field(default_factory=Counter)  # stored, but the app was not told: it must repeat
    texts: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    called: set[str] = field(default_factory=set)  # by the suite itself
    sent: set[str] = field(default_factory=set)  # by the agent service
    taken: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # ids of reply messages

    def see(self, exchange: Exchange) -> None:
        request, response = exchange.request, exchange.response
        if request.method == "GET" and DELIVERED.search(request.path) and response is not None and exchange.told:
            self.delivered.update(correlation for correlation, _ in messages(response.body))
        if request.method == "POST" and REPLIED.search(request.path):
            stored = response is not None and response.status < 300
            for correlation, text in messages(request.body):
                self.put[correlation] += stored
                self.unanswered_puts[correlation] += response is None or (stored and not exchange.told)
                if stored:
                    self.texts[correlation].add(text)

    def read(self, journal: Path) -> None:
        for line in journal.read_text(encoding="utf-8").splitlines():
            self.note(json.loads(line))

    def note(self, entry: dict[str, Any]) -> None:
        """One line of the agent service's journal."""
        correlation = str(entry.get("correlation"))
        if entry["event"] == "sent":
            self.sent.add(correlation)
        elif entry["event"] in TAKEN:
            self.taken[correlation].add(str(entry["message"]))

    @property
    def missing(self) -> list[str]:
        """Calls whose reply nobody could take."""
        return sorted((self.called | self.sent) - self.taken.keys())

    @property
    def doubled(self) -> list[str]:
        """Calls answered with two texts, or more often than they were delivered.

        Queues deliver at least once, so each delivery may bring the reply again, in the same words; and a put that was
        stored but not confirmed is put again by whoever sent it.
        """
        return sorted(each for each in self.taken if len(self.texts[each]) > 1 or self._excess(each) > 0)

    def _excess(self, correlation: str) -> int:
        allowed = max(1, self.delivered[correlation]) + self.unanswered_puts[correlation]
        return max(self.put[correlation], len(self.taken[correlation])) - allowed


def messages(body: bytes) -> Iterator[tuple[str, str]]:
    """(CorrelationId, text) of the messages in a body of the queue service; what is no call or reply is passed over."""
    for content in TEXT.findall(body):
        try:
            text = b64decode(content)
            yield str(json.loads(text)["CorrelationId"]), text.decode()
        except (ValueError, KeyError, TypeError):
            continue


def orphans(
    run_ids: Iterable[str], threads: Iterable[dict[str, Any]], agents: Iterable[dict[str, Any]], active_runs: int
) -> list[str]:
    """Threads that no question or one question twice accounts for, agents made twice, agent runs that still work."""
    owed = Counter(set(run_ids))
    found = []
    for thread in threads:
        run = (thread.get("metadata") or {}).get("run")
        if run is None:  # a sub-agent's, which is the service's own
            continue
        if not owed[run]:
            found.append(f"thread {thread['id']} of {run}")
        owed[run] -= 1
    names = Counter(str(agent.get("name")) for agent in agents)
    found += [f"agent {name}, {count} times" for name, count in names.items() if count > 1]
    return found + ["an agent run that still works"] * active_runs
