"""docs/operations.md names what there is: queries, alerts, commands, sizes, tables; its shell can be read."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
from pathlib import Path

import pytest

from infra.backup.saving import TABLES
from infra.workbook import SECTIONS, queries
from tests.infra.test_deploy_page import VARIABLES, rows
from tests.infra.test_names import NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
BLOCKS = [
    re.sub(r"^ {3}", "", block, flags=re.M) for block in re.findall(r"^ *```bash\n(.*?)^ *```", PAGE, re.S | re.M)
]
KNOWN = queries()


def section(heading: str) -> str:
    return PAGE[PAGE.index(f"\n## {heading}\n") :].split("\n## ")[1]


def first_cells(text: str) -> list[str]:
    return [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")][2:]


def test_every_alert_has_a_line_that_says_what_to_do() -> None:
    rows = {cell.strip("`") for cell in first_cells(section("When an alert comes"))}
    rules = (ROOT / "infra/modules/ownAlerts.bicep").read_text(encoding="utf-8")
    assert rows == set(re.findall(r"name: '([a-z-]+)'\n    query", rules))
    assert rows == {query.name.removeprefix("alert-") for query in KNOWN.values() if query.is_alert}


def test_severities_are_those_of_the_rules() -> None:
    rules = (ROOT / "infra/modules/ownAlerts.bicep").read_text(encoding="utf-8")
    made = dict(re.findall(r"name: '([a-z-]+)'\n    query: .*\n    severity: (\d)", rules))
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (\d) \|", section("When an alert comes"), re.M))
    assert told == made


def test_every_query_that_is_named_exists() -> None:
    prefixes = tuple({f"{name.partition('-')[0]}-" for name in KNOWN})
    named = {name for name in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", PAGE) if name.startswith(prefixes)}
    vault = {"teams-webhook-url", "teams-security-token", "questions-failing", "messages-poisoned", "queues-slow"}
    assert len(named) > 10
    assert {name for name in named if name not in KNOWN and f"alert-{name}" not in KNOWN} <= vault
    assert set(re.findall(r"infra/queries/([a-z-]+)\.kql", PAGE)) <= set(KNOWN)


def test_ten_troubles_are_numbered() -> None:
    assert first_cells(section("The ten likeliest troubles")) == [str(number) for number in range(1, 11)]


def test_every_log_word_and_check_that_is_named_exists() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "orchestrator").rglob("*.py"))
    words = {"not_looked_at", "not_checked", "not_made", "people_not_told", "not_told"}
    assert all(f"`{word}`" in PAGE and f"outcome={word}" in code for word in words)
    checks = set(re.findall(r"doctor: ((?:`[a-z_]+`(?:, )?)+)", PAGE))
    named = {name for each in checks for name in re.findall(r"`([a-z_]+)`", each)}
    assert len(named) >= 6
    assert [name for name in named if f'Check("{name}"' not in code and f'"{name}",' not in code] == []


def test_every_module_that_is_run_exists() -> None:
    modules = set(re.findall(r"python -m ([a-z_.]+)", PAGE))
    assert {"infra.backup", "infra.workbook", "orchestrator.audit"} <= modules
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0][:40])
def test_the_shell_can_be_read(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_commands_read_from_the_environment_is_an_output_or_made_before() -> None:
    main = (ROOT / "infra/main.bicep").read_text(encoding="utf-8")
    outputs = set(re.findall(r"^output (\w+)", main, re.M))
    shell = "\n".join(BLOCKS)
    made = set(re.findall(r"^([A-Z]+)=", shell, re.M)) | set(re.findall(r"for (\w+) in", shell))
    made.add("AZURE_SUBSCRIPTION_ID")  # by azd itself
    assert set(re.findall(r"\$\{?([A-Za-z]\w+)", shell)) <= outputs | made


def test_every_variable_that_is_set_exists() -> None:
    named = set(re.findall(r"azd env set ([A-Z_]+)", PAGE))
    assert len(named) > 4
    assert named <= set(VARIABLES)


def test_a_standby_costs_what_its_parts_cost() -> None:
    cosmos, search = (int(row[3]) for row in rows("What it costs")[:2])
    assert f"Cosmos DB and AI Search of `prod`, {cosmos + search} dollars" in PAGE


def test_sizes_that_are_named_are_sizes() -> None:
    sizes = json.loads((ROOT / "infra/stages.json").read_text(encoding="utf-8"))["prod"]
    named = {"modelCapacity", "maximumInstanceCount", "alwaysReady", "httpConcurrency", "instanceMemoryMB"}
    named |= {"logDailyGb", "storageSku", "ownAlerts"}
    assert named <= set(sizes)
    assert all(f"`{name}`" in PAGE for name in named)


def test_every_table_is_told_as_truth_or_not() -> None:
    told = section("Backup and restore")
    rows = [line.split("|")[1:3] for line in told.splitlines() if line.startswith("|")]
    truth = {name for what, word in rows if "yes" in word for name in re.findall(r"`(\w+)`", what)}
    assert truth >= set(TABLES)
    assert all(f"`{name}`" in told for name in NAMES["tables"])
    assert not truth & {"activeruns", "toolanswers"}


def test_the_parts_of_the_workbook_are_told() -> None:
    told = section("The workbook")
    assert all(one.title.lower().split()[0] in told.lower() for one in SECTIONS)
