"""python -m infra.backup save DIR | check DIR | restore DIR: the app's records as files, and back.

save      copies tables and blobs into a folder that is empty or not there; the app may work on meanwhile
check     says whether a copy is whole
restore   puts a copy into storage that is empty; --go-on where an earlier try was broken off; --replace ACCOUNT takes
          away what is there first, but for the audit trail, beside which the other's is put: stop both apps before

Storage is found as the app finds it (STORAGE…). Exit code 2 where something is not as it has to be.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from core import clients
from core.errors import AppError
from core.settings import Settings
from infra.backup import manifest, restoring, saving

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient


def main(words: Sequence[str] | None = None) -> int:
    from azure.core.exceptions import AzureError

    given = _parser().parse_args(words)
    try:
        sys.stdout.write(f"{asyncio.run(_run(given))}\n")
    except (AppError, OSError, ValueError, restoring.NotEmpty, AzureError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("save", "check", "restore"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path)
        if name == "restore":
            how = command.add_mutually_exclusive_group()
            how.add_argument("--go-on", action="store_true", help="an earlier try was broken off")
            how.add_argument(
                "--replace", metavar="ACCOUNT", help="the account's own name, so that no other one is emptied"
            )
    return parser


async def _run(given: argparse.Namespace) -> str:
    """What was done, in a sentence."""
    if given.command == "check":
        return _told(manifest.read(given.folder))
    settings, began = Settings.load(os.environ).require("storage"), time.monotonic()
    async with AsyncExitStack() as stack:
        tables = await stack.enter_async_context(clients.table_service(settings))
        blobs = await stack.enter_async_context(clients.blob_service(settings)) if settings.has_blobs else None
        if given.command == "save":
            if given.folder.is_dir() and any(given.folder.iterdir()):
                raise OSError(f"{given.folder} is not empty.")
            copy = await saving.save(saving.Source(tables, blobs, lambda: datetime.now(UTC)), given.folder)
            told = _told(copy)
        else:
            gone = await _cleared(tables, given.replace, given.folder) if given.replace else 0
            go_on = given.go_on or bool(given.replace)
            done = await restoring.restore(restoring.Target(tables, blobs), given.folder, go_on=go_on)
            told = (
                f"{gone} rows taken away, {done.put} rows and {done.files} blobs put back, {done.there} were there; "
                f"{len(done.under_way)} runs were under way and end by the sweeper; {done.unsure} actions were to be "
                "sent and are looked up."
            )
    return f"{told} {time.monotonic() - began:.1f} s."


async def _cleared(tables: TableServiceClient, name: str, folder: Path) -> int:
    """Only where there is something to put in its place."""
    if name != tables.account_name:
        raise restoring.NotEmpty(f"This is the account {tables.account_name!r}, not {name!r}: nothing was taken away.")
    await asyncio.to_thread(manifest.read, folder)
    return await restoring.clear(tables)


def _told(copy: manifest.Manifest) -> str:
    rows, blobs = sum(copy.rows.values()), len(copy.files) - len(copy.rows)
    return f"{rows} rows of {len(copy.rows)} tables and {blobs} blobs of {copy.source}, {copy.begun_at}."


if __name__ == "__main__":
    sys.exit(main())
