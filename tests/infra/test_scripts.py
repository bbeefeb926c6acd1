"""The scripts around `azd up`, run with an az and an azd that only remember what they were asked."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from core.settings.callers import TOKEN_APPS, TOKEN_ROLES
from orchestrator.api.persons import INCLUDED

ROOT = Path(__file__).resolve().parents[2]
SECRETS, REGISTER = ROOT / "infra/hooks/secrets.sh", ROOT / "infra/applications/register.sh"
DOWN, REMOVE = ROOT / "infra/hooks/down.sh", ROOT / "infra/remove.sh"
OUTPUTS = {
    "AZURE_KEY_VAULT_NAME": "kv-x",
    "AZURE_SUBSCRIPTION_ID": "sub",
    "AZURE_RESOURCE_GROUP": "rg-x",
    "SERVICE_APP_NAME": "func-x",
    "SERVICE_OPERATOR_NAME": "func-operator-x",
}

# What stands in for both tools: one line for each call; answers are files named like words of the call, and the longest
# that fits is given.
FAKE = """#!/bin/sh
printf '%s %s\\n' "$(basename "$0")" "$*" >>"$FAKE_CALLS"
for argument in "$@"; do
  case $previous in --file) { printf 'file '; cat "$argument"; printf '\\n'; } >>"$FAKE_CALLS";; esac
  previous=$argument
done
best=""
for answer in "$FAKE_ANSWERS"/*; do
  words=$(basename "$answer")
  case "$(basename "$0") $*" in *"$words"*) [ ${#words} -le ${#best} ] || best=$words ;; esac
done
[ -z "$best" ] || { cat "$FAKE_ANSWERS/$best"; [ ! -x "$FAKE_ANSWERS/$best" ]; }
"""


class Tools:
    """az and azd of a test."""

    def __init__(self, folder: Path) -> None:
        self.calls_file, self.answers = folder / "calls", folder / "answers"
        self.answers.mkdir()
        self.calls_file.touch()
        for name in ("az", "azd"):
            path = folder / "bin" / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(FAKE)
            path.chmod(0o755)
        self.env = {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "FAKE_CALLS": str(self.calls_file),
            "FAKE_ANSWERS": str(self.answers),
        }

    def answer(self, words: str, text: str, *, failing: bool = False) -> None:
        path = self.answers / words
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR if failing else 0o644)

    def run(self, script: Path, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", str(script)], env=self.env | env, capture_output=True, text=True, check=False, timeout=30
        )

    @property
    def calls(self) -> list[str]:
        return self.calls_file.read_text().splitlines()


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path)


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@needs_openssl
def test_keys_are_made_once_and_are_on_no_command_line(tools: Tools) -> None:
    tools.answer("az keyvault secret show", "(SecretNotFound) A secret with this name was not found", failing=True)
    done = tools.run(SECRETS, **OUTPUTS)
    assert done.returncode == 0, done.stderr
    keys = [call.removeprefix("file ") for call in tools.calls if call.startswith("file ")]
    assert len(set(keys)) == 2
    assert all(len(key) == 44 for key in keys)  # 32 bytes as base64, which the settings ask for
    assert not [call for call in tools.calls if call.startswith("az ") and any(key in call for key in keys)]
    assert not any(key in done.stdout + done.stderr for key in keys)


def test_keys_that_are_there_stay(tools: Tools) -> None:
    tools.answer("az keyvault secret show", "https://kv-x.vault.azure.net/secrets/link-signing-key")
    assert tools.run(SECRETS, **OUTPUTS).returncode == 0
    assert not [call for call in tools.calls if "secret set" in call]


def test_both_apps_ask_the_vault_again(tools: Tools) -> None:
    tools.answer("az keyvault secret show", "there")
    tools.run(SECRETS, **OUTPUTS)
    asked = [re.search(r"sites/([a-z-]+)/config/configreferences", call) for call in tools.calls]
    assert [found[1] for found in asked if found] == ["func-x", "func-operator-x"]


def test_a_vault_that_cannot_be_read_is_told_and_nothing_written(tools: Tools) -> None:
    tools.answer("az keyvault secret show", "(Forbidden) Public network access is disabled", failing=True)
    done = tools.run(SECRETS, **OUTPUTS)
    assert done.returncode == 1
    assert "cannot be read" in done.stderr
    assert "Forbidden" in done.stderr
    assert not [call for call in tools.calls if "secret set" in call]


@needs_openssl
def test_git_for_windows_takes_files_for_paths_and_resource_ids_for_none(tools: Tools) -> None:
    """Its sh changes each word that looks like a path before az sees it, unless it is told not to."""
    az = Path(tools.env["PATH"].partition(":")[0]) / "az"
    az.write_text(
        FAKE.replace('printf \'%s %s\\n\' "$(basename "$0")"', "printf '%s %s\\n' \"${MSYS_NO_PATHCONV:-changed}\"")
    )
    ready(tools)
    tools.run(BEFORE, **READY)
    tools.answer("keyvault secret show", "SecretNotFound", failing=True)
    tools.run(SECRETS, **OUTPUTS, MSYS_NO_PATHCONV="1")
    told = {re.split(r"[ =]", call)[0] for call in tools.calls if FACTORY in call}
    files = {call.split()[0] for call in tools.calls if "--file" in call}
    assert (told, files) == ({"1"}, {"changed"})


def test_without_the_names_of_the_template_nothing_is_asked(tools: Tools) -> None:
    assert tools.run(SECRETS).returncode != 0
    assert tools.calls == []


def knowing(tools: Tools, **values: str) -> None:
    """What azd knows. Where it knows nothing it says so on stdout, as the real one does."""
    tools.answer("azd env get-value", "ERROR: key not found in the environment values", failing=True)
    for name, text in values.items():
        tools.answer(f"azd env get-value {name}", text)


def registering(tools: Tools, **values: str) -> None:
    knowing(tools, AZURE_ENV_NAME="team", **values)
    tools.answer("az ad app create", "11111111-new")
    tools.answer("az ad app show", "object-of-alerts")
    tools.answer("az ad sp show --id 11111111-new", "receiver")
    tools.answer("az ad sp show --id 461e8683", "sender")


def test_applications_are_registered_with_their_roles(tools: Tools) -> None:
    registering(tools)
    done = tools.run(REGISTER)
    assert done.returncode == 0, done.stderr
    made = [call for call in tools.calls if call.startswith("az ad app create")]
    assert ["people.json" in made[0], "alerts.json" in made[1], len(made)] == [True, True, 2]
    kept = [call.split()[3] for call in tools.calls if call.startswith("azd env set ")]
    assert set(kept) == {"SIGN_IN_CLIENT_ID", "ALERTS_CLIENT_ID", "ALERTS_OBJECT_ID", "ALERTS_IDENTIFIER_URI"}
    assert kept[-1] == "ALERTS_CLIENT_ID"  # the one that says that the others are there
    assert any("applications/object-of-alerts" in call and 'TokenVersion":2' in call for call in tools.calls)
    assert 'principalId":"sender","resourceId":"receiver"' in "\n".join(tools.calls)
    assert "then this once more" in done.stdout


def test_a_second_run_registers_nothing_and_finishes_the_sign_in(tools: Tools) -> None:
    after = {"SIGN_IN_CLIENT_ID": "people", "ALERTS_CLIENT_ID": "alerts", "SERVICE_APP_URI": "https://func-x"}
    registering(tools, **after, APP_IDENTITY_PRINCIPAL_ID="identity", AZURE_TENANT_ID="tenant")
    tools.answer("az rest --method get", "6f0c7a52-3a3e-4d6c-9a0b-0c1f5a7f3b11")
    assert tools.run(REGISTER).returncode == 0
    calls = "\n".join(tools.calls)
    assert "az ad app create" not in calls
    assert "--method post" not in calls
    assert "https://func-x/.auth/login/aad/callback" in calls
    assert '"subject":"identity"' in calls


def test_who_may_not_let_azure_monitor_send_is_told_who_may_and_goes_on(tools: Tools) -> None:
    registering(tools, SERVICE_APP_URI="https://func-x")
    tools.answer("az rest --method post", "Insufficient privileges", failing=True)
    done = tools.run(REGISTER)
    assert done.returncode == 1
    assert "a Cloud Application Administrator has to run this" in done.stderr
    refused = next(call for call in tools.calls if "--method post" in call).replace(" --output none", "")
    assert refused.replace("{", "'{") + "'" in done.stderr
    assert "https://func-x/.auth/login/aad/callback" in "\n".join(tools.calls)


def test_two_applications_of_one_name_are_a_question_for_people(tools: Tools) -> None:
    registering(tools)
    tools.answer("az ad app list", "one\ntwo\n")
    done = tools.run(REGISTER)
    assert done.returncode != 0
    assert "several applications" in done.stderr
    assert not [call for call in tools.calls if call.startswith("azd env set")]


def test_without_an_environment_nothing_is_registered(tools: Tools) -> None:
    knowing(tools)
    done = tools.run(REGISTER)
    assert done.returncode == 1
    assert "azd env new" in done.stderr
    assert not [call for call in tools.calls if call.startswith("az ")]


def test_the_roles_are_those_that_the_app_asks_for() -> None:
    folder = ROOT / "infra" / "applications"
    people, alerts = (json.loads((folder / f"{name}.json").read_text()) for name in ("people", "alerts"))
    assert {role["value"] for role in people} == set(INCLUDED)
    assert {role["value"] for role in alerts} <= set(TOKEN_ROLES)
    ids = [role["id"] for role in (*people, *alerts)]
    assert len(set(ids)) == len(ids)
    assert any(app in REGISTER.read_text() for app in TOKEN_APPS)
    assert alerts[0]["id"] in REGISTER.read_text()


BEFORE = ROOT / "infra/hooks/before.sh"
FACTORY = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/f"
READY = {
    "ADF_FACTORIES": FACTORY,
    "AZURE_SUBSCRIPTION_ID": "s",
    "AZURE_LOCATION": "westeurope",
    "AZURE_ENV_NAME": "team",
}
ELSEWHERE = FACTORY.replace("/s/", "/s2/")  # in a subscription of its own
PROJECT = "/subscriptions/s2/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a/projects/p"
MADE = {"az group show": "westeurope|team", "az storage account list": "stdatax"}  # by an `azd up` before
LOCKED, UNLOCKED = ({"immutability-policy show": state} for state in ("Locked", "Unlocked"))


def ready(tools: Tools) -> None:
    """A subscription in which nothing is wrong."""
    tools.answer("registrationState", "Registered")
    tools.answer("resourceTypes", "North Europe\nWest Europe\n")
    tools.answer("az functionapp list-flexconsumption-locations", "North Europe\nWest Europe\n")
    tools.answer("az functionapp list-flexconsumption-runtimes", "3.11\n3.12\n")
    tools.answer("az account show", "tenant-1")
    tools.answer("az cognitiveservices model list", "Standard\nGlobalStandard\n")
    tools.answer("az cognitiveservices usage list", "1000.0\t940.0\n")


def test_nothing_is_said_where_nothing_is_wrong(tools: Tools) -> None:
    ready(tools)
    done = tools.run(BEFORE, **READY)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    asked = (" show ", " list ", " list-deleted ", "list-flexconsumption-locations", "list-flexconsumption-runtimes")
    assert all(any(word in call for word in asked) for call in tools.calls)  # it changes nothing
    elsewhere = [call for call in tools.calls if "--subscription s" not in call]
    assert [call.split()[1:3] for call in elsewhere] == [["resource", "show"]]  # whose id says where it is


@pytest.mark.parametrize(
    ("broken", "env", "said"),
    [
        ({}, {"ADF_FACTORIES": ""}, "No factory is named"),
        ({}, {"ADF_FACTORIES": "adf-prod"}, "'adf-prod' in ADF_FACTORIES is no /subscriptions/"),
        ({}, {"ALERT_EMAILS": "ops@contoso.com, somebody"}, "'somebody' in ALERT_EMAILS is no e-mail address"),
        ({}, {"ALERT_EMAILS": "ops@contoso.com,"}, "a comma with no address"),
        ({"az resource show": "!not found"}, {}, f"{FACTORY} cannot be read: it is not there, in another tenant"),
        (
            {},
            {"ADF_FACTORIES": FACTORY.replace("/g/", "/RG-team/")},
            "stands in rg-team, which is this environment's own",
        ),
        ({"az account show --subscription s2": "tenant-2"}, {"ADF_FACTORIES": ELSEWHERE}, "is in another tenant than"),
        ({"az resource show": "!not found"}, {"FOUNDRY_PROJECT_ID": "/x"}, "FOUNDRY_PROJECT_ID /x cannot be read"),
        ({"az account show --subscription s2": "tenant-2"}, {"FOUNDRY_PROJECT_ID": PROJECT}, "/p is in another tenant"),
        ({"az account show": "!not signed in"}, {}, "az does not see the subscription s of this environment: az login"),
        ({"registrationState": "NotRegistered"}, {}, "az provider register --wait --namespace Microsoft.Search"),
        (
            {"az provider show --subscription s2": "NotRegistered"},
            {"ADF_FACTORIES": f"{FACTORY},{ELSEWHERE}"},
            "--namespace Microsoft.Insights --subscription s2.",
        ),
        ({}, {"AZURE_LOCATION": "mars"}, "Flex Consumption is not offered in 'mars'"),
        ({}, {"AZURE_LOCATION": "mars"}, "Microsoft.Search/searchServices is not offered in 'mars'"),
        ({"resourceTypes": "West US"}, {"EVENTS": "true"}, "Microsoft.EventGrid/topics is not offered in 'westeurope'"),
        ({}, {"PYTHON_VERSION": "3.13"}, "Python 3.13 is not offered in 'westeurope': azd env set PYTHON_VERSION"),
        ({"az group show": "westeurope|"}, {}, "rg-team is there and not of this environment"),
        ({"az group show": "westeurope|other"}, {}, "rg-team is there and not of this environment"),
        ({"az group show": "northeurope|team"}, {}, "was made in 'northeurope' and is now to be in 'westeurope'"),
        ({"az keyvault list-deleted": "kv-x"}, {}, "az keyvault recover --name kv-x"),
        (
            {"az cognitiveservices account list-deleted": "aif-x"},
            {},
            "account purge --name aif-x --resource-group rg-team",
        ),
        (MADE | LOCKED, {}, "The policy of the audit trail is locked and takes no second order"),
        (MADE | UNLOCKED, {"AUDIT_LOCKED": "true"}, "AUDIT_LOCKED is true and no locked policy is there"),
        ({}, {"AUDIT_LOCKED": "true"}, "AUDIT_LOCKED is true and no locked policy is there"),
        ({"az cognitiveservices model list": "Standard"}, {}, "gpt-5.2 2025-12-11 is not offered as GlobalStandard"),
        ({"az cognitiveservices usage list": "100.0\t90.0"}, {}, "has 10 thousand tokens a minute left"),
        ({}, {"STAGE": "prod"}, "stage prod asks for 200"),
    ],
)
def test_what_would_fail_later_is_said_before(
    tools: Tools, broken: dict[str, str], env: dict[str, str], said: str
) -> None:
    ready(tools)
    for words, text in broken.items():
        tools.answer(words, text.lstrip("!"), failing=text.startswith("!"))
    done = tools.run(BEFORE, **READY | env)
    assert done.returncode == 1
    assert said in done.stderr
    assert all(line.endswith((".", ">.")) for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("answers", "env"),
    [
        (MADE | UNLOCKED, {}),
        (MADE | LOCKED, {"AUDIT_LOCKED": "true"}),
        (MADE, {"AUDIT_LOCKED": "true"}),  # nobody knows, and a guess would stop who is right
        (MADE | {"az group show": "West Europe|team"}, {}),
        ({}, {"AZURE_LOCATION": "West Europe"}),
        ({"resourceTypes": ""}, {}),  # nor here
        ({"az functionapp list-flexconsumption-runtimes": ""}, {}),
        ({"az functionapp list-flexconsumption-locations": ""}, {}),
        ({}, {"ADF_FACTORIES": f"{FACTORY},{ELSEWHERE}"}),
        ({}, {"ALERT_EMAILS": "ops@contoso.com, 3f2a9c01.contoso.com@emea.teams.ms"}),
        ({}, {"FOUNDRY_PROJECT_ID": PROJECT}),
    ],
)
def test_what_is_right_a_second_time_or_elsewhere_in_the_tenant_is_let_through(
    tools: Tools, answers: dict[str, str], env: dict[str, str]
) -> None:
    ready(tools)
    for words, text in answers.items():
        tools.answer(words, text)
    done = tools.run(BEFORE, **READY | env)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_a_subscription_nothing_else_is_asked(tools: Tools) -> None:
    """All the rest would fail too, each with a sentence that is not true."""
    ready(tools)
    tools.answer("az account show", "not signed in", failing=True)
    done = tools.run(BEFORE, **READY)
    assert (len(done.stderr.splitlines()), len(tools.calls)) == (1, 1)


def test_only_what_was_deleted_of_this_environment_in_this_region_holds_its_names(tools: Tools) -> None:
    """What az is asked; what it answers to that is in the tests above."""
    ready(tools)
    tools.run(BEFORE, **READY | {"AZURE_LOCATION": "West Europe"})
    asked = {call.split("--query ")[0].split()[1]: call for call in tools.calls if "list-deleted" in call}
    assert (
        "contains(properties.vaultId, '/resourceGroups/rg-team/') && properties.location=='westeurope'"
        in asked["keyvault"]
    )
    assert "contains(id, '/resourceGroups/rg-team/') && location=='westeurope'" in asked["cognitiveservices"]


def test_the_names_that_are_looked_for_are_those_of_the_templates() -> None:
    script, main = BEFORE.read_text(), (ROOT / "infra/main.bicep").read_text()
    assert "var groupName = 'rg-${environmentName}'" in main
    assert 'group="rg-${AZURE_ENV_NAME:-}"' in script
    assert "var dataStorageName = 'stdata${token}'" in main
    assert "starts_with(name, 'stdata')" in script
    assert "'azd-env-name': environmentName" in main
    container = json.loads((ROOT / "infra/storage.json").read_text())["auditContainer"]
    assert f"--container-name {container} " in script


def test_a_second_time_the_quota_in_use_is_the_own(tools: Tools) -> None:
    ready(tools)
    tools.answer("az cognitiveservices usage list", "100.0\t100.0")
    tools.answer("az resource list", "/subscriptions/s/…/accounts/aif-x")
    assert tools.run(BEFORE, **READY).returncode == 0


def test_a_project_that_is_there_needs_neither_its_providers_nor_a_model(tools: Tools) -> None:
    ready(tools)
    tools.run(BEFORE, **READY, FOUNDRY_PROJECT_ID="/subscriptions/s/…/projects/p")
    calls = "\n".join(tools.calls)
    assert "Microsoft.Search" not in calls
    assert "cognitiveservices" not in calls


def test_the_quota_that_is_asked_for_is_that_of_the_stages() -> None:
    stages = json.loads((ROOT / "infra/stages.json").read_text())
    found = re.search(r"dev\) wanted=(\d+) ;; staging\) wanted=(\d+) ;; \*\) wanted=(\d+)", BEFORE.read_text())
    assert found
    assert [int(each) for each in found.groups()] == [stages[name]["modelCapacity"] for name in stages]


MADE_BY_AZD = {
    "AZURE_ENV_NAME": "team",
    "AZURE_RESOURCE_GROUP": "rg-team",
    "AZURE_SUBSCRIPTION_ID": "s",
    "SERVICE_APP_NAME": "func-abc123",
    "ADF_FACTORIES": f"{FACTORY},{ELSEWHERE}",
    "APP_IDENTITY_PRINCIPAL_ID": "app-identity",
    "OPERATOR_IDENTITY_PRINCIPAL_ID": "operator-identity",
    "SIGN_IN_CLIENT_ID": "people",
    "ALERTS_CLIENT_ID": "alerts",
}
CHANGES = (" delete ", " create ", " set ", " update ", " purge ")


def changes(tools: Tools) -> list[str]:
    return [call for call in tools.calls if any(word in f"{call} " for word in CHANGES)]


def remove(
    tools: Tools, *typed: str, answers: dict[str, str] | None = None, **known: str
) -> subprocess.CompletedProcess[str]:
    knowing(tools, **MADE_BY_AZD | known)
    there = {"az group exists": "true", "az group show": "team"}
    for words, text in (there | (answers or {})).items():
        tools.answer(words, text)
    return subprocess.run(["sh", str(REMOVE), *typed], env=tools.env, capture_output=True, text=True, check=False)


def test_azd_down_is_refused_since_it_leaves_roles_or_deletes_the_factories(tools: Tools) -> None:
    hooks = yaml.safe_load((ROOT / "azure.yaml").read_text())["hooks"]
    assert hooks["predown"] == {"shell": "sh", "run": str(DOWN.relative_to(ROOT))}
    done = tools.run(DOWN, AZURE_ENV_NAME="team")
    assert (done.returncode, tools.calls) == (1, [])
    assert "sh infra/remove.sh team" in done.stderr


def test_what_stands_beside_the_factories_goes_before_the_group(tools: Tools) -> None:
    assignment, setting = "/subscriptions/s/assignment-1", "adf-operations-abc123"
    beside = {
        "az role assignment list": assignment,
        "az resource list --resource-group g --subscription s2": f"{ELSEWHERE}/alert",
        "az role definition list": "role-1",
        "az monitor diagnostic-settings list": setting,
    }
    done = remove(tools, "team", answers=beside)
    assert done.returncode == 0, done.stderr
    made = changes(tools)
    scopes = ("/subscriptions/s/resourceGroups/g", "/subscriptions/s2/resourceGroups/g")
    assert made == [
        *[f"az role assignment delete --ids {assignment} --subscription {each}" for each in 2 * ("s", "s2")],
        f"az role definition delete --name role-1 --scope {scopes[0]} --subscription s",
        f"az resource delete --ids {ELSEWHERE}/alert --output none",
        f"az role definition delete --name role-1 --scope {scopes[1]} --subscription s2",
        *[f"az monitor diagnostic-settings delete --resource {each} --name {setting}" for each in (FACTORY, ELSEWHERE)],
        "az group delete --name rg-team --subscription s --yes",
    ]  # fmt: skip
    told = [line.strip() for line in done.stdout.splitlines()[1:]]
    assert told == [f"az ad app delete --id {name}" for name in ("people", "alerts")]


@pytest.mark.parametrize(
    "words", ["role assignment list", "resource list", "role definition list", "diagnostic-settings list"]
)
def test_the_group_stays_while_what_stands_beside_cannot_be_looked_up(tools: Tools, words: str) -> None:
    tools.answer(f"az {'monitor ' if 'diagnostic' in words else ''}{words}", "AuthorizationFailed", failing=True)
    done = remove(tools, "team")
    assert done.returncode != 0
    assert not [call for call in tools.calls if "group delete" in call]


def test_only_what_holds_the_own_token_is_looked_for(tools: Tools) -> None:
    remove(tools, "team")
    text = "\n".join(tools.calls)
    assert "[?starts_with(name, 'alert-') && ends_with(name, '-abc123')].id" in text
    assert "contains(roleName, ' abc123 ')" in text
    assert "[?name=='adf-operations-abc123'].name" in text
    alerts, logs, roles = (
        (ROOT / f"infra/modules/factory{name}.bicep").read_text() for name in ("Alerts", "Logs", "Roles")
    )
    assert set(re.findall(r"name: '(alert-.*)'", alerts)) == {
        "alert-${factoryName}-${watch.name}-${token}",
        "alert-${factoryName}-health-${token}",
    }
    assert "name: 'adf-operations-${token}'" in logs
    names = re.findall(r"roleName: '(.*)'", roles)
    assert len(names) == 3
    assert all(re.match(r"ADF operations [a-z ]+ \$\{token\} ", name) for name in names)


@pytest.mark.parametrize(
    ("typed", "answers", "known", "said"),
    [
        ((), {}, {}, "takes 'team' away with all its records: sh infra/remove.sh team"),
        (("prod",), {}, {}, "takes 'team' away"),
        (("team",), {}, {"SERVICE_APP_NAME": ""}, "azd env refresh"),
        (("team",), {"az group show": "other"}, {}, "rg-team has no tag azd-env-name=team"),
        (
            ("team",),
            {},
            {"ADF_FACTORIES": FACTORY.replace("/g/", "/RG-team/")},
            "stands in rg-team and would be deleted with it",
        ),
        (("team",), {}, {"FOUNDRY_PROJECT_ID": PROJECT.replace("/g/", "/rg-team/")}, "/p stands in rg-team"),
    ],
)
def test_nothing_is_removed_that_was_not_meant(
    tools: Tools, typed: tuple[str, ...], answers: dict[str, str], known: dict[str, str], said: str
) -> None:
    done = remove(tools, *typed, answers=answers, **known)
    assert done.returncode == 1
    assert said in done.stderr
    assert changes(tools) == []
