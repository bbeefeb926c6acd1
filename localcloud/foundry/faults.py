"""Switches that make the service misbehave: by count or by probability from a seed, set while it runs.

`POST /_faults {"no_reply": 1, "http_429": {"count": 2, "retry_after": 1, "match": "POST /threads"}}` arms faults,
`{"clear": true}` disarms all. A number is a count; `count` null lasts until cleared.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from localcloud.foundry.errors import bad_request
from localcloud.foundry.records import Json
from localcloud.foundry.stats import Stats

NAMES = {
    "no_reply": "drop a tool's reply",
    "late_reply": "hold a tool's reply back for `ms`",
    "duplicate_reply": "read a tool's reply twice",
    "duplicate_call": "send a tool's input message twice",
    "malformed_reply": "read a tool's reply as nonsense",
    "http_403": "refuse the caller's identity before doing anything",
    "http_429": "answer 429 before doing anything; with `retry_after` seconds, or without the header",
    "http_500": "answer 500 before doing anything",
    "http_500_after": "do it, then answer 500",
    "connection_reset": "drop the connection before doing anything",
    "connection_reset_after": "do it, then drop the connection",
    "stream_cut": "break an event stream off after `events`",
    "run_failed": "fail a run with `code` and `message`",
    "run_expired": "expire a run",
    "depth_error": "fail a run as if agents were nested too deep",
    "content_filter": "end a run as incomplete",
    "slow_child": "let a connected agent wait `ms` before it begins",
}


@dataclass
class Fault:
    count: int | None = None
    probability: float = 1.0
    match: str = ""  # of a request: its method and route begin so; of a tool or agent: its name
    options: Json = field(default_factory=dict)

    @classmethod
    def parse(cls, value: Any) -> Fault:
        if isinstance(value, bool):
            return cls(count=None if value else 0)
        if isinstance(value, int):
            return cls(count=value)
        if not isinstance(value, dict):
            raise bad_request("A fault is a count or an object.")
        known = {key: value[key] for key in ("count", "probability", "match") if key in value}
        return cls(**known, options={k: v for k, v in value.items() if k not in known})

    def as_json(self) -> Json:
        return {"count": self.count, "probability": self.probability, "match": self.match, **self.options}


@dataclass
class Faults:
    stats: Stats
    seed: int = 7
    armed: dict[str, Fault] = field(default_factory=dict)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def arm(self, body: Json) -> None:
        wanted = {name: value for name, value in body.items() if name not in ("clear", "seed")}
        if unknown := wanted.keys() - NAMES.keys():
            raise bad_request(f"Unknown faults: {', '.join(sorted(unknown))}. Known: {', '.join(NAMES)}.")
        if body.get("clear"):
            self.armed.clear()
        if "seed" in body:
            self._random = random.Random(body["seed"])
        self.armed.update({name: Fault.parse(value) for name, value in wanted.items()})

    def take(self, name: str, subject: str = "") -> Json | None:
        """The options of the fault if it strikes now, else None. A counted fault is used up by striking."""
        fault = self.armed.get(name)
        if fault is None or fault.count == 0 or not subject.startswith(fault.match):
            return None
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return None
        if fault.count is not None:
            fault.count -= 1
        self.stats.faults[name] += 1
        return fault.options

    def strikes(self, name: str, subject: str = "") -> bool:
        """`take` for a fault without options."""
        return self.take(name, subject) is not None

    def as_json(self) -> Json:
        return {name: fault.as_json() for name, fault in self.armed.items()}
