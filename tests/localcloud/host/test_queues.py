"""Queue triggers and outputs over real storage queues."""

from __future__ import annotations

import json
from pathlib import Path

from tests.localcloud.host.running import Notes, Queues, RunningHost, eventually, host


def test_a_message_runs_its_function_and_the_return_value_is_sent(served: RunningHost, shared_queues: Queues) -> None:
    shared_queues.send("in", "hello")
    answer = json.loads(shared_queues.receive("out")[0])
    assert (answer["got"], answer["count"]) == ("hello", 1)


def test_a_message_that_was_worked_is_gone(served: RunningHost, shared_queues: Queues) -> None:
    shared_queues.send("in", "once")
    shared_queues.receive("out")
    eventually(lambda: shared_queues.depth("in") == 0)


def test_a_message_knows_its_times_and_receipt(served: RunningHost, shared_queues: Queues) -> None:
    shared_queues.send("fields", "x")
    assert json.loads(shared_queues.receive("out")[0]) == [True, True, True, True]


def test_named_outputs_carry_bytes_and_lists(served: RunningHost, shared_queues: Queues) -> None:
    shared_queues.send("named", "whole")
    assert shared_queues.receive("one") == ["whole"]
    assert sorted(shared_queues.receive("many", 2)) == ["a", "b"]


def test_what_a_failed_function_set_is_not_sent(served: RunningHost, shared_queues: Queues) -> None:
    shared_queues.send("named", "fail")
    shared_queues.receive("named-poison")
    assert shared_queues.depth("one") == 0


def test_after_the_last_try_a_message_moves_to_the_poison_queue(
    served: RunningHost, shared_queues: Queues, shared_notes: Notes
) -> None:
    shared_queues.send("bad", "doomed")
    assert shared_queues.receive("bad-poison") == ["doomed"]
    assert [line for line in shared_notes.lines() if line.startswith("try")] == [
        f"try {count}" for count in range(1, 6)
    ]
    eventually(lambda: shared_queues.depth("bad") == 0)


def test_what_is_not_base64_goes_to_the_poison_queue_unread(
    served: RunningHost, shared_queues: Queues, shared_notes: Notes
) -> None:
    shared_queues.send_raw("long", "{not base64}")
    assert shared_queues.receive_raw("long-poison") == ["{not base64}"]
    assert not any(line.startswith("began") for line in shared_notes.lines())


def test_a_message_stays_hidden_for_as_long_as_its_function_works(
    environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path
) -> None:
    environment["LONG_SECONDS"] = "1.6"
    options = ("--hidden-seconds", "1")
    with (
        host("everything:app", environment, tmp_path, *options),
        host("everything:app", environment, tmp_path, *options),
    ):
        queues.send("long", "x")
        notes.wait_for("ended")
    assert sum(line.startswith("began") for line in notes.lines()) == 1


def test_two_hosts_share_a_queue_and_work_each_message_once(
    environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path
) -> None:
    environment["LONG_SECONDS"] = "0.3"
    bodies = [f"m{number:02}" for number in range(20)]
    with host("everything:app", environment, tmp_path), host("everything:app", environment, tmp_path):
        for body in bodies:
            queues.send("long", body)
        notes.wait_for("ended", len(bodies))
        eventually(lambda: queues.depth("long") == 0)
    began = [line.split() for line in notes.lines() if line.startswith("began")]
    assert sorted(body for _, body, _ in began) == bodies
    assert len({process for _, _, process in began}) == 2


def test_a_killed_hosts_message_is_taken_up_by_another(
    environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path
) -> None:
    options = ("--hidden-seconds", "1")
    with host("everything:app", {**environment, "LONG_SECONDS": "60"}, tmp_path, *options) as first:
        queues.send("long", "orphan")
        notes.wait_for("began")
        first.process.kill()
        first.process.wait()
    with host("everything:app", {**environment, "LONG_SECONDS": "0"}, tmp_path, *options) as second:
        notes.wait_for("ended")
        assert f"ended orphan {second.process.pid}" in notes.lines()
        eventually(lambda: queues.depth("long") == 0)


def test_a_message_whose_hosts_died_every_time_is_not_tried_again(
    environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path
) -> None:
    client = queues.client("long")
    client.create_queue()
    queues.send("long", "deadly")
    for _ in range(5):
        message = client.receive_message(visibility_timeout=30)
        assert message is not None
        client.update_message(message, visibility_timeout=0)
    with host("everything:app", environment, tmp_path):
        assert queues.receive("long-poison") == ["deadly"]
    assert not any(line.startswith("began") for line in notes.lines())


def test_a_disabled_function_leaves_its_queue_alone(
    environment: dict[str, str], queues: Queues, tmp_path: Path
) -> None:
    environment["AzureWebJobs__works_long__Disabled"] = "true"
    client = queues.client("long")
    client.create_queue()
    queues.send("long", "kept")
    with host("everything:app", environment, tmp_path) as running, running.client() as asking:
        queues.send("in", "x")
        queues.receive("out")
        names = [function["name"] for function in asking.get("/admin/functions").json()]
    assert "works_long" not in names
    assert queues.depth("long") == 1
