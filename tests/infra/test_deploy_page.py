"""docs/deploy.md names what there is: variables, files, targets, settings; and its arithmetic holds."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
PARAMETERS = json.loads((ROOT / "infra" / "main.parameters.json").read_text(encoding="utf-8"))["parameters"]
VARIABLES = dict(re.findall(r'"\$\{([A-Z_]+)(?:=([^}]*))?\}"', json.dumps(PARAMETERS)))
SCHEDULES = """
import function_app, json
bindings = [b.get_dict_repr() for f in function_app.app.get_functions() for b in f.get_bindings()]
print(json.dumps([b["schedule"] for b in bindings if b["type"] == "timerTrigger"]))
"""


def rows(heading: str) -> list[list[str]]:
    """The table below a heading, without its first two lines."""
    part = PAGE[PAGE.index(f"## {heading}") :].split("\n## ")[0]
    table = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_variable_is_told_with_its_default() -> None:
    told: dict[str, str] = {}
    for names, defaults, _ in rows("What can be set"):
        listed = [each.strip().strip("`") for each in names.split(",")]
        values = [each.strip().strip("`") for each in defaults.split(",")]
        told |= dict(zip(listed, values if len(values) == len(listed) else values * len(listed), strict=True))
    wanted = {name: value for name, value in VARIABLES.items() if not name.startswith("AZURE_")}
    assert {name: value.replace("none", "") for name, value in told.items()} == wanted


def test_every_variable_that_is_set_in_a_step_exists() -> None:
    named = re.findall(r"azd env set ([A-Z_]+) (?!VALUE)", PAGE)
    assert len(named) > 3
    assert set(named) <= set(VARIABLES)


def test_every_file_that_is_named_exists() -> None:
    named = set(re.findall(r"`((?:infra|tests|docs)/[\w./]+)`", PAGE)) | set(re.findall(r"sh (infra/[\w./]+)", PAGE))
    linked = {f"docs/{path}" for path in re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)}
    assert len(named) > 5
    assert not [path for path in (*named, *linked) if not (ROOT / path).exists()]


def test_the_azd_that_is_asked_for_is_the_one_that_is_told() -> None:
    asked = re.search(r'azd: ">= (\d+\.\d+)\.0"', (ROOT / "azure.yaml").read_text(encoding="utf-8"))
    assert asked
    assert f"install-azd) {asked[1]} or\nlater" in PAGE
    assert tuple(map(int, asked[1].split("."))) >= (1, 18)  # before, all of the checkout would be sent


def test_what_is_to_be_typed_is_sound_and_has_no_words_that_zsh_takes_for_arguments() -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 10
    for block in blocks:
        subprocess.run(["bash", "-n"], input=block, text=True, check=True)
        assert not re.search(r"(^|\s)#(\s|$)", block), block
        assert not re.search(r"<[a-z ]+>", block), block  # would be read from a file of that name


def test_every_target_of_make_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"`make ([a-z-]+)", PAGE)
    assert targets
    assert not [name for name in targets if not re.search(rf"^{name}:", makefile, re.MULTILINE)]


def test_what_steps_read_from_the_environment_is_an_output() -> None:
    outputs = set(re.findall(r"^output (\w+)", (ROOT / "infra/main.bicep").read_text(encoding="utf-8"), re.MULTILINE))
    steps = "".join(re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL))
    used = set(re.findall(r"\$([A-Z]\w+)", steps))
    made = set(re.findall(r"^([A-Z]+)=", steps, re.MULTILINE))
    assert "SERVICE_APP_URI" in used
    assert used <= outputs | made


def test_the_columns_of_the_costs_add_up() -> None:
    table = rows("What it costs")
    *parts, total = [[int(cell.strip("*").replace(",", "")) for cell in row[1:]] for row in table]
    assert [sum(column) for column in zip(*parts, strict=True)] == total


@pytest.mark.parametrize(
    ("row", "column", "dollars"),
    [
        (0, 1, 30 * 730 * 0.008),
        (1, 3, 2 * 74),
        (3, 3, 4 * 43_200 * 2 * 0.000026),
        (4, 3, 600 * 30 * (60 + 5 * 2) * 2 * 0.000026),
        (5, 3, 2 * 2 * 730 * 3600 * 0.000004),
        (6, 2, 120 * 30 * (10_000 * 1.75 + 1_000 * 14) / 1e6),
        (7, 3, 10 * 2.30),
        (8, 3, 2 * 1.50 + 9 * 0.50),
        (9, 2, 1.50 + 60 * 0.10),
    ],
)
def test_a_cost_is_what_its_formula_says(row: int, column: int, dollars: float) -> None:
    assert int(rows("What it costs")[row][column]) == round(dollars)


def test_the_alerts_on_the_app_are_as_many_as_is_paid_for() -> None:
    rules = (ROOT / "infra/modules/ownAlerts.bicep").read_text(encoding="utf-8")
    assert (rules.count("every: 'PT5M'"), rules.count("every: 'PT15M'")) == (2, 9)


def test_a_network_of_its_own_costs_what_it_is_made_of() -> None:
    main, network, accounts = (
        (ROOT / "infra" / f"{name}.bicep").read_text(encoding="utf-8")
        for name in ("main", "modules/network", "modules/privateStorage")
    )
    endpoints = main.count("'modules/privateStorage.bicep'") * accounts.count("service: '")
    endpoints += main.count("'modules/privateEndpoint.bicep'")
    zones = len(re.findall(r"^output \w+ZoneId", network, re.MULTILINE))
    assert f"{endpoints} × 730 h × P 0.01 + {zones} × P 0.50 = {endpoints * 7.3 + zones * 0.5:.0f}" in PAGE


def test_the_runs_that_are_logged_are_those_of_timers_and_looks() -> None:
    table = rows("What it costs")
    timers, looks = (int(re.findall(r"([\d,]{6,})", table[row][0])[0].replace(",", "")) for row in (2, 3))
    assert looks == 30 * 24 * 60
    told = re.findall(r"([\d,]+) to ([\d,]+) runs of functions", PAGE)[0]
    assert [round((timers + factories * looks) / 1e4) * 10_000 for factories in (1, 4)] == [
        int(number.replace(",", "")) for number in told
    ]


def test_the_timers_run_as_often_as_is_said() -> None:
    done = subprocess.run([sys.executable, "-c", SCHEDULES], cwd=ROOT, capture_output=True, text=True, check=True)
    a_month = sum(30 * times_a_day(schedule) for schedule in json.loads(done.stdout))
    row = rows("What it costs")[2]
    told = int(re.findall(r"([\d,]+) runs", row[0])[0].replace(",", ""))
    assert told == round(a_month, -3)
    assert int(row[1]) == round((told * 2 - 100_000) * 0.000026)


def times_a_day(schedule: str) -> int:
    """Of six fields the first three: seconds, minutes, hours; every day."""
    *fields, day, month, weekday = schedule.split()
    assert (day, month, weekday) == ("*", "*", "*")
    times = 1
    for field, whole in zip(fields, (60, 60, 24), strict=True):
        times *= whole if field == "*" else whole // int(field[2:]) if field.startswith("*/") else 1
    return times
