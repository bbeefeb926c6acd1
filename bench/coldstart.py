"""What a fresh worker process costs before it is of use: importing the app, its first answer, its memory.

    python -m bench.coldstart [--short] [--json]

The app is served from a staged copy in three states: `package` (byte code shipped, as `make package` builds it),
`source` (byte code of the libraries only: what a deployment without that step has) and `bare` (none). Each process
begins with an empty memory, answers one tool call and one HTTP request, then the same call again. The last line is one
JSON object; times are milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.tool_queue import COLD, NOWHERE
from infra.package import stage
from localcloud.launch.children import Children
from localcloud.launch.cloud import Options, app_settings, base_environment, start_server, start_storage

LOGS = Path(".localcloud/logs/bench-coldstart")
TOOL = "adf_pipeline_runs"
STATES = ("package", "source", "bare")
GATE = "package"
LARGEST = 12

PROBE = """
import asyncio, json, sys, time
begin = time.perf_counter()
started_ms = (time.time() - float(sys.argv[1])) * 1000
import azure.functions as func
library = time.perf_counter()
import function_app
functions = {f.get_function_name(): f.get_user_function() for f in function_app.app.get_functions()}
imported = time.perf_counter()

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

class Out:
    def set(self, value): self.value = value

async def tool_call():
    from azure.functions.queue import QueueMessage
    arguments = {"CorrelationId": str(time.time_ns()), "pipeline": "LoadSales", "hours": 24}
    out, before = Out(), time.perf_counter()
    await functions[sys.argv[2]](QueueMessage(body=json.dumps(arguments).encode()), out)
    if not json.loads(json.loads(out.value)["Value"])["ok"]: raise SystemExit(out.value)
    return (time.perf_counter() - before) * 1000

async def http():
    class Context:
        function_name = "api"  # the door that the request came through
        invocation_id = function_directory = thread_local_storage = trace_context = retry_context = None
    before = time.perf_counter()
    response = await functions["api"](func.HttpRequest("GET", "http://localhost/api/health", body=b""), Context())
    if response.status_code not in (200, 503): raise SystemExit(response.get_body())
    return (time.perf_counter() - before) * 1000

async def first():
    found = {"import_mb": resident(), "first_tool_ms": await tool_call()}
    loaded = resident()
    second = await tool_call()
    return {**found, "second_tool_ms": second, "tool_mb": loaded, "first_http_ms": await http(), "http_mb": resident()}

found = asyncio.run(first())
found |= {"python_ms": started_ms, "import_ms": (imported - begin) * 1000, "library_ms": (library - begin) * 1000}
found["ready_ms"] = found["python_ms"] + found["import_ms"] + found["first_tool_ms"]
print(json.dumps(found), flush=True)
import os; os._exit(0)  # clients and loops end with the process, as they do in a worker
"""


def environment(state: str, settings: Mapping[str, str], empty: Path) -> dict[str, str]:
    """Nothing is ever written: the disk of a deployed app is read-only."""
    usual = {name: value for name, value in base_environment().items() if not name.startswith("PYTHON")}
    bare = {"PYTHONPYCACHEPREFIX": str(empty)} if state == "bare" else {}
    return {**usual, **settings, **bare, "PYTHONDONTWRITEBYTECODE": "1"}


def start_once(folder: Path, env: Mapping[str, str]) -> dict[str, float]:
    """One process from its start to its second answer."""
    command = [sys.executable, "-c", PROBE, str(time.time()), TOOL]
    done = subprocess.run(command, cwd=folder, env=dict(env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The app did not answer: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def medians(found: list[dict[str, float]]) -> dict[str, int]:
    return {name: round(statistics.median(each[name] for each in found)) for name in found[0]}


async def measure(short: bool) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """The figures of each state, and what importing takes longest. The states take turns, so that a busy moment of the
    machine does not fall on one of them."""
    with tempfile.TemporaryDirectory() as scratch:
        folders = {state: stage(Path(scratch) / state, compiled=state == "package") for state in STATES}
        found: dict[str, list[dict[str, float]]] = {state: [] for state in STATES}
        async with backends() as settings:
            env = {state: environment(state, settings, Path(scratch) / "no-byte-code") for state in STATES}
            await asyncio.to_thread(start_once, folders[GATE], env[GATE])  # fills the disk cache, makes the tables
            for _ in range(2 if short else 7):
                for state in STATES:
                    found[state].append(await asyncio.to_thread(start_once, folders[state], env[state]))
            largest = await asyncio.to_thread(import_times, folders[GATE], env[GATE])
    return {state: medians(each) for state, each in found.items()}, largest


@asynccontextmanager
async def backends() -> AsyncIterator[dict[str, str]]:
    """Storage and Data Factory; the app's settings for them."""
    options = Options(logs=LOGS)
    children = Children(options.root / options.logs)
    try:
        storage = await start_storage(options, children)
        adf = await start_server(options, children, "adf", ())
        yield {**app_settings(storage, adf, NOWHERE, NOWHERE), **COLD}
    finally:
        await children.stop(3)


def import_times(folder: Path, env: Mapping[str, str]) -> dict[str, int]:
    """Milliseconds of each package's own modules, the largest first. Tracing itself makes them half as long again."""
    command = [sys.executable, "-X", "importtime", "-c", "import function_app; function_app.app.get_functions()"]
    traced = subprocess.run(command, cwd=folder, env=dict(env), capture_output=True, text=True, check=True).stderr
    return {name: round(us / 1000) for name, us in summed(traced).most_common(LARGEST)}


def summed(traced: str) -> Counter[str]:
    """Microseconds by package, of what `-X importtime` wrote."""
    own: Counter[str] = Counter()
    for line in traced.splitlines():
        parts = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and len(parts) == 3 and parts[0].strip().isdigit():
            own[package(parts[2].strip())] += int(parts[0])
    return own


def package(module: str) -> str:
    """`azure.functions.queue` belongs to azure.functions, `tools_worker.tools.adf_cost` to tools_worker.tools."""
    depth = 2 if module.startswith(("azure.", "tools_worker.")) else 1
    return ".".join(module.split(".")[:depth])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer rounds, for CI")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    arguments = parser.parse_args()
    states, largest = asyncio.run(measure(arguments.short))
    if not arguments.json:
        print_table(states)
        print("\nlongest imports (ms, traced): " + ", ".join(f"{name} {ms}" for name, ms in largest.items()))
    ratio = states["source"]["ready_ms"] / states[GATE]["ready_ms"]
    print(json.dumps({**states, "ratio_source_to_package": round(ratio, 2), "largest_imports_ms": largest}))


def print_table(states: Mapping[str, Mapping[str, int]]) -> None:
    print(f"{'':<16}" + "".join(f"{state:>10}" for state in states))
    for name in next(iter(states.values())):
        print(f"{name:<16}" + "".join(f"{each[name]:>10}" for each in states.values()))


if __name__ == "__main__":
    main()
