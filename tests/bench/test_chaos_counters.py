"""The counters of the chaos suite turn red where something is lost, doubled, late or left over, and only there."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from bench.chaos.asker import GRACE_SECONDS, Asked
from bench.chaos.verdict import Verdict, judge, kind_of_end
from bench.chaos.witness import Witness, messages, orphans
from bench.chaos.world import RUN_DEADLINE_SECONDS
from localcloud.storageproxy.proxy import Exchange
from localcloud.storageproxy.wire import Request, Response

QUESTION = "What failed?"
RIGHT = {QUESTION: frozenset({"run-a"})}
DONE: dict[str, Any] = {"status": "done", "answer": "LoadSales failed.", "evidence": [{"id": "run-a"}]}
FAILED: dict[str, Any] = {"status": "failed", "error": {"code": "expired", "message": "No answer by the deadline."}}
INPUT, OUTPUT = "/acct/azure-function-adf-runs-input/messages", "/acct/azure-function-adf-runs-output/messages"


def make_asked(end: dict[str, Any] | None = None, seconds: float = 1.0, **fields: Any) -> Asked:
    end = DONE if end is None else end
    return Asked(0, QUESTION, 100.0, 100.0, 100.0 + seconds, end, run_ids={"run-1"}, **fields)


def xml(correlation: str, text: str = "same") -> bytes:
    content = b64encode(json.dumps({"Value": text, "CorrelationId": correlation}).encode())
    return b"<QueueMessage><MessageText>" + content + b"</MessageText></QueueMessage>"


def deliver(witness: Witness, correlation: str, *, told: bool = True) -> None:
    witness.see(Exchange(Request("GET", INPUT, b"", b""), Response(200, b"", xml(correlation)), told))


def reply(witness: Witness, correlation: str, text: str = "same", *, told: bool = True) -> None:
    witness.see(Exchange(Request("POST", OUTPUT, b"", xml(correlation, text)), Response(201, b"", b""), told))


def note(witness: Witness, event: str, correlation: str, message: str = "m-1") -> None:
    witness.note({"event": event, "correlation": correlation, "message": message})


@pytest.fixture
def witness() -> Witness:
    """One call, delivered once, answered once, taken once."""
    made = Witness()
    note(made, "sent", "call-1")
    deliver(made, "call-1")
    reply(made, "call-1")
    note(made, "received", "call-1")
    return made


def verdict(*asked: Asked, witness: Witness | None = None, **more: Any) -> Verdict:
    return judge(asked, RIGHT, witness or Witness(), more.get("runs", {}), more.get("orphans", []))


def test_a_right_answer_in_time_is_clean(witness: Witness) -> None:
    assert verdict(make_asked(), witness=witness, runs={"run-1": 1}).clean


def test_a_clear_error_is_an_end() -> None:
    found = verdict(make_asked(FAILED))
    assert found.clean
    assert found.ends == {"told": 1}


def test_a_question_without_an_end_is_lost() -> None:
    asked = make_asked()
    asked.ended = None
    assert len(verdict(asked).lost) == 1


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (DONE | {"evidence": [{"id": "run-b"}]}, "wrong"),
        (DONE | {"evidence": []}, "wrong"),
        ({"status": "failed"}, "blank"),
        (FAILED | {"error": {"code": "x", "message": " "}}, "blank"),
        (DONE | {"evidence": [], "answer": "Data Factory is not answering since 09:12 UTC."}, "told"),
    ],
)
def test_an_end_that_is_neither_right_nor_clear_is_told_apart(end: dict[str, Any], kind: str) -> None:
    assert kind_of_end(make_asked(end), RIGHT[QUESTION]) == kind
    assert bool(verdict(make_asked(end)).lost) == (kind != "told")


def test_an_end_after_the_deadline_and_its_grace_is_late() -> None:
    promised = RUN_DEADLINE_SECONDS + GRACE_SECONDS
    assert not verdict(make_asked(seconds=promised - 1)).late
    assert len(verdict(make_asked(seconds=promised + 1)).late) == 1


def test_one_key_with_two_runs_is_doubled() -> None:
    asked = make_asked()
    asked.run_ids.add("run-2")
    assert len(verdict(asked).doubled) == 1


def test_an_end_that_changes_afterwards_is_doubled() -> None:
    assert not verdict(make_asked(again=DONE)).doubled
    assert len(verdict(make_asked(again=DONE | {"answer": "Something else."})).doubled) == 1


def test_two_agent_runs_for_one_question_are_doubled() -> None:
    assert len(verdict(make_asked(), runs={"run-1": 2}).doubled) == 1


def test_a_call_whose_reply_nobody_could_take_is_lost(witness: Witness) -> None:
    note(witness, "sent", "call-2")
    deliver(witness, "call-2")
    assert verdict(witness=witness).lost == ["call call-2: no reply"]


def test_a_reply_dropped_by_the_agent_service_was_there_to_be_taken() -> None:
    witness = Witness(called={"call-1"})
    note(witness, "dropped", "call-1")
    assert witness.missing == []


def test_a_reply_more_than_there_were_deliveries_is_doubled(witness: Witness) -> None:
    reply(witness, "call-1")
    assert witness.doubled == ["call-1"]


def test_a_reply_taken_twice_is_doubled_though_the_proxy_saw_one(witness: Witness) -> None:
    note(witness, "duplicate", "call-1", "m-2")
    assert witness.doubled == ["call-1"]


def test_one_reply_message_read_twice_is_one_reply(witness: Witness) -> None:
    note(witness, "duplicate", "call-1", "m-1")
    assert witness.doubled == []


def test_each_delivery_may_bring_the_same_reply_again(witness: Witness) -> None:
    deliver(witness, "call-1")
    reply(witness, "call-1")
    assert witness.doubled == []


def test_a_delivery_that_never_arrived_excuses_no_second_reply(witness: Witness) -> None:
    deliver(witness, "call-1", told=False)
    reply(witness, "call-1")
    assert witness.doubled == ["call-1"]


def test_a_put_that_was_not_confirmed_may_be_repeated() -> None:
    witness = Witness()
    deliver(witness, "call-1")
    reply(witness, "call-1", told=False)
    reply(witness, "call-1")
    note(witness, "received", "call-1")
    assert witness.doubled == []


def test_two_texts_for_one_call_are_doubled_however_often_it_was_delivered(witness: Witness) -> None:
    deliver(witness, "call-1")
    reply(witness, "call-1", "another")
    assert witness.doubled == ["call-1"]


def test_messages_that_are_no_calls_are_passed_over() -> None:
    assert [call for call, _ in messages(b"<MessageText>???</MessageText>" + xml("call-1"))] == ["call-1"]


def thread(run: str | None, name: str = "thread-1") -> dict[str, Any]:
    return {"id": name, "metadata": {"run": run} if run else {}}


def test_one_thread_for_each_question_is_no_orphan() -> None:
    assert orphans(["run-1"], [thread("run-1"), thread(None)], [{"name": "ops"}], 0) == []


@pytest.mark.parametrize(
    ("threads", "agents", "active"),
    [
        ([thread("run-1"), thread("run-1", "thread-2")], [], 0),
        ([thread("run-of-nobody")], [], 0),
        ([], [{"name": "ops"}, {"name": "ops"}], 0),
        ([], [], 1),
    ],
)
def test_what_no_question_accounts_for_is_an_orphan(
    threads: list[dict[str, Any]], agents: list[dict[str, Any]], active: int
) -> None:
    assert len(orphans(["run-1"], threads, agents, active)) == 1


def test_the_figures_have_the_counts() -> None:
    figures = verdict(make_asked(), orphans=["thread"]).figures(7, {"kills": 2})
    assert (figures["seed"], figures["asked"], figures["orphans"], figures["faults"]) == (7, 1, 1, {"kills": 2})
