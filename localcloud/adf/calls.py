"""One request to the management API: what was asked, of which factory, at what moment."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from localcloud.adf.activity_log import Deed
from localcloud.adf.arm import API_VERSION, no_factory, no_group, no_subscription, read_object
from localcloud.adf.living import LivingFactory
from localcloud.adf.world import World


@dataclass(frozen=True, slots=True)
class Call:
    world: World
    now: datetime
    names: Mapping[str, str]  # the variable parts of the path
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw: bytes
    base_url: str

    @property
    def factory(self) -> LivingFactory:
        """Raises ArmError for a factory, group or subscription that is not there."""
        self.check_subscription()
        group, name = self.names["group"], self.names["factory"]
        found = self.world.find(group, name)
        if found is None:
            raise no_factory(group, name) if self.world.has_group(group) else no_group(group)
        return found

    def check_subscription(self) -> None:
        if self.names["subscription"] != self.world.scenario.subscription:
            raise no_subscription(self.names["subscription"])

    def body(self) -> dict[str, Any]:
        return read_object(self.raw)

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() == "true"

    def link(self, path: str, **query: str) -> str:
        """An absolute address on this server."""
        asked = urlencode({"api-version": API_VERSION, **query}, safe="$", quote_via=quote)
        return f"{self.base_url}{path}?{asked}"

    def record(self, operation: str, resource: str) -> None:
        """Into the Activity Log: something was done to the factory."""
        self.factory.deeds.append(Deed(self.now, operation, resource))


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A route of the published API. `path` holds {names}; `~` stands for the path of a factory."""

    name: str
    method: str
    path: str
    handler: Handler
    version: str = API_VERSION
