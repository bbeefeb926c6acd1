"""The local stand-in of ADF, started once for all tests that ask it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def adf_url() -> Iterator[str]:
    command = [sys.executable, "-m", "localcloud.adf", "--port", "0", "--exit-with-stdin"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()
