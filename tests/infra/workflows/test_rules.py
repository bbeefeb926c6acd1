"""The pipelines as they stand break no rule, and each slip that they could have is told."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.workflows.mutants import MUTANTS, Mutant
from tests.infra.workflows.reading import DEVOPS, GITHUB, Pipelines, Slip
from tests.infra.workflows.rules import ORDER, RULES, slips

ROOT = Path(__file__).resolve().parents[3]
COPIED = (".github", "infra/devops", "infra/release", "infra/security", "bench", "Makefile", "infra/stages.json")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the rules read, to be spoilt and mended again."""
    folder = tmp_path_factory.mktemp("pipelines")
    for name in COPIED:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(ROOT / name, target)
    return folder


def spoilt(checkout: Path, mutant: Mutant) -> list[Slip]:
    file, old, new, _, _ = mutant
    path = checkout / file
    content = path.read_text(encoding="utf-8")
    assert old in content, f"{file} no longer holds {old!r}: this mutant tries nothing"
    try:
        path.write_text(content.replace(old, new, 1), encoding="utf-8")
        return slips(Pipelines(checkout))
    finally:
        path.write_text(content, encoding="utf-8")


def test_the_pipelines_break_no_rule() -> None:
    assert [str(slip) for slip in slips(Pipelines(ROOT))] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant[3]}: {mutant[2].strip()[:50]}")
def test_each_slip_is_told(mutant: Mutant, checkout: Path) -> None:
    told = spoilt(checkout, mutant)
    assert [one for one in told if one.rule == mutant[3] and mutant[4] in str(one)], [str(one) for one in told]


def test_every_rule_has_a_slip_that_turns_it_red() -> None:
    """A rule that no slip concerns might find nothing, ever."""
    assert {rule.__name__ for rule in (*RULES, *ORDER)} | {"yaml"} == {mutant[3] for mutant in MUTANTS}


@pytest.mark.parametrize(
    ("schema", "folder"),
    [("github-workflows", GITHUB), ("azure-pipelines", DEVOPS), ("dependabot", ".github/dependabot.yml")],
)
def test_they_are_what_their_schema_allows(schema: str, folder: str, tmp_path: Path) -> None:
    """By the schemas that editors use. The task that installs azd is of a marketplace, unknown to it."""
    found = [ROOT / folder] if folder.endswith(".yml") else sorted((ROOT / folder).rglob("*.yml"))
    assert found
    for number, path in enumerate(found):
        known = re.sub(r"setup-azd@1\n( *)inputs:\n *version:", r"CmdLine@2\n\1inputs:\n\1  script:", path.read_text())
        (tmp_path / f"{number}-{path.name}").write_text(known)
    files = sorted(str(path) for path in tmp_path.glob("*.yml"))
    words = ["--regex-variant", "nonunicode", "--builtin-schema", f"vendor.{schema}", *files]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_reader_of_workflows_finds_nothing_unsafe() -> None:
    """zizmor, without a network, with everything that it would rather not see."""
    zizmor = Path(sys.executable).parent / "zizmor"
    words = ["--offline", "--persona", "pedantic", "--no-progress", str(ROOT / ".github")]
    done = subprocess.run([str(zizmor), *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No findings to report" in done.stdout


def test_that_reader_does_find_what_is_unsafe(checkout: Path) -> None:
    zizmor = Path(sys.executable).parent / "zizmor"
    path = checkout / ".github/workflows/rollback.yml"
    content = path.read_text()
    path.write_text(content.replace('--to "$VERSION"', "--to ${{ inputs.version }}"))
    words = ["--offline", "--no-progress", str(path)]
    done = subprocess.run([str(zizmor), *words], capture_output=True, text=True, check=False)
    path.write_text(content)
    assert done.returncode != 0
    assert "template-injection" in done.stdout


def test_scripts_are_sound_and_said_to_be_so() -> None:
    scripts = [*ROOT.glob("infra/release/*.sh"), *ROOT.glob("infra/security/*.sh")]
    assert len(scripts) == 3
    for script in scripts:
        for shell in (["sh", "-n"], ["bash", "-n"]):
            subprocess.run([*shell, str(script)], check=True)
        assert script.read_text().startswith("#!/usr/bin/env sh\n")
        assert "\nset -eu\n" in script.read_text()
