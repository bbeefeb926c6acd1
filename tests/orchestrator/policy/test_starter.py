"""The policy that comes with the app: development repairs itself in passing faults, production asks."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.policy.reading import USUAL, parse
from orchestrator.policy.rules import KINDS
from tests.orchestrator.policy.policies import make_case

POLICY = parse(USUAL.read_text(encoding="utf-8"))
DEV = {"factory": "adf-sales-dev", "factory_tags": {}}
TAGGED = {"factory": "adf-sales", "factory_tags": {"Env": "dev"}}
PROD = {"factory": "adf-prod"}


def test_the_check_finds_and_warns_of_nothing() -> None:
    assert [*POLICY.findings(), *POLICY.warnings()] == []


@pytest.mark.parametrize("where", [DEV, TAGGED])
@pytest.mark.parametrize(
    ("changes", "effect"),
    [
        ({}, "allow"),
        ({"this_hour": 5}, "deny"),
        ({"of_pipeline_this_hour": 1}, "deny"),
        ({"transience": "permanent"}, "ask"),
        ({"transience": ""}, "ask"),
        ({"confidence": "low"}, "ask"),
        ({"repeatable": "no"}, "ask"),
        ({"repeatable": "unknown"}, "ask"),
        ({"action": "cancel"}, "ask"),
        ({"action": "run_pipeline"}, "ask"),
    ],
)
def test_development_reruns_passing_faults_and_asks_an_operator_otherwise(
    where: dict[str, Any], changes: dict[str, Any], effect: str
) -> None:
    verdict = POLICY.decide(make_case(**where, **changes))
    assert (verdict.effect, verdict.environment) == (effect, "development")
    if verdict.terms:
        assert (verdict.terms.roles, verdict.terms.approvals, verdict.terms.four_eyes) == (("operator",), 1, False)


@pytest.mark.parametrize("kind", KINDS)
def test_production_asks_somebody_else_and_two_for_a_run_with_parameters(kind: str) -> None:
    verdict = POLICY.decide(make_case(**PROD, action=kind))
    assert (verdict.effect, verdict.environment) == ("ask", "production")
    assert verdict.terms is not None
    assert (verdict.terms.roles, verdict.terms.four_eyes) == (("approver",), True)
    assert verdict.terms.approvals == (2 if kind == "run_pipeline" else 1)
    assert verdict.terms.expires_minutes == 60


def test_what_the_policy_has_never_heard_of_is_denied_in_production() -> None:
    assert POLICY.decide(make_case(**PROD, action="delete_factory")).effect == "deny"


@pytest.mark.parametrize("factory", ["elsewhere", "adf-dev-2", "adf-devices"])
def test_a_factory_that_is_not_known_to_be_development_is_production(factory: str) -> None:
    assert POLICY.decide(make_case(factory=factory)).environment == "production"
