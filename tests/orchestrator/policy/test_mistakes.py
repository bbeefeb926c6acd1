"""Mistakes in the rules of policy.yaml: each with its line and its field."""

from __future__ import annotations

from typing import get_args

import pytest

from orchestrator.api import persons
from orchestrator.policy import rules
from orchestrator.policy.reading import BadPolicy, parse
from tools_worker.datafactory.operations.model import OperationKind

GOOD = """
environments:
  - {name: development, factories: ["*-dev"], tags: {env: dev}}
calendars:
  - name: nights
    timezone: Europe/Berlin
    from: 22:00
    until: 06:00
rules:
  - name: reruns
    why: no harm
    match:
      environments: [development]
      during: [nights]
      repeatable: [yes, no]
    effect: allow
  - name: rest
    why: people know
    effect: ask
    ask: {roles: [operator], approvals: 2, four_eyes: no, expires_minutes: 30}
    limits: {per_hour: 3}
"""


def test_values_are_what_stands_there_and_not_what_yaml_makes_of_them() -> None:
    policy = parse(GOOD)
    assert (policy.calendars[0].since, policy.calendars[0].until) == (22 * 60, 6 * 60)
    assert policy.rules[0].match.repeatable == ("yes", "no")
    terms = policy.rules[1].ask
    assert terms is not None
    assert (terms.approvals, terms.four_eyes) == (2, False)


MISTAKES = [
    ("match:\n", "match:\n      action: [rerun]\n", "Line 13: rules[0].match.action: Extra inputs are not permitted"),
    ("match:\n", "match:\n      actions: rerun\n", "Line 13: rules[0].match.actions: Input should be a list"),
    ("match:\n", "match:\n      actions: []\n", "Line 13: rules[0].match.actions: At least one entry is needed"),
    (
        "match:\n",
        "match:\n      actions: [rerun, re-run]\n",
        "Line 13: rules[0].match.actions[1]: 're-run' is no action; ",
    ),
    ("match:\n", "match:\n      callers: [approvers]\n", "Line 13: rules[0].match.callers[0]: Input should be 'key'"),
    ("match:\n", "match:\n      confidence: sure\n", "Line 13: rules[0].match.confidence: Input should be 'high'"),
    ("match:\n", "match:\n      transience: [passing]\n", "Line 13: rules[0].match.transience[0]: Input should be"),
    (
        "match:\n",
        "match:\n      categories: [netwrk]\n",
        "Line 13: rules[0].match.categories[0]: 'netwrk' is no category of a failure; 'network' is one.",
    ),
    (
        "match:\n",
        "match:\n      tags: [env]\n",
        "Line 13: rules[0].match.tags: Input should be names with their values",
    ),
    (
        "[development]",
        "[developement]",
        "Line 13: rules[0].match.environments[0]: 'developement' is none of the environments; 'development' is one.",
    ),
    (
        "[nights]",
        "[nights, x-mas]",
        "Line 14: rules[0].match.during[1]: 'x-mas' is none of the calendars; there are nights.",
    ),
    ("during: [nights]", "not_during: [Night]", "Line 14: rules[0].match.not_during[0]: 'Night' is none of"),
    ("    ask: {", "    # ask: {", "Line 17: rules[1].ask: the effect is ask, so say whom: roles and expires_minutes."),
    (
        "effect: allow",
        "effect: allow\n    ask: {roles: [operator], expires_minutes: 9}",
        "Line 17: rules[0].ask: the effect is",
    ),
    (
        "effect: ask\n    ask",
        "effect: deny\n    #",
        "Line 21: rules[1].limits: the effect is deny, so there is nothing",
    ),
    (
        "expires_minutes: 30",
        "expires_minutes: 0",
        "Line 20: rules[1].ask.expires_minutes: Input should be greater than",
    ),
    (
        "expires_minutes: 30",
        "expires_minutes: -5",
        "Line 20: rules[1].ask.expires_minutes: Input should be greater than",
    ),
    (
        "expires_minutes: 30",
        "expires_minutes: 10081",
        "Line 20: rules[1].ask.expires_minutes: Input should be less than",
    ),
    (", expires_minutes: 30", "", "Line 20: rules[1].ask.expires_minutes: Field required"),
    ("[operator]", "[admin]", "Line 20: rules[1].ask.roles[0]: Input should be 'operator' or 'approver'"),
    ("[operator]", "[reader]", "Line 20: rules[1].ask.roles[0]: Input should be 'operator' or 'approver'"),
    ("[operator]", "[]", "Line 20: rules[1].ask.roles: At least one entry is needed"),
    ("approvals: 2", "approvals: 0", "Line 20: rules[1].ask.approvals: Input should be greater than"),
    ("{per_hour: 3}", "{per_hour: 0}", "Line 21: rules[1].limits.per_hour: Input should be greater than"),
    ("{per_hour: 3}", "{}", "Line 21: rules[1].limits: give one of per_hour, per_pipeline_per_hour, per_incident."),
    ("{per_hour: 3}", "{per_day: 3}", "Line 21: rules[1].limits.per_day: Extra inputs"),
    ("effect: allow", "effect: permit", "Line 16: rules[0].effect: Input should be 'allow', 'ask' or 'deny'"),
    ("    effect: allow\n", "", "Line 10: rules[0].effect: Field required"),
    ("    why: no harm\n", "", "Line 10: rules[0].why: Field required"),
    ("name: rest", "name: reruns", "Line 17: rules[1].name: 'reruns' is the name of rules[0] already."),
    ("Europe/Berlin", "Europe/Berlim", "Line 6: calendars[0].timezone: Time zone 'Europe/Berlim' is not known"),
    ("from: 22:00", "from: 22.00", "Line 7: calendars[0].from: '22.00' is no time of the day such as 08:00"),
    ('factories: ["*-dev"], tags: {env: dev}', "", "Line 3: environments[0]: give factories, tags or both"),
    ("name: development, ", "", "Line 3: environments[0].name: Field required"),
]


@pytest.mark.parametrize(("good", "bad", "told"), MISTAKES)
def test_a_mistake_is_told_with_its_line_and_field(good: str, bad: str, told: str) -> None:
    assert good in GOOD
    with pytest.raises(BadPolicy) as caught:
        parse(GOOD.replace(good, bad, 1))
    assert len(caught.value.mistakes) == 1
    assert caught.value.mistakes[0].startswith(told)


def test_all_names_that_are_wrong_are_told_at_once() -> None:
    with pytest.raises(BadPolicy) as caught:
        parse(GOOD.replace("[development]", "[prod, test]").replace("[nights]", "[days]").replace("rest", "reruns"))
    assert [told.partition(": ")[0] for told in caught.value.mistakes] == ["Line 17", "Line 13", "Line 13", "Line 14"]


@pytest.mark.parametrize(
    "text",
    [
        "rules: &rules\n- *rules",
        "rules: !!python/object/apply:os.getcwd [x]",
        "rules: !!int x",
        "rules: !!timestamp x",
        "? [a]\n: b",
        "rules: null",
        "rules:",
        "\x00",
        "rules: [{name: 2026-02-30}]",
    ],
)
def test_whatever_stands_in_the_file_it_is_a_mistake_and_no_crash(text: str) -> None:
    with pytest.raises(BadPolicy):
        parse(text)


def test_roles_and_actions_are_those_that_there_are() -> None:
    roles, kinds = set(get_args(rules.Role)), set(get_args(OperationKind))
    assert roles == set(get_args(persons.Role)) - {"reader"}
    assert set(get_args(persons.Role)) < set(get_args(rules.CallerKind))
    assert rules.kinds_of(("*",)) == kinds
