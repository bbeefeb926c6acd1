"""The version that health tells is that of the build which runs."""

from __future__ import annotations

import tomllib
from pathlib import Path

from core.version import VERSION, running

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_the_version_of_the_project() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION


def test_a_package_tells_its_build(tmp_path: Path) -> None:
    (tmp_path / "build.txt").write_text("4b825dc642cb\n")
    assert running(tmp_path / "build.txt") == f"{VERSION}-4b825dc642cb"


def test_a_checkout_is_no_build() -> None:
    assert running() == VERSION
