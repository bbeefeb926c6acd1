"""Settings tell every problem at once, and only to those whom it concerns."""

from __future__ import annotations

import json
from datetime import time, timedelta
from pathlib import Path

import pytest

from core import clients
from core.errors import NotConfigured
from core.settings import OURS, Settings

FACTORY = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.DataFactory/factories/adf-prod"
GOOD = {
    "STORAGE": "AccountName=a;AccountKey=b",
    "FOUNDRY_PROJECT_ENDPOINT": "https://a.services.ai.azure.com/api/projects/p",
    "FOUNDRY_MODEL": "gpt-4.1",
    "ADF_FACTORIES": FACTORY,
}


def wrong(**changes: str) -> list[str]:
    return [problem.setting for problem in Settings.load(GOOD | changes).problems]


def test_good_settings_have_no_problems() -> None:
    assert wrong() == []


def test_an_empty_environment_names_everything_that_is_missing() -> None:
    missing = {problem.setting for problem in Settings.load({}).problems}
    assert missing == {"STORAGE", "FOUNDRY_PROJECT_ENDPOINT", "FOUNDRY_MODEL", "ADF_FACTORIES"}


def test_identity_addresses_serve_instead_of_a_connection_string() -> None:
    uris = {"STORAGE__queueServiceUri": "https://a.queue.x", "STORAGE__tableServiceUri": "https://a.table.x"}
    assert wrong(STORAGE="", **uris) == []
    assert wrong(STORAGE="", STORAGE__queueServiceUri="https://a.queue.x") == ["STORAGE"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("STORAGE", "storage.example"),
        ("FOUNDRY_PROJECT_ENDPOINT", "http://models.example/api/projects/p"),
        ("FOUNDRY_PROJECT_ENDPOINT", "models"),
        ("ADF_ENDPOINT", "http://management.example"),
        ("ADF_ENDPOINT", "https://[management"),
        ("ADF_FACTORIES", "adf-prod"),
        ("ADF_FAILURE_RULES", "nowhere.yaml"),
        ("ADF_OPERATOR_CLIENT_ID", "mi-operator"),
        ("LEARN_MCP_URL", "learn"),
        ("RUN_DEADLINE_SECONDS", "soon"),
        ("RUN_DEADLINE_SECONDS", "0"),
        ("RUN_DEADLINE_SECONDS", "nan"),
        ("TOOL_DEADLINE_SECONDS", "299999"),
        ("TEAMS_WEBHOOK_URL", "https://hooks.example/flow"),
        ("TEAMS_WEBHOOK_URL", "https://logic.azure.com.evil.example/flow"),
        ("TEAMS_WEBHOOK_URL", "http://prod-1.westeurope.logic.azure.com/flow"),
        ("TEAMS_WEBHOOK_URL", "https://[prod/flow"),
        ("TEAMS_SECURITY_TOKEN", "no base64!"),
        ("STORAGE__blobServiceUri", "http://account.blob.core.windows.net"),
        ("AUDIT_DAYS", "29"),
        ("AUDIT_DAYS", "3651"),
        ("AUDIT_DAYS", "1e3"),
        ("AUDIT_DAYS", "٣٦٥"),
        ("DIGEST_AT", "7"),
        ("DIGEST_AT", "7:5"),
        ("DIGEST_AT", "24:00"),
        ("DIGEST_AT", "-7:00"),
        ("DIGEST_TIMEZONE", "Europe"),
        ("DIGEST_TIMEZONE", "Mars/Olympus"),
        ("DIGEST_TIMEZONE", "../../etc/passwd"),
        ("DIGEST_WEEKLY_ON", "caturday"),
    ],
)
def test_a_wrong_value_is_named(setting: str, value: str) -> None:
    assert setting in wrong(**{setting: value})


def test_the_secrets_of_teams_are_in_no_problem_and_in_no_print() -> None:
    secrets = {"TEAMS_WEBHOOK_URL": "https://elsewhere.example/?sig=s3cr3t", "TEAMS_SECURITY_TOKEN": "s3cr3t!"}
    settings = Settings.load(GOOD | secrets)
    assert {problem.setting for problem in settings.problems} == set(secrets)
    assert "s3cr3t" not in repr(settings)
    assert (settings.teams_webhook_url, settings.teams_security_token) == ("", "")  # a wrong one counts as none


def test_a_flow_of_teams_may_live_in_either_service() -> None:
    assert wrong(TEAMS_WEBHOOK_URL="https://prod-1.westeurope.logic.azure.com:443/workflows/x?sig=y") == []
    assert wrong(TEAMS_WEBHOOK_URL="https://a.b.environment.api.powerplatform.com:443/workflows/x?sig=y") == []
    assert wrong(TEAMS_WEBHOOK_URL="http://127.0.0.1:8080/flow", TEAMS_SECURITY_TOKEN="c2VjcmV0") == []


def test_plain_http_is_for_this_machine_only() -> None:
    assert wrong(FOUNDRY_PROJECT_ENDPOINT="http://127.0.0.1:8000/api/projects/local") == []
    assert wrong(FOUNDRY_PROJECT_ENDPOINT="http://127.0.0.1.example.com/api") == ["FOUNDRY_PROJECT_ENDPOINT"]


async def test_factories_are_changed_as_the_identity_that_is_named_for_it() -> None:
    client_id = "00000000-0000-4000-8000-00000000000a"
    named = Settings.load(GOOD | {"ADF_OPERATOR_CLIENT_ID": client_id})
    own = clients.operator_credential(named)
    assert own is clients.operator_credential(named)
    assert own is not clients.credential(named.adf_endpoint)
    assert clients.operator_credential(Settings.load(GOOD)) is clients.credential(named.adf_endpoint)


def test_a_tool_may_not_outlive_the_run_that_waits_for_it() -> None:
    assert wrong(TOOL_DEADLINE_SECONDS="200", RUN_DEADLINE_SECONDS="100") == ["RUN_DEADLINE_SECONDS"]


def test_the_documentation_server_can_be_switched_off() -> None:
    assert Settings.load(GOOD | {"LEARN_MCP_URL": "off"}).learn_mcp_url == ""


def test_somebody_who_needs_no_model_is_not_told_of_it() -> None:
    settings = Settings.load({**GOOD, "FOUNDRY_MODEL": ""})
    assert settings.require("storage", "adf") is settings
    with pytest.raises(NotConfigured, match="FOUNDRY_MODEL: give the name of a model deployment"):
        settings.require("storage", "foundry")


def test_no_deadline_may_outlast_what_the_host_allows_a_function() -> None:
    host = json.loads((Path(__file__).resolve().parents[2] / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    allowed = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    bounds = {each.name: each.bounds or (0, 0) for each in OURS}
    assert all(bounds[name][1] < allowed for name in ("RUN_DEADLINE_SECONDS", "TOOL_DEADLINE_SECONDS"))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PUBLIC_URL", "http://ops.example"),
        ("PUBLIC_URL", "https://ops.example/app"),
        ("PUBLIC_URL", "https://me@ops.example"),
        ("PUBLIC_URL", "https://[ops"),
        ("LINK_SIGNING_KEY", "short"),
        ("CALLBACK_SIGNING_KEY", "short"),
        ("TOKEN_TENANT_ID", "a tenant without an audience"),
        ("TOKEN_AUTHORITY", "http://login.example"),
    ],
)
def test_settings_of_callers_that_are_wrong_are_named_and_no_key_is_repeated(setting: str, value: str) -> None:
    problems = Settings.load(GOOD | {setting: value}).problems
    assert [problem.setting for problem in problems] == [setting]
    assert not setting.endswith("KEY") or value not in problems[0].text.split()


def test_hosts_of_callbacks_are_those_of_workflows_unless_others_are_named() -> None:
    assert Settings.load(GOOD).callback_hosts == (".logic.azure.com", ".environment.api.powerplatform.com")
    assert Settings.load(GOOD | {"CALLBACK_HOSTS": "a.example, .b.example"}).callback_hosts == (
        "a.example",
        ".b.example",
    )


def test_when_the_digest_is_sent() -> None:
    settings = Settings.load(
        GOOD | {"DIGEST_AT": "7:05", "DIGEST_TIMEZONE": "Europe/Berlin", "DIGEST_WEEKLY_ON": "Friday"}
    )
    assert settings.problems == ()
    assert (settings.digest_at, settings.digest_timezone, settings.digest_weekly_on) == (time(7, 5), "Europe/Berlin", 4)


def test_no_digest_is_sent_unless_somebody_says_when() -> None:
    assert Settings.load(GOOD).digest_at is None
    assert Settings.load(GOOD | {"DIGEST_AT": "", "DIGEST_WEEKLY_ON": "monday"}).digest_at is None


def test_at_a_time_of_an_unknown_zone_none_is_sent() -> None:
    assert Settings.load(GOOD | {"DIGEST_AT": "07:00", "DIGEST_TIMEZONE": "Mars/Olympus"}).digest_at is None


def test_how_long_the_audit_trail_can_be_searched() -> None:
    assert Settings.load(GOOD).audit_days == 365
    assert Settings.load(GOOD | {"AUDIT_DAYS": "30"}).audit_days == 30


@pytest.mark.parametrize(
    ("storage", "found"),
    [
        ({"STORAGE__blobServiceUri": "https://a.blob.core.windows.net"}, True),
        ({"STORAGE": "AccountName=a;AccountKey=b"}, True),
        ({"STORAGE": "BlobEndpoint=https://a;SharedAccessSignature=s"}, True),
        ({"STORAGE": "QueueEndpoint=https://a;TableEndpoint=https://b;SharedAccessSignature=s"}, False),
        ({}, False),
    ],
)
def test_whether_there_is_a_place_for_blobs(storage: dict[str, str], found: bool) -> None:
    assert Settings.load(storage).has_blobs == found


def test_a_wrong_number_of_days_drops_nothing_early() -> None:
    assert Settings.load(GOOD | {"AUDIT_DAYS": "3,650"}).audit_days == 3650


@pytest.mark.parametrize(
    ("name", "area"),
    [("LINK_SIGNING_KEY", "callers"), ("CALLBACK_SIGNING_KEY", "callers"), ("TEAMS_SECURITY_TOKEN", "teams")],
)
def test_a_reference_to_a_vault_that_was_not_resolved_is_no_secret(name: str, area: str) -> None:
    reference = f"@Microsoft.KeyVault(VaultName=kv-adf-ops;SecretName={name.lower().replace('_', '-')})"
    settings = Settings.load({**GOOD, name: reference})
    assert (settings.link_signing_key, settings.callback_signing_key, settings.teams_security_token) == ("", "", "")
    assert [(each.area, each.setting) for each in settings.problems] == [(area, name)]
