"""A message of a queue is told as soon as the emulator's log says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from localcloud.storage_log import StorageLog

PUT = '127.0.0.1 - - [21/Nov/2026:10:30:04 +0000] "POST /devstoreaccount1/{}/messages{} HTTP/1.1" {} -\n'


@asynccontextmanager
async def listening(path: Path, queue: str) -> AsyncIterator[asyncio.Queue[str]]:
    log, heard = StorageLog(path), asyncio.Queue[str]()
    log.when_put(queue, lambda: heard.put_nowait(queue))
    following = asyncio.create_task(log.follow())
    await asyncio.sleep(0.02)
    try:
        yield heard
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


def write(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))


async def test_a_put_is_told_with_and_without_a_query(tmp_path: Path) -> None:
    path = tmp_path / "storage.log"
    write(path, PUT.format("q", "", 201))  # before anybody listened
    async with listening(path, "q") as heard:
        assert heard.empty()
        write(path, PUT.format("q", "?visibilitytimeout=0", 201))
        assert await asyncio.wait_for(heard.get(), 5) == "q"
        assert heard.empty()


async def test_other_queues_other_deeds_and_refusals_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "storage.log"
    path.touch()
    async with listening(path, "q") as heard:
        write(path, PUT.format("q-poison", "", 201), PUT.format("q", "", 404))
        write(path, PUT.format("q", "", 201).replace("POST", "GET"), "In-memory extent storage …\n")
        write(path, PUT.format("q", "", 201))
        await asyncio.wait_for(heard.get(), 5)
        assert heard.empty()


async def test_a_line_that_is_written_in_two_parts_is_told_once_it_is_whole(tmp_path: Path) -> None:
    path, line = tmp_path / "storage.log", PUT.format("q", "", 201)
    path.touch()
    async with listening(path, "q") as heard:
        write(path, line[:60])
        await asyncio.sleep(0.02)
        assert heard.empty()
        write(path, line[60:])
        assert await asyncio.wait_for(heard.get(), 5) == "q"
