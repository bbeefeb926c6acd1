"""What a breakage is, and the ways in which things are broken: in the emulator, a stand-in, or the app's folder."""

from __future__ import annotations

import asyncio
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localcloud.adf.surroundings import ACTIVITY_LOG, NEEDED
from localcloud.estate import CONNECTIONS, PROJECT, PROJECT_IDENTITY, STORAGE, SUBSCRIPTION
from localcloud.storageproxy.faults import Fault
from orchestrator.audit.record import Actor, Entry
from orchestrator.audit.trail import Audit
from orchestrator.doctor.findings import Finding, Result
from orchestrator.stores.audit_tables import AUDIT, TableAuditStore
from orchestrator.stores.sealed_blobs import CONTAINER, BlobSealedFiles
from tests.orchestrator.doctor.world import (
    OPERATOR,
    OPERATOR_ID,
    WIRED,
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


def refusing(match: str) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.refuse(match)

    return breaks


def answering(match: str, status: int) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.proxy.faults.arm(Fault("error", match, count=None, status=status))

    return breaks


def dropping(match: str) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        world.proxy.faults.arm(Fault("reset", match, count=None))

    return breaks


def without_queue(name: str) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.queues.delete_queue(name)


def message(queue: str, content: str) -> Callable[[World], Awaitable[Any]]:
    async def breaks(world: World) -> None:
        await world.queues.get_queue_client(queue).send_message(content)
        await asyncio.sleep(0.4)  # longer than `unserved_seconds`

    return breaks


async def no_container(world: World) -> None:
    await world.blobs.delete_container(CONTAINER)


def file(name: str, content: str | None) -> Callable[[World], Awaitable[None]]:
    async def breaks(world: World) -> None:
        path = world.folder / name
        if content is None:
            path.unlink()
        else:
            path.write_text(content)

    return breaks


def stopped(name: str) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.stop(name)


def foundry(path: str, **body: Any) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.steer(world.foundry, path, body)


def adf(path: str, **body: Any) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.steer(world.adf, path, body)


def forbidden(operation: str) -> Callable[[World], Awaitable[None]]:
    return adf("/_faults", kind="status", status=403, operation=operation)


def without(*actions: str) -> Callable[[World], Awaitable[None]]:
    return adf("/_surroundings", without=list(actions))


def gone(resource: str) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.delete(resource)


def changed(resource: str, **changes: Any) -> Callable[[World], Awaitable[None]]:
    return lambda world: world.put(resource, {**WIRED[resource], **changes})


def together(*breaks: Callable[[World], Awaitable[Any]]) -> Callable[[World], Awaitable[None]]:
    async def one_after_the_other(world: World) -> None:
        for each in breaks:
            await each(world)

    return one_after_the_other


def host(**changes: Any) -> Callable[[World], Awaitable[None]]:
    storage, threads, vectors = ([name] for name in CONNECTIONS)
    whole = {"storageConnections": storage, "threadStorageConnections": threads, "vectorStoreConnections": vectors}
    return lambda world: world.put(
        HOST, {"capabilityHostKind": "Agents", "provisioningState": "Succeeded", **whole, **changes}
    )


def role(role: str, scope: str = STORAGE) -> Callable[[World], Awaitable[None]]:
    properties = {"roleDefinitionId": f"{DEFINITIONS}/{role}", "principalId": PROJECT_IDENTITY, "scope": scope}
    return lambda world: world.put(ROLE, properties)


async def edited(world: World) -> None:
    """What the newest line of the trail says was done, in other words."""
    table, row = await last_line(world)
    await table.update_entity({**row, "line": row["line"].replace(b"rerun", b"reran")})


async def cut_off(world: World) -> None:
    table, row = await last_line(world)
    await table.delete_entity(row["PartitionKey"], row["RowKey"])


async def last_line(world: World) -> tuple[Any, Any]:
    audit = Audit(TableAuditStore(world.tables), BlobSealedFiles(world.blobs), lambda: datetime.now(UTC))
    for number in range(2):
        entry = Entry(datetime.now(UTC), "write", Actor("app"), f"rerun LoadSales {number}", f"A-{number}")
        assert await audit.record(entry)
    await audit.close()
    table = world.tables.get_table_client(AUDIT)
    rows = [row async for row in table.list_entities()]
    return table, max(rows, key=lambda row: str(row["RowKey"]))


async def trail_thrown_away(world: World) -> None:
    await world.tables.delete_table(AUDIT)
    await world.blobs.delete_container(CONTAINER)
    await world.storage_whole()


def refused_identity(status: int) -> Callable[[World], Awaitable[None]]:
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


def read_refused(check: str, operation: str) -> Breakage:
    needed = NEEDED[operation]
    result: Result = "warning" if needed == ACTIVITY_LOG else "failed"
    says = re.escape(needed.rpartition("Microsoft.")[2])
    return Breakage(
        f"{operation} is refused",
        check,
        result,
        rf"(?i){says}",
        forbidden(operation),
        r"role assignment create.*factories",
    )
