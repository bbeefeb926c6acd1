"""Counters of what the stand-in did, for benches and tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from localcloud.foundry.records import Json


@dataclass
class Stats:
    requests: Counter[str] = field(default_factory=Counter)  # "POST /threads/{thread}/runs" → n
    queues: Counter[str] = field(default_factory=Counter)  # sent, received, late, duplicate, unknown, malformed
    runs: Counter[str] = field(default_factory=Counter)  # by end state
    faults: Counter[str] = field(default_factory=Counter)  # by name, as they were applied
    turns: int = 0
    thinking_seconds: float = 0.0  # from the beginning of each turn to its end, summed
    tool_output_bytes: int = 0

    def as_json(self) -> Json:
        return {
            "requests": dict(self.requests),
            "queues": dict(self.queues),
            "runs": dict(self.runs),
            "faults": dict(self.faults),
            "turns": self.turns,
            "thinking_seconds": self.thinking_seconds,
            "tool_output_bytes": self.tool_output_bytes,
        }

    def reset(self) -> None:
        self.requests.clear()
        self.queues.clear()
        self.runs.clear()
        self.faults.clear()
        self.turns = self.tool_output_bytes = 0
        self.thinking_seconds = 0.0
