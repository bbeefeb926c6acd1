"""Starting, draining and ending the host as a process."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import httpx

from tests.localcloud.host.running import Notes, Queues, RunningHost, eventually, host


def test_run_on_startup_runs_at_the_start(served: RunningHost, shared_notes: Notes) -> None:
    shared_notes.wait_for("at start")


def test_a_timer_comes_again_and_never_twice_at_once(environment: dict[str, str], notes: Notes, tmp_path: Path) -> None:
    environment |= {"SCHEDULE": "00:00:00.2", "TICK_SECONDS": "0.4"}
    with host("everything:app", environment, tmp_path) as running, running.client() as client:
        notes.wait_for("tick")
        client.post("/admin/functions/tick", json={"input": ""})
        notes.wait_for("tock", 4)
    order = [line[:4] for line in notes.lines() if line[:4] in ("tick", "tock")]
    assert order[:8] == ["tick", "tock"] * 4


def test_told_to_stop_it_lets_running_functions_finish(
    environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path
) -> None:
    environment["LONG_SECONDS"] = "0.4"
    answers: list[httpx.Response] = []
    with host("everything:app", environment, tmp_path) as running, running.client() as client:
        asking = threading.Thread(target=lambda: answers.append(client.get("/api/slow?seconds=0.4")))
        asking.start()
        queues.send("long", "x")
        notes.wait_for("began")
        notes.wait_for("slow began")
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        asking.join()
    assert any(line.startswith("ended x") for line in notes.lines())
    assert answers[0].text == "slow"
    assert queues.depth("long") == 0


def test_told_to_stop_it_takes_no_more_messages(
    environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path
) -> None:
    environment["LONG_SECONDS"] = "0.4"
    with host("everything:app", environment, tmp_path) as running:
        for number in range(4):  # a full batch: the poller waits for one of them to end
            queues.send("long", f"early{number}")
        notes.wait_for("began", 4)
        running.process.send_signal(signal.SIGINT)
        eventually(lambda: "Stopping" in running.log.read_text())
        queues.send("long", "late")
        assert running.process.wait(20) == 0
    assert not any(line.startswith("began late") for line in notes.lines())


def test_told_twice_it_ends_at_once(environment: dict[str, str], queues: Queues, notes: Notes, tmp_path: Path) -> None:
    environment["LONG_SECONDS"] = "60"
    with host("everything:app", environment, tmp_path) as running:
        queues.send("long", "x")
        notes.wait_for("began")
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: "Stopping" in running.log.read_text())
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) != 0
    assert not any(line.startswith("ended") for line in notes.lines())


def test_it_ends_with_whoever_started_it(environment: dict[str, str], tmp_path: Path) -> None:
    with host("everything:app", environment, tmp_path, "--exit-with-stdin") as running:
        assert running.process.stdin
        running.process.stdin.close()
        assert running.process.wait(20) == 0
        running.process.stdin = None


def test_a_hanging_thread_cannot_keep_it_alive(environment: dict[str, str], tmp_path: Path) -> None:
    with (
        host("everything:app", environment, tmp_path, "--http-limit-seconds", "0.1") as running,
        running.client() as client,
    ):
        assert client.get("/api/blocking?seconds=60").status_code == 504
        running.process.send_signal(signal.SIGTERM)
        eventually(lambda: "Stopping" in running.log.read_text())
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(5) is not None
