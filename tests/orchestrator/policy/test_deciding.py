"""Verdicts: the first rule that fits decides, its limits are not got round, and nothing fits by default."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatch
from typing import Any

import pytest
from hypothesis import given, settings

from orchestrator.policy.conditions import CONDITIONS
from orchestrator.policy.model import Policy
from orchestrator.policy.overlap import IMPLYING
from orchestrator.policy.rules import Case, Match, Passed
from tests.orchestrator.policy.policies import NOON, cases, make_case, make_policy, make_rule, policies

FITTING: list[
    tuple[str, Any, dict[str, Any], dict[str, Any], str]
] = [  # condition, a case that fits, one that does not
    ("actions", ["rerun"], {}, {"action": "rerun_window"}, "rerun_window is not rerun"),
    ("actions", ["*_trigger", "rerun"], {"action": "stop_trigger"}, {"action": "pause_schedule"}, "pause_schedule is"),
    ("factories", ["ADF-P*"], {}, {"factory": "adf-dev"}, "adf-dev is not ADF-P*"),
    ("environments", ["development"], {"factory": "adf-dev"}, {}, "production is not development"),
    ("environments", ["development"], {"factory_tags": {"Env": "DEV"}}, {}, "production is not development"),
    ("environments", ["production"], {}, {"factory": "elsewhere"}, "no environment is not production"),
    ("tags", {"TEAM": "Sales"}, {}, {"factory_tags": {"team": "hr"}}, "the factory is not tagged TEAM: Sales"),
    ("tags", {"a": "1", "b": "2"}, {"factory_tags": {"a": "1", "b": "2"}}, {"factory_tags": {"a": "1"}}, "not tagged"),
    ("pipelines", ["load*"], {}, {"pipeline": "PostLedger"}, "PostLedger is not load*"),
    ("pipelines", ["load*"], {}, {"pipeline": ""}, "no pipeline is not load*"),
    ("annotations", ["Fin*"], {}, {"annotations": frozenset({"hr"})}, "the pipeline is not annotated Fin*"),
    ("annotations", ["finance", "hr"], {}, {"annotations": frozenset()}, "not annotated finance or hr"),
    (
        "callers",
        ["operator", "key"],
        {},
        {"callers": frozenset({"teams", "agent"})},
        "agent, teams is not operator or key",
    ),
    ("callers", ["key"], {"callers": frozenset({"key"})}, {"callers": frozenset()}, "nobody is not key"),
    ("during", ["mornings"], {"at": NOON - timedelta(minutes=1)}, {}, "it is not mornings"),
    ("during", ["weekend", "mornings"], {"at": NOON - timedelta(days=1)}, {}, "it is not weekend or mornings"),
    ("not_during", ["mornings", "weekend"], {}, {"at": NOON - timedelta(hours=1)}, "it is mornings"),
    ("confidence", "medium", {"confidence": "high"}, {"confidence": "low"}, "low is less than medium"),
    ("confidence", "low", {"confidence": "low"}, {"confidence": ""}, "unknown is less than low"),
    ("transience", ["transient"], {}, {"transience": ""}, "unknown is not transient"),
    ("transience", ["unknown"], {"transience": ""}, {}, "transient is not unknown"),
    ("categories", ["network", "timeout"], {}, {"category": "throttling_quota"}, "throttling_quota is not network or"),
    ("repeatable", ["yes"], {}, {"repeatable": "unknown"}, "unknown is not yes"),
]


@pytest.mark.parametrize(("condition", "wanted", "fitting", "other", "told"), FITTING)
def test_a_condition_fits_what_it_names_and_says_why_it_does_not_fit(
    condition: str, wanted: Any, fitting: dict[str, Any], other: dict[str, Any], told: str
) -> None:
    policy = make_policy(make_rule(**{condition: wanted}))
    assert policy.decide(make_case(**fitting)).effect == "allow"
    verdict = policy.decide(make_case(**other))
    assert (verdict.effect, verdict.rule) == ("deny", "")
    [passed] = verdict.trail
    assert (passed.rule, passed.condition) == ("rule", condition)
    assert told in passed.told


def test_every_condition_of_a_rule_is_asked_and_compared() -> None:
    assert list(CONDITIONS) == list(Match.model_fields)
    assert IMPLYING.keys() == CONDITIONS.keys()
    assert {condition for condition, *_ in FITTING} == CONDITIONS.keys()


def test_what_no_rule_fits_is_denied() -> None:
    verdict = make_policy().decide(make_case())
    assert (verdict.effect, verdict.rule, verdict.trail) == ("deny", "", ())
    assert verdict.why == "no rule fits, and what no rule fits is not done"


def test_a_rule_without_conditions_fits_everything() -> None:
    assert make_policy(make_rule("deny")).decide(make_case()).rule == "rule"


def test_the_first_rule_that_fits_decides_and_those_before_it_are_told() -> None:
    policy = make_policy(
        make_rule("allow", "cancels", actions=["cancel"]),
        make_rule("deny", "weekends", during=["weekend"]),
        make_rule("ask", "production", environments=["production"]),
        make_rule("allow", "all"),
    )
    verdict = policy.decide(make_case())
    assert (verdict.effect, verdict.rule, verdict.why) == ("ask", "production", "because of production")
    assert verdict.environment == "production"
    assert verdict.terms is not None
    assert (verdict.terms.roles, verdict.terms.approvals, verdict.terms.expires_minutes) == (("approver",), 1, 60)
    assert verdict.terms.four_eyes  # unless it is said otherwise
    assert verdict.trail == (
        Passed("cancels", "actions", "rerun is not cancel"),
        Passed("weekends", "during", "it is not weekend"),
    )


def test_a_factory_is_in_the_first_environment_that_fits() -> None:
    policy = make_policy(make_rule(environments=["production"]))
    assert policy.decide(make_case(factory_tags={"env": "dev"})).environment == "development"
    assert policy.decide(make_case(factory="adf-play-1")).environment == "sandbox"
    assert policy.decide(make_case(factory="elsewhere")).environment == ""


LIMITS: list[tuple[dict[str, int], dict[str, Any], dict[str, Any], str]] = [
    ({"per_hour": 5}, {"this_hour": 4}, {"this_hour": 5}, "5 actions within the hour went through already"),
    (
        {"per_pipeline_per_hour": 1},
        {"this_hour": 9},
        {"of_pipeline_this_hour": 1},
        "1 action of this pipeline within the hour went through already, and the rule lets 1 through",
    ),
    ({"per_incident": 2}, {"of_incident": 1}, {"of_incident": 3}, "3 actions for this incident"),
    (
        {"per_pipeline_per_hour": 2},
        {"pipeline": "", "this_hour": 1},
        {"pipeline": "", "this_hour": 2},
        "of this pipeline",
    ),
]


@pytest.mark.parametrize("effect", ["allow", "ask"])
@pytest.mark.parametrize(("limits", "below", "at", "told"), LIMITS)
def test_a_limit_that_is_reached_denies_and_never_falls_through_to_a_softer_rule(
    effect: str, limits: dict[str, int], below: dict[str, Any], at: dict[str, Any], told: str
) -> None:
    policy = make_policy({**make_rule(effect), "limits": limits}, make_rule("allow", "softer"))
    assert policy.decide(make_case(**below)).effect == effect
    verdict = policy.decide(make_case(**at))
    assert (verdict.effect, verdict.rule, verdict.terms) == ("deny", "rule", None)
    assert verdict.limit in limits
    assert told in verdict.why


def test_a_rule_that_does_not_fit_limits_nothing() -> None:
    limited = {**make_rule(actions=["cancel"]), "limits": {"per_hour": 1}}
    assert make_policy(limited, make_rule("allow", "all")).decide(make_case(this_hour=9)).effect == "allow"


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        make_case(at=datetime(2026, 11, 23, 12))  # noqa: DTZ001


def expected(policy: Policy, case: Case) -> tuple[str, str]:
    """The same once more, in other words: effect and rule."""
    for rule in policy.rules:
        if all(said(policy, name, wanted, case) for name, wanted in rule.match.model_dump(exclude_none=True).items()):
            limits = rule.limits.model_dump(exclude_none=True) if rule.limits else {}
            counts = {
                "per_hour": case.this_hour,
                "per_pipeline_per_hour": case.of_pipeline_this_hour if case.pipeline else case.this_hour,
                "per_incident": case.of_incident,
            }
            return ("deny" if any(counts[name] >= most for name, most in limits.items()) else rule.effect), rule.name
    return "deny", ""


def said(policy: Policy, name: str, wanted: Any, case: Case) -> bool:
    tags = {key.lower(): value.lower() for key, value in case.factory_tags.items()}
    factory = case.factory.lower()
    is_dev = factory.endswith("-dev") or tags.get("env") == "dev"
    sandbox, production = factory.startswith("adf-play"), factory.startswith("adf-")
    environment = "development" if is_dev else "sandbox" if sandbox else "production" if production else ""
    on = {
        "mornings": 6 <= case.at.hour < 12,
        "weekend": case.at.isoweekday() >= 6,
        "freeze": "2026-12-18" <= f"{case.at:%Y-%m-%d}" <= "2027-01-06",
    }
    ranks = ["low", "medium", "high"]

    def globbed(*names: str) -> bool:
        return any(fnmatch(each.lower(), glob.lower()) for each in names for glob in wanted)

    answers = {
        "actions": lambda: globbed(case.action),
        "factories": lambda: globbed(factory),
        "environments": lambda: environment in wanted,
        "tags": lambda: all(tags.get(key.lower()) == value.lower() for key, value in wanted.items()),
        "pipelines": lambda: globbed(case.pipeline),
        "annotations": lambda: globbed(*case.annotations),
        "callers": lambda: any(caller in wanted for caller in case.callers),
        "during": lambda: any(on[calendar] for calendar in wanted),
        "not_during": lambda: not any(on[calendar] for calendar in wanted),
        "confidence": lambda: case.confidence in ranks and ranks.index(case.confidence) >= ranks.index(wanted),
        "transience": lambda: (case.transience or "unknown") in wanted,
        "categories": lambda: (case.category or "unknown") in wanted,
        "repeatable": lambda: case.repeatable in wanted,
    }
    return answers[name]()


@settings(max_examples=250, derandomize=True, deadline=None)
@given(policies, cases)
def test_every_case_has_one_verdict_of_the_first_rule_that_fits(policy: Policy, case: Case) -> None:
    verdict = policy.decide(case)
    assert (verdict.effect, verdict.rule) == expected(policy, case)
    assert (verdict.terms is not None) == (verdict.effect == "ask")
    assert verdict.why
    before = [rule.name for rule in policy.rules]
    assert [passed.rule for passed in verdict.trail] == before[: before.index(verdict.rule) if verdict.rule else None]
    assert policy.decide(case) == verdict


@settings(max_examples=100, derandomize=True, deadline=None)
@given(policies, cases)
def test_a_clock_that_jumps_and_comes_back_changes_nothing(policy: Policy, case: Case) -> None:
    """A verdict depends on its case alone: nothing is remembered of the time between."""
    before = policy.decide(case)
    for years in (-30, 30):
        moved = Case(
            **{name: getattr(case, name) for name in Case.__slots__} | {"at": case.at + timedelta(days=365 * years)}
        )
        policy.decide(moved)
    assert policy.decide(case) == before
