"""Microsoft's own worker library as a check: it refuses what the public library lets pass, as Azure would.

    python -m localcloud.host.worker_library --install
    python -m localcloud.host.worker_library --check --root . [--invoke NAME --input TEXT]

The library declares Python ≥ 3.13, yet runs on 3.11 with azure-functions 1.x, which is good enough for a check; so it
lives in a folder of its own, out of the requirements. The check prints one line of JSON: `functions` with their raw
bindings, or `error`; with --invoke also `result`. It belongs into a process of its own: the library keeps what it
loaded in module variables, and takes the variable CONTAINER_NAME for a sign that it runs in Azure.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

from localcloud.host import worker_protos as protos

PACKAGE = "azure-functions-runtime"
VERSION = "1.3.0"
MODULE = "azure_functions_runtime"
TARGET = Path(__file__).resolve().parents[2] / ".localcloud" / "worker-lib"


class NotInstallable(Exception):
    """The text says why."""


def ensure(target: Path = TARGET) -> Path:
    """The folder that holds the library, installed now if need be. Raises NotInstallable."""
    if not (target / f"{MODULE}-{VERSION}.dist-info").exists():
        install(target)
    return target


def install(target: Path = TARGET) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="worker-lib-", dir=target.parent))
    try:
        pip_install(fresh)
        replace(target, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def pip_install(target: Path) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--ignore-requires-python", "--no-compile"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), f"{PACKAGE}=={VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise NotInstallable(f"pip could not install {PACKAGE} {VERSION}: {' '.join(last) or done.returncode}")


def replace(target: Path, fresh: Path) -> None:
    """Two that install at once do not meet a half-filled folder."""
    if target.exists():
        shutil.rmtree(target, ignore_errors=True)
    try:
        fresh.rename(target)
    except OSError:
        if not (target / MODULE).exists():
            raise


class Worker:
    """The library, told the things the real host would tell it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._library: Any = importlib.import_module(f"{MODULE}.handle_event")
        self._ids: dict[str, str] = {}

    async def load(self) -> list[dict[str, Any]]:
        """Names and raw bindings of the app's functions. Raises RuntimeError with the library's own words."""
        start = protos.Message(capabilities={}, function_app_directory=str(self._root))
        succeeded(await self._library.worker_init_request(self._request("worker_init_request", start)))
        indexed = await self._library.functions_metadata_request(self._request("functions_metadata_request", None))
        succeeded(indexed)
        functions = indexed.function_metadata_results or []
        for function in functions:
            await self._load(function)
        return [
            {"name": function.name, "bindings": list(map(json.loads, function.raw_bindings))} for function in functions
        ]

    async def invoke(self, name: str, trigger: str, text: str, trace_parent: str = "") -> str | None:
        """The text a function returns when its `trigger` parameter is given `text`. `trace_parent`: of the host's span
        for this invocation."""
        argument = protos.ParameterBinding(name=trigger, data=self._datum(text))
        call = protos.Message(
            invocation_id=str(uuid.uuid4()),
            function_id=self._ids[name],
            input_data=[argument],
            trigger_metadata={"Id": protos.TypedData(string="1"), "DequeueCount": protos.TypedData(string="1")},
            trace_context=protos.Message(trace_parent=trace_parent, trace_state="", attributes={}),
            retry_context=protos.Message(retry_count=0, max_retry_count=0),
        )
        response = succeeded(await self._library.invocation_request(self._request("invocation_request", call)))
        value = response.return_value
        return None if value is None else str(getattr(value, value.WhichOneof("data")))

    async def _load(self, function: Any) -> None:
        self._ids[function.name] = function.function_id
        load = protos.Message(function_id=function.function_id, metadata=function)
        succeeded(await self._library.function_load_request(self._request("function_load_request", load)))

    def _request(self, kind: str, content: Any) -> Any:
        properties = {"host": "127.0.0.1", "protos": protos}
        return protos.Message(request=protos.Message(**{kind: content}), properties=properties)

    @staticmethod
    def _datum(text: str) -> Any:
        return protos.TypedData(string=text)


def succeeded(response: Any) -> Any:
    if response.result.status != protos.StatusResult.Success:
        raise RuntimeError(response.result.exception.message)
    return response


async def check(root: Path, invoke: str | None, text: str, trace_parent: str = "") -> dict[str, Any]:
    worker = Worker(root)
    try:
        functions = await worker.load()
        report: dict[str, Any] = {"functions": functions}
        if invoke is not None:
            report["result"] = await worker.invoke(invoke, trigger_of(functions, invoke), text, trace_parent)
    except RuntimeError as exc:
        return {"error": str(exc)}
    return report


def trigger_of(functions: list[dict[str, Any]], name: str) -> str:
    bindings = next(function["bindings"] for function in functions if function["name"] == name)
    return str(next(binding["name"] for binding in bindings if binding["type"].endswith("Trigger")))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m localcloud.host.worker_library")
    parser.add_argument("--install", action="store_true", help="install the library into --target")
    parser.add_argument("--check", action="store_true", help="load the app of --root with the library")
    parser.add_argument("--target", type=Path, default=TARGET)
    parser.add_argument("--root", type=Path, default=Path())
    parser.add_argument("--file", default="function_app.py", help="the app's file in --root")
    parser.add_argument("--invoke", help="a queue-triggered function to run once loaded")
    parser.add_argument("--input", default="", help="its message")
    parser.add_argument("--trace-parent", default="", help="the host's span for that run of it")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    try:
        target = ensure(arguments.target).resolve()
    except NotInstallable as exc:
        print(exc, file=sys.stderr)
        return 1
    if not arguments.check:
        return 0
    root = arguments.root.resolve()
    os.environ.pop("CONTAINER_NAME", None)
    os.environ["PYTHON_SCRIPT_FILE_NAME"] = arguments.file
    sys.path[:0] = [str(root)]
    sys.path.append(str(target))  # last: it must not hide what is installed
    os.chdir(root)
    report = asyncio.run(check(root, arguments.invoke, arguments.input, arguments.trace_parent))
    print(json.dumps(report))
    return 1 if "error" in report else 0


if __name__ == "__main__":
    sys.exit(main())
