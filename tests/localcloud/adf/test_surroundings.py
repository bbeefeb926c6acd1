"""What stands around factories: roles, rights, the project, alert wiring; and the time on every answer."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest

from localcloud.adf.surroundings import KINDS, NEEDED
from localcloud.estate import GROUP, PROJECT, PROJECT_IDENTITY, STORAGE
from tests.localcloud.adf.conftest import NOW, SUBSCRIPTION

TOKEN = {"Authorization": "Bearer x"}
FACTORY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-data-prod/providers/Microsoft.DataFactory/factories/adf-prod"
)
ROLES = f"{STORAGE}/providers/Microsoft.Authorization/roleAssignments"
ADF = {"api-version": "2018-06-01"}
RIGHTS = f"{FACTORY}/providers/Microsoft.Authorization/permissions"


def got(door: httpx.Client, path: str, version: str, **query: str) -> Any:
    answer = door.get(path, params={"api-version": version, **query}, headers=TOKEN)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_project_has_the_standard_setup(door: httpx.Client) -> None:
    [host] = got(door, f"{PROJECT}/capabilityHosts", "2025-06-01")["value"]
    assert host["type"] == "Microsoft.CognitiveServices/accounts/projects/capabilityHosts"
    assert host["properties"]["capabilityHostKind"] == "Agents"
    assert host["properties"]["storageConnections"] == ["own-storage"]


def test_assignments_of_a_principal_are_told_apart(door: httpx.Client) -> None:
    [mine] = got(door, ROLES, "2022-04-01", **{"$filter": f"principalId eq '{PROJECT_IDENTITY}'"})["value"]
    assert mine["properties"]["scope"] == STORAGE
    assert got(door, ROLES, "2022-04-01", **{"$filter": "principalId eq 'somebody'"})["value"] == []


def test_what_is_put_is_listed_and_what_is_deleted_is_gone(steer: httpx.Client) -> None:
    group = f"{GROUP}/providers/Microsoft.Insights/actionGroups/ops"
    version, every = (
        {"api-version": "2023-01-01"},
        f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/actionGroups",
    )
    assert steer.put(group, params=version, json={"properties": {"enabled": True}}, headers=TOKEN).status_code == 200
    assert [each["id"] for each in got(steer, every, "2023-01-01")["value"]] == [group]
    assert steer.delete(group, params=version, headers=TOKEN).status_code == 200
    assert steer.delete(group, params=version, headers=TOKEN).status_code == 204
    assert steer.get(group, params=version, headers=TOKEN).status_code == 404
    assert got(steer, every, "2023-01-01")["value"] == []


def test_no_collection_lists_what_belongs_to_another(door: httpx.Client) -> None:
    assert got(door, f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/other/projects/local/capabilityHosts",
               "2025-06-01")["value"] == []  # fmt: skip


def test_an_action_that_is_taken_away_is_refused_and_not_among_the_permissions(steer: httpx.Client) -> None:
    assert got(steer, RIGHTS, "2022-04-01")["value"][0]["notActions"] == []
    taken = "Microsoft.DataFactory/factories/pipelines/read"
    steer.post("/_surroundings", json={"without": [taken]}).raise_for_status()
    answer = steer.get(f"{FACTORY}/pipelines", params=ADF, headers=TOKEN)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "AuthorizationFailed")
    assert f"perform action '{taken}'" in answer.json()["error"]["message"]
    assert got(steer, RIGHTS, "2022-04-01")["value"][0]["notActions"] == [taken.lower()]
    steer.delete("/_surroundings").raise_for_status()
    assert steer.get(f"{FACTORY}/pipelines", params=ADF, headers=TOKEN).status_code == 200


def test_a_refusal_to_order_names_the_action(door: httpx.Client) -> None:
    door.post("/_faults", json={"status": 403, "operation": "trigger_runs_query_by_factory"}).raise_for_status()
    answer = door.post(f"{FACTORY}/queryTriggerRuns", params=ADF, headers=TOKEN, json={})
    assert "factories/querytriggerruns/action'" in answer.json()["error"]["message"]


def test_rights_are_a_list(door: httpx.Client) -> None:
    assert door.post("/_surroundings", json={"without": "all"}).status_code == 400


def test_every_answer_tells_the_worlds_own_time(steer: httpx.Client) -> None:
    def told() -> datetime:
        dates = steer.get("/subscriptions", params={"api-version": "2022-12-01"}, headers=TOKEN).headers.get_list(
            "date"
        )
        assert len(dates) == 1
        return parsedate_to_datetime(dates[0]).astimezone(UTC)

    assert told() == NOW
    steer.post("/_clock", json={"advance_seconds": 90}).raise_for_status()
    assert (told() - NOW).total_seconds() == 90


@pytest.mark.parametrize("path", [PROJECT, STORAGE, f"{PROJECT}/capabilityHosts/agents"])
def test_nothing_is_told_without_a_token(door: httpx.Client, path: str) -> None:
    assert door.get(path, params={"api-version": "2025-06-01"}).status_code == 401


def test_what_is_held_back_exists() -> None:
    from localcloud.adf.app import OPERATIONS

    assert NEEDED.keys() <= {operation.name for operation in OPERATIONS}
    assert len({kind.operations for kind in KINDS}) == len(KINDS)
