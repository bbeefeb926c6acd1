"""policy.yaml: the first entry that fits counts, and every mistake is told with its line."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import time
from pathlib import Path

import pytest

from orchestrator.policy.model import Policy
from orchestrator.policy.reading import USUAL, BadPolicy, PolicyFile, parse, problems

DEADLINE = 'importance:\n- severity: 1\n  why: x\n  finish_by: "06:00"'
GOOD = """
importance:
  - {factory: adf-prod, pipelines: ["Export*", PostLedger], severity: 1, why: finance}
  - {factory: "*-dev", severity: 4, why: development}
escalation:
  - severity: [0, 1]
    steps: [{after_minutes: 15, to: on call}, {after_minutes: 60, to: head}]
"""


@pytest.mark.parametrize(
    ("factory", "pipeline", "severity"),
    [
        ("adf-prod", "ExportFinance", 1),
        ("ADF-PROD", "postledger", 1),
        ("adf-prod", "LoadSales", None),
        ("adf-dev", "ExportFinance", 4),
    ],
)
def test_the_first_entry_that_fits_counts_in_any_case(factory: str, pipeline: str, severity: int | None) -> None:
    found = parse(GOOD).importance_of(factory, pipeline)
    assert (found.severity if found else None) == severity


def test_a_severity_without_a_path_has_no_steps() -> None:
    policy = parse(GOOD)
    assert [step.to for step in policy.steps(1)] == ["on call", "head"]
    assert policy.steps(3) == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("importance:\n  - severity: 1\n    why: x\n    pipline: [a]", "Line 4: importance[0].pipline: Extra inputs"),
        ("importance:\n  - why: x", "Line 2: importance[0].severity: Field required"),
        ("importance:\n- severity: 7\n  why: x", "Line 2: importance[0].severity: Input should be less than"),
        (
            'importance:\n- severity: 1\n  why: x\n  finish_by: "6:00"',
            "Line 4: importance[0].finish_by: '6:00",
        ),
        ('importance:\n- severity: 1\n  why: x\n  finish_by: "24:00"', "Line 4: importance[0].finish_by"),
        (
            "importance:\n- severity: 1\n  why: x\n  timezone: UTC",
            "Line 4: importance[0].timezone: it says",
        ),
        (f"{DEADLINE}\n  timezone: Mars", "Line 5: importance[0].timezone: Time zone 'Mars' is not known"),
        (f"{DEADLINE}\n  days: []", "Line 5: importance[0].days: At least one entry is needed"),
        (f"{DEADLINE}\n  days: [monday, tues]", "Line 5: importance[0].days[1]: Input should be 'monday'"),
        ("importance:\n- severity: 1\n  severity: 2\n  why: x", "Line 3: importance[0].severity stands there twice"),
        ("escalation:\n- severity: [1]\n  steps: [{after_minutes: 9, to: a}, {after_minutes: 9, to: b}]", "later"),
        ("rules: {", "It is no YAML"),
        ("- a\n- b", "Line 1: the file"),
        ("import: []", "Line 1: import: Extra inputs"),
    ],
)
def test_mistakes_are_told_with_their_line_and_field(text: str, told: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        parse(text)
    assert told in str(caught.value)


def test_a_time_needs_no_quotes() -> None:
    """YAML by itself would make it the number 960."""
    assert parse(DEADLINE.replace('"06:00"', "16:00")).importance[0].finish_by == time(16)


def test_what_can_never_take_effect_is_told() -> None:
    hidden = GOOD.replace("importance:\n", 'importance:\n  - {factory: "*", severity: 2, why: all}\n')
    assert list(parse(hidden).findings()) == [
        "importance[1] is never reached: importance[0] takes all that it fits.",
        "importance[2] is never reached: importance[0] takes all that it fits.",
    ]
    doubled = GOOD + "  - {severity: [1, 2], steps: [{after_minutes: 5, to: x}]}\n"
    assert list(parse(doubled).findings()) == ["escalation[1] names severity 1, which an earlier entry decides."]
    assert list(parse(GOOD).findings()) == []


def test_the_starter_file_is_sound() -> None:
    assert problems(USUAL) == []


def test_an_empty_file_is_a_policy_that_says_nothing() -> None:
    assert parse("# nothing\n") == Policy()


def test_a_file_that_breaks_or_disappears_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD, encoding="utf-8")
    file = PolicyFile.of({"POLICY_FILE": str(path)})
    good = file.current()
    path.write_text(GOOD + "nonsense: 1\n", encoding="utf-8")
    assert file.current() is good
    assert "nonsense" in file.mistakes[0]
    path.unlink()
    assert file.current() is good
    assert "cannot be read" in file.mistakes[0]
    path.write_text("importance: []\n", encoding="utf-8")
    assert file.current() == Policy()
    assert file.mistakes == ()


def test_while_the_file_is_broken_or_gone_nothing_may_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    file = PolicyFile.of({"POLICY_FILE": str(path)})
    assert "cannot be read" in file.writable()
    path.write_text(GOOD, encoding="utf-8")
    assert file.writable() == ""
    path.write_text("rules: [", encoding="utf-8")
    assert file.writable().startswith("Nothing is changed until policy.yaml is sound. It is no YAML")
    path.unlink()
    assert "cannot be read" in file.writable()
    path.write_text(GOOD, encoding="utf-8")
    assert file.writable() == ""


def test_a_file_that_comes_back_as_it_was_counts_again(tmp_path: Path) -> None:
    path, away = tmp_path / "policy.yaml", tmp_path / "away"
    path.write_text(GOOD, encoding="utf-8")
    file = PolicyFile.of({"POLICY_FILE": str(path)})
    good = file.current()
    path.rename(away)
    assert file.writable()
    away.rename(path)
    assert file.writable() == ""
    assert file.current() == good


def test_a_file_that_was_changed_with_its_time_turned_back_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("escalation: []", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    file = PolicyFile.of({"POLICY_FILE": str(path)})
    file.current()
    path.write_text("escalation: {}", encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert file.writable()


def test_all_of_a_process_remember_the_same_last_sound_policy(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD, encoding="utf-8")
    good = PolicyFile.of({"POLICY_FILE": str(path)}).current()
    path.unlink()
    assert PolicyFile.of({"POLICY_FILE": f" {path} "}).current() is good


def test_a_file_that_did_not_change_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(GOOD, encoding="utf-8")
    file = PolicyFile.of({"POLICY_FILE": str(path)})
    first = file.current()
    monkeypatch.setattr("orchestrator.policy.reading.parse", lambda text: pytest.fail("read again"))
    assert file.current() is first


def test_the_check_tells_each_mistake_and_fails(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("importance:\n- why: x\n", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator.policy", str(path)], capture_output=True, text=True, env=os.environ
    )
    assert (ran.returncode, ran.stdout) == (1, "Line 2: importance[0].severity: Field required.\n")


def test_the_check_warns_of_what_it_cannot_decide_and_does_not_fail(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(OVERLAP, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "orchestrator.policy", str(path)], capture_output=True, text=True, env=os.environ
    )
    assert (ran.returncode, ran.stdout.splitlines()[0]) == (0, "policy.yaml is sound.")
    assert ran.stdout.splitlines()[1].startswith("Warning: rules[1] (no agents) (deny) does not hold for what rules[0]")


OVERLAP = """
rules:
  - {name: reruns, why: x, effect: allow, match: {actions: [rerun]}}
  - {name: no agents, why: x, effect: deny, match: {callers: [agent]}}
"""
