"""Every page: links within the repository lead to a file and a heading, and paths that are named are there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = "bench|core|docs|infra|localcloud|orchestrator|tests|tools_worker"
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(rf"`((?:{FOLDERS})/[\w./-]+)`")
ELSEWHERE = ("http://", "https://", "mailto:")
MADE = ("localcloud/azurite/node_modules", "core/build.txt")  # on the machine, or in the package


def pages() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.splitlines()]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings: lower case, no punctuation, a number where a heading comes again."""
    found: set[str] = set()
    for line in FENCED.sub("", page.read_text(encoding="utf-8")).splitlines():
        if heading := re.match(r"#{1,6} +(.*?) *#*$", line):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
            slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            again = 0
            while (name := f"{slug}-{again}" if again else slug) in found:
                again += 1
            found.add(name)
    return found


def dead(page: Path, text: str) -> list[str]:
    told = []
    for link in LINK.findall(FENCED.sub("", text)):
        if link.startswith(ELSEWHERE):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            told.append(link)
    return told


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert dead(page, page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_that_are_named_are_there(page: Path) -> None:
    named = set(PATH.findall(FENCED.sub("", page.read_text(encoding="utf-8"))))
    assert [path for path in sorted(named) if not path.startswith(MADE) and not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    "text", ["[a](nowhere.md)", "[a](#no-such-heading)", "[a](deploy.md#no-such-heading)", "[a](../nowhere/)"]
)
def test_a_dead_link_is_seen(text: str) -> None:
    assert len(dead(ROOT / "docs" / "operations.md", text)) == 1


def test_live_links_are_let_through() -> None:
    text = "[a](deploy.md#going-back) [b](../README.md) [c](#the-doctor) [d](https://example.com/x#y)"
    assert dead(ROOT / "docs" / "operations.md", text) == []
    assert len(pages()) > 30
