"""The real func, where it is wanted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.localcloud.host.running import REPOSITORY


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "localcloud.host.func_tools", *options],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PATH": str(path), "STORAGE": "kept"},
        check=False,
        timeout=30,
    )


def test_the_real_func_takes_over_with_port_folder_and_environment(tmp_path: Path) -> None:
    func = tmp_path / "func"
    func.write_text('#!/bin/sh\necho "$@ $PWD $STORAGE $$"\n')
    func.chmod(0o755)
    done = run(tmp_path, "--port", "7099", "--root", str(tmp_path))
    assert done.stdout.split()[:5] == ["start", "--port", "7099", str(tmp_path), "kept"]


def test_without_func_it_says_how_to_get_it(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 1
    assert "Core Tools" in done.stderr
