"""The templates as they stand have no fault, and each fault that they could have is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.checks import all as checks
from infra.checks.rights import Grant, grants
from infra.checks.tree import Templates, text, walk
from tests.infra.mutants import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
INFRA = ROOT / "infra"
BESIDE = ("azure.yaml", "host.json")
SERVICE = "    principalType: 'ServicePrincipal'\n    roleDefinitionId: "

# The ids that Microsoft gives its roles, from its list of built-in roles: the templates' table must not differ.
BUILT_IN = {
    "cosmosDbOperator": "230815da-be43-4aae-9cb4-875f7bd000aa",
    "eventGridDataSender": "d5a91429-5739-47e2-a06b-3470a27159e7",
    "foundryUser": "53ca6127-db72-4b80-b1b0-d745d6d5456d",
    "keyVaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "searchIndexDataContributor": "8ebe5a00-799e-43f5-93ac-243d3dce84a7",
    "searchServiceContributor": "7ca78c08-252a-4471-8644-bb5ff32d4ba0",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageQueueDataMessageSender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}

# Who may do what. A new line here is a decision: can it be less, or on less?
GRANTED = {
    ("dataStorage", "appPrincipalId", "storageBlobDataContributor", "audit"),
    ("dataStorage", "appPrincipalId", "storageQueueDataContributor", "account"),
    ("dataStorage", "appPrincipalId", "storageTableDataContributor", "account"),
    ("dataStorage", "deployerPrincipalId", "storageBlobDataContributor", "releases"),
    ("dataStorage", "operatorPrincipalId", "storageBlobDataContributor", "audit"),
    ("dataStorage", "operatorPrincipalId", "storageQueueDataContributor", "operatorActions"),
    ("dataStorage", "operatorPrincipalId", "storageQueueDataMessageSender", "operatorWakes"),
    ("dataStorage", "operatorPrincipalId", "storageTableDataContributor", "operatorRows"),
    ("dataStorage", "projectPrincipalId", "storageQueueDataContributor", "toolQueues"),
    ("events", "sender.properties.principalId", "storageBlobDataContributor", "deadLetters"),
    ("events", "senders", "eventGridDataSender", "topic"),
    ("factoryAccess", "appPrincipalId", "reader", "factory"),
    ("factoryAccess", "operatorPrincipalId", "operator", "factory"),
    ("factoryAccess", "operatorPrincipalId", "reader", "factory"),
    ("factoryRoles", "readerPrincipals", "logReader", ""),
    ("foundryGrants", "projectPrincipalId", "cosmosDbOperator", "cosmos"),
    ("foundryGrants", "projectPrincipalId", "searchIndexDataContributor", "search"),
    ("foundryGrants", "projectPrincipalId", "searchServiceContributor", "search"),
    ("foundryGrants", "projectPrincipalId", "storageBlobDataContributor", "storage"),
    ("foundryHost", "projectPrincipalId", "storageBlobDataOwner", "storage"),
    ("foundryProject", "appPrincipalId", "foundryUser", "project"),
    ("hostStorage", "principalId", "storageBlobDataOwner", "account"),
    ("hostStorage", "principalId", "storageQueueDataContributor", "account"),
    ("hostStorage", "principalId", "storageTableDataContributor", "account"),
    ("monitoring", "writers", "monitoringMetricsPublisher", "insights"),
    ("vault", "deployerPrincipalId", "keyVaultSecretsOfficer", "vault"),
    ("vault", "readers", "keyVaultSecretsUser", "vault"),
}


def copied(folder: Path) -> Path:
    """A folder with the templates and the files beside them, to be spoilt."""
    shutil.copytree(INFRA, folder / "infra", ignore=shutil.ignore_patterns("__pycache__", "checks"))
    for name in BESIDE:
        shutil.copy2(ROOT / name, folder / name)
    return folder


def spoilt(folder: Path, mutant: Mutant) -> Templates:
    file, old, new, _, _ = mutant
    path = copied(folder) / file
    content = path.read_text(encoding="utf-8")
    assert old in content, f"{file} no longer holds {old!r}: this mutant tries nothing"
    path.write_text(content.replace(old, new, 1), encoding="utf-8")
    return Templates(folder / "infra")


def test_the_templates_have_no_fault() -> None:
    assert [str(finding) for finding in checks.findings(Templates(INFRA))] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant[3]}: {mutant[2].strip()[:50]}")
def test_each_slip_is_told(mutant: Mutant, tmp_path: Path) -> None:
    told = checks.findings(spoilt(tmp_path, mutant))
    assert [one for one in told if one.check == mutant[3] and mutant[4] in str(one)], [str(one) for one in told]


def test_every_check_has_a_slip_that_turns_it_red() -> None:
    """A check that no slip concerns might find nothing, ever."""
    assert {check.__name__ for check in (*checks.READABLE, *checks.CHECKS)} == {check for _, _, _, check, _ in MUTANTS}


def test_the_checks_say_what_they_found_where_and_fail(tmp_path: Path) -> None:
    slip = next(one for one in MUTANTS if "appKlientId" in one[2])
    spoilt(tmp_path, slip)
    command = [sys.executable, "-m", "infra.checks", str(tmp_path / "infra")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "main.bicep:" in done.stderr
    assert "has no output 'appKlientId' [outputs]" in done.stderr


def test_roles_are_the_ones_that_microsoft_names_so() -> None:
    assert json.loads((INFRA / "roles.json").read_text(encoding="utf-8")) == BUILT_IN


def test_nobody_is_granted_more_than_is_listed_here() -> None:
    assert grants(Templates(INFRA)) == {Grant(f"modules/{file}.bicep", *rest) for file, *rest in GRANTED}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("factoryAccess", "roleDefinitionId: readerRole", "roleDefinitionId: operatorRole"),
        ("factoryAccess", f"operatorPrincipalId\n{SERVICE}operatorRole", f"appPrincipalId\n{SERVICE}operatorRole"),
        ("vault", "  scope: vault\n", ""),
        ("dataStorage", "scope: toolQueues[index]", "scope: account"),
        ("dataStorage", "roles.storageQueueDataMessageSender)\n  }", "roles.storageQueueDataContributor)\n  }"),
        ("hostStorage", "  roles.storageTableDataContributor\n", "  roles.keyVaultSecretsOfficer\n"),
        ("monitoring", "in writers:", "in [deployer]:"),
    ],
)
def test_a_wider_grant_is_not_in_the_list(file: str, old: str, new: str, tmp_path: Path) -> None:
    wider = grants(spoilt(tmp_path, (f"infra/modules/{file}.bicep", old, new, "", "")))
    assert wider - grants(Templates(INFRA))


def test_no_template_needs_a_registry() -> None:
    for template in Templates(INFRA).files.values():
        for module in template.of("module").values():
            assert not module.about.startswith(("br:", "br/", "ts:")), module.about
        assert not [node for node in walk(template.root) if text(node).startswith("extension ")]
