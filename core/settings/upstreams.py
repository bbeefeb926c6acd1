"""What the app works with: storage, the agent service, Data Factory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.settings.problems import Problem, check_url

AZURE_MANAGEMENT = "https://management.azure.com"
LEARN_MCP = "https://learn.microsoft.com/api/mcp"
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def storage(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    connection = env.get("STORAGE", "")
    queue, table = env.get("STORAGE__queueServiceUri", ""), env.get("STORAGE__tableServiceUri", "")
    if connection and "=" not in connection:
        problems.append(Problem("storage", "STORAGE", "is not a connection string (AccountName=…;AccountKey=…)."))
    if not connection and not (queue and table):
        text = (
            "give STORAGE__queueServiceUri and STORAGE__tableServiceUri (identity), or a connection string in STORAGE."
        )
        problems.append(Problem("storage", "STORAGE", text))
    blob = env.get("STORAGE__blobServiceUri", "")
    for kind, url in (("queue", queue), ("table", table), ("blob", blob)):
        if url:
            check_url("storage", f"STORAGE__{kind}ServiceUri", url, problems)
    return {
        "storage_connection": connection,
        "storage_queue_uri": queue,
        "storage_table_uri": table,
        "storage_blob_uri": blob,
    }


def foundry(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    endpoint = env.get("FOUNDRY_PROJECT_ENDPOINT", "").rstrip("/")
    model = env.get("FOUNDRY_MODEL", "")
    learn = env.get("LEARN_MCP_URL", LEARN_MCP)
    if not endpoint:
        text = "give the project endpoint, https://<account>.services.ai.azure.com/api/projects/<project>."
        problems.append(Problem("foundry", "FOUNDRY_PROJECT_ENDPOINT", text))
    else:
        check_url("foundry", "FOUNDRY_PROJECT_ENDPOINT", endpoint, problems)
    if not model:
        problems.append(Problem("foundry", "FOUNDRY_MODEL", "give the name of a model deployment of that project."))
    if learn.lower() in ("", "off", "none"):
        learn = ""
    else:
        check_url("foundry", "LEARN_MCP_URL", learn, problems)
    return {
        "foundry_endpoint": endpoint,
        "foundry_model": model,
        "foundry_api_version": env.get("FOUNDRY_API_VERSION", ""),
        "learn_mcp_url": learn,
        "incident_narrative": env.get("INCIDENT_NARRATIVE", "").lower() not in ("off", "false", "0", "no"),
    }


def adf(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    endpoint = (env.get("ADF_ENDPOINT", "") or AZURE_MANAGEMENT).rstrip("/")
    factories = tuple(part.strip() for part in env.get("ADF_FACTORIES", "").split(",") if part.strip())
    subscription = env.get("ADF_SUBSCRIPTION_ID", "")
    check_url("adf", "ADF_ENDPOINT", endpoint, problems)
    if not factories and not subscription:
        text = "give factory resource ids in ADF_FACTORIES (comma separated), or ADF_SUBSCRIPTION_ID to find them all."
        problems.append(Problem("adf", "ADF_FACTORIES", text))
    for factory in factories:
        if "/providers/microsoft.datafactory/factories/" not in factory.lower() or not factory.startswith(
            "/subscriptions/"
        ):
            text = f"{factory!r} is not /subscriptions/…/providers/Microsoft.DataFactory/factories/<name>."
            problems.append(Problem("adf", "ADF_FACTORIES", text))
    rules = env.get("ADF_FAILURE_RULES", "")
    if rules and not Path(rules).is_file():
        problems.append(Problem("adf", "ADF_FAILURE_RULES", f"there is no file {rules!r}."))
    operator = env.get("ADF_OPERATOR_CLIENT_ID", "")
    if operator and not _GUID.fullmatch(operator):
        text = f"{operator!r} is not the client id (a GUID) of a user-assigned identity."
        problems.append(Problem("adf", "ADF_OPERATOR_CLIENT_ID", text))
    return {
        "adf_endpoint": endpoint,
        "adf_factories": factories,
        "adf_subscription": subscription,
        "adf_failure_rules": rules,
        "adf_operator_client_id": operator,
    }
