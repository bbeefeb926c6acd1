"""The workbook of the app's operators, made from infra/queries. Never written by hand.

    python -m infra.workbook            # writes infra/workbook.json
    python -m infra.workbook --check    # says whether it is what it would be, and changes nothing

A query is one file. Its first line asks, its second says what to do then; the workbook shows both.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).resolve().parent
QUERIES, WORKBOOK = HERE / "queries", HERE / "workbook.json"
WORKSPACE = "WORKSPACE_ID"  # modules/workbook.bicep puts the resource id there
ASKS, THEN = "// ", "// Then: "
DAY_MS = 24 * 60 * 60 * 1000
PERIODS_MS = (DAY_MS // 24, DAY_MS // 6, DAY_MS, 3 * DAY_MS, 7 * DAY_MS, 30 * DAY_MS)
Look = Literal["table", "timechart", "unstackedbar", "barchart"]
BY_HAND = ("trace-of-a-run",)  # asks for an id


@dataclass(frozen=True)
class Query:
    """One file: the question, what to do then, and the whole text."""

    name: str
    asks: str
    then: str
    text: str

    @property
    def is_alert(self) -> bool:
        return self.name.startswith("alert-")


@dataclass(frozen=True)
class Part:
    query: str
    look: Look = "table"
    width: int = 50


@dataclass(frozen=True)
class Section:
    title: str
    parts: tuple[Part, ...]


SECTIONS = (
    Section(
        "Health",
        (Part("health-functions", width=100), Part("health-log", width=100), Part("logs-volume", "barchart")),
    ),
    Section(
        "Questions",
        (
            Part("questions-ends", "unstackedbar"),
            Part("questions-duration", "timechart"),
            Part("agents-duration"),
            Part("questions-slowest"),
        ),
    ),
    Section("Tools", (Part("tools-calls"), Part("tools-failures"))),
    Section("Queues", (Part("queues-age", "timechart"), Part("queues-poisoned"))),
    Section(
        "Incidents and alerts",
        (
            Part("incidents-course", "unstackedbar"),
            Part("incidents-causes"),
            Part("alerts-taken", "unstackedbar", width=100),
        ),
    ),
    Section("Actions", (Part("actions-ends"), Part("actions-limits"))),
    Section("Data Factory", (Part("data-factory-requests"), Part("data-factory-reused", "timechart"))),
    Section("Tokens", (Part("tokens-cost", width=100),)),
)


def queries(folder: Path = QUERIES) -> dict[str, Query]:
    """By name. Raises ValueError where a file does not begin as it has to."""
    return {path.stem: read(path) for path in sorted(folder.glob("*.kql"))}


def read(path: Path) -> Query:
    text = path.read_text(encoding="utf-8")
    asks, then, *_ = [*text.splitlines(), "", ""]
    if not (asks.startswith(ASKS) and asks.endswith("?") and then.startswith(THEN)):
        raise ValueError(f"{path.name} must begin with '{ASKS}a question?' and '{THEN}what to do'")
    return Query(path.stem, asks.removeprefix(ASKS), then.removeprefix(THEN), text)


def made(known: dict[str, Query]) -> dict[str, Any]:
    return {
        "version": "Notebook/1.0",
        "items": [
            _text("intro", "# ADF operations\nEach part answers a question and says what to do then."),
            _period(),
            _text("alerts", "## What the alerts see\nA table that holds nothing is as it should be."),
            *(item for query in known.values() if query.is_alert for item in _part(Part(query.name), known)),
            *(item for section in SECTIONS for item in _section(section, known)),
        ],
        "fallbackResourceIds": [WORKSPACE],
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
    }


def _section(section: Section, known: dict[str, Query]) -> Iterator[dict[str, Any]]:
    yield _text(f"section {section.title}", f"## {section.title}")
    for part in section.parts:
        yield from _part(part, known)


def _part(part: Part, known: dict[str, Query]) -> Iterator[dict[str, Any]]:
    query = known[part.query]
    calm = {"noDataMessage": "Nothing.", "noDataMessageStyle": 3} if query.is_alert else {}
    content = {
        "version": "KqlItem/1.0",
        "query": query.text,
        "size": 1,
        "title": query.asks,
        **calm,
        "timeContextFromParameter": "Period",
        "queryType": 0,
        "resourceType": "microsoft.operationalinsights/workspaces",
        "crossComponentResources": [WORKSPACE],
        "visualization": part.look,
    }
    then = {"type": 1, "content": {"json": f"**{query.name}**: {query.then}"}, "name": f"then {query.name}"}
    inner = [{"type": 3, "content": content, "name": query.name}, then]
    group = {"version": "NotebookGroup/1.0", "groupType": "editable", "items": inner}
    yield {"type": 12, "content": group, "customWidth": str(part.width), "name": f"group {query.name}"}


def _text(name: str, words: str) -> dict[str, Any]:
    return {"type": 1, "content": {"json": words}, "name": name}


def _period() -> dict[str, Any]:
    choices = [{"durationMs": each} for each in PERIODS_MS]
    period = {
        "id": "5c1f6a0e-7d4b-4a7e-9b0a-3f2a9c01d4e5",
        "version": "KqlParameterItem/1.0",
        "name": "Period",
        "type": 4,
        "isRequired": True,
        "value": {"durationMs": DAY_MS},
        "typeSettings": {"selectableValues": choices, "allowCustom": True},
    }
    content = {
        "version": "KqlParameterItem/1.0",
        "parameters": [period],
        "style": "pills",
        "queryType": 0,
        "resourceType": "microsoft.operationalinsights/workspaces",
    }
    return {"type": 9, "content": content, "name": "period"}


def written(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether the file is right")
    wanted = written(made(queries()))
    if not parser.parse_args().check:
        WORKBOOK.write_text(wanted, encoding="utf-8")
        return 0
    if WORKBOOK.exists() and WORKBOOK.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{WORKBOOK.name} is not what infra/queries make: run python -m infra.workbook\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
