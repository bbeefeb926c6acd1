"""Which version of the app this is, and of a package which build."""

from __future__ import annotations

from functools import cache
from pathlib import Path

VERSION = "0.1.0"
BUILD = Path(__file__).with_name("build.txt")  # infra/package.py writes it into the package; a checkout has none


@cache
def running(build: Path = BUILD) -> str:
    """`0.1.0-4b825dc642cb` of a package, `0.1.0` of anything else."""
    try:
        return f"{VERSION}-{build.read_text(encoding='utf-8').strip()}"
    except FileNotFoundError:
        return VERSION
