"""The guard: a foreign program and all it started end when stdin closes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.localcloud.launch.processes import ended

SLEEPER = "import time; print('up', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"


def guard(*command: str) -> subprocess.Popen[str]:
    return popen("-m", "localcloud.guard", "--", *command)


def popen(*arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def family_once_up(process: subprocess.Popen[str]) -> list[psutil.Process]:
    assert process.stdout
    assert process.stdout.readline() == "up\n"
    return psutil.Process(process.pid).children(recursive=True)


@pytest.fixture(params=[SLEEPER, PARENT], ids=["a program", "a program with a child"])
def guarded(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    with guard(sys.executable, "-c", request.param) as process:
        yield process


def test_everything_ends_when_stdin_closes(guarded: subprocess.Popen[str]) -> None:
    family = family_once_up(guarded)
    guarded.communicate(timeout=20)
    assert family
    assert ended(family)


def test_everything_ends_on_sigterm(guarded: subprocess.Popen[str]) -> None:
    family = family_once_up(guarded)
    guarded.terminate()
    assert ended(family)
    assert guarded.wait(10) == 128 + signal.SIGTERM


def test_a_program_deaf_to_sigterm_is_killed() -> None:
    code = f"import sys; from localcloud.guard import guard; guard([sys.executable, '-c', {DEAF!r}], grace_seconds=0.2)"
    with popen("-c", code) as process:
        family = family_once_up(process)
        process.communicate(timeout=20)
        assert ended(family)


def test_a_child_that_outlives_its_program_is_ended_too() -> None:
    code = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {SLEEPER!r}]).pid, flush=True)"
    with guard(sys.executable, "-c", code) as process:
        assert process.stdout
        grandchild = int(process.stdout.readline())
        assert process.wait(10) == 0
        assert not psutil.pid_exists(grandchild) or ended([psutil.Process(grandchild)])


def test_an_exit_code_is_passed_on() -> None:
    with guard(sys.executable, "-c", "raise SystemExit(7)") as process:
        assert process.wait(20) == 7


def test_its_starter_is_not_hit_by_its_signals() -> None:
    """It shares our process group until it makes its own; this test would end too if it did not."""
    with guard(sys.executable, "-c", SLEEPER) as process:
        family_once_up(process)
        process.terminate()
        assert process.wait(10) == 128 + signal.SIGTERM


def test_a_missing_program_is_told_by_name() -> None:
    with guard("no-such-program") as process:
        _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (127, "Cannot run 'no-such-program': No such file or directory.\n")


def test_no_program_is_a_usage_error() -> None:
    with guard() as process:
        process.communicate(timeout=20)
    assert process.returncode == 2
