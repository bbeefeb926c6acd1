"""The host ends without Python's good-byes; what the app has measured is told all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
ENDING = """
import os
from core.telemetry import metrics, names
from localcloud.host import telemetry
metrics.count(names.POISONED, 3, {names.QUEUE: "actions"})
telemetry.flush()
os._exit(0)
"""


def ended(script: str, **settings: str) -> str:
    """What the process wrote on standard error."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=True, timeout=60)
    return done.stderr


def test_metrics_are_told_before_the_end() -> None:
    assert '"metric": "adf_ops.queue.poisoned"' in ended(ENDING, TELEMETRY="console")
    assert ended(ENDING.replace("telemetry.flush()", ""), TELEMETRY="console") == ""


def test_an_app_without_telemetry_has_nothing_to_tell() -> None:
    assert ended(ENDING) == ""
