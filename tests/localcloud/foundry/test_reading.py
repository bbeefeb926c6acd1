"""How the planner reads: clauses, names, times, words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from localcloud.foundry.thinking.arguments import Source, fill
from localcloud.foundry.thinking.entities import entities_of
from localcloud.foundry.thinking.question import clauses_of
from localcloud.foundry.thinking.times import day_of, span_of
from localcloud.foundry.thinking.turns import Offer
from localcloud.foundry.thinking.words import likeness, stem

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)  # a Tuesday


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("What failed, and why?", [("What failed", False), ("why?", True)]),
        ("What failed? Explain it.", [("What failed?", False), ("Explain it.", True)]),
        ("show the builds and then tell me what broke", [("show the builds", False), ("tell me what broke", False)]),
        ("Why did SalesLoad and SyncCrm fail?", [("Why did SalesLoad and SyncCrm fail?", False)]),
    ],
)
def test_a_question_falls_into_its_parts(text: str, clauses: list[tuple[str, bool]]) -> None:
    assert [(clause.text, clause.dependent) for clause in clauses_of(text)] == clauses


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("why did LoadSales fail in plant-prod", [("LoadSales", "name"), ("plant-prod", "kebab")]),
        ('say "good morning" to load_sales', [("good morning", "quoted"), ("load_sales", "name")]),
        ("open INV-1042, don't wait", [("INV-1042", "code")]),
        ("flights to New York for Ann Lee", [("New York", "proper"), ("Ann Lee", "proper")]),
        ("Does Contoso owe us 250 dollars?", [("Contoso", "proper"), ("250", "number")]),
        ("see https://a.b/c?d=e. or ask x@y.com", [("https://a.b/c?d=e", "url"), ("x@y.com", "email")]),
        ("is the self-hosted one up on Monday?", []),
    ],
)
def test_names_are_told_from_words(text: str, named: list[tuple[str, str]]) -> None:
    assert [(entity.text, entity.kind) for entity in entities_of(text)] == named


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("in the last 24 hours", timedelta(hours=24)),
        ("over the past two weeks", timedelta(weeks=2)),
        ("last 90 minutes", timedelta(minutes=90)),
        ("since yesterday", timedelta(days=2)),
        ("last night", timedelta(days=1)),
        ("this week", timedelta(weeks=1)),
        ("a couple of days ago", timedelta(days=2)),
        ("why did it fail", None),
    ],
)
def test_spans_of_time_are_understood(text: str, span: timedelta | None) -> None:
    assert span_of(text) == span


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("tomorrow", date(2026, 3, 11)),
        ("yesterday", date(2026, 3, 9)),
        ("on friday", date(2026, 3, 13)),
        ("on tuesday", date(2026, 3, 17)),
        ("at 2026-05-02", date(2026, 5, 2)),
        ("whenever", None),
    ],
)
def test_days_are_understood(text: str, day: date | None) -> None:
    assert day_of(text, NOW) == day


@pytest.mark.parametrize(("one", "other"), [("failing", "failed"), ("runs", "ran"), ("invoices", "invoice")])
def test_forms_of_a_word_have_one_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_related_words_are_near_and_others_are_not() -> None:
    assert likeness(stem("broke"), stem("failing")) > 0
    assert likeness(stem("umbrella"), stem("invoice")) == 0


def filled(text: str, required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    offer = Offer("thing_find", "Finds things.", {"type": "object", "properties": properties, "required": [*required]})
    return fill(offer, Source(text, "", NOW)).arguments


@pytest.mark.parametrize(
    ("text", "properties", "arguments"),
    [
        ("last 3 days", {"hours": {"type": "integer"}}, {"hours": 72}),
        ("last 3 days", {"days": {"type": "integer", "maximum": 2}}, {"days": 2}),
        ("the top 5", {"limit": {"type": "integer"}}, {"limit": 5}),
        ("for 3 nights", {"nights": {"type": "integer"}}, {"nights": 3}),
        ("failed ones", {"status": {"enum": ["Succeeded", "Failed"]}}, {"status": "Failed"}),
        ("not paid yet", {"status": {"enum": ["paid", "unpaid"]}}, {"status": "unpaid"}),
        ("in Oslo", {"city": {"type": "string"}}, {"city": "Oslo"}),
        ("archived ones", {"archived": {"type": "boolean"}}, {"archived": True}),
        ("no archived ones", {"archived": {"type": "boolean"}}, {"archived": False}),
        ("tomorrow", {"date": {"type": "string", "format": "date"}}, {"date": "2026-03-11"}),
        ("last 2 hours", {"since": {"type": "string", "format": "date-time"}}, {"since": "2026-03-10T06:00:00Z"}),
        ("why so?", {"query": {"type": "string"}}, {"query": "why so?"}),
        ("mail x@y.com", {"email": {"type": "string"}}, {"email": "x@y.com"}),
        ("nothing of use", {"city": {"type": "string"}, "limit": {"type": "integer"}}, {}),
    ],
)
def test_arguments_are_read_by_the_schema(text: str, properties: dict[str, Any], arguments: dict[str, Any]) -> None:
    assert filled(text, **properties) == arguments


def test_references_and_optional_types_are_resolved() -> None:
    parameters = {
        "type": "object",
        "$defs": {"State": {"type": "string", "enum": ["open", "closed"]}},
        "properties": {"state": {"anyOf": [{"$ref": "#/$defs/State"}, {"type": "null"}]}},
    }
    assert fill(Offer("find", "Finds.", parameters), Source("the closed ones", "", NOW)).arguments == {
        "state": "closed"
    }


def test_a_required_property_takes_its_default_or_is_missing() -> None:
    properties = {"kind": {"type": "string", "default": "all"}, "tag_id": {"type": "string"}}
    offer = Offer("find", "Finds.", {"type": "object", "properties": properties, "required": ["kind", "tag_id"]})
    result = fill(offer, Source("whatever there is", "", NOW))
    assert (result.arguments, result.missing) == ({"kind": "all"}, ("tag_id",))
