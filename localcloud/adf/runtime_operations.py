"""Integration runtimes at the moment: their state, their nodes, and how busy the nodes are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from localcloud.adf import dice
from localcloud.adf.calls import Call, Operation
from localcloud.adf.clock import stamp
from localcloud.adf.factory import Resource
from localcloud.adf.resource_operations import found
from localcloud.adf.scenario import RuntimeState

VERSION = "5.58.9387.1"
KIND = "integrationruntimes"
JOBS_LIMIT = 20  # of a node, at once


async def get_status(call: Call) -> Response:
    resource = found(KIND, call)
    hosted = resource.properties.get("type") == "SelfHosted"
    state = _state(call, resource)
    properties = {
        "type": "SelfHosted" if hosted else "Managed",
        "dataFactoryName": call.factory.factory.name,
        "state": state.state,
        "typeProperties": _self_hosted(call, resource, state) if hosted else _managed(call, resource),
    }
    return JSONResponse({"name": resource.name, "properties": properties})


async def get_monitoring_data(call: Call) -> Response:
    resource = found(KIND, call)
    state = _state(call, resource)
    hosted = resource.properties.get("type") == "SelfHosted"
    busy = call.world.is_crowded(call.factory.factory.name, resource.name)
    nodes = [_load(name, call, busy) for name in _node_names(resource)] if hosted and state.state == "Online" else []
    return JSONResponse({"name": resource.name, "nodes": nodes})


def _state(call: Call, resource: Resource) -> RuntimeState:
    factory = call.factory.factory.name
    usual = "Online"
    return call.world.runtime_state(factory, resource.name) or RuntimeState(factory, resource.name, usual)


def _managed(call: Call, resource: Resource) -> dict[str, Any]:
    return {"createTime": stamp(call.factory.anchor - timedelta(days=400)), "nodes": [], "otherErrors": []}


def _self_hosted(call: Call, resource: Resource, state: RuntimeState) -> dict[str, Any]:
    online = state.state == "Online"
    return {
        "autoUpdate": "On",
        "taskQueueId": dice.identifier("queue", resource.name),
        "version": VERSION,
        "versionStatus": "UpToDate",
        "latestVersion": VERSION,
        "pushedVersion": VERSION,
        "createTime": stamp(call.factory.anchor - timedelta(days=400)),
        "updateDelayOffset": "PT3H",
        "localTimeZoneOffset": "PT0H",
        "serviceUrls": ["wu.frontend.clouddatahub.net", "*.servicebus.windows.net"],
        "capabilities": _capabilities(online),
        "nodes": [_node(name, call, state) for name in _node_names(resource)],
        "links": [],
    }


def _node_names(resource: Resource) -> list[str]:
    return [f"{resource.name.upper()}-{index}" for index in range(1, dice.whole(1, 2, "nodes", resource.name) + 1)]


def _node(name: str, call: Call, state: RuntimeState) -> dict[str, Any]:
    online = state.state == "Online"
    seen = call.now if online else call.factory.anchor - timedelta(hours=state.hours)
    return {
        "nodeName": name,
        "machineName": name,
        "hostServiceUri": f"https://{name.lower()}.corp.contoso.example:8050/HostServiceRemote.svc/",
        "status": state.state,
        "capabilities": _capabilities(online),
        "versionStatus": "UpToDate",
        "version": VERSION,
        "registerTime": stamp(call.factory.anchor - timedelta(days=380)),
        "lastConnectTime": stamp(seen),
        "lastStartTime": stamp(call.factory.anchor - timedelta(days=9)),
        "lastUpdateResult": "None",
        "isActiveDispatcher": name.endswith("-1"),
        "concurrentJobsLimit": JOBS_LIMIT,
        "maxConcurrentJobs": 56,
    }


def _capabilities(online: bool) -> dict[str, str]:
    told = str(online)
    return {
        "serviceBusConnected": told,
        "httpsPortEnabled": "True",
        "credentialInSync": "True",
        "connectedToResourceManager": told,
        "nodeEnabled": "True",
    }


def _load(name: str, call: Call, busy: bool) -> dict[str, Any]:
    minute = call.now.replace(second=0, microsecond=0)
    return {
        "nodeName": name,
        "availableMemoryInMB": dice.whole(5200, 14800, "memory", name, minute),
        "cpuUtilization": dice.whole(86, 98, "cpu", name, minute) if busy else dice.whole(6, 61, "cpu", name, minute),
        "concurrentJobsLimit": JOBS_LIMIT,
        "concurrentJobsRunning": JOBS_LIMIT if busy else dice.whole(0, 5, "jobs", name, minute),
        "sentBytes": round(dice.chance("sent", name, minute) * 9, 4),
        "receivedBytes": round(dice.chance("received", name, minute) * 9, 4),
    }


OPERATIONS = (
    Operation("integration_runtimes_get_status", "POST", "~/integrationRuntimes/{name}/getStatus", get_status),
    Operation(
        "integration_runtimes_get_monitoring_data",
        "POST",
        "~/integrationRuntimes/{name}/monitoringData",
        get_monitoring_data,
    ),
)
