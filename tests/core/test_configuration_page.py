"""The page about settings is made of their descriptions; and these are true of what the code reads, one by one."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from core.settings import DESCRIBED, OURS, Setting, Settings, surroundings
from core.settings.page import BEGIN, END, OTHER_AREAS, OUR_AREAS, page
from orchestrator.doctor.patient import EXECUTE
from orchestrator.policy.reading import PolicyFile

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
PACKAGES = ("core", "orchestrator", "tools_worker")
FILES = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")] + [ROOT / "function_app.py"]
READS = ROOT / "core" / "settings" / "setting.py"  # the one place where a name is looked up
ENVIRONMENTS = {"env", "environ"}  # what a mapping of settings is called here
LOOKS = ("get", "pop", "setdefault", "__getitem__")
BY_NAME = {each.name: each for each in DESCRIBED}
SECRETS = {  # no example of them is on the page: somebody might use it
    "STORAGE": "AccountName=a;AccountKey=b",
    "TEAMS_WEBHOOK_URL": "https://prod-1.westeurope.logic.azure.com/workflows/x?sig=y",
    "TEAMS_SECURITY_TOKEN": "c2VjcmV0",
    "LINK_SIGNING_KEY": "k" * 32,
    "CALLBACK_SIGNING_KEY": "k" * 32,
}
READ_ELSEWHERE = {"POLICY_FILE"}  # by what looks at it again and again


def given(**env: str) -> dict[str, Any]:
    """Fields of the settings that this gives, but for what is told about it."""
    return {each.name: getattr(Settings.load(env), each.name) for each in fields(Settings) if each.name != "problems"}


def changed(**env: str) -> dict[str, Any]:
    """Fields that are others than they are in an empty environment."""
    usual = given()
    return {name: value for name, value in given(**env).items() if value != usual[name]}


def sample(setting: Setting, folder: Path) -> str:
    if setting.name == "ADF_FAILURE_RULES":  # it has to be there
        (folder / "failures.yaml").write_text("[]", encoding="utf-8")
        return str(folder / "failures.yaml")
    return SECRETS[setting.name] if setting.secret else setting.example


# The page


def test_the_page_is_what_the_descriptions_make_of_it() -> None:
    command = [sys.executable, "-m", "core.settings", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert page(PAGE) == PAGE


def test_what_is_written_by_hand_stays() -> None:
    old = f"# Before\n\n{BEGIN}\n\nstale\n{END}\n\n## After\n"
    made = page(old)
    assert made.startswith("# Before\n")
    assert made.endswith(f"\n{END}\n\n## After\n")
    assert "stale" not in made


def test_a_page_that_was_edited_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from core.settings import __main__ as command

    spoilt = tmp_path / "configuration.md"
    spoilt.write_text(PAGE.replace("| `100` |", "| `200` |"), encoding="utf-8")
    monkeypatch.setattr(command, "PAGE", spoilt)
    monkeypatch.setattr(sys, "argv", ["settings", "--check"])
    assert command.main() == 1
    monkeypatch.setattr(sys, "argv", ["settings", "--write"])
    assert command.main() == 0
    assert spoilt.read_text(encoding="utf-8") == PAGE


def test_every_description_is_in_one_row_of_the_page() -> None:
    cells = [row.split("|")[1] for row in PAGE.splitlines() if row.startswith("| `")]
    names = [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]
    assert sorted(names) == sorted(BY_NAME)
    assert {each.area for each in OURS} == set(OUR_AREAS)
    assert {each.area for each in DESCRIBED} == {*OUR_AREAS, *OTHER_AREAS}


def test_no_example_of_a_secret_is_on_the_page() -> None:
    rows = {name: row for row in PAGE.splitlines() for name in SECRETS if row.startswith(f"| `{name}`<")}
    assert set(rows) == set(SECRETS)
    assert all(row.split("|")[4].strip().startswith("`@Microsoft.KeyVault(") for row in rows.values())


# What is described is what is read


def named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def lookups(tree: ast.AST) -> Iterator[int]:
    """Lines that look something up in an environment past its description."""
    return (node.lineno for node in ast.walk(tree) if isinstance(node, ast.expr) and _looks_up(node))


def _looks_up(node: ast.expr) -> bool:
    if isinstance(node, ast.Subscript):
        return isinstance(node.ctx, ast.Load) and named(node.value) in ENVIRONMENTS
    if isinstance(node, ast.Compare):
        return any(named(each) in ENVIRONMENTS for each in node.comparators)
    if not isinstance(node, ast.Call):
        return False
    asked = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr in LOOKS else None
    return named(node.func) in ("getenv", "getenvb") or (asked is not None and named(asked) in ENVIRONMENTS)


@pytest.mark.parametrize(
    "source",
    [
        'os.environ.get("SECRET_SWITCH")',
        'environ["SECRET_SWITCH"]',
        'os.getenv("SECRET_SWITCH", "")',
        'self.env.get("SECRET_SWITCH", "")',
        'env.get(name, "")',
        '"SECRET_SWITCH" in os.environ',
        'os.environ.pop("SECRET_SWITCH")',
    ],
)
def test_each_way_to_look_something_up_is_seen(source: str) -> None:
    assert list(lookups(ast.parse(source))) == [1]


def test_nothing_is_looked_up_past_its_description() -> None:
    assert len(FILES) > 150
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in FILES
        if path != READS
        for line in lookups(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert found == set()


def test_every_setting_that_is_made_is_described() -> None:
    """One that is left out of its module's SETTINGS would be read and be on no page."""
    made = {
        node.args[0].value
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and named(node.func) == "Setting" and isinstance(node.args[0], ast.Constant)
    }
    assert len(made) > 40
    assert made <= set(BY_NAME)
    assert len(BY_NAME) == len(DESCRIBED)  # and none twice


@pytest.mark.parametrize("setting", OURS, ids=lambda each: each.name)
def test_what_is_described_is_read_as_it_is_described(setting: Setting, tmp_path: Path) -> None:
    text = sample(setting, tmp_path)
    assert text != setting.default, "an example that is the default tells nothing"
    assert [each for each in Settings.load({setting.name: text}).problems if f"{text!r}" in each.text] == []
    if setting.name in READ_ELSEWHERE:
        return
    (field,) = changed(**{setting.name: text})
    declared = next(each for each in fields(Settings) if each.name == field)
    assert declared.repr is not setting.secret  # a secret is in no print of the settings
    assert bool(given()[field]) is bool(setting.default), "what holds where it is not set is its default, or nothing"


@pytest.mark.parametrize("setting", [each for each in OURS if each.default], ids=lambda each: each.name)
def test_a_default_is_what_holds_where_nothing_is_set(setting: Setting) -> None:
    assert changed(**{setting.name: setting.default}) == {}
    assert changed(**{setting.name: ""}) == {}


def test_the_record_of_settings_has_the_same_defaults() -> None:
    loaded = Settings.load({})
    assert loaded == Settings(problems=loaded.problems)


@pytest.mark.parametrize("setting", [each for each in OURS if each.bounds], ids=lambda each: each.name)
def test_bounds_are_those_that_are_kept(setting: Setting) -> None:
    assert setting.bounds
    smallest, largest = setting.bounds
    told = {text: wrong(setting.name, text) for text in (f"{smallest:g}", f"{largest:g}")}
    assert not any("outside" in each or "no whole" in each for several in told.values() for each in several)
    for beyond in (smallest - 1, largest + 1):
        assert any(setting.name in each for each in wrong(setting.name, f"{beyond:g}"))


def wrong(name: str, text: str) -> list[str]:
    return [f"{each.setting}: {each.text}" for each in Settings.load({name: text}).problems if each.setting == name]


def test_where_the_policy_is_read_from() -> None:
    name, described = "POLICY_FILE", BY_NAME["POLICY_FILE"]
    assert PolicyFile.of({name: described.example}).path == Path(described.example)
    assert f"`{PolicyFile.of({}).path.name}` beside the app" == described.otherwise
    assert PolicyFile.of({}).path.parent == ROOT


@pytest.mark.parametrize("setting", [each for each in OURS if each.needed], ids=lambda each: each.name)
def test_what_is_needed_is_missed(setting: Setting) -> None:
    """Of each environment that has all but this one, and of none that has it or what serves instead."""
    whole = {each.name: each.example for each in OURS if each.needed}
    assert [each for each in Settings.load(whole).problems if "<" not in each.text] == []
    missed = {each.setting for each in Settings.load({**whole, setting.name: ""}).problems}
    assert {setting.name, setting.instead} & missed
    if setting.instead:
        other = BY_NAME[setting.instead]
        instead = {setting.instead: SECRETS.get(other.name, other.example)}
        assert Settings.load({**whole, setting.name: "", **instead}).problems == ()


def test_what_is_not_needed_is_missed_by_nobody() -> None:
    assert Settings.load({each.name: each.example for each in OURS if each.needed}).problems == ()


def test_what_the_platform_and_the_templates_set_is_read_too() -> None:
    """Of these no field of the settings tells: some module asks each for its value."""
    source = "\n".join(path.read_text(encoding="utf-8") for path in FILES)
    constants = {id(value): name for name, value in vars(surroundings).items() if isinstance(value, Setting)}
    for each in (*surroundings.READ, *surroundings.OUTPUTS):
        name = constants.get(id(each), "each")
        assert re.search(rf"\b{name}\.of\(", source), each.name
    assert "for each in PROXIES" in source
    assert f"AzureWebJobs.{EXECUTE}.Disabled" == surroundings.EXECUTOR_OFF.name


# The example for one's own machine, and what is deployed


def test_the_example_for_local_settings_is_known_and_has_what_is_needed() -> None:
    values = json.loads((ROOT / "local.settings.json.example").read_text(encoding="utf-8"))["Values"]
    assert set(values) <= set(BY_NAME)
    assert {each.name for each in OURS if each.needed} <= {name for name, value in values.items() if value}
    assert not [name for name in SECRETS if values.get(name)]
    assert Settings.load(values).problems == ()


def test_what_the_host_reads_is_not_read_by_us_and_said_so() -> None:
    assert not {each.name for each in surroundings.HOST} & {each.name for each in (*OURS, *surroundings.READ)}
    part = PAGE[PAGE.index(f"## {OTHER_AREAS['host'][0]}") :]
    assert all(f"`{each.name}`" in part for each in surroundings.HOST)


@pytest.mark.parametrize(
    ("heading", "role"), [("The reader's actions", "reader"), ("The operator's actions", "operator")]
)
def test_the_actions_of_the_roles_are_those_that_are_granted(heading: str, role: str) -> None:
    granted = json.loads((ROOT / "infra" / "factoryRoles.json").read_text(encoding="utf-8"))[role]
    part = PAGE[PAGE.index(f"### {heading}") :].split("\n### ")[0]
    _, _, told = part.partition("`Microsoft.DataFactory/factories/`:")
    listed = re.findall(r"`([\w./]+)`", told)
    whole = [each if each.startswith("Microsoft.") else f"Microsoft.DataFactory/factories/{each}" for each in listed]
    assert sorted(whole) == sorted(granted)


def test_what_the_doctor_reads_of_the_templates_is_told_by_them() -> None:
    main = (ROOT / "infra" / "main.bicep").read_text(encoding="utf-8")
    outputs = set(re.findall(r"^output (\w+) ", main, re.MULTILINE))
    assert {each.name for each in surroundings.OUTPUTS} <= outputs


WATCHED = """
import os
class Watched(dict):
    asked = set()
    def get(self, key, *otherwise):
        self.asked.add(key)
        return super().get(key, *otherwise)
    def __getitem__(self, key):
        self.asked.add(key)
        return super().__getitem__(key)
    def __contains__(self, key):
        self.asked.add(key)
        return super().__contains__(key)
os.environ = Watched(os.environ)
import function_app
assert function_app.app.get_functions()
print(*sorted(Watched.asked))
"""


def test_importing_the_app_reads_no_setting() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & set(BY_NAME) == set()
