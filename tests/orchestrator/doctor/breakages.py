"""Everything that is broken to see whether the doctor finds it: in the emulator, a stand-in, or the app's folder."""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.adf.surroundings import ACTIVITY_LOG, NEEDED, QUEUE_CONTRIBUTOR
from localcloud.estate import CONNECTIONS, PROJECT, PROJECT_IDENTITY, STORAGE, SUBSCRIPTION
from localcloud.storageproxy.faults import Fault
from orchestrator.audit.record import Actor, Entry
from orchestrator.audit.trail import Audit
from orchestrator.doctor.checks.roles import PROCESSOR, SENDER
from orchestrator.doctor.findings import Finding, Result
from orchestrator.stores.audit_tables import AUDIT, TableAuditStore
from orchestrator.stores.sealed_blobs import CONTAINER, BlobSealedFiles
from tests.orchestrator.doctor.world import (
    ACTION_GROUP,
    EVENTS,
    LOG_RULE,
    LOGS,
    OPERATES,
    OPERATOR,
    OPERATOR_ID,
    OPERATOR_ROLE,
    RULE,
    WIRED,
    WORKSPACE,
    World,
    of_use,
)

OWN, CALL, REPLY = "run-requests", of_use("calls")[0], of_use("replies")[0]
HOST = f"{PROJECT}/capabilityHosts/agents"
ROLE = f"{STORAGE}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000b1"
DEFINITIONS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions"
FACTORIES = "Microsoft.DataFactory/factories"
FACTORY = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-data-prod/providers/{FACTORIES}/adf-prod"
STOP = f"{FACTORIES}/triggers/stop/action"
OPERATES_ELSEWHERE = {  # another app carries out what is approved, as the templates lay it out
    **OPERATOR,
    "AzureWebJobs.actions_execute.Disabled": "true",
    "OPERATOR_IDENTITY_PRINCIPAL_ID": OPERATOR_ID,
}
PLAIN = b64encode(b'{"CorrelationId": "1"}').decode()


@dataclass(frozen=True)
class Breakage:
    """`says` is a pattern on what is found, `mend` one on what mends it."""

    name: str
    check: str
    result: Result
    says: str
    breaks: Callable[[World], Awaitable[Any]]
    mend: str = r"\w"
    env: Mapping[str, str] = field(default_factory=dict)
    unserved_seconds: float = 60.0
    mends: Callable[[World], Awaitable[Any]] | None = None  # besides what is made whole after each

    async def found(self, world: World) -> list[Finding]:
        """Break it and let the doctor look; the world is whole again afterwards."""
        try:
            await self.breaks(world)
            return await world.examined(self.check, env=self.env, unserved_seconds=self.unserved_seconds)
        finally:
            await world.whole()
            if self.mends:
                await self.mends(world)

    def is_told(self, findings: list[Finding]) -> bool:
        """Whether one finding says so, with what mends it."""
        return any(
            each.result == self.result
            and re.search(self.says, each.found) is not None
            and re.search(self.mend, each.mend) is not None
            and bool(each.why)
            for each in findings
        )


def _refusing(match: str) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.refuse(match)

    return breaks


def _answering(match: str, status: int) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.proxy.faults.arm(Fault("error", match, count=None, status=status))

    return breaks


def _dropping(match: str) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.proxy.faults.arm(Fault("reset", match, count=None))

    return breaks


def _without_queue(name: str) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.queues.delete_queue(name)


def _message(queue: str, content: str) -> Callable[[World], Awaitable[Any]]:
    async def breaks(world: World) -> None:
        await world.queues.get_queue_client(queue).send_message(content)
        await asyncio.sleep(0.4)  # longer than `unserved_seconds`

    return breaks


async def _no_container(world: World) -> None:
    await world.blobs.delete_container(CONTAINER)


def _file(name: str, content: str | None) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        path = world.folder / name
        if content is None:
            path.unlink()
        else:
            path.write_text(content)

    return breaks


def _stopped(name: str) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.stop(name)


def _foundry(path: str, **body: Any) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.steer(world.foundry, path, body)


def _adf(path: str, **body: Any) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.steer(world.adf, path, body)


def _forbidden(operation: str) -> Callable[[World], Awaitable[None]]:
    return _adf("/_faults", kind="status", status=403, operation=operation)


def _without(*actions: str) -> Callable[[World], Awaitable[None]]:
    return _adf("/_surroundings", without=list(actions))


def _gone(resource: str) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.delete(resource)


def _changed(resource: str, **changes: Any) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.put(resource, {**WIRED[resource], **changes})


def _all(*breaks: Callable[[World], Awaitable[Any]]) -> Callable[[World], Awaitable[None]]:
    async def one_after_the_other(world: World) -> None:
        for each in breaks:
            await each(world)

    return one_after_the_other


def _host(**changes: Any) -> Callable[[World], Awaitable[None]]:
    storage, threads, vectors = ([name] for name in CONNECTIONS)
    whole = {"storageConnections": storage, "threadStorageConnections": threads, "vectorStoreConnections": vectors}
    return lambda world: world.put(
        HOST, {"capabilityHostKind": "Agents", "provisioningState": "Succeeded", **whole, **changes}
    )


def _role(role: str, scope: str = STORAGE) -> Callable[[World], Awaitable[None]]:
    properties = {"roleDefinitionId": f"{DEFINITIONS}/{role}", "principalId": PROJECT_IDENTITY, "scope": scope}
    return lambda world: world.put(ROLE, properties)


async def _edited(world: World) -> None:
    """What the newest line of the trail says was done, in other words."""
    table, row = await _last_line(world)
    await table.update_entity({**row, "line": row["line"].replace(b"rerun", b"reran")})


async def _cut_off(world: World) -> None:
    table, row = await _last_line(world)
    await table.delete_entity(row["PartitionKey"], row["RowKey"])


async def _last_line(world: World) -> tuple[Any, Any]:
    audit = Audit(TableAuditStore(world.tables), BlobSealedFiles(world.blobs), lambda: datetime.now(UTC))
    for number in range(2):
        entry = Entry(datetime.now(UTC), "write", Actor("app"), f"rerun LoadSales {number}", f"A-{number}")
        assert await audit.record(entry)
    await audit.close()
    table = world.tables.get_table_client(AUDIT)
    rows = [row async for row in table.list_entities()]
    return table, max(rows, key=lambda row: str(row["RowKey"]))


async def _trail_thrown_away(world: World) -> None:
    await world.tables.delete_table(AUDIT)
    await world.blobs.delete_container(CONTAINER)
    await world.storage_whole()


def _refused_identity(status: int) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.identity.status = status

    return breaks


IDENTITY = {  # as on Azure, where nothing is reached by a key or on this machine
    "STORAGE": "",
    "STORAGE__queueServiceUri": "https://adfops.queue.core.windows.net",
    "STORAGE__tableServiceUri": "https://adfops.table.core.windows.net",
    "FOUNDRY_PROJECT_ENDPOINT": "https://adfops.services.ai.azure.com/api/projects/ops",
    "ADF_ENDPOINT": "https://management.azure.com",
}
READ_BY = {  # the check, and the operation of the stand-in that is refused
    "adf_tags": "factories_get",
    "adf_pipelines": "pipelines_list_by_factory",
    "adf_triggers": "triggers_list_by_factory",
    "adf_datasets": "datasets_list_by_factory",
    "adf_runtimes": "integration_runtimes_list_by_factory",
    "adf_runtime_status": "integration_runtimes_get_status",
    "adf_pipeline_runs": "pipeline_runs_query_by_factory",
    "adf_pipeline_run": "pipeline_runs_get",
    "adf_activity_runs": "activity_runs_query_by_pipeline_run",
    "adf_trigger_runs": "trigger_runs_query_by_factory",
    "adf_activity_log": "activity_logs_list",
}


def _read_refused(check: str, operation: str) -> Breakage:
    needed = NEEDED[operation]
    result: Result = "warning" if needed == ACTIVITY_LOG else "failed"
    says = re.escape(needed.rpartition("Microsoft.")[2])
    return Breakage(
        f"{operation} is refused",
        check,
        result,
        rf"(?i){says}",
        _forbidden(operation),
        r"role assignment create.*factories",
    )


STORAGE_BREAKAGES = (
    Breakage(
        "a tool's queue is deleted",
        "queues_there",
        "failed",
        CALL,
        _without_queue(CALL),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "a reply queue is deleted",
        "queues_there",
        "failed",
        REPLY,
        _without_queue(REPLY),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "the queue of runs is deleted",
        "queues_there",
        "failed",
        OWN,
        _without_queue(OWN),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "looking at a queue is refused",
        "queues_there",
        "warning",
        OWN,
        _refusing(rf"GET /[^/]+/{OWN}\?comp=metadata"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "taking fails otherwise",
        "queues_taken",
        "failed",
        "HTTP 409",
        _answering(rf"DELETE /[^/]+/{OWN}/messages/", 409),
    ),
    Breakage(
        "looking into a queue is refused",
        "queues_served",
        "skipped",
        CALL,
        _refusing(rf"GET /[^/]+/{CALL}/messages"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage("peeking is refused", "queues_taken", "failed", CALL, _refusing(f"GET /[^/]+/{CALL}/messages"), PROCESSOR),
    Breakage(
        "taking is refused", "queues_taken", "failed", OWN, _refusing(f"DELETE /[^/]+/{OWN}/messages/"), PROCESSOR
    ),
    Breakage("sending is refused", "queues_sent", "failed", REPLY, _refusing(f"POST /[^/]+/{REPLY}/messages"), SENDER),
    Breakage("sending cannot be tried", "queues_sent", "skipped", REPLY, _refusing(f"DELETE /[^/]+/{REPLY}/"), SENDER),
    Breakage(
        "nobody takes a call",
        "queues_served",
        "failed",
        rf"message lies in {CALL}",
        _message(CALL, PLAIN),
        "queues_taken",
        unserved_seconds=0.3,
        mends=World.storage_whole,
    ),
    Breakage(
        "nobody takes a reply",
        "queues_served",
        "failed",
        rf"reply lies in {REPLY}",
        _message(REPLY, PLAIN),
        "Contributor",
        unserved_seconds=0.3,
        mends=World.storage_whole,
    ),
    Breakage(
        "a call is no base64",
        "queues_served",
        "failed",
        f"{CALL} is not base64",
        _message(CALL, '{"a": 1}'),
        "Base64",
        mends=World.storage_whole,
    ),
    Breakage(
        "queue storage is gone",
        "queues_there",
        "failed",
        "could not be looked at",
        _dropping("queue|messages|comp=metadata"),
    ),
    Breakage(
        "a table is deleted",
        "tables",
        "warning",
        "'runs'",
        lambda w: w.tables.delete_table("runs"),
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "reading a table is refused", "tables", "failed", "'incidents'", _refusing(r"GET /[^/]+/incidents\("), "Table"
    ),
    Breakage(
        "writing a table is refused", "tables", "failed", "'actions'", _refusing(r"DELETE /[^/]+/actions\("), "Table"
    ),
    Breakage(
        "the container is deleted",
        "blobs",
        "warning",
        "'audit'",
        _no_container,
        "--make-storage",
        mends=World.storage_whole,
    ),
    Breakage(
        "listing blobs is refused", "blobs", "failed", "'audit'", _refusing(r"GET /[^/]+/audit\?.*comp=list"), "Blob"
    ),
    Breakage("writing blobs is refused", "blobs", "failed", "'audit'", _refusing(r"PUT /[^/]+/audit/"), "Blob"),
    Breakage(
        "a line of the trail is edited",
        "audit_anchors",
        "failed",
        "edited",
        _edited,
        "verify",
        mends=_trail_thrown_away,
    ),
    Breakage(
        "the end of a chain is cut off",
        "audit_anchors",
        "failed",
        "cut_tail",
        _cut_off,
        "verify",
        mends=_trail_thrown_away,
    ),
    Breakage(
        "the trail cannot be read", "audit_anchors", "warning", "refused", _refusing(r"GET /[^/]+/audit\(\)"), "tables"
    ),
)
AGENT_BREAKAGES = (
    Breakage(
        "the agent service is stopped", "foundry_reachable", "failed", "cannot be reached", _stopped("foundry"), "DNS"
    ),
    Breakage(
        "the agent service is in trouble", "foundry_reachable", "failed", "500", _foundry("/_faults", http_500=True)
    ),
    Breakage(
        "the agent service refuses us",
        "foundry_agents",
        "failed",
        "403",
        _foundry("/_faults", http_403=True),
        "53ca6127",
    ),
    Breakage(
        "the project has the basic setup",
        "foundry_standard_setup",
        "failed",
        "storage, Cosmos DB, AI Search",
        _foundry("/_project", setup="basic", connections=[]),
        "capabilityHosts",
    ),
    Breakage(
        "a connection is missing",
        "foundry_standard_setup",
        "failed",
        "no connection to Cosmos DB",
        _foundry("/_project", connections=["own-storage", "own-search"]),
        "capabilityHosts",
    ),
    Breakage(
        "connections cannot be read",
        "foundry_standard_setup",
        "warning",
        "403",
        _foundry("/_faults", http_403={"match": "GET /connections"}),
        "Foundry User",
    ),
    Breakage(
        "there is no capability host",
        "foundry_standard_setup",
        "failed",
        "no capability host",
        _gone(HOST),
        "capabilityHosts",
    ),
    Breakage(
        "its host has no storage",
        "foundry_standard_setup",
        "failed",
        "storage",
        _host(storageConnections=[]),
        "delete a wrong",
    ),
    Breakage(
        "its host failed",
        "foundry_standard_setup",
        "failed",
        "is Failed",
        _host(provisioningState="Failed"),
        "delete a wrong",
    ),
    Breakage(
        "hosts cannot be read",
        "foundry_standard_setup",
        "warning",
        "capability hosts cannot be read",
        _forbidden("project_capability_hosts_list"),
        "Foundry User",
    ),
    Breakage(
        "the model is gone",
        "foundry_model",
        "failed",
        "There are: gpt-9",
        _foundry("/_project", deployments=["gpt-9"]),
        "FOUNDRY_MODEL",
    ),
    Breakage(
        "deployments cannot be read",
        "foundry_model",
        "warning",
        "403",
        _foundry("/_faults", http_403={"match": "GET /deployments"}),
        "Foundry User",
    ),
)
FACTORY_BREAKAGES = (
    *(_read_refused(check, operation) for check, operation in READ_BY.items()),
    Breakage(
        "listing factories is refused", "adf_factories", "failed", "403", _forbidden("factories_list"), "factories/read"
    ),
    Breakage(
        "Data Factory is stopped", "adf_factories", "failed", "cannot be reached", _stopped("adf"), "ADF_ENDPOINT"
    ),
    Breakage(
        "Data Factory is in trouble",
        "adf_pipelines",
        "failed",
        "503",
        _adf("/_faults", kind="status", status=503, operation="pipelines_list_by_factory"),
    ),
    Breakage(
        "the app itself may not rerun",
        "operator_rights",
        "warning",
        "pipelines/createrun/action",
        _without(f"{FACTORIES}/pipelines/createrun/action"),
        "operator role",
    ),
    Breakage(
        "the operator may not stop triggers",
        "operator_rights",
        "failed",
        "operator's identity may not: triggers/stop/action",
        _without(f"{FACTORIES}/triggers/stop/action"),
        "operator role",
        env=OPERATOR,
    ),
    Breakage(
        "the operator lost its role in one factory",
        "operator_rights",
        "failed",
        r"operator's identity may not: pipelines/createrun/action, .* \(adf-dev\)",
        _gone(OPERATES["adf-dev"]),
        f"--assignee-object-id {OPERATOR_ID} .*operator role",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "the operator's role holds less",
        "operator_rights",
        "failed",
        "operator's identity may not: triggers/stop/action",
        _changed(OPERATOR_ROLE, permissions=[{"actions": [f"{FACTORIES}/*"], "notActions": [STOP]}]),
        "operator role",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "the operator's role was deleted",
        "operator_rights",
        "skipped",
        "404",
        _gone(OPERATOR_ROLE),
        "role assignment list",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "the operator's roles cannot be read",
        "operator_rights",
        "skipped",
        "403",
        _forbidden("factory_role_assignments_list"),
        "role assignment list",
        env=OPERATES_ELSEWHERE,
    ),
    Breakage(
        "rights cannot be read",
        "operator_rights",
        "skipped",
        "403",
        _forbidden("permissions_list"),
        "role assignment list",
    ),
    Breakage(
        "the service lost its role",
        "agent_service_roles",
        "failed",
        "48 of the tools' queues",
        _gone(ROLE),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "the service may only send", "agent_service_roles", "failed", "24 of.*output", _role(SENDER), QUEUE_CONTRIBUTOR
    ),
    Breakage(
        "the service has its role on one queue",
        "agent_service_roles",
        "failed",
        "47 of",
        _role(QUEUE_CONTRIBUTOR, f"{STORAGE}/queueServices/default/queues/{CALL}"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "the service has a role of somebody's own",
        "agent_service_roles",
        "warning",
        "unless one of its other roles holds it: 11111111",
        _role("11111111-0000-0000-0000-000000000000"),
        QUEUE_CONTRIBUTOR,
    ),
    Breakage(
        "the project is not to be seen", "agent_service_roles", "skipped", "404", _gone(PROJECT), "role assignment list"
    ),
    Breakage(
        "roles cannot be read",
        "agent_service_roles",
        "skipped",
        "403",
        _forbidden("role_assignments_list"),
        "role assignment list",
    ),
    Breakage(
        "storage is not to be seen",
        "agent_service_roles",
        "skipped",
        "cannot be seen",
        _gone(STORAGE),
        "role assignment list",
    ),
    Breakage(
        "a factory is in another tenant",
        "adf_pipeline_runs",
        "failed",
        "in another tenant than the app's identity",
        _adf("/_faults", kind="status", status=401, operation="pipeline_runs_query_by_factory"),
        "take the factory out of ADF_FACTORIES",
    ),
    Breakage(
        "the subscription of all factories is in another tenant",
        "adf_factories",
        "failed",
        "in another tenant than the app's identity",
        _adf("/_faults", kind="status", status=401, operation="factories_list"),
        "its own tenant only",
    ),
    Breakage(
        "Azure's clock is ten minutes ahead",
        "clocks",
        "failed",
        "(599|60\\d) s behind",
        _adf("/_clock", advance_seconds=600),
        "ntp",
        mends=_adf("/_reset"),
    ),
    Breakage(
        "Azure's clock is a minute ahead",
        "clocks",
        "warning",
        "(59|6\\d) s behind",
        _adf("/_clock", advance_seconds=60),
        "ntp",
        mends=_adf("/_reset"),
    ),
)
OTHER_BREAKAGES = (
    Breakage(
        "the action group is gone",
        "alert_wiring",
        "warning",
        "No action group sends",
        _gone(ACTION_GROUP),
        "action-group create",
    ),
    Breakage(
        "the action group is disabled",
        "alert_wiring",
        "warning",
        "is disabled",
        _changed(ACTION_GROUP, enabled=False),
        "enabled=true",
    ),
    Breakage(
        "the action group sends elsewhere",
        "alert_wiring",
        "warning",
        "No action group sends",
        _changed(ACTION_GROUP, webhookReceivers=[{"name": "app", "serviceUri": "https://old.example/hooks/alerts/x"}]),
    ),
    Breakage(
        "the alert rules are gone",
        "alert_wiring",
        "warning",
        "No alert rule .* adf-dev, adf-prod",
        _all(_gone(RULE), _gone(LOG_RULE)),
        "metrics alert create",
    ),
    Breakage(
        "the metric alert watches another factory, and there is no log alert",
        "alert_wiring",
        "warning",
        "watches adf-dev",
        _all(_changed(RULE, scopes=[FACTORY]), _gone(LOG_RULE)),
        "--scopes .*adf-dev",
    ),
    Breakage(
        "the alert rules are disabled",
        "alert_wiring",
        "warning",
        "No alert rule",
        _all(_changed(RULE, enabled=False), _changed(LOG_RULE, enabled=False)),
    ),
    Breakage(
        "the log alert tells somebody else, and there is no metric alert",
        "alert_wiring",
        "warning",
        "No alert rule",
        _all(_gone(RULE), _changed(LOG_RULE, actions={"actionGroups": [f"{ACTION_GROUP}-of-people"]})),
    ),
    Breakage(
        "the log alert asks for other logs, and there is no metric alert",
        "alert_wiring",
        "warning",
        "No alert rule",
        _all(_gone(RULE), _changed(LOG_RULE, criteria={"allOf": [{"query": "AppTraces | take 1"}]})),
    ),
    Breakage(
        "a factory sends its logs elsewhere",
        "alert_wiring",
        "warning",
        "'adf-failed-runs' sees nothing of adf-dev: no PipelineRuns",
        _changed(LOGS["adf-dev"], workspaceId=f"{WORKSPACE}-of-somebody-else"),
        "diagnostic-settings create .*adf-dev .*PipelineRuns",
    ),
    Breakage(
        "a factory sends no pipeline runs, and there is no metric alert",
        "alert_wiring",
        "warning",
        "No alert rule .* watches adf-prod",
        _all(_gone(RULE), _changed(LOGS["adf-prod"], logs=[{"category": "PipelineRuns", "enabled": False}])),
        "--scopes .*adf-prod",
    ),
    Breakage(
        "log alerts cannot be read",
        "alert_wiring",
        "skipped",
        "403",
        _forbidden("scheduled_query_rules_list"),
        "scheduled-query list",
    ),
    Breakage(
        "where a factory sends its logs cannot be read",
        "alert_wiring",
        "skipped",
        "cannot be read.*403",
        _forbidden("diagnostic_settings_list"),
        "diagnostic-settings list",
    ),
    Breakage(
        "action groups cannot be read",
        "alert_wiring",
        "skipped",
        "403",
        _forbidden("action_groups_list"),
        "action-group list",
    ),
    Breakage(
        "events have no dead letters",
        "alert_wiring",
        "warning",
        "dead-letter",
        _changed(EVENTS, deadLetterWithResourceIdentity=None),
        "deadletter",
    ),
    Breakage(
        "the event subscription failed",
        "alert_wiring",
        "warning",
        "is Failed",
        _changed(EVENTS, provisioningState="Failed"),
        "azd",
    ),
    Breakage(
        "Event Grid cannot be read",
        "alert_wiring",
        "skipped",
        "403",
        _forbidden("system_topics_list"),
        "system-topic list",
    ),
    Breakage("the flow's host is gone", "teams_webhook", "failed", "cannot be reached", _stopped("teams"), "outbound"),
    Breakage(
        "the policy is broken",
        "policy",
        "failed",
        "Nothing is changed",
        _file("policy.yaml", "rules: [oh"),
        "policy-check",
    ),
    Breakage("the policy is gone", "policy", "failed", "cannot be read", _file("policy.yaml", None), "policy-check"),
    Breakage(
        "the host reads no base64",
        "host_base64",
        "failed",
        "'none'",
        _file("host.json", json.dumps({"extensions": {"queues": {"messageEncoding": "none"}}})),
        "messageEncoding",
    ),
    Breakage("host.json is gone", "host_base64", "failed", "cannot be read", _file("host.json", None), "host.json"),
    Breakage(
        "another package is installed",
        "packages",
        "warning",
        "aiohttp .* instead of 0.0.1",
        _file("requirements.txt", "aiohttp==0.0.1\n"),
    ),
    Breakage(
        "a package is missing",
        "packages",
        "warning",
        "no-such-package missing",
        _file("requirements.txt", "no-such-package==1\n"),
    ),
    Breakage("the pins are gone", "packages", "failed", "no requirements.txt", _file("requirements.txt", None)),
    Breakage(
        "no token is given out",
        "credentials",
        "failed",
        "No token for storage",
        _refused_identity(400),
        "az login",
        env=IDENTITY,
    ),
    Breakage(
        "the operator's identity is not assigned",
        "operator_credential",
        "failed",
        "No token for the operator",
        _refused_identity(400),
        "identity assign",
        env=IDENTITY | OPERATOR,
    ),
)
BREAKAGES = (*STORAGE_BREAKAGES, *AGENT_BREAKAGES, *FACTORY_BREAKAGES, *OTHER_BREAKAGES)
