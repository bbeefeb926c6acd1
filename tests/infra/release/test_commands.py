"""What pipelines call: by a bare Python, with exit codes, and with nothing but the standard library."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.release.resources import PARAMETERS, environment, names
from tests.infra.release.place import Place, tool

ROOT = Path(__file__).resolve().parents[3]
GIVEN = {
    "AZURE_ENV_NAME": "team",
    "AZURE_LOCATION": "swedencentral",
    "AZURE_SUBSCRIPTION_ID": "sub",
    "ADF_FACTORIES": "/subscriptions/s/f",
}
AZD = """
import os, sys
words = " ".join(sys.argv[1:])
with open(os.environ["FAKE_STATE"] + "/azd", "a") as calls:
    told = {name: os.environ.get(name, "unset") for name in ("STAGE", "TEAMS", "AZURE_PRINCIPAL_TYPE", "VARIABLES")}
    calls.write(f"{words} {told}\\n")
if os.environ.get("AZD_FAILS") and words.startswith("provision"):
    sys.exit("\\x1b[31mERROR: no quota\\x1b[0m")
print("\\x1b[32mCreate\\x1b[0m : Storage account ```st```" if "--preview" in words else "done")
"""


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    (tmp_path / "azd.py").write_text(AZD)
    tool(made.bin / "azd", tmp_path / "azd.py")
    return made


def release(place: Place, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """-S: as on a machine where nothing is installed."""
    command = [sys.executable, "-S", "-m", "infra.release", "--patience", "0.2", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=place.env | env, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def azd_calls(place: Place) -> list[str]:
    return (place.state / "azd").read_text().splitlines()


def test_only_the_standard_library_is_imported() -> None:
    for path in (ROOT / "infra" / "release").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert module.split(".")[0] in sys.stdlib_module_names or module.startswith("infra.release"), path


def test_a_package_tells_its_version(place: Place) -> None:
    done = release(place, "version", str(place.package("one")))
    assert (done.returncode, done.stdout) == (0, "0.1.0-one\n")


@pytest.mark.parametrize(
    "command", ["##vso[task.setvariable variable=PATH]/evil", "##[group]", "\n::add-mask::a", "\r ::x::"]
)
def test_words_of_an_app_are_no_commands_to_a_pipeline(place: Place, command: str) -> None:
    place.write("func-x.version", "0.1.0-mute")
    with place.app() as app:
        error = {"code": "upstream_error", "message": f"The copy failed: {command}"}
        app.says["/api/ask"] = [(400, {"error": error})]
        done = release(place, "smoke", "--url", app.url, APP_KEY="k")
    assert done.returncode == 1
    assert "The copy failed: " in done.stderr
    assert not re.search(r"##\w*\[|(?m:^\s*::)|\r\s*::", done.stdout + done.stderr)


def test_what_goes_wrong_is_one_sentence_and_exit_code_1(place: Place) -> None:
    done = release(place, "deploy", str(place.package("one")))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "'' is no name of an environment: set AZURE_ENV_NAME.\n"


def test_without_az_that_is_said(place: Place) -> None:
    done = release(place, "list", AZURE_ENV_NAME="team", PATH=str(place.folder))
    assert (done.returncode, done.stderr) == (1, "There is no az here: docs/deploy.md tells where it comes from.\n")


def test_what_az_says_where_it_fails_is_told(place: Place) -> None:
    (place.state / "apps.json").unlink()
    done = release(place, "list", AZURE_ENV_NAME="team")
    assert done.returncode == 1
    told = "(ResourceGroupNotFound) Resource group 'rg-team' could not be found."
    assert done.stderr == f"'az functionapp list --resource-group rg-team …' failed: {told}\n"


def test_releases_are_listed(place: Place) -> None:
    (place.state / "blobs" / "0.1.0-one.zip").write_text("")
    (place.state / "blobs" / "0.1.0-one.zip.metadata").write_text('{"sha256": "x", "good": "2026-01-01T00:00:00Z"}')
    (place.state / "blobs" / "0.1.0-two.zip").write_text("")
    (place.state / "blobs" / "0.1.0-two.zip.metadata").write_text('{"sha256": "x"}')
    done = release(place, "list", AZURE_ENV_NAME="team")
    assert done.stdout == "0.1.0-one  good 2026-01-01T00:00:00Z\n0.1.0-two  never found good\n"


def test_an_app_can_be_tried_by_hand(place: Place) -> None:
    place.write("func-x.version", "0.1.0-one")
    with place.app() as app:
        good = release(place, "smoke", "--url", app.url, APP_KEY="k")
        other = release(place, "smoke", "--url", app.url, "--version", "0.1.0-two", APP_KEY="k")
    assert good.returncode == 0, good.stderr
    assert other.returncode == 1
    assert "0.1.0-two does not answer" in other.stderr


def test_the_key_is_not_sent_in_the_clear(place: Place) -> None:
    done = release(place, "smoke", "--url", "http://func-x.example", APP_KEY="k")
    assert done.returncode == 1
    assert "is no https address" in done.stderr


def test_a_preview_is_printed_and_put_where_people_decide(place: Place, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    done = release(place, "preview", **GIVEN, GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stderr
    page = summary.read_text()
    assert page.startswith("## What would change in team\n\n``````\nCreate : Storage account ```st```\n``````")
    assert "\x1b" not in page + done.stdout
    assert [call.split(" {")[0] for call in azd_calls(place)] == [
        "config set auth.useAzCliAuth true",
        "provision --preview --no-prompt",
    ]


def test_azure_devops_is_told_where_the_preview_lies(place: Place, tmp_path: Path) -> None:
    command = [sys.executable, "-S", "-m", "infra.release", "preview"]
    env = place.env | GIVEN | {"TF_BUILD": "True", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    told = re.search(r"##vso\[task\.uploadsummary\](.+)", done.stdout)
    assert told
    assert "Storage account" in Path(told[1]).read_text()


def test_the_token_for_the_vault_is_fetched_before_the_long_wait(place: Place) -> None:
    assert release(place, "provision", **GIVEN).returncode == 0
    assert place.calls[0].startswith("account get-access-token --resource https://vault.azure.net --output none")


def test_what_azd_says_where_it_fails_is_told(place: Place) -> None:
    done = release(place, "provision", **GIVEN, AZD_FAILS="1")
    assert done.returncode == 1
    assert done.stderr.endswith("failed:\nERROR: no quota\n")


def test_variables_come_from_either_pipeline_and_empty_ones_do_not_come(place: Place) -> None:
    github = {"VARIABLES": json.dumps({"STAGE": "prod", "TEAMS": "", "PATH": "/evil", "AZURE_PRINCIPAL_ID": "me"})}
    release(place, "provision", **GIVEN, **github)
    release(place, "provision", **GIVEN, STAGE="staging", TEAMS="$(TEAMS)")
    first, second = [call for call in azd_calls(place) if call.startswith("provision")]
    assert (
        "'STAGE': 'prod', 'TEAMS': 'unset', 'AZURE_PRINCIPAL_TYPE': 'ServicePrincipal', 'VARIABLES': 'unset'" in first
    )
    assert "'STAGE': 'staging', 'TEAMS': 'unset'" in second
    for theirs in (github, {"AZURE_PRINCIPAL_ID": "me"}):  # of whoever made the environment
        assert "AZURE_PRINCIPAL_ID" not in environment(GIVEN | theirs)
    assert environment(GIVEN | github | {"PATH": "/bin"})["PATH"] == "/bin"


@pytest.mark.parametrize("missing", sorted(GIVEN))
def test_a_variable_that_nothing_works_without_is_missed(place: Place, missing: str) -> None:
    done = release(place, "preview", **{name: value for name, value in GIVEN.items() if name != missing})
    assert done.returncode == 1
    assert done.stderr == f"Not set among the variables of this stage: {missing} (docs/deploy.md).\n"


def test_every_variable_of_the_templates_is_passed_on() -> None:
    asked = set(re.findall(r"\$\{(\w+)", PARAMETERS.read_text(encoding="utf-8")))
    assert asked - names() == {"AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
