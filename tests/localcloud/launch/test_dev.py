"""`dev`: runs until it is stopped, and however it stops, every process it started is gone."""

from __future__ import annotations

import signal
import socket
import subprocess

import psutil
import pytest

from tests.localcloud.launch.conftest import Launch
from tests.localcloud.launch.processes import ended


def until_it_runs(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything it has started, once it says what to try: five parts, and Node behind its guard."""
    assert process.stderr
    for line in process.stderr:
        if "/events?after=0" in line:
            return psutil.Process(process.pid).children(recursive=True)
    raise AssertionError("it ended before it was ready")


def named(family: list[psutil.Process], part: str) -> psutil.Process:
    return next(process for process in family if part in process.cmdline())


@pytest.mark.parametrize(
    ("signum", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGKILL, -9)],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else "",
)
def test_whatever_ends_it_everything_it_started_ends(launch: Launch, signum: signal.Signals, code: int) -> None:
    process = launch("dev", "--port", "0")
    family = until_it_runs(process)
    process.send_signal(signum)
    assert process.wait(30) == code
    assert len(family) == 6
    assert ended(family)


def test_a_part_that_dies_is_named_and_the_rest_is_stopped(launch: Launch) -> None:
    process = launch("dev", "--port", "0")
    family = until_it_runs(process)
    named(family, "localcloud.foundry").kill()
    _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "foundry was ended by SIGKILL." in told
    assert "foundry was told ['--port', '0', '--queues'" in told
    assert ended(family)


def test_storage_ends_when_its_guard_is_killed(launch: Launch) -> None:
    process = launch("dev", "--port", "0")
    family = until_it_runs(process)
    named(family, "localcloud.guard").kill()
    _, told = process.communicate(timeout=30)
    assert "storage was ended by SIGKILL." in told
    assert ended(family)


def test_a_busy_port_is_told_before_anything_starts(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        process = launch("dev", "--port", str(port))
        _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"Port {port} cannot be used: address already in use. Stop what holds it" in told
