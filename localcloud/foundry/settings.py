"""How the stand-in behaves where the real service leaves a choice, or where a test wants another pace."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class ModelEndpoint:
    """An OpenAI-compatible chat-completions endpoint: the address up to, without, `/chat/completions`."""

    url: str
    name: str
    key: str

    @classmethod
    def from_env(cls, env: dict[str, str]) -> ModelEndpoint | None:
        url, name = env.get("LOCAL_MODEL_URL"), env.get("LOCAL_MODEL_NAME")
        return cls(url.rstrip("/"), name, env.get("LOCAL_MODEL_KEY", "")) if url and name else None


@dataclass(frozen=True)
class Settings:
    queues: tuple[str, ...] = ()  # storage connection strings; a tool's queue endpoint chooses among them
    output_poll_ms: float = 5
    idle_poll_ms: float = 500
    storage_log: Path | None = None  # the emulator's access log: replies are told, not asked for
    requires_action_ms: float = 0  # least time a run shows requires_action: 1000 catches clients that stop there
    turn_ms: float = 0
    planner: Literal["deterministic", "gullible"] = "deterministic"
    model: ModelEndpoint | None = None
    message_shape: Literal["flat", "wrapped"] = "flat"
    early_child_ids: bool = False
    strict_replies: bool = False  # a missing or malformed reply fails the run instead of letting it wait
    expires_seconds: float = 1800
    action_expires_seconds: float = 36000  # counted from the run's creation, once it has been in requires_action
    log: Path | None = None
    seed: int = 7
    faults: dict[str, object] = field(default_factory=dict)
