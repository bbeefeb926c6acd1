"""python -m orchestrator.audit verify | export DIR: has anybody touched the audit trail?

    verify                            the table, against the anchors
    verify --stored                   the exported days of the container, against the anchors
    verify --export DIR [--anchors DIR]   files on this machine; anchors of the container, or of this folder too
    export DIR                        the table and its anchors as files, for `verify --export DIR --anchors DIR`

--from DAY and --until DAY (yyyy-mm-dd, UTC) look at these days only. Settings are read as the app reads them.
One line for each finding, then one for all. Exit code 1 where something was found, 2 where it could not be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core import clients
from core.errors import AppError
from core.settings import Settings
from orchestrator.audit import checking
from orchestrator.audit.verify import Report
from orchestrator.stores.audit_tables import TableAuditStore
from orchestrator.stores.sealed_blobs import BlobSealedFiles


def main() -> int:
    given = _parser().parse_args()
    try:
        return asyncio.run(_run(given))
    except (AppError, OSError) as exc:
        sys.stderr.write(f"{exc}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m orchestrator.audit", description=(__doc__ or "").split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="look for tampering")
    verify.add_argument("--export", nargs="+", type=Path, metavar="PATH", help="exported files, or folders of them")
    verify.add_argument("--anchors", type=Path, metavar="DIR", help="a folder with the anchors (heads/…)")
    verify.add_argument("--stored", action="store_true", help="the exported days of the container")
    export = commands.add_parser("export", help="write the table and its anchors to files")
    export.add_argument("folder", type=Path)
    for command in (verify, export):
        command.add_argument("--from", dest="since", type=date.fromisoformat, metavar="DAY")
        command.add_argument("--until", type=date.fromisoformat, metavar="DAY")
    return parser


async def _run(given: argparse.Namespace) -> int:
    until = given.until or date.max
    async with AsyncExitStack() as stack:
        if given.command == "verify" and given.export:
            held = await _anchors(stack, given.anchors, given.since or date.min, until)
            return _tell(checking.files(checking.local(given.export), held, given.since, given.until))
        settings = Settings.load(os.environ).require("storage")
        since = given.since or datetime.now(UTC).date() - timedelta(days=settings.audit_days)
        store = TableAuditStore(await stack.enter_async_context(clients.table_service(settings)))
        sealed = await _sealed(stack, settings)
        if given.command == "export":
            count = await checking.save(store, sealed, given.folder, since, until)
            sys.stdout.write(f"{count} files in {given.folder}.\n")
            return 0
        if given.stored:
            if sealed is None:
                raise OSError("No blob service is set (STORAGE__blobServiceUri), so no days are exported.")
            return _tell(await checking.stored(sealed, given.since or date.min, until, datetime.now(UTC)))
        return _tell(await checking.table(store, sealed, since, until))


async def _sealed(stack: AsyncExitStack, settings: Settings) -> BlobSealedFiles | None:
    if not settings.has_blobs:
        return None
    return BlobSealedFiles(await stack.enter_async_context(clients.blob_service(settings)))


async def _anchors(stack: AsyncExitStack, folder: Path | None, since: date, until: date) -> dict[str, bytes] | None:
    """Of the folder; else of the container, where there is one; None where there are none to be had."""
    if folder is not None:
        return checking.local_anchors(folder)
    settings = Settings.load(os.environ)
    sealed = None if any(each.area == "storage" for each in settings.problems) else await _sealed(stack, settings)
    return await checking.anchors(sealed, since, until) if sealed else None


def _tell(found: tuple[Report, bool]) -> int:
    report, anchored = found
    lines: Sequence[str] = [str(each) for each in report.findings]
    told = f"{report.entries} entries in {report.chains} chains, {report.anchors} anchors: "
    told += f"{len(lines)} findings." if lines else "nothing was found."
    if not anchored:
        told += " Without anchors no cut tail and no removed chain can be seen."
    elif report.unproven:
        told += (
            f" {report.unproven} entries stand behind the newest anchor of their chain and could be missing or more."
        )
    sys.stdout.write("\n".join((*lines, told)) + "\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
