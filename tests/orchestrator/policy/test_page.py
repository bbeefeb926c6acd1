"""The page about the policy names every field there is, and every value that a field may have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from orchestrator.api import app as api
from orchestrator.api import callers
from orchestrator.api.policy import VerdictView
from orchestrator.policy.calendars import Calendar
from orchestrator.policy.environments import Environment
from orchestrator.policy.rules import KINDS, MOST_MINUTES, CallerKind, Effect, Limits, Match, Role, Rule, Terms
from tools_worker.datafactory.failures.consequences import Transience
from tools_worker.datafactory.failures.rules import Confidence
from tools_worker.datafactory.operations.model import Repeatable

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("part", [Rule, Match, Terms, Limits, Environment, Calendar, VerdictView])
def test_every_field_is_on_the_page(part: type[BaseModel]) -> None:
    names = {field.alias or name for name, field in part.model_fields.items()}
    assert {name for name in names if f"`{name}`" not in PAGE} == set()


@pytest.mark.parametrize(
    "values", [KINDS, *map(get_args, (CallerKind, Effect, Role, Transience, Confidence, Repeatable))], ids=str
)
def test_every_value_is_on_the_page(values: tuple[str, ...]) -> None:
    assert {value for value in values if f"`{value}`" not in PAGE} == set()


def test_the_routes_of_the_page_are_there() -> None:
    there = {f"{method} {path}" for path, route in callers.routes(api.build()) for method in route.methods}
    told = set(re.findall(r"`((?:GET|POST) /api/[a-z/]+)`", PAGE))
    assert {"POST /api/policy/explain", "GET /api/health"} < told <= there


def test_the_longest_wait_is_told() -> None:
    assert f"at most {MOST_MINUTES};" in PAGE
