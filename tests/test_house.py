"""The house as it is meant to be: who may import whom, and what importing the app costs nobody."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MAY_IMPORT = {
    "core": set(),
    "tools_worker": {"core"},
    "orchestrator": {"core", "tools_worker"},
    "localcloud": set(),
}
OURS = {*MAY_IMPORT, "tests", "bench", "function_app"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_arrows_point_one_way(package: str) -> None:
    allowed = MAY_IMPORT[package] | {package}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / package).rglob("*.py")
        if "node_modules" not in path.parts
        for module in imports(path)
        if module.split(".")[0] in OURS - allowed
    ]
    assert not wrong


def test_the_app_imports_no_part_of_the_local_cloud() -> None:
    assert "localcloud" not in set(imports(ROOT / "function_app.py"))


PROBE = """
import json, sys, socket
opened = []
def note(event, args):
    if event in ("socket.connect", "socket.bind", "subprocess.Popen"): opened.append(event)
sys.addaudithook(note)
import function_app
functions = function_app.app.get_functions()
print(json.dumps({
    "functions": {f.get_function_name(): [b.type for b in f.get_bindings()] for f in functions},
    "opened": opened,
    "heavy": sorted(m for m in ("azure.mgmt.datafactory", "azure.ai.agents", "azure.identity", "fastapi",
                                "azure.storage.queue", "azure.storage.blob", "azure.data.tables", "opentelemetry",
                                "azure.monitor") if m in sys.modules),
}))
"""


def indexed() -> dict[str, object]:
    """The app, imported by a fresh process with an empty environment."""
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout)
    return result


def test_importing_the_app_needs_no_setting_opens_nothing_and_loads_no_heavy_sdk() -> None:
    result = indexed()
    assert result["opened"] == []
    assert result["heavy"] == []


def test_every_tool_has_a_queue_trigger_and_a_reply_queue() -> None:
    from tools_worker.runtime.catalogue import TOOLS

    functions = indexed()["functions"]
    assert isinstance(functions, dict)
    for tool in TOOLS:
        assert sorted(functions[tool.name]) == ["queue", "queueTrigger"]
    assert {"api", "runs_serve", "runs_sweep", "orphans_sweep", "tools_sweep"} <= set(functions)


def test_every_tool_belongs_to_an_agent() -> None:
    from orchestrator.agents.roster import SPECIALISTS
    from tools_worker.runtime.catalogue import BY_NAME

    used = {name for specialist in SPECIALISTS for name in specialist.tools}
    assert used == set(BY_NAME)


def test_what_proposes_changes_belongs_to_one_agent_alone() -> None:
    from orchestrator.agents.roster import SPECIALISTS
    from tools_worker.runtime.catalogue import TOOLS

    writing = {tool.name for tool in TOOLS if tool.writes}
    assert len(writing) == 8
    assert [who.name for who in SPECIALISTS if writing & set(who.tools)] == ["repair"]
    (repair,) = [who for who in SPECIALISTS if who.name == "repair"]
    assert set(repair.tools) == writing | {"adf_diagnose_run"}


def test_every_tool_that_writes_says_that_it_only_proposes() -> None:
    from tools_worker.runtime.catalogue import TOOLS

    for tool in TOOLS:
        assert ("It only proposes: policy and people decide." in tool.description) == tool.writes
