"""What make does to a question on its way to the launcher: nothing."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from localcloud.launch.cloud import ROOT

NASTY = """It's "5 $" or $HOME or $(shell touch made) or `touch made` or $$ # or \\ or 100 %; touch made"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """In place of Python: prints the question it would ask and the factory."""
    program = tmp_path / "python"
    program.write_text('#!/bin/sh\nprintf "%s|%s|%s" "$ASK_QUESTION" "$ASK_FACTORY" "$*"\n')
    program.chmod(0o755)
    return program


def make(asked: Path, *arguments: str, **env: str) -> str:
    """`make ask` with everything prepared and nothing started; what the launcher would be given."""
    ready = ["PACKAGES=", "AZURITE=", f"RUN={asked}"]
    command = ["make", "-s", "-f", str(ROOT / "Makefile"), "ask", *ready, *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    result = subprocess.run(command, cwd=asked.parent, env={**clean, **env}, capture_output=True, text=True, check=True)
    return result.stdout


def test_any_character_survives_on_the_command_line(asked: Path) -> None:
    assert make(asked, f"Q={NASTY}").split("|")[0] == NASTY


def test_any_character_survives_in_the_environment(asked: Path) -> None:
    assert make(asked, Q=NASTY).split("|")[0] == NASTY


def test_nothing_in_a_question_is_run(asked: Path) -> None:
    make(asked, f"Q={NASTY}", f"FACTORY={NASTY}")
    assert not (asked.parent / "made").exists()


def test_a_factory_path_may_hold_any_character(asked: Path) -> None:
    assert make(asked, "FACTORY=../my $ factory").split("|")[1] == "../my $ factory"


def test_without_a_question_there_is_one(asked: Path) -> None:
    assert make(asked).split("|")[0] == "What failed in the last 24 hours, and why?"


def test_a_host_name_in_the_environment_does_not_choose_the_functions_host(asked: Path) -> None:
    assert make(asked, HOST="build-agent-7").endswith("--host light")


def test_the_real_functions_host_is_chosen_by_name(asked: Path) -> None:
    assert make(asked, HOST="func").endswith("--host func")
