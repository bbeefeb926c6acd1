"""What is told of integration runtimes, sound and broken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tools_worker.datafactory.models import IntegrationRuntime
from tools_worker.datafactory.runtimes import RuntimeHealth, health

NODE = {
    "nodeName": "N1",
    "status": "Online",
    "capabilities": {"serviceBusConnected": "True", "httpsPortEnabled": "True"},
    "lastConnectTime": "2026-03-10T07:00:00Z",
}
LOAD = {
    "nodeName": "N1",
    "cpuUtilization": 20,
    "availableMemoryInMB": 8000,
    "concurrentJobsRunning": 1,
    "concurrentJobsLimit": 20,
}
BROKEN: list[Any] = [None, True, -1, 10**400, float("nan"), "x", "\ud800", [], [[{}]], {}, {"a": {"b": 1}}]


def told(*nodes: Any, state: Any = "Online", load: Any = LOAD, **detail: Any) -> RuntimeHealth:
    properties = {"type": "SelfHosted", "state": state, "typeProperties": {"nodes": list(nodes) or [NODE], **detail}}
    return health(IntegrationRuntime.of({"name": "SHIR", "properties": properties}), "", [load] if load else [])


def test_a_sound_runtime_has_no_problem() -> None:
    assert (told().well, told().problems) == (True, [])


@pytest.mark.parametrize(
    ("load", "capacity"),
    [
        ({}, "enough, on one node only"),
        ({"cpuUtilization": 99}, "full"),
        ({"concurrentJobsRunning": 18}, "full"),
        ({"availableMemoryInMB": 100}, "full"),
        ({"concurrentJobsLimit": 0}, "enough, on one node only"),
    ],
)
def test_tells_whether_there_is_room(load: dict[str, Any], capacity: str) -> None:
    assert told(load=LOAD | load).capacity == capacity


def test_a_node_beside_the_full_one_leaves_it_partly_full() -> None:
    assert told(NODE, NODE | {"nodeName": "N2"}, load=LOAD | {"cpuUtilization": 99}).capacity == "partly full"


def test_without_figures_the_capacity_is_unknown() -> None:
    assert told(load=None).capacity == "unknown"


@pytest.mark.parametrize(
    ("version", "latest", "outdated", "ahead"),
    [
        ("5.9.1", "5.10.0", True, False),
        ("5.10.0", "5.9.1", False, True),
        ("5.1", "5.1", False, False),
        ("", "5.1", False, False),
        ("5.1", "", False, False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, latest: str, outdated: bool, ahead: bool) -> None:
    runtime = told(version=version, latestVersion=latest)
    assert (runtime.outdated, runtime.ahead) == (outdated, ahead)


@pytest.mark.parametrize("state", BROKEN)
def test_a_state_that_cannot_be_read_is_unknown(state: Any) -> None:
    assert "Online" not in " ".join(told(state=state).problems)
    assert not told(state=state).well


def spoilt(original: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for field in original:
        yield {name: value for name, value in original.items() if name != field}
        yield from ({**original, field: broken} for broken in BROKEN)


def test_a_broken_field_of_a_node_raises_nothing_and_makes_no_number_up() -> None:
    for load in spoilt(LOAD):
        (node,) = told(load=load).nodes
        numbers = {node.cpu_percent, node.memory_mb, node.jobs, node.jobs_limit}
        assert numbers <= {20, 8000, 1, None}
    for raw in spoilt(NODE):
        runtime = told(raw)
        assert (len(runtime.nodes), runtime.name) == (1, "SHIR")


@pytest.mark.parametrize("nodes", BROKEN)
def test_nodes_of_another_shape_raise_nothing(nodes: Any) -> None:
    runtime = IntegrationRuntime.of(
        {"name": "S", "properties": {"state": "Online", "typeProperties": {"nodes": nodes}}}
    )
    assert health(runtime, "SelfHosted", [LOAD]).capacity in {"unknown", "enough, on one node only"}
