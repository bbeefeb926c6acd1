"""The page about settings names every setting there is, with its true default."""

from __future__ import annotations

import re
from pathlib import Path

from core.settings import LIMITS, Settings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")
SOURCES = (Path(__file__).resolve().parents[2] / "core" / "settings").glob("*.py")
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)


def test_every_setting_that_is_read_is_on_the_page() -> None:
    read = set(re.findall(r'env(?:\.get\(|, )"([A-Za-z_]+)"', SOURCE)) | set(LIMITS)
    assert len(read) > 25
    assert {name for name in read if f"`{name}`" not in PAGE} == set()


def test_the_defaults_on_the_page_are_true() -> None:
    for name, (attribute, _, _) in LIMITS.items():
        row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}`"))
        assert row.split("|")[2].strip() == f"{getattr(Settings, attribute):g}"
