"""What a sound policy leaves without effect, and what it may mean otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.policy.conditions import Seen, unfit
from orchestrator.policy.environments import environment_of
from orchestrator.policy.model import Policy
from orchestrator.policy.overlap import apart, within
from orchestrator.policy.rules import Case, Rule
from tests.orchestrator.policy.policies import CONDITIONS, cases, make_policy, make_rule, policies


def of_rules(*made: dict[str, Any]) -> list[str]:
    return [each for each in make_policy(*made).findings() if each.startswith("rules")]


HIDDEN: list[tuple[dict[str, Any], dict[str, Any]]] = [  # the earlier, and what it leaves nothing to
    ({}, {"actions": ["rerun"]}),
    ({"actions": ["rerun", "*_trigger"]}, {"actions": ["start_trigger"]}),
    ({"actions": ["*"]}, {"callers": ["agent"]}),
    ({"factories": ["*"], "pipelines": ["**"]}, {"callers": ["agent"]}),
    ({"repeatable": ["yes", "no", "unknown"]}, {"callers": ["agent"]}),
    ({"transience": ["transient", "permanent", "intermittent", "unknown"]}, {"callers": ["agent"]}),
    ({"factories": ["adf-*"]}, {"factories": ["ADF-PROD"]}),
    ({"factories": ["adf-*"]}, {"environments": ["production", "sandbox"]}),
    ({"environments": ["production", "sandbox"]}, {"environments": ["sandbox"], "pipelines": ["Load*"]}),
    ({"tags": {"Team": "sales"}}, {"tags": {"team": "Sales", "env": "dev"}}),
    ({"pipelines": ["*"]}, {"pipelines": ["Load*"]}),
    ({"pipelines": ["Load*", "Post*"]}, {"pipelines": ["PostLedger", "LoadSales"]}),
    ({"annotations": ["fin*"]}, {"annotations": ["finance"]}),
    ({"callers": ["agent", "playbook"]}, {"callers": ["playbook"]}),
    ({"during": ["mornings", "weekend"]}, {"during": ["weekend"]}),
    ({"not_during": ["freeze"]}, {"not_during": ["weekend", "freeze"]}),
    ({"not_during": ["freeze"]}, {"not_during": ["freeze"], "callers": ["agent"]}),
    ({"confidence": "low"}, {"confidence": "medium"}),
    ({"confidence": "medium"}, {"confidence": "medium", "callers": ["agent"]}),
    ({"transience": ["transient", "unknown"]}, {"transience": ["unknown"]}),
    ({"categories": ["network", "timeout"]}, {"categories": ["timeout"]}),
    ({"repeatable": ["yes", "unknown"]}, {"repeatable": ["yes"]}),
]


@pytest.mark.parametrize(("earlier", "later"), HIDDEN)
def test_a_rule_that_is_never_reached_is_found(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    found = of_rules(make_rule("deny", "first", **earlier), make_rule("ask", "second", **later))
    assert found == ["rules[1] (second) is never reached: rules[0] (first) takes all that it fits."]
    assert of_rules(make_rule("deny", "first", **later), make_rule("ask", "second", **earlier)) == []


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"environments": ["development"]}, {"factories": ["*-dev"]}),  # an earlier environment could take one of them
        ({"factories": ["*-dev"]}, {"environments": ["development"]}),  # some are told by their tags
        ({"factories": ["*-dev", "adf-play*"]}, {"environments": ["development", "sandbox"]}),
        ({"transience": ["transient"]}, {}),
    ],
)
def test_nothing_is_said_that_may_be_wrong(earlier: dict[str, Any], later: dict[str, Any]) -> None:
    assert of_rules(make_rule("deny", "first", **earlier), make_rule("ask", "second", **later)) == []


def test_a_limit_hides_too_for_what_is_beyond_it_is_denied() -> None:
    limited = {**make_rule("allow", "first"), "limits": {"per_hour": 1}}
    assert len(of_rules(limited, make_rule("ask", "second"))) == 1


@pytest.mark.parametrize(
    "match",
    [
        {"during": ["weekend"], "not_during": ["freeze", "weekend"]},
        {"environments": ["sandbox"], "factories": ["*-prod", "other"], "pipelines": ["*"]} | {"factories": ["other"]},
    ],
)
def test_a_rule_whose_conditions_exclude_each_other_is_found(match: dict[str, Any]) -> None:
    assert of_rules(make_rule("allow", "odd", **match)) == [
        "rules[0] (odd) never fits: its conditions exclude each other."
    ]


@pytest.mark.parametrize(("per_hour", "per_pipeline", "found"), [(1, 2, True), (2, 2, True), (3, 2, False)])
def test_a_limit_that_another_is_always_before_is_found(per_hour: int, per_pipeline: int, found: bool) -> None:
    limits = {"per_hour": per_hour, "per_pipeline_per_hour": per_pipeline}
    told = ["rules[0] (rule) has a limit per_pipeline_per_hour that is never reached: per_hour is reached first."]
    assert of_rules({**make_rule(), "limits": limits}) == (told if found else [])


ENVIRONMENTS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({"factories": ["*"]}, {"factories": ["adf-*"], "tags": {"env": "dev"}}, True),
    ({"factories": ["adf-*"]}, {"factories": ["adf-dev", "ADF-test"]}, True),
    ({"factories": ["adf-*"]}, {"factories": ["adf-dev", "other"]}, False),
    ({"factories": ["adf-*"]}, {"factories": ["adf-dev"], "tags": {"env": "dev"}}, False),
    ({"tags": {"env": "dev"}}, {"tags": {"Env": "DEV", "team": "x"}}, True),
    ({"tags": {"env": "dev", "team": "x"}}, {"tags": {"env": "dev"}}, False),
    ({"tags": {"env": "dev"}}, {"factories": ["adf-dev"]}, False),
    ({"factories": ["adf-*"], "tags": {"env": "dev"}}, {"factories": ["adf-dev"], "tags": {"env": "dev"}}, True),
]


@pytest.mark.parametrize(("earlier", "later", "hidden"), ENVIRONMENTS)
def test_an_environment_that_no_factory_can_be_in_is_found(
    earlier: dict[str, Any], later: dict[str, Any], hidden: bool
) -> None:
    both = [{"name": "first", **earlier}, {"name": "second", **later}]
    told = ["environments[1] is never reached: environments[0] takes every factory that it fits."]
    assert list(make_policy(environments=both, calendars=[]).findings()) == (told if hidden else [])


def test_calendars_that_nobody_asks_for_and_those_that_are_never_are_found() -> None:
    calendars = [
        {"name": "used", "weekdays": ["monday"]},
        {"name": "unused", "weekdays": ["monday"]},
        {"name": "never", "weekdays": ["monday"], "dates": ["2026-11-21"]},
    ]
    policy = make_policy(
        make_rule("deny", during=["used"]), make_rule("deny", "b", not_during=["never"]), calendars=calendars
    )
    assert list(policy.findings()) == [
        "calendars[1] (unused) is used by no rule.",
        "calendars[2] (never) is never: none of its dates falls on one of its weekdays.",
    ]


def warned(*made: dict[str, Any]) -> list[str]:
    return list(make_policy(*made).warnings())


@pytest.mark.parametrize(("softer", "stricter"), [("allow", "deny"), ("allow", "ask"), ("ask", "deny")])
def test_a_softer_rule_before_a_stricter_one_that_overlaps_is_warned_of(softer: str, stricter: str) -> None:
    reruns, freeze = make_rule(softer, "reruns", actions=["rerun"]), make_rule(stricter, "freeze", during=["freeze"])
    assert warned(reruns, freeze) == [
        f"rules[1] (freeze) ({stricter}) does not hold for what rules[0] (reruns) ({softer}) fits as well: "
        "put it first where it is meant to."
    ]
    assert warned(freeze, reruns) == []


def test_rules_of_the_same_effect_are_not_warned_of() -> None:
    assert warned(make_rule("ask", "a", actions=["rerun"]), make_rule("ask", "b", during=["freeze"])) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"actions": ["rerun"], "environments": ["development"]}, {"environments": ["development"]}),  # an exception
        ({"environments": ["development"]}, {"environments": ["production"], "actions": ["rerun"]}),
        ({"actions": ["rerun"]}, {"actions": ["*_trigger"], "callers": ["agent"]}),
        ({"pipelines": ["Load*"]}, {"pipelines": ["Post*"], "callers": ["agent"]}),
        ({"factories": ["*-dev"]}, {"factories": ["*-prod"], "callers": ["agent"]}),
        ({"factories": ["other"]}, {"environments": ["sandbox"], "callers": ["agent"]}),
        ({"tags": {"env": "dev"}}, {"tags": {"ENV": "prod"}, "callers": ["agent"]}),
        ({"tags": {"env": "dev", "team": "x"}}, {"tags": {"env": "dev", "team": "y"}, "callers": ["agent"]}),
        ({"during": ["freeze"]}, {"not_during": ["freeze"], "callers": ["agent"]}),
        ({"not_during": ["freeze"], "callers": ["agent"]}, {"during": ["freeze"]}),
        ({"transience": ["transient"]}, {"transience": ["permanent"], "callers": ["agent"]}),
        ({"categories": ["network"]}, {"categories": ["timeout"], "callers": ["agent"]}),
        ({"repeatable": ["yes"]}, {"repeatable": ["no"], "callers": ["agent"]}),
    ],
)
def test_exceptions_and_rules_that_never_meet_are_not_warned_of(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert warned(make_rule("allow", "first", **first), make_rule("deny", "second", **second)) == []


def test_callers_are_several_things_at_once_so_they_do_not_keep_rules_apart() -> None:
    assert len(warned(make_rule("allow", "a", callers=["operator"]), make_rule("deny", "b", callers=["agent"]))) == 1


def fits(policy: Policy, rule: Rule, case: Case) -> bool:
    environment = environment_of(policy.environments, case.factory, case.factory_tags)
    on = frozenset(calendar.name for calendar in policy.calendars if calendar.holds(case.at))
    return unfit(rule.match, Seen(case, environment, on)) is None


@st.composite
def pairs(draw: st.DrawFn) -> Policy:
    """Two rules that differ in one condition, or in two: rules made up at random have nothing to do with each other."""
    names = draw(st.lists(st.sampled_from(sorted(CONDITIONS)), min_size=1, max_size=2, unique=True))
    one, other = ({name: draw(CONDITIONS[name]) for name in names} for _ in range(2))
    return make_policy(make_rule("allow", "one", **one), make_rule("deny", "other", **other))


@settings(max_examples=400, derandomize=True, deadline=None)
@given(pairs(), st.lists(cases, min_size=3, max_size=8))
def test_what_is_said_of_two_rules_holds_for_every_case(policy: Policy, tried: list[Case]) -> None:
    one, other = policy.rules
    inside, never = within(policy, one, other), apart(policy, one, other)
    for case in tried:
        first, second = fits(policy, one, case), fits(policy, other, case)
        assert not (inside and first and not second)
        assert not (never and first and second)


@settings(max_examples=120, derandomize=True, deadline=None)
@given(policies, st.lists(cases, min_size=3, max_size=8))
def test_a_rule_that_is_said_never_to_be_reached_decides_nothing(policy: Policy, tried: list[Case]) -> None:
    lost = {
        rule.name for n, rule in enumerate(policy.rules) if any(f"rules[{n}]" in told[:9] for told in unreached(policy))
    }
    assert lost.isdisjoint(policy.decide(case).rule for case in tried)


def unreached(policy: Policy) -> list[str]:
    return [told for told in policy.findings() if "never reached: rules" in told or "never fits" in told]
