"""python -m orchestrator.doctor: look at everything the app needs. Nothing is changed.

    python -m orchestrator.doctor [--json]         exit code 1 where something failed
    python -m orchestrator.doctor --make-storage   make the queues, tables and containers that are missing

Settings come from the environment, what it lacks from local.settings.json, else from what `azd up` deployed. It looks
as the identity that you are signed in as: for the app's own ask the app, `GET /api/health?deep=true`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from azure.core.exceptions import AzureError

from core import clients
from core.errors import AppError
from core.settings import AZURE_MANAGEMENT, Settings
from orchestrator.doctor import report, storage_parts
from orchestrator.doctor.examination import examine, of_environment
from orchestrator.doctor.findings import Finding
from orchestrator.doctor.patient import ROOT

LOCAL = "local.settings.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.doctor", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="the findings as JSON")
    parser.add_argument(
        "--make-storage", action="store_true", help="make what is missing of queues, tables, containers"
    )
    given = parser.parse_args()
    os.environ.update(settings_of(ROOT, os.environ))
    if given.make_storage:
        return _make_storage()
    logging.basicConfig(level=logging.CRITICAL)  # the report says it
    findings = asyncio.run(_examined(os.environ))
    told = (
        json.dumps([asdict(each) for each in findings], indent=1) if given.json else "\n".join(report.lines(findings))
    )
    sys.stdout.write(f"{told}\n")
    return int(any(each.result == "failed" for each in findings))


def settings_of(root: Path, env: Mapping[str, str]) -> dict[str, str]:
    """The environment, completed by local.settings.json, else by azd's: what is set already wins."""
    local = _local(root / LOCAL)
    return (_deployed(root / ".azure") if local is None else local) | dict(env)


def _local(path: Path) -> dict[str, str] | None:
    """The Values of the file; None where there is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return None
    except ValueError as exc:
        sys.exit(f"{path.name} is not valid JSON: {exc}")
    if not isinstance(document, dict) or document.get("IsEncrypted"):
        sys.exit(f"{path.name} cannot be read. If it is encrypted: func settings decrypt.")
    values = document.get("Values")
    return {name: str(value) for name, value in (values or {}).items()}


def _deployed(folder: Path) -> dict[str, str]:
    """The outputs of the templates, as azd keeps them for its chosen environment: lines of NAME="value"."""
    try:
        chosen = json.loads((folder / "config.json").read_text(encoding="utf-8"))["defaultEnvironment"]
        text = (folder / str(chosen) / ".env").read_text(encoding="utf-8")
    except (OSError, ValueError, KeyError):
        return {}
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


async def _examined(env: Mapping[str, str]) -> list[Finding]:
    async with of_environment(env) as patient:
        try:
            return await examine(patient)
        finally:  # the one of all clients, which the app keeps open
            await clients.credential(AZURE_MANAGEMENT).close()


def _make_storage() -> int:
    try:
        asyncio.run(storage_parts.make_missing(Settings.load(os.environ)))
    except (AppError, AzureError) as exc:
        sys.stderr.write(f"{str(exc).partition(chr(10))[0]}\n")
        return 2
    sys.stdout.write("Every queue, table and container is there.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
