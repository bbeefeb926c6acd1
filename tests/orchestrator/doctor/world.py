"""What the doctor examines in these tests: the emulator behind a proxy, the stand-ins, a folder of the app; all of it
can be broken, and is whole again afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import httpx
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueServiceClient

from core import clients
from core.settings import Settings
from localcloud import azurite
from localcloud.estate import GROUP, SUBSCRIPTION
from localcloud.launch.children import Children
from localcloud.launch.cloud import (
    Options,
    app_settings,
    foundry_arguments,
    start_server,
    start_storage,
    teams_settings,
)
from localcloud.storageproxy.faults import Fault
from localcloud.storageproxy.proxy import Proxy
from orchestrator.doctor.examination import examine, of_environment
from orchestrator.doctor.findings import Check, Finding
from orchestrator.doctor.rota import CHECKS
from orchestrator.doctor.storage_parts import QUEUES, make_missing

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = "ops.example"
OPERATOR = {"ADF_OPERATOR_CLIENT_ID": "00000000-0000-0000-0000-0000000000c1"}
OBJECT_ID = "00000000-0000-0000-0000-0000000000d1"
CLAIMS = urlsafe_b64encode(json.dumps({"oid": OBJECT_ID, "appid": "app"}).encode()).decode().rstrip("=")
TOKEN_OF_APP = f"e30.{CLAIMS}.signature-that-nobody-may-see"
TOKEN = {"Authorization": "Bearer local"}
ACTION_GROUP = f"{GROUP}/providers/Microsoft.Insights/actionGroups/adf-ops"
RULE = f"{GROUP}/providers/Microsoft.Insights/metricAlerts/adf-failures"
LOG_RULE = f"{GROUP}/providers/Microsoft.Insights/scheduledQueryRules/adf-failed-runs"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
LOGS = {
    name: f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.DataFactory/factories/{name}"
    "/providers/Microsoft.Insights/diagnosticSettings/adf-operations"
    for name, group in (("adf-prod", "rg-data-prod"), ("adf-dev", "rg-data-dev"))
}
OPERATOR_ID = "00000000-0000-0000-0000-0000000000e1"  # its object id
OPERATOR_ROLE = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
    "00000000-0000-0000-0000-0000000000e2"
)
MAY = json.loads((ROOT / "infra" / "factoryRoles.json").read_text(encoding="utf-8"))["operator"]
OPERATES = {
    name: path.partition("/providers/Microsoft.Insights/")[0]
    + "/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000e3"
    for name, path in LOGS.items()
}
TOPIC = f"{GROUP}/providers/Microsoft.EventGrid/topics/factories"
EVENTS = f"{TOPIC}/eventSubscriptions/to-the-app"
VERSIONS = {
    "actionGroups": "2023-01-01",
    "metricAlerts": "2018-03-01",
    "scheduledQueryRules": "2022-06-15",
    "diagnosticSettings": "2021-05-01-preview",
    "topics": "2022-06-15",
    "eventSubscriptions": "2022-06-15",
    "roleAssignments": "2022-04-01",
    "roleDefinitions": "2022-04-01",
    "capabilityHosts": "2025-06-01",
    "projects": "2025-06-01",
    "storageAccounts": "2023-05-01",
}
WIRED: Mapping[str, Mapping[str, Any]] = {
    ACTION_GROUP: {
        "enabled": True,
        "webhookReceivers": [{"name": "app", "serviceUri": f"https://{ADDRESS}/hooks/alerts/azure-monitor"}],
    },
    RULE: {"enabled": True, "scopes": [f"/subscriptions/{SUBSCRIPTION}"], "actions": [{"actionGroupId": ACTION_GROUP}]},
    LOG_RULE: {
        "enabled": True,
        "scopes": [WORKSPACE],
        "criteria": {"allOf": [{"query": 'ADFPipelineRun | where Status == "Failed"'}]},
        "actions": {"actionGroups": [ACTION_GROUP]},
    },
    **{
        path: {"workspaceId": WORKSPACE, "logs": [{"category": "PipelineRuns", "enabled": True}]}
        for path in LOGS.values()
    },
    OPERATOR_ROLE: {"permissions": [{"actions": MAY, "notActions": []}]},
    **{path: {"roleDefinitionId": OPERATOR_ROLE, "principalId": OPERATOR_ID} for path in OPERATES.values()},
    TOPIC: {},
    EVENTS: {
        "provisioningState": "Succeeded",
        "destination": {"endpointType": "AzureFunction", "properties": {"resourceId": "/x/functions/alerts_event"}},
        "deadLetterWithResourceIdentity": {"deadLetterDestination": {"endpointType": "StorageBlob"}},
    },
}


@dataclass
class Identity:
    """The endpoint at which an app on Azure asks for tokens of its identity."""

    status: int = 200
    server: asyncio.Server | None = None

    async def __aenter__(self) -> Identity:
        self.server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self.server
        self.server.close()
        await self.server.wait_closed()

    @property
    def url(self) -> str:
        assert self.server
        return f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}/msi/token"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        token = {
            "access_token": TOKEN_OF_APP,
            "expires_on": str(int(time.time()) + 1),
            "resource": "x",
            "token_type": "Bearer",
        }
        body = json.dumps(token if self.status == 200 else {"error": {"code": "invalid_request"}}).encode()
        head = f"HTTP/1.1 {self.status} x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@dataclass
class World:
    options: Options
    children: Mapping[str, Children]
    proxy: Proxy
    storage: str  # past the proxy
    env: dict[str, str]
    folder: Path  # of the app
    identity: Identity
    adf: httpx.AsyncClient
    foundry: httpx.AsyncClient
    queues: QueueServiceClient
    tables: TableServiceClient
    blobs: BlobServiceClient

    async def examined(
        self, *checks: str, env: Mapping[str, str] | None = None, unserved_seconds: float = 60.0
    ) -> list[Finding]:
        """All checks, or these."""
        chosen: Sequence[Check] = [each for each in CHECKS if each.name in checks] if checks else CHECKS
        given = {**self.env, **(env or {})}
        hasty: dict[str, Any] = {"unserved_seconds": unserved_seconds, "again_seconds": 0.1}
        with _signed_in(self.identity.url):
            async with of_environment(given, root=self.folder, **hasty) as patient:
                return await examine(patient, chosen)

    async def put(self, resource: str, properties: Mapping[str, Any], **more: Any) -> None:
        body = {**more, "properties": properties}
        answer = await self.adf.put(resource, params={"api-version": _version(resource)}, json=body)
        answer.raise_for_status()

    async def delete(self, resource: str) -> None:
        (await self.adf.delete(resource, params={"api-version": _version(resource)})).raise_for_status()

    async def steer(self, who: httpx.AsyncClient, path: str, body: Mapping[str, Any]) -> None:
        (await who.post(path, json=body)).raise_for_status()

    def refuse(self, match: str) -> None:
        """Storage answers 403 to requests like this, as it does without the role."""
        self.proxy.faults.arm(Fault("error", match, count=None, status=403))

    async def stop(self, name: str) -> None:
        await self.children[name].stop(3)

    async def whole(self) -> None:
        """Everything as it was, whatever was done to it."""
        self.proxy.faults.clear()
        self.identity.status = 200
        for name, options in (("adf", ()), ("foundry", foundry_arguments(self.storage, self.options)), ("teams", ())):
            if not self.children[name].running():
                port = str(urlsplit(self.env[PLACES[name]]).port)
                await start_server(self.options, self.children[name], name, (*options, "--port", port))
        for path in ("/_faults", "/_surroundings"):
            (await self.adf.delete(path)).raise_for_status()
        (await self.foundry.post("/_reset")).raise_for_status()
        for resource, properties in WIRED.items():
            await self.put(resource, properties)
        _copied(self.folder)

    async def storage_whole(self) -> None:
        await make_missing(Settings.load({"STORAGE": self.storage}))
        for queue in QUEUES:
            await self.queues.get_queue_client(queue.name).clear_messages()


@contextmanager
def _signed_in(url: str) -> Iterator[None]:
    """azure-identity looks into the environment itself."""
    with patch.dict(os.environ, {"IDENTITY_ENDPOINT": url, "IDENTITY_HEADER": "x"}):
        yield


async def _signed_out() -> None:
    """The app keeps its credentials as long as its event loop, which ends here."""
    azure = {"ADF_SUBSCRIPTION_ID": "s", **OPERATOR}
    for credential in (clients.credential("https://"), clients.operator_credential(Settings.load(azure))):
        await credential.close()


PLACES = {"adf": "ADF_ENDPOINT", "foundry": "FOUNDRY_PROJECT_ENDPOINT", "teams": "TEAMS_WEBHOOK_URL"}


def _version(resource: str) -> str:
    return VERSIONS[resource.split("/")[-2]]


def _copied(folder: Path) -> None:
    for name in ("host.json", "requirements.txt", "policy.yaml"):
        shutil.copy(ROOT / name, folder / name)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[World]:
    """`folder` is for logs and for the app's files."""
    options = Options(logs=folder / "logs")
    family = {name: Children(folder / "logs") for name in ("storage", "adf", "foundry", "learn", "teams")}
    try:
        storage, adf, learn, teams = await asyncio.gather(
            start_storage(options, family["storage"]),
            *(start_server(options, family[name], name, ()) for name in ("adf", "learn", "teams")),
        )
        foundry = await start_server(options, family["foundry"], "foundry", foundry_arguments(storage, options))
        async with Proxy(_ports(storage)) as proxy, Identity() as identity:
            env = {
                **app_settings(azurite.connection_string(*proxy.ports), adf, foundry, learn),
                **teams_settings(teams),
            }
            env |= {"PUBLIC_URL": f"https://{ADDRESS}", "POLICY_FILE": str(folder / "policy.yaml")}
            env |= {"IDENTITY_ENDPOINT": identity.url, "IDENTITY_HEADER": "x"}
            async with (
                httpx.AsyncClient(base_url=adf, headers=TOKEN, trust_env=False) as to_adf,
                httpx.AsyncClient(base_url=foundry, headers=TOKEN, trust_env=False) as to_foundry,
                clients.queue_service(past := Settings.load({"STORAGE": storage})) as queues,
                clients.table_service(past) as tables,
                clients.blob_service(past) as blobs,
            ):
                made = World(
                    options, family, proxy, storage, env, folder, identity, to_adf, to_foundry, queues, tables, blobs
                )
                await made.whole()
                await made.storage_whole()
                yield made
                await _signed_out()
    finally:
        await asyncio.gather(*(each.stop(3) for each in family.values()))


def _ports(storage: str) -> tuple[int, int, int]:
    parts = dict(part.split("=", 1) for part in storage.split(";") if part)
    blob, queue, table = (urlsplit(parts[f"{kind}Endpoint"]).port or 0 for kind in ("Blob", "Queue", "Table"))
    return blob, queue, table


def of_use(use: str) -> list[str]:
    return [queue.name for queue in QUEUES if queue.use == use]
