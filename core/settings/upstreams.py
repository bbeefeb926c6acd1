"""What the app works with: storage, the agent service, Data Factory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.settings.problems import Problem, check_url
from core.settings.setting import Setting

AZURE_MANAGEMENT = "https://management.azure.com"
STORAGE = Setting(
    "STORAGE",
    "storage",
    "the same three as a connection string (`AccountName=…;AccountKey=…`): only where identities do not exist, as on "
    "your own machine",
    secret=True,
)
QUEUES = Setting(
    "STORAGE__queueServiceUri",
    "storage",
    "the queues of the storage account of work and records, by identity",
    example="https://<account>.queue.core.windows.net",
    needed=True,
    instead="STORAGE",
    without="nothing works.",
)
TABLES = Setting(
    "STORAGE__tableServiceUri",
    "storage",
    "its tables, by identity",
    example="https://<account>.table.core.windows.net",
    needed=True,
    instead="STORAGE",
    without="nothing works.",
)
BLOBS = Setting(
    "STORAGE__blobServiceUri",
    "storage",
    "its blobs, by identity: the anchors and exports of the audit trail ([audit](audit.md))",
    example="https://<account>.blob.core.windows.net",
    without="the audit trail is kept, but neither anchored nor exported.",
)
STORAGE_SETTINGS = (QUEUES, TABLES, BLOBS, STORAGE)
ENDPOINT = Setting(
    "FOUNDRY_PROJECT_ENDPOINT",
    "foundry",
    "the project endpoint; the project is of the standard agent setup",
    example="https://<account>.services.ai.azure.com/api/projects/<project>",
    needed=True,
    without="no question is answered.",
)
MODEL = Setting(
    "FOUNDRY_MODEL",
    "foundry",
    "the name of a model deployment of that project",
    example="gpt-5.2",
    needed=True,
    without="no question is answered.",
)
API_VERSION = Setting(
    "FOUNDRY_API_VERSION",
    "foundry",
    "another version of the agent API, where the project needs it",
    otherwise="the SDK's",
    example="2025-05-15-preview",
)
LEARN = Setting(
    "LEARN_MCP_URL",
    "foundry",
    "the documentation server (MCP) for general questions; `off` for none",
    default="https://learn.microsoft.com/api/mcp",
    example="off",
)
NARRATIVE = Setting(
    "INCIDENT_NARRATIVE",
    "foundry",
    "the agents put each diagnosed incident in words, once; `off` spares the tokens",
    default="on",
    example="off",
)
FOUNDRY_SETTINGS = (ENDPOINT, MODEL, API_VERSION, LEARN, NARRATIVE)
FACTORIES = Setting(
    "ADF_FACTORIES",
    "adf",
    "resource ids of the factories, comma separated",
    example="/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.DataFactory/factories/<name>",
    needed=True,
    instead="ADF_SUBSCRIPTION_ID",
    without="there is nothing to tell.",
)
SUBSCRIPTION = Setting(
    "ADF_SUBSCRIPTION_ID",
    "adf",
    "instead: every factory of this subscription that the identity may read",
    example="00000000-0000-4000-8000-000000000004",
)
OPERATOR = Setting(
    "ADF_OPERATOR_CLIENT_ID",
    "adf",
    "client id of a user-assigned identity that changes factories (reruns, cancels, starts and stops triggers)",
    example="00000000-0000-4000-8000-000000000005",
    without="the app's own identity changes them.",
)
FAILURE_RULES = Setting(
    "ADF_FAILURE_RULES",
    "adf",
    "a file with known failures of your own, asked before ours; its form is in "
    "`tools_worker/datafactory/failures/knowledge/README.md`",
    example="/home/site/wwwroot/failures.yaml",
)
MANAGEMENT = Setting(
    "ADF_ENDPOINT",
    "adf",
    "another cloud's management endpoint",
    default=AZURE_MANAGEMENT,
    example="https://management.usgovcloudapi.net",
)
ADF_SETTINGS = (FACTORIES, SUBSCRIPTION, OPERATOR, FAILURE_RULES, MANAGEMENT)
SETTINGS = (*STORAGE_SETTINGS, *FOUNDRY_SETTINGS, *ADF_SETTINGS)
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def storage(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    connection, queue, table, blob = STORAGE.of(env), QUEUES.of(env), TABLES.of(env), BLOBS.of(env)
    if connection and "=" not in connection:
        problems.append(Problem("storage", STORAGE.name, "is not a connection string (AccountName=…;AccountKey=…)."))
    if not connection and not (queue and table):
        text = (
            "give STORAGE__queueServiceUri and STORAGE__tableServiceUri (identity), or a connection string in STORAGE."
        )
        problems.append(Problem("storage", STORAGE.name, text))
    for setting, url in ((QUEUES, queue), (TABLES, table), (BLOBS, blob)):
        if url:
            check_url("storage", setting.name, url, problems)
    return {
        "storage_connection": connection,
        "storage_queue_uri": queue,
        "storage_table_uri": table,
        "storage_blob_uri": blob,
    }


def foundry(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    endpoint, model, learn = ENDPOINT.of(env).rstrip("/"), MODEL.of(env), LEARN.of(env)
    if not endpoint:
        text = "give the project endpoint, https://<account>.services.ai.azure.com/api/projects/<project>."
        problems.append(Problem("foundry", ENDPOINT.name, text))
    else:
        check_url("foundry", ENDPOINT.name, endpoint, problems)
    if not model:
        problems.append(Problem("foundry", MODEL.name, "give the name of a model deployment of that project."))
    if learn.lower() in ("off", "none"):
        learn = ""
    else:
        check_url("foundry", LEARN.name, learn, problems)
    return {
        "foundry_endpoint": endpoint,
        "foundry_model": model,
        "foundry_api_version": API_VERSION.of(env),
        "learn_mcp_url": learn,
        "incident_narrative": NARRATIVE.of(env).lower() not in ("off", "false", "0", "no"),
    }


def adf(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    endpoint = MANAGEMENT.of(env).rstrip("/")
    factories, subscription = FACTORIES.listed(env), SUBSCRIPTION.of(env)
    check_url("adf", MANAGEMENT.name, endpoint, problems)
    if not factories and not subscription:
        text = "give factory resource ids in ADF_FACTORIES (comma separated), or ADF_SUBSCRIPTION_ID to find them all."
        problems.append(Problem("adf", FACTORIES.name, text))
    for factory in factories:
        if "/providers/microsoft.datafactory/factories/" not in factory.lower() or not factory.startswith(
            "/subscriptions/"
        ):
            text = f"{factory!r} is not /subscriptions/…/providers/Microsoft.DataFactory/factories/<name>."
            problems.append(Problem("adf", FACTORIES.name, text))
    rules = FAILURE_RULES.of(env)
    if rules and not Path(rules).is_file():
        problems.append(Problem("adf", FAILURE_RULES.name, f"there is no file {rules!r}."))
    operator = OPERATOR.of(env)
    if operator and not _GUID.fullmatch(operator):
        text = f"{operator!r} is not the client id (a GUID) of a user-assigned identity."
        problems.append(Problem("adf", OPERATOR.name, text))
    return {
        "adf_endpoint": endpoint,
        "adf_factories": factories,
        "adf_subscription": subscription,
        "adf_failure_rules": rules,
        "adf_operator_client_id": operator,
    }
