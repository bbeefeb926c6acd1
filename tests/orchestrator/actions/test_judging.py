"""What the policy is told of an action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from core.errors import UpstreamUnavailable
from orchestrator.actions.judging import About
from tests.orchestrator.actions.desk import ANA, OPERATION, Afternoon

BY_TAG = """
environments:
  - {name: development, tags: {env: dev}}
rules:
  - {name: development, why: nobody is hurt, match: {environments: [development]}, effect: allow}
"""


@pytest.mark.parametrize(("env", "effect"), [("DEV", "allow"), ("prod", "deny")])
async def test_a_factory_is_in_its_environment_by_its_tags(env: str, effect: str) -> None:
    afternoon = Afternoon(BY_TAG)
    plan = await afternoon.proposer.plan(await afternoon.factories.get(""), OPERATION, afternoon.now)

    async def tags(name: str) -> Mapping[str, str]:
        assert name == plan.factory_name
        return {"env": env}

    judge = replace(afternoon.judge, tags=tags)
    assert (await judge.judge(About(plan, ANA))).effect == effect


async def test_there_is_no_verdict_while_the_tags_are_not_known() -> None:
    afternoon = Afternoon(BY_TAG)
    plan = await afternoon.proposer.plan(await afternoon.factories.get(""), OPERATION, afternoon.now)

    async def tags(name: str) -> Mapping[str, str]:
        raise UpstreamUnavailable("Data Factory does not answer.")

    with pytest.raises(UpstreamUnavailable):
        await replace(afternoon.judge, tags=tags).judge(About(plan, ANA))
