"""Server-sent events of a run: handed to whoever listens, in the framing the SDK's parser can read.

Frames end with LF LF, hold one data line and are never comments: the parser merges CRLF frames and dies on comments.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from localcloud.foundry.records import Json

MAX_TEXT_DELTAS = 200


@dataclass
class Events:
    """What happens in a run. Nothing is kept: a listener hears what is told while it listens."""

    listeners: list[asyncio.Queue[bytes | None]] = field(default_factory=list)

    def tell(self, name: str, data: Json) -> None:
        if self.listeners:
            frame = encode(name, json.dumps(data))
            for listener in self.listeners:
                listener.put_nowait(frame)

    def done(self) -> None:
        """End every listener's stream."""
        for listener in self.listeners:
            listener.put_nowait(encode("done", "[DONE]"))
            listener.put_nowait(None)
        self.listeners.clear()

    def listen(self) -> asyncio.Queue[bytes | None]:
        listener: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.listeners.append(listener)
        return listener


def encode(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


async def frames(listener: asyncio.Queue[bytes | None], cut_after: int | None = None) -> AsyncIterator[bytes]:
    """The frames until the stream is done; after `cut_after` of them the stream breaks off without its end."""
    sent = 0
    while (frame := await listener.get()) is not None:
        if cut_after is not None and sent >= cut_after:
            raise StreamCut
        yield frame
        sent += 1


class StreamCut(Exception):
    """Breaks a response off in the middle."""


def text_pieces(text: str) -> list[str]:
    """The text in about word-sized pieces, at most MAX_TEXT_DELTAS of them."""
    size = max(6, -(-len(text) // MAX_TEXT_DELTAS))
    pieces: list[str] = []
    start = 0
    while start < len(text):
        end = min(len(text), start + size)
        space = text.find(" ", end)
        end = len(text) if space < 0 or space - end > size else space
        pieces.append(text[start:end])
        start = end
    return pieces
