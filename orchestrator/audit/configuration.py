"""Which policy is in force: each process notes it in front of the first thing that it records, and when it changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from orchestrator.audit.record import Actor, Entry
from orchestrator.policy.reading import BadPolicy, PolicyFile, parse

GONE = "gone"


class PolicyNote:
    """Told once for each change of the file's bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None  # how the file looked from outside when it was read
        self._digest = ""

    @classmethod
    def of(cls, env: Mapping[str, str]) -> PolicyNote:
        return cls(PolicyFile.of(env).path)

    def __call__(self, now: datetime) -> list[Entry]:
        before = self._digest
        data = self._changed()
        if self._digest == before:
            return []
        arguments = {"sha256": self._digest, "before": before}
        what, actor = f"The policy {self._path.name} was read", Actor("app")
        return [Entry(now, "configuration", actor, what, self._path.name, arguments=arguments, outcome=_outcome(data))]

    def _changed(self) -> bytes | None:
        """What the file holds now, where it looks otherwise than before; None where it is as it was, or gone."""
        try:
            stat = os.stat(self._path)
            looks = (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
            if looks == self._seen:
                return None
            data = self._path.read_bytes()
        except OSError:
            self._seen, self._digest = None, GONE
            return None
        self._seen, self._digest = looks, hashlib.sha256(data).hexdigest()
        return data


def _outcome(data: bytes | None) -> str:
    if data is None:
        return "It cannot be read: no factory is changed until it can."
    try:
        parse(data.decode())
    except (BadPolicy, UnicodeDecodeError) as exc:
        return f"It is not sound, and no factory is changed until it is: {exc}"
    return "It is in force."
