"""What watches the app: the workbook is what the queries make, alerts go to people, and no function is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from tree_sitter import Node

from infra import workbook as book
from infra.checks.queries import CODE, ROOT, loaded
from infra.checks.tree import Declared, Finding, Template, Templates, at, literal, properties, text, walk

MINUTES = re.compile(r"PT(\d+)([MH])")
EVERY = (1, 5, 10, 15, 30, 45, 60)  # minutes between two evaluations of a log alert
LAYOUT = {  # what a part of each type needs: words, a query, parameters, a group
    1: {"json"},
    3: {"version", "query", "size", "queryType", "resourceType", "crossComponentResources", "visualization"},
    9: {"version", "parameters"},
    12: {"version", "groupType", "items"},
}
FIRST_ROW = {  # a query gives what is amiss, and nothing else
    "timeAggregation": "Count",
    "operator": "GreaterThan",
    "threshold": "0",
    "failingPeriods.minFailingPeriodsToAlert": "1",
    "failingPeriods.numberOfEvaluationPeriods": "1",
}
SELDOM = re.compile(r"\d+ \d+ ([\d*]+) \* \* \*")  # once an hour, once a day: nobody is woken for these


def silent_functions(templates: Templates) -> Iterator[Finding]:
    """The alert on silent functions knows every timer that comes at least every half hour, and the watcher's own."""
    path = templates.folder / "queries" / "alert-functions-silent.kql"
    listed = set(re.findall(r'^\s+"(\w+)", \d+', path.read_text(encoding="utf-8"), re.MULTILINE))
    wanted = {name for name, schedule in timers().items() if not SELDOM.fullmatch(schedule)} | {"watch_scope"}
    for name in sorted(wanted ^ listed):
        told = "is not in its list" if name in wanted else "is no timer that comes often"
        yield Finding(f"queries/{path.name}", 1, f"{name!r} {told}")


@cache
def timers() -> dict[str, str]:
    """When each function runs that runs by the clock."""
    pattern = re.compile(r'@bp\.function_name\("(\w+)"\)\s*@bp\.timer_trigger\([^)]*schedule="([^"]+)"')
    found = (path.read_text(encoding="utf-8") for package in CODE for path in (ROOT / package).rglob("triggers.py"))
    return {name: schedule for source in found for name, schedule in pattern.findall(source)}


def workbook(templates: Templates) -> Iterator[Finding]:
    """It is what the queries make, and of the shape that Azure shows."""
    path = templates.folder / "workbook.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    try:
        known = book.queries(templates.folder / "queries")
        if book.made(known) != content:
            yield Finding(path.name, 1, "is not what infra/queries make: run python -m infra.workbook")
    except (ValueError, KeyError) as exc:
        yield Finding(path.name, 1, f"cannot be made: {exc}")
        return
    items = list(_items(content))
    if content.get("version") != "Notebook/1.0" or not items:
        yield Finding(path.name, 1, "is no workbook")
    seen: set[str] = set()
    for item in items:
        missing = LAYOUT.get(item["type"], set()) - set(item["content"])
        for each in sorted(missing):
            yield Finding(path.name, 1, f"{item['name']!r} has no {each!r}")
        if item["name"] in seen:
            yield Finding(path.name, 1, f"two parts are named {item['name']!r}")
        seen.add(item["name"])
        if item["type"] == 3 and item["content"].get("query") not in {query.text for query in known.values()}:
            yield Finding(path.name, 1, f"the query of {item['name']!r} stands in no file")


def _items(content: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Those in groups, too."""
    for item in content.get("items", []):
        yield item
        yield from _items(item["content"]) if item["type"] == 12 else ()


def own_alerts(templates: Templates) -> Iterator[Finding]:
    """They go to people: to the app they would be a loop. Each is looked at as often as Azure can."""
    for template in {each.name: each for each, path, _ in loaded(templates) if path.suffix == ".kql"}.values():
        groups = [one for one in template.of("resource").values() if "/actionGroups@" in one.about]
        for group in groups:
            if at(group.body, "properties.webhookReceivers") is not None:
                yield template.finding(group.node, "an alert on the app itself must not go to an address")
            if _written(group.body, "properties.enabled") != "true":
                yield template.finding(group.node, f"{group.name!r} is off: nobody would be told")
        for rule in (one for one in template.of("resource").values() if "/scheduledQueryRules@" in one.about):
            told = at(rule.body, "properties.actions.actionGroups")
            named = [text(each) for each in told.named_children] if told is not None else []
            if named != [f"{group.name}.id" for group in groups] or not groups:
                yield template.finding(rule.node, f"{rule.name!r} must tell the people of this file, and nobody else")
            if not _at_the_first_row(rule):
                yield template.finding(rule.node, f"{rule.name!r} must be on by a parameter, and tell of the first row")
        yield from _periods(template)


def _at_the_first_row(rule: Declared) -> bool:
    criteria = at(rule.body, "properties.criteria.allOf")
    told = [{name: _written(one, name) for name in FIRST_ROW} for one in criteria.named_children] if criteria else []
    return told == [FIRST_ROW] and _written(rule.body, "properties.enabled") == "enabled"


def _written(node: Node | None, path: str) -> str:
    found = at(node, path)
    return literal(found) if found is not None else ""


def _periods(template: Template) -> Iterator[Finding]:
    for node in walk(template.root):
        given = properties(node) if node.type == "object" else {}
        if {"every", "over"} <= set(given):
            every, over = _minutes(literal(given["every"])), _minutes(literal(given["over"]))
            if every not in EVERY or over < every:
                yield template.finding(node, f"{literal(given['name'])!r} is looked at as no log alert can be")


def _minutes(period: str) -> int:
    found = MINUTES.fullmatch(period)
    return int(found[1]) * (60 if found[2] == "H" else 1) if found else 0
