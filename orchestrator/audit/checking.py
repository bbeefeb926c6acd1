"""Brings together what `verify` looks at: the table, exported days or files, and the anchors, which are read first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from orchestrator.audit.anchors import HEADS
from orchestrator.audit.keeping import DAYS
from orchestrator.audit.lines import day_of, is_chain
from orchestrator.audit.verify import Report, Verifier
from orchestrator.stores.audit import LAST, AuditStore
from orchestrator.stores.sealed import SealedFiles

AT_ONCE = 16
WRITTEN_AFTER = timedelta(hours=2)  # the end of a day: by then its files are there
Found = tuple[Report, bool]  # and whether there were anchors to be had


async def table(store: AuditStore, sealed: SealedFiles | None, since: date, until: date) -> Found:
    """From `since` on no chain may be missing: those before may have been dropped."""
    verifier = Verifier(await anchors(sealed, since, until) if sealed else {}, since, until)
    async for row in store.rows(f"{since:%Y%m%d}", _end(until)):
        verifier.row(row)
    return verifier.report(), sealed is not None


async def stored(sealed: SealedFiles, since: date, until: date, now: datetime) -> Found:
    """Of days that are over every chain must have its file."""
    until = min(until, (now - WRITTEN_AFTER).date() - timedelta(days=1))
    held = await anchors(sealed, since, until)
    files = await _read(sealed, DAYS, since, until)
    return _checked(files.items(), held, since, until, only_days_there=False), True


def files(
    given: Iterable[tuple[str, bytes]], held: Mapping[str, bytes] | None, since: date | None, until: date | None
) -> Found:
    """Without `since` and `until` only the days of the files are looked at: of these no chain may be missing."""
    period = since or date.min, until or date.max
    report = _checked(given, held or {}, *period, only_days_there=since is None and until is None)
    return report, held is not None


def _checked(
    given: Iterable[tuple[str, bytes]], held: Mapping[str, bytes], since: date, until: date, *, only_days_there: bool
) -> Report:
    verifier = Verifier(held, since, until)
    for name, data in given:
        verifier.file(name, data)
    return verifier.report(verifier.days() if only_days_there else None)


async def anchors(sealed: SealedFiles, since: date = date.min, until: date = date.max) -> dict[str, bytes]:
    return await _read(sealed, HEADS, since, until)


async def _read(sealed: SealedFiles, folder: str, since: date, until: date) -> dict[str, bytes]:
    """What is in the folder of days, of days in the period; what is in no day's folder too."""
    names = [name for name in await sealed.names(folder) if _is_of(name.removeprefix(folder), since, until)]
    found: dict[str, bytes] = {}
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        for name, data in zip(part, await asyncio.gather(*map(sealed.get, part)), strict=True):
            found[name] = data or b""
    return found


def _is_of(rest: str, since: date, until: date) -> bool:
    try:
        return since <= date.fromisoformat(rest[:10]) <= until
    except ValueError:
        return True


def local(paths: Sequence[Path]) -> Iterable[tuple[str, bytes]]:
    """Files as they are given; of folders every .jsonl in them. Raises OSError."""
    for path in paths:
        for file in sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]:
            yield str(file), file.read_bytes()


def local_anchors(folder: Path) -> dict[str, bytes]:
    """Raises OSError."""
    if not (folder / HEADS).is_dir():
        raise OSError(f"There is no folder {HEADS} in {folder}.")
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in (folder / HEADS).rglob("*.json")}


async def save(store: AuditStore, sealed: SealedFiles | None, folder: Path, since: date, until: date) -> int:
    """The table as files of days, and its anchors. How many files."""
    held = await anchors(sealed, since, until) if sealed else {}
    chains: dict[str, list[bytes]] = {}
    async for row in store.rows(f"{since:%Y%m%d}", _end(until)):
        if is_chain(row.chain):  # of anything else `verify` of the table tells
            chains.setdefault(row.chain, []).append(row.line + b"\n")
    days = {f"{DAYS}{day_of(chain).isoformat()}/{chain}.jsonl": b"".join(lines) for chain, lines in chains.items()}
    for name, data in (*held.items(), *days.items()):
        await asyncio.to_thread(_save, folder / name, data)
    return len(held) + len(days)


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _end(until: date) -> str:
    """Before which the chains of these days stand."""
    return LAST if until == date.max else f"{until + timedelta(days=1):%Y%m%d}"
