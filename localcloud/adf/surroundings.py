"""What Resource Manager tells besides factories: roles, rights, the agent service's project, storage, alert wiring.

Resources are listed, read, put and deleted as the providers' own APIs do it, so that a test takes away what it wants to
be missing. `/_surroundings` takes actions from the caller's role: listed in its permissions, and refused from then on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.adf.arm import PROVIDER, ArmError
from localcloud.adf.calls import Call, Handler, Operation
from localcloud.estate import CONNECTIONS, PROJECT, PROJECT_IDENTITY, STORAGE

IN_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}/providers"
QUEUE_CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
AUTHORIZATION = "2022-04-01"
ACTIVITY_LOG = "Microsoft.Insights/eventtypes/values/read"
NEEDED = {  # of what the caller's role must hold for an operation; the others are not held back
    "factories_get": "read",
    "pipelines_list_by_factory": "pipelines/read",
    "pipelines_get": "pipelines/read",
    "datasets_list_by_factory": "datasets/read",
    "triggers_list_by_factory": "triggers/read",
    "integration_runtimes_list_by_factory": "integrationruntimes/read",
    "integration_runtimes_get_status": "integrationruntimes/getstatus/read",
    "pipeline_runs_query_by_factory": "querypipelineruns/action",
    "pipeline_runs_get": "pipelineruns/read",
    "activity_runs_query_by_pipeline_run": "pipelineruns/queryactivityruns/action",
    "trigger_runs_query_by_factory": "querytriggerruns/action",
    "pipelines_create_run": "pipelines/createrun/action",
    "pipeline_runs_cancel": "pipelineruns/cancel/action",
    "triggers_start": "triggers/start/action",
    "triggers_stop": "triggers/stop/action",
    "trigger_runs_rerun": "triggers/triggerruns/rerun/action",
    "activity_logs_list": ACTIVITY_LOG,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`path` of one; the collection is above it, or with `everywhere` that of the whole subscription."""

    operations: str
    path: str
    version: str
    everywhere: str = ""


KINDS = (
    Kind(
        "storage_accounts",
        f"{IN_GROUP}/Microsoft.Storage/storageAccounts/{{name}}",
        "2023-05-01",
        "/subscriptions/{subscription}/providers/Microsoft.Storage/storageAccounts",
    ),
    Kind(
        "action_groups",
        f"{IN_GROUP}/Microsoft.Insights/actionGroups/{{name}}",
        "2023-01-01",
        "/subscriptions/{subscription}/providers/Microsoft.Insights/actionGroups",
    ),
    Kind(
        "metric_alerts",
        f"{IN_GROUP}/Microsoft.Insights/metricAlerts/{{name}}",
        "2018-03-01",
        "/subscriptions/{subscription}/providers/Microsoft.Insights/metricAlerts",
    ),
    Kind(
        "scheduled_query_rules",
        f"{IN_GROUP}/Microsoft.Insights/scheduledQueryRules/{{name}}",
        "2022-06-15",
        "/subscriptions/{subscription}/providers/Microsoft.Insights/scheduledQueryRules",
    ),
    Kind(
        "diagnostic_settings",
        f"{IN_GROUP}/{PROVIDER}/factories/{{factory}}/providers/Microsoft.Insights/diagnosticSettings/{{name}}",
        "2021-05-01-preview",
    ),
    Kind(
        "system_topics",
        f"{IN_GROUP}/Microsoft.EventGrid/systemTopics/{{name}}",
        "2022-06-15",
        "/subscriptions/{subscription}/providers/Microsoft.EventGrid/systemTopics",
    ),
    Kind(
        "topics",
        f"{IN_GROUP}/Microsoft.EventGrid/topics/{{name}}",
        "2022-06-15",
        "/subscriptions/{subscription}/providers/Microsoft.EventGrid/topics",
    ),
    Kind(
        "system_topic_event_subscriptions",
        f"{IN_GROUP}/Microsoft.EventGrid/systemTopics/{{topic}}/eventSubscriptions/{{name}}",
        "2022-06-15",
    ),
    Kind(
        "topic_event_subscriptions",
        f"{IN_GROUP}/Microsoft.EventGrid/topics/{{topic}}/eventSubscriptions/{{name}}",
        "2022-06-15",
    ),
    Kind("projects", f"{IN_GROUP}/Microsoft.CognitiveServices/accounts/{{account}}/projects/{{name}}", "2025-06-01"),
    Kind(
        "project_capability_hosts",
        f"{IN_GROUP}/Microsoft.CognitiveServices/accounts/{{account}}/projects/{{project}}/capabilityHosts/{{name}}",
        "2025-06-01",
    ),
    Kind(
        "role_assignments",
        f"{IN_GROUP}/Microsoft.Storage/storageAccounts/{{account}}/providers/Microsoft.Authorization"
        "/roleAssignments/{name}",
        AUTHORIZATION,
    ),
    Kind(
        "factory_role_assignments",
        f"{IN_GROUP}/{PROVIDER}/factories/{{factory}}/providers/Microsoft.Authorization/roleAssignments/{{name}}",
        AUTHORIZATION,
    ),
    Kind(
        "role_definitions",
        "/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{name}",
        AUTHORIZATION,
    ),
)
ASSIGNED = re.compile(r"principalId eq '([^']*)'|atScope\(\) and assignedTo\('([^']*)'\)")


class Surroundings:
    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.resources = {path.lower(): _resource(path, body) for path, body in _beginning()}
        self.taken: set[str] = set()

    def check(self, operation: str, path: str) -> None:
        """Raises ArmError where the caller's role does not hold what the operation needs."""
        if needed(operation).lower() in self.taken:
            raise forbidden(operation, path)

    def take(self, actions: list[str]) -> None:
        self.taken = {action.lower() for action in actions}

    def operations(self) -> Iterator[Operation]:
        for kind in KINDS:
            collection = kind.everywhere or kind.path.removesuffix("/{name}")
            for verb, method, path, handler in (
                ("list", "GET", collection, _list),
                ("get", "GET", kind.path, _get),
                ("create_or_update", "PUT", kind.path, _put),
                ("delete", "DELETE", kind.path, _delete),
            ):
                bound: Handler = partial(handler, self, kind)
                yield Operation(f"{kind.operations}_{verb}", method, path, bound, kind.version)
        mine: Handler = partial(_permissions, self)
        yield Operation(
            "permissions_list", "GET", "~/providers/Microsoft.Authorization/permissions", mine, AUTHORIZATION
        )
        yield Operation("subscriptions_list", "GET", "/subscriptions", _subscriptions, "2022-12-01")


def needed(operation: str) -> str:
    """The action that the caller's role must hold; of those that are not held back an invented one."""
    own = NEEDED.get(operation, operation)
    return own if own.startswith("Microsoft.") else f"{PROVIDER}/factories/{own}"


def forbidden(operation: str, scope: str) -> ArmError:
    return ArmError(
        403,
        "AuthorizationFailed",
        "The client 'local' with object id '00000000-0000-0000-0000-0000000000a1' does not have authorization to "
        f"perform action '{needed(operation)}' over scope '{scope}' or the scope is invalid. If access was recently "
        "granted, please refresh your credentials.",
    )


async def _list(around: Surroundings, kind: Kind, call: Call) -> Response:
    own = re.escape(kind.path.removesuffix("{name}"))
    known = {name: re.escape(value) for name, value in call.names.items()}
    pattern = re.sub(r"\\\{(\w+)\\\}", lambda found: known.get(found[1], "[^/]+"), own) + "[^/]+"
    found = [body for path, body in around.resources.items() if re.fullmatch(pattern, path, re.IGNORECASE)]
    wanted = ASSIGNED.fullmatch(call.query.get("$filter", ""))
    if wanted:
        found = [body for body in found if body["properties"]["principalId"] in wanted.groups()]
    return JSONResponse({"value": found})


async def _get(around: Surroundings, kind: Kind, call: Call) -> Response:
    path = kind.path.format_map(call.names)
    body = around.resources.get(path.lower())
    if body is None:
        raise ArmError(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
    return JSONResponse(body)


async def _put(around: Surroundings, kind: Kind, call: Call) -> Response:
    path = kind.path.format_map(call.names)
    body = around.resources[path.lower()] = _resource(path, call.body())
    return JSONResponse(body)


async def _delete(around: Surroundings, kind: Kind, call: Call) -> Response:
    there = around.resources.pop(kind.path.format_map(call.names).lower(), None)
    return Response(status_code=200 if there else 204)


async def _permissions(around: Surroundings, call: Call) -> Response:
    call.factory  # noqa: B018 - raises for one that is not there
    role = {"actions": [f"{PROVIDER}/factories/*", ACTIVITY_LOG], "notActions": sorted(around.taken)}
    return JSONResponse({"value": [{**role, "dataActions": [], "notDataActions": []}]})


async def _subscriptions(call: Call) -> Response:
    key = call.world.scenario.subscription
    told = {"id": f"/subscriptions/{key}", "subscriptionId": key, "displayName": "Local", "state": "Enabled"}
    return JSONResponse({"value": [told]})


def _resource(path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    provider, *rest = path.rpartition("/providers/")[2].split("/")
    return {**body, "id": path, "name": rest[-1], "type": "/".join([provider, *rest[::2]])}


def _beginning() -> Iterator[tuple[str, dict[str, Any]]]:
    """As the templates leave it, but for alerts: nobody knows the app's address before it is up."""
    yield STORAGE, {"location": "westeurope", "kind": "StorageV2", "properties": {"allowSharedKeyAccess": False}}
    identity = {"type": "SystemAssigned", "principalId": PROJECT_IDENTITY}
    yield PROJECT, {"location": "westeurope", "identity": identity, "properties": {"provisioningState": "Succeeded"}}
    storage, threads, vectors = ([name] for name in CONNECTIONS)
    yield (
        f"{PROJECT}/capabilityHosts/agents",
        {
            "properties": {
                "capabilityHostKind": "Agents",
                "storageConnections": storage,
                "threadStorageConnections": threads,
                "vectorStoreConnections": vectors,
                "provisioningState": "Succeeded",
            }
        },
    )
    role = (
        f"/subscriptions/{STORAGE.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{QUEUE_CONTRIBUTOR}"
    )
    yield (
        f"{STORAGE}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000b1",
        {"properties": {"roleDefinitionId": role, "principalId": PROJECT_IDENTITY, "scope": STORAGE}},
    )
