"""Policies and cases for tests: a case that fits everything, and small ones made up by Hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from orchestrator.policy.model import Policy
from orchestrator.policy.rules import Case

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
PARTS: dict[str, Any] = {
    "environments": [
        {"name": "development", "factories": ["*-dev"], "tags": {"env": "dev"}},
        {"name": "sandbox", "factories": ["adf-play*"]},
        {"name": "production", "factories": ["adf-*"]},
    ],
    "calendars": [
        {"name": "mornings", "from": "06:00", "until": "12:00"},
        {"name": "weekend", "weekdays": ["saturday", "sunday"]},
        {"name": "freeze", "dates": ["2026-12-18..2027-01-06"]},
    ],
}
CASE = Case(
    action="rerun",
    factory="adf-prod",
    at=NOON,
    factory_tags={"team": "sales"},
    pipeline="LoadSales",
    annotations=frozenset({"finance"}),
    callers=frozenset({"agent", "operator"}),
    confidence="medium",
    transience="transient",
    category="network",
    repeatable="yes",
)


def make_case(**changes: Any) -> Case:
    return replace(CASE, **changes)


def make_rule(effect: str = "allow", name: str = "rule", **match: Any) -> dict[str, Any]:
    terms = {"ask": {"roles": ["approver"], "expires_minutes": 60}} if effect == "ask" else {}
    return {"name": name, "why": f"because of {name}", "match": match, "effect": effect, **terms}


def make_policy(*rules: Mapping[str, Any], **parts: Any) -> Policy:
    return Policy.model_validate({**PARTS, **parts, "rules": list(rules)})


def some(*values: str) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


CONDITIONS: dict[str, st.SearchStrategy[Any]] = {
    "actions": some("rerun", "cancel", "*_trigger", "start_*", "*"),
    "factories": some("adf-prod", "*-dev", "ADF-*", "adf-p?od", "*"),
    "environments": some("development", "sandbox", "production"),
    "tags": st.dictionaries(st.sampled_from(["env", "Team"]), st.sampled_from(["dev", "Sales", "prod"]), min_size=1),
    "pipelines": some("Load*", "LoadSales", "*Sales", "Load?ales", "[LP]*", "*"),
    "annotations": some("finance", "f*", "nightly"),
    "callers": some("key", "person", "teams", "agent", "playbook", "operator"),
    "during": some("mornings", "weekend", "freeze"),
    "not_during": some("mornings", "weekend", "freeze"),
    "confidence": st.sampled_from(["low", "medium", "high"]),
    "transience": some("transient", "permanent", "intermittent", "unknown"),
    "categories": some("network", "timeout", "unknown"),
    "repeatable": some("yes", "no", "unknown"),
}
matches = st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=3, unique=True).flatmap(
    lambda names: st.fixed_dictionaries({name: CONDITIONS[name] for name in names})
)
limits = st.none() | st.fixed_dictionaries(
    {"per_hour": st.integers(1, 4)},
    optional={"per_pipeline_per_hour": st.integers(1, 3), "per_incident": st.integers(1, 3)},
)
moments = st.integers(0, 60 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))
cases = st.builds(
    Case,
    action=st.sampled_from(["rerun", "cancel", "start_trigger", "run_pipeline"]),
    factory=st.sampled_from(["adf-prod", "ADF-Dev", "adf-play-1", "other"]),
    at=moments,
    factory_tags=st.dictionaries(st.sampled_from(["ENV", "team"]), st.sampled_from(["Dev", "sales", "prod"])),
    pipeline=st.sampled_from(["LoadSales", "loadsales", "PostLedger", "Loadstores", ""]),
    annotations=st.frozensets(st.sampled_from(["finance", "Nightly", "fun"])),
    callers=st.frozensets(st.sampled_from(["key", "person", "agent", "operator", "playbook"])),
    this_hour=st.integers(0, 5),
    of_pipeline_this_hour=st.integers(0, 4),
    of_incident=st.integers(0, 4),
    confidence=st.sampled_from(["", "low", "medium", "high", "very"]),
    transience=st.sampled_from(["", "transient", "permanent", "intermittent"]),
    category=st.sampled_from(["", "network", "timeout"]),
    repeatable=st.sampled_from(["yes", "no", "unknown"]),
)


@st.composite
def rules(draw: st.DrawFn, name: str = "rule") -> dict[str, Any]:
    rule = make_rule(draw(st.sampled_from(["allow", "ask", "deny"])), name, **draw(matches))
    limit = draw(limits) if rule["effect"] != "deny" else None
    return rule | ({"limits": limit} if limit else {})


policies = st.integers(0, 6).flatmap(
    lambda many: st.tuples(*(rules(f"rule {n}") for n in range(many))).map(lambda made: make_policy(*made))
)
