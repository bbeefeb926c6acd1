"""The steps of "From your repository" are those that the pipelines need: run with tools that only remember."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from infra.release.resources import PLACE, names
from tests.infra.workflows.reading import DEVOPS, GITHUB, Pipelines, expressions

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
PART = PAGE[PAGE.index("## From your repository") :].split("\n## ")[0]
BLOCKS = re.findall(r"```bash\n(.*?)```", PART, re.DOTALL)
PIPELINES = Pipelines(ROOT)
OUTPUTS = re.findall(r"^output (\w+)", (ROOT / "infra/main.bicep").read_text(encoding="utf-8"), re.MULTILINE)
# Each call is a file of its own: its words, one below another behind a mark, then what came in by a pipe.
REMEMBERING = """#!/bin/sh
call=$(mktemp "$CALLS/$(date +%s%N).XXXXXX")
for word in "$(basename "$0")" "$@"; do printf '\\001%s' "$word" >>"$call"; done
case "$*" in *--input*|*--env-file*) printf '\\002' >>"$call"; cat >>"$call";; esac
case "$*" in
  "ad app create"*) echo the-app ;;
  "ad sp create"*) echo the-principal ;;
  "account show"*) echo the-subscription ;;
  "pipelines variable-group create"*) echo 7 ;;
  "env get-values") printf 'AZURE_ENV_NAME="adf-ops-dev"\\nADF_FACTORIES="/subscriptions/s"\\nTEAMS=""\\n' ;;
  "env get-value "*) echo adf-ops-dev ;;
esac
"""


def calls(tmp_path: Path, *blocks: str) -> list[tuple[list[str], str]]:
    """What the blocks call, one after the other in one shell."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "calls").mkdir()
    for name in ("az", "azd", "gh"):
        (tmp_path / "bin" / name).write_text(REMEMBERING)
        (tmp_path / "bin" / name).chmod(0o755)
    env = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    texts = [path.read_text() for path in sorted((tmp_path / "calls").iterdir())]
    return [(text.partition("\2")[0].split("\1")[1:], text.partition("\2")[2]) for text in texts]


def block(words: str) -> str:
    (found,) = [str(each) for each in BLOCKS if words in each]
    return found


IDENTITY, ON_GITHUB, ON_DEVOPS = block("az ad sp create"), block("gh variable set"), block("az pipelines create")


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


def environments() -> set[str]:
    """Of a stage on GitHub, as its jobs name them."""
    jobs = [job for job in PIPELINES.github_jobs() if job.environment]
    return {job.environment.replace("${{ inputs.stage }}", "dev") for job in jobs}


def test_the_identity_believes_exactly_the_environments_that_jobs_are_in(tmp_path: Path) -> None:
    made = calls(tmp_path, IDENTITY, ON_GITHUB)
    given = [json.loads(option(words, "--parameters")) for words, _ in made if "federated-credential" in words]
    assert {one["subject"] for one in given} == {f"repo:OWNER/NAME:environment:{name}" for name in environments()}
    assert all(one["audiences"] == ["api://AzureADTokenExchange"] for one in given)
    assert all(one["issuer"] == "https://token.actions.githubusercontent.com" for one in given)
    assert all(option(words, "--id") == "the-app" for words, _ in made if "federated-credential" in words)


def test_each_environment_is_made_guarded_and_filled(tmp_path: Path) -> None:
    made = calls(tmp_path, IDENTITY, ON_GITHUB)
    rules = {words[4]: json.loads(given) for words, given in made if words[:2] == ["gh", "api"]}
    assert set(rules) == {f"repos/OWNER/NAME/environments/{name}" for name in environments()}
    assert all(rule["deployment_branch_policy"]["protected_branches"] for rule in rules.values())
    filled = {option(words, "--env"): given for words, given in made if "--env-file" in words}
    assert set(filled) == environments()
    assert all(given == 'AZURE_ENV_NAME="adf-ops-dev"\nADF_FACTORIES="/subscriptions/s"\n' for given in filled.values())
    clients = {option(words, "--env") for words, _ in made if "AZURE_CLIENT_ID" in words}
    assert clients == environments()


def test_the_identity_may_make_resources_and_roles_and_holds_no_secret(tmp_path: Path) -> None:
    made = calls(tmp_path, IDENTITY)
    roles = {option(words, "--role") for words, _ in made if "assignment" in words}
    assert roles == {"Contributor", "User Access Administrator"}
    assert not [words for words, _ in made if "credential" in " ".join(words)]


def test_azure_devops_gets_the_same_variables_and_every_pipeline_there_is(tmp_path: Path) -> None:
    made = calls(tmp_path, "stage=dev", ON_DEVOPS)
    files = {option(words, "--yml-path") for words, _ in made if "--yml-path" in words}
    assert files == {name for name in PIPELINES.devops if "/templates/" not in name}
    (group,) = [words for words, _ in made if words[1:4] == ["pipelines", "variable-group", "create"]]
    used = {each["group"] for content in PIPELINES.devops.values() for stage in content["stages"]
            for each in stage.get("variables", []) if "group" in each}  # fmt: skip
    assert {option(group, "--name")} == {name.replace("${{ parameters.stage }}", "dev") for name in used}
    assert option(group, "--variables") == "AZURE_ENV_NAME=adf-ops-dev"
    more = {
        option(words, "--name"): option(words, "--value") for words, _ in made if words[3:5] == ["variable", "create"]
    }
    assert more == {"ADF_FACTORIES": "/subscriptions/s"}


def test_every_variable_that_a_pipeline_takes_comes_from_azd_or_is_told() -> None:
    asked = {name for content in PIPELINES.github.values() for each in expressions(content)
             for name in re.findall(r"\bvars\.(\w+)", each)}  # fmt: skip
    asked |= {name for text in PIPELINES.texts.values() for name in re.findall(r"variables\['([A-Z_]+)'\]", text)}
    told = set(re.findall(r"`([A-Z_]+)`|variable set ([A-Z_]+)", PART))
    assert asked
    assert asked <= {*names(), *PLACE, *OUTPUTS, *(name for pair in told for name in pair)}


def test_every_pipeline_is_in_the_table_and_nothing_else() -> None:
    named = set(re.findall(r"`([\w/-]+\.yml)`", PART))
    there = {
        name.removeprefix(f"{GITHUB}/").removeprefix(f"{DEVOPS}/") for name in {**PIPELINES.github, **PIPELINES.devops}
    }
    assert named == there | {"dependabot.yml"}


@pytest.mark.parametrize("text", BLOCKS)
def test_what_is_to_be_typed_is_sound(text: str) -> None:
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    for command in re.findall(r"python3 -m infra\.release (\w+)", text):
        assert command in (ROOT / "infra/release/__main__.py").read_text(encoding="utf-8")
