"""Files that are written once and never again, as a port; and its in-memory twin."""

from __future__ import annotations

from typing import Protocol


class SealedFiles(Protocol):
    """Raises UpstreamUnavailable or UpstreamRefused when storage does not answer or does not let us."""

    async def put(self, name: str, data: bytes) -> bool:
        """False where there is a file of this name, whatever it holds."""

    async def get(self, name: str) -> bytes | None: ...

    async def names(self, prefix: str) -> list[str]:
        """In order."""


class MemorySealedFiles:
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    async def put(self, name: str, data: bytes) -> bool:
        new = name not in self.files
        self.files.setdefault(name, data)
        return new

    async def get(self, name: str) -> bytes | None:
        return self.files.get(name)

    async def names(self, prefix: str) -> list[str]:
        return sorted(name for name in self.files if name.startswith(prefix))
