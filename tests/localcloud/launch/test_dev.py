"""`dev`: runs until it is stopped, and however it stops, every process it started is gone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from localcloud.launch.cloud import ROOT
from tests.localcloud.launch.conftest import Launch
from tests.localcloud.launch.processes import ended

LISTENING_FUNC = """
import socket, sys, time
assert sys.argv[1:3] == ["start", "--port"], sys.argv
with socket.create_server(("127.0.0.1", int(sys.argv[3]))):
    time.sleep(60)
"""


def until_it_runs(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything it has started, once it says what to try: six parts, and Node behind its guard."""
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
    assert len(family) == 7
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
    assert told.startswith(f"Port {port} cannot be used: address already in use. Stop what holds it")


def test_a_missing_functions_host_is_told_before_anything_starts(launch: Launch, checkout: Path) -> None:
    process = launch("dev", "--port", "0", "--host", "func", PATH="/nowhere")
    _, told = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "there is no `func` on PATH" in told
    assert not (checkout / ".localcloud").exists()


def test_the_real_functions_host_is_ready_when_its_port_is_open(launch: Launch, checkout: Path) -> None:
    func = checkout / "bin" / "func"
    func.parent.mkdir()
    func.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{LISTENING_FUNC}' \"$@\"\n")
    func.chmod(0o755)
    (checkout / "localcloud" / "host" / "func_tools.py").symlink_to(ROOT / "localcloud" / "host" / "func_tools.py")
    process = launch("dev", "--port", "0", "--host", "func", PATH=f"{func.parent}:{os.environ['PATH']}")
    family = until_it_runs(process)
    process.terminate()
    assert process.wait(30) == 143
    assert ended(family)
