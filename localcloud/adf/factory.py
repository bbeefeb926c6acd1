"""The definitions a factory holds: resources by kind and name, their etags, and pipelines read for simulation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.adf import dice
from localcloud.adf.definitions import Json, Pipeline, read_pipeline
from localcloud.adf.scenario import FactorySeed


@dataclass(frozen=True, slots=True)
class Resource:
    name: str
    properties: Json
    etag: str


class Factory:
    def __init__(self, seed: FactorySeed, subscription: str) -> None:
        self.name, self.group, self.location = seed.name, seed.group, seed.location
        self.tags = dict(seed.tags)
        self.subscription = subscription
        self.version = 0
        self._resources: dict[str, dict[str, Resource]] = {}
        self._pipelines: dict[str, Pipeline] = {}
        for kind, items in seed.resources.items():
            for name, properties in items.items():
                self.put(kind, name, properties)

    @property
    def path(self) -> str:
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"
        return f"{group}/providers/Microsoft.DataFactory/factories/{self.name}"

    @property
    def etag(self) -> str:
        return dice.identifier("factory", self.name, self.version)

    @property
    def identity(self) -> Mapping[str, str]:
        return {"principalId": dice.identifier("principal", self.path), "tenantId": dice.identifier("tenant")}

    def put(self, kind: str, name: str, properties: Json) -> Resource:
        """Raises BadDefinition for a pipeline that could not run."""
        if kind == "pipelines":
            self._pipelines[name] = read_pipeline(name, properties)
        self.version += 1
        digits = dice.token(self.name, kind, name, self.version)
        resource = Resource(name, properties, f"{digits[:8]}-0000-0d00-0000-{digits[8:20]}")
        self._resources.setdefault(kind, {})[name] = resource
        return resource

    def get(self, kind: str, name: str) -> Resource | None:
        """Names of resources are told apart without regard to case, as in the service."""
        items = self._resources.get(kind, {})
        if name in items:
            return items[name]
        return next((item for key, item in items.items() if key.casefold() == name.casefold()), None)

    def all(self, kind: str) -> list[Resource]:
        return sorted(self._resources.get(kind, {}).values(), key=lambda item: item.name.casefold())

    def delete(self, kind: str, name: str) -> None:
        del self._resources[kind][name]
        if kind == "pipelines":
            del self._pipelines[name]

    def pipeline(self, name: str) -> Pipeline | None:
        return self._pipelines.get(name)

    def pipelines(self) -> Mapping[str, Pipeline]:
        return self._pipelines

    def runtime_of(self, linked_service: str | None) -> str:
        """The integration runtime through which a linked service is reached."""
        resource = self.get("linkedservices", linked_service) if linked_service else None
        via: Any = (resource.properties if resource else {}).get("connectVia")
        return str(via.get("referenceName")) if isinstance(via, Mapping) else "AutoResolveIntegrationRuntime"

    def linked_service_of(self, dataset: str | None) -> str | None:
        resource = self.get("datasets", dataset) if dataset else None
        reference: Any = (resource.properties if resource else {}).get("linkedServiceName")
        return str(reference.get("referenceName")) if isinstance(reference, Mapping) else None
