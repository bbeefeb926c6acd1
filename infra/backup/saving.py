"""Copies tables and blobs out while the app works on.

There is no moment at which all of storage can be seen at once, so the order matters: what is read first must be good
with newer versions of what is read later. Anchors of the audit trail come before its rows, for rows behind an anchor
are usual and an anchor without its rows looks like a theft. What points at a record comes before the record. Where the
watcher has read to comes before the incidents: it then reads some minutes twice, which folds into the same incident.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.backup import entities, manifest
from infra.names import STORAGE

if TYPE_CHECKING:
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient, ContainerClient

# In this order. Not among them: `toolanswers`, replies to calls that nobody waits for any more, and `activeruns`, which
# is made anew from `runs`.
TABLES = ("scopes", "alerts", "runs", "sessions", "incidents", "causes", "actions", "digests", "audit")
AT_ONCE = 16


def containers() -> tuple[str, ...]:
    names: dict[str, Any] = json.loads(STORAGE.read_text(encoding="utf-8"))
    return names["auditContainer"], names["deadLetterContainer"]


@dataclass(frozen=True)
class Source:
    tables: TableServiceClient
    blobs: BlobServiceClient | None
    now: Callable[[], datetime]


async def save(source: Source, folder: Path) -> manifest.Manifest:
    """Raises azure.core's errors, and OSError; a copy that was broken off has no manifest."""
    begun, files, rows = source.now(), dict[str, str](), dict[str, int]()
    await asyncio.to_thread(
        folder.mkdir, 0o700, parents=True, exist_ok=True
    )  # it holds all that was asked and answered
    if source.blobs:
        for name in containers():
            files |= await _blobs(source.blobs.get_container_client(name), folder)
    for name in TABLES:
        path = folder / manifest.TABLES / f"{name}.jsonl"
        rows[name] = await _table(source.tables, name, path)
        files[path.relative_to(folder).as_posix()] = manifest.digest(path)
    done = manifest.Manifest(begun.isoformat(), source.now().isoformat(), str(source.tables.url), rows, files)
    manifest.write(folder, done)
    return done


async def _table(tables: TableServiceClient, name: str, path: Path) -> int:
    from azure.core.exceptions import ResourceNotFoundError

    path.parent.mkdir(parents=True, exist_ok=True)
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        try:
            async for entity in tables.get_table_client(name).list_entities(results_per_page=1000):
                file.write(f"{entities.line(entity)}\n")
                count += 1
        except ResourceNotFoundError:  # nothing was ever written into it
            return count
    return count


async def _blobs(container: ContainerClient, folder: Path) -> dict[str, str]:
    """The digests of what was copied."""
    from azure.core.exceptions import ResourceNotFoundError

    try:
        names = [str(name) async for name in container.list_blob_names()]
    except ResourceNotFoundError:
        return {}
    root = folder / manifest.BLOBS / str(container.container_name)
    found: dict[str, str] = {}
    for start in range(0, len(names), AT_ONCE):
        part = names[start : start + AT_ONCE]
        for path in await asyncio.gather(*(_blob(container, name, root) for name in part)):
            found[path.relative_to(folder).as_posix()] = manifest.digest(path)
    return found


async def _blob(container: ContainerClient, name: str, root: Path) -> Path:
    data = await (await container.download_blob(name)).readall()
    return await asyncio.to_thread(_written, root, name, data)


def _written(root: Path, name: str, data: bytes) -> Path:
    path = root / name
    if root.resolve() not in path.resolve().parents:
        raise OSError(f"A blob is named {name!r}, which leads out of the folder of the copy.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
