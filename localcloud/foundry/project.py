"""The project that agents live in: its model deployments, its connections, and which agent setup it has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from localcloud.estate import CONNECTIONS, PROJECT
from localcloud.foundry.errors import bad_request
from localcloud.foundry.records import Json

PLANNER = "local-planner"  # under which name the deterministic planner is deployed
SETUPS = ("standard", "basic")


@dataclass
class Project:
    """As the standard agent setup leaves it; `change` takes parts away."""

    deployments: tuple[str, ...] = (PLANNER,)
    connections: tuple[str, ...] = tuple(CONNECTIONS)
    setup: Literal["standard", "basic"] = "standard"
    beginning: tuple[str, ...] = field(default=(PLANNER,), repr=False)

    @classmethod
    def serving(cls, model: str) -> Project:
        return cls(deployments=(model,), beginning=(model,))

    def reset(self) -> None:
        self.deployments, self.connections, self.setup = self.beginning, tuple(CONNECTIONS), "standard"

    def change(self, wanted: Json) -> None:
        """Raises ApiError."""
        if wanted.get("setup", self.setup) not in SETUPS:
            raise bad_request(f"'setup' is one of {', '.join(SETUPS)}.")
        self.deployments = tuple(wanted.get("deployments", self.deployments))
        self.connections = tuple(wanted.get("connections", self.connections))
        self.setup = wanted.get("setup", self.setup)

    def check(self, tools: list[Json]) -> None:
        """The basic setup has no queue tools. Raises ApiError."""
        if self.setup == "basic" and any(tool["type"] == "azure_function" for tool in tools):
            raise bad_request("Invalid tool value(s): azure_function", param="tools")

    def as_json(self) -> Json:
        return {"deployments": self.deployments, "connections": self.connections, "setup": self.setup}

    def deployed(self) -> list[Json]:
        return [
            {
                "name": name,
                "type": "ModelDeployment",
                "modelName": name,
                "modelVersion": "1",
                "modelPublisher": "OpenAI",
                "capabilities": {"chat_completion": "true"},
                "sku": {"name": "GlobalStandard", "capacity": 100},
            }
            for name in self.deployments
        ]

    def connected(self) -> list[Json]:
        return [
            {
                "name": name,
                "id": f"{PROJECT}/connections/{name}",
                "type": kind,
                "target": target,
                "isDefault": True,
                "credentials": {"type": "AAD"},
                "metadata": {"ApiType": "Azure"},
            }
            for name, (kind, target) in CONNECTIONS.items()
            if name in self.connections
        ]
