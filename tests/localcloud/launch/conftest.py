"""A throw-away checkout whose servers are all played by `stand_in.py`, but for the storage emulator, which is real."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from localcloud.launch.cloud import ROOT

HERE = Path(__file__).parent
PLAYED = ("adf", "foundry", "host", "learn", "teams")

Launch = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout"  # with a space: paths of people have them
    (root / "localcloud").mkdir(parents=True)
    (root / "localcloud" / "guard.py").symlink_to(ROOT / "localcloud" / "guard.py")
    for name in PLAYED:
        (root / "localcloud" / name).mkdir()
        shutil.copy(HERE / "stand_in.py", root / "localcloud" / name / "__main__.py")
    (root / "orchestrator" / "doctor").mkdir(parents=True)
    (root / "orchestrator" / "doctor" / "__main__.py").write_text("import os\nos.environ['STORAGE']\n")  # makes storage
    return root


@pytest.fixture
def launch(checkout: Path) -> Iterator[Launch]:
    """Runs `python -m localcloud.launch ARGUMENTS… --root <checkout>`; what was started is ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **env: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "localcloud.launch", *arguments, "--root", str(checkout)]
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.terminate()
