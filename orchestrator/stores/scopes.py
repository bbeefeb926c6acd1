"""What is watched (a factory each), up to where it was read, and whose turn it is; as a port, and in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Scope:
    """`wanted` changes with every wish to look, `served` is the one that was looked for last; `owner` looks until
    `leased_until`. `read_until` is the watcher's cursor; `checked` tells when each of its checks was made last."""

    name: str
    wanted: int = 0
    served: int = 0
    owner: str = ""
    leased_until: datetime | None = None
    read_until: datetime | None = None
    checked: Mapping[str, datetime] = field(default_factory=dict)
    version: str = ""

    def waits(self, now: datetime) -> bool:
        """Somebody wished for a look, and nobody looks: he died, or the message that should wake him was lost."""
        looking = bool(self.owner) and self.leased_until is not None and self.leased_until > now
        return self.wanted != self.served and not looking


class ScopeStore(Protocol):
    """Raises UpstreamUnavailable when storage does not answer."""

    async def want(self, name: str) -> None:
        """Somebody has to look. Whoever looks already will look once more."""

    async def lease(self, name: str, owner: str, now: datetime, until: datetime) -> Scope | None:
        """The scope, for this owner alone; None while another one looks."""

    async def release(self, scope: Scope) -> bool:
        """Done, with `read_until` and `checked` kept. False where it was wanted again meanwhile, or was taken over:
        look again with a new lease."""

    async def all(self) -> list[Scope]:
        """By name."""


class MemoryScopeStore:
    def __init__(self) -> None:
        self._scopes: dict[str, Scope] = {}

    async def want(self, name: str) -> None:
        known = self._scopes.get(name, Scope(name))
        self._scopes[name] = replace(known, wanted=known.wanted + 1)

    async def lease(self, name: str, owner: str, now: datetime, until: datetime) -> Scope | None:
        known = self._scopes.get(name, Scope(name))
        if known.owner and known.owner != owner and known.leased_until and known.leased_until > now:
            return None
        self._scopes[name] = replace(known, owner=owner, leased_until=until)
        return self._scopes[name]

    async def release(self, scope: Scope) -> bool:
        known = self._scopes[scope.name]
        if known.owner != scope.owner:
            return False
        settled = known.wanted == scope.wanted
        self._scopes[scope.name] = replace(
            known,
            owner="",
            leased_until=None,
            read_until=scope.read_until,
            checked=scope.checked,
            served=scope.wanted,
        )
        return settled

    async def all(self) -> list[Scope]:
        return sorted(self._scopes.values(), key=lambda scope: scope.name)
