"""Names that templates and code share are the code's own; so are the rights that the executor needs."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core import clients
from infra.names import DEAD_LETTERS, EXECUTOR, FUNCTIONS, STORAGE, opened, split, storage
from orchestrator.doctor import storage_parts
from tools_worker.runtime.catalogue import TOOLS

ROOT = Path(__file__).resolve().parents[2]
NAMES = json.loads(STORAGE.read_text(encoding="utf-8"))
SPLIT = json.loads(FUNCTIONS.read_text(encoding="utf-8"))


def test_the_files_are_what_the_code_asks_for() -> None:
    command = [sys.executable, "-m", "infra.names", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_tool_has_its_queues_and_the_one_for_what_failed() -> None:
    assert set(NAMES["toolInputs"]) == {tool.input_queue for tool in TOOLS}
    assert set(NAMES["toolOutputs"]) == {tool.output_queue for tool in TOOLS}
    taken = {*NAMES["toolInputs"], *NAMES["workQueues"]}
    assert set(NAMES["poisonQueues"]) == {f"{queue}-poison" for queue in taken}


def test_every_function_is_on_in_exactly_one_app() -> None:
    assert SPLIT["operator"] == ["actions_execute"]
    assert not set(SPLIT["app"]) & set(SPLIT["operator"])
    assert {tool.name for tool in TOOLS} < set(SPLIT["app"])


def test_a_new_function_changes_both_files() -> None:
    trigger = {"type": "queueTrigger", "queueName": "letters"}
    functions: dict[str, list[dict[str, Any]]] = {
        "letters_read": [trigger],
        EXECUTOR[0]: [{"type": "queueTrigger", "queueName": "actions"}],
    }
    assert storage(functions)["workQueues"] == ["actions", "letters"]
    assert storage(functions)["poisonQueues"] == ["actions-poison", "letters-poison"]
    assert split(functions) == {"app": ["letters_read"], "operator": ["actions_execute"]}


class Recorder:
    """A storage client that notes what is opened."""

    def __init__(self, opened: set[str]) -> None:
        self._opened = opened

    def _open(self, name: str) -> SimpleNamespace:
        self._opened.add(name)
        return SimpleNamespace(queue_name=name)

    get_table_client = get_queue_client = get_container_client = _open


def test_the_executor_opens_nothing_that_its_identity_may_not(monkeypatch: pytest.MonkeyPatch) -> None:
    tables, queues, blobs = set[str](), set[str](), set[str]()
    monkeypatch.setattr(clients, "table_service", lambda _: Recorder(tables))
    monkeypatch.setattr(clients, "queue_service", lambda _: Recorder(queues))
    monkeypatch.setattr(clients, "blob_service", lambda _: Recorder(blobs))
    factory = "/subscriptions/s/resourceGroups/g/providers/Microsoft.DataFactory/factories/f"
    monkeypatch.setenv("ADF_FACTORIES", factory)
    for kind in ("queue", "table", "blob"):
        monkeypatch.setenv(f"STORAGE__{kind}ServiceUri", f"https://name.{kind}.example")
    monkeypatch.delenv("STORAGE", raising=False)

    async def build() -> None:
        from orchestrator.actions import services
        from orchestrator.audit import services as audit

        services.executor()
        audit.current()

    asyncio.run(build())
    own = NAMES["operator"]
    assert tables - {"toolanswers"} == set(
        own["tables"]
    )  # opened with the worker, which the executor never asks to answer
    assert queues - {f"{name}-poison" for name in own["sendsTo"]} == {*own["queues"], *own["sendsTo"]}
    assert blobs == {NAMES["auditContainer"]}


def test_tables_and_container_are_those_that_the_code_opens() -> None:
    assert opened("get_table_client") == set(NAMES["tables"])
    assert NAMES["auditContainer"] == "audit"
    assert NAMES["deadLetterContainer"] == DEAD_LETTERS
    assert NAMES["releaseContainer"] not in {NAMES["auditContainer"], DEAD_LETTERS}  # each has its own grants


def test_the_doctor_looks_at_all_that_the_templates_make() -> None:
    looked_at = {queue.name for queue in storage_parts.QUEUES}
    assert looked_at == {*NAMES["toolInputs"], *NAMES["toolOutputs"], *NAMES["workQueues"]}
    assert set(storage_parts.TABLES) == set(NAMES["tables"])
    assert set(storage_parts.CONTAINERS) == {NAMES["auditContainer"]}


def test_the_activity_log_is_read_by_the_right_that_the_documentation_names() -> None:
    """Those on factories: tests/core/test_configuration_page.py."""
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    roles = json.loads((ROOT / "infra" / "factoryRoles.json").read_text(encoding="utf-8"))
    named = page[page.index("### The Activity Log") :].split("`")[1]
    assert roles["activityLog"] == [named]
