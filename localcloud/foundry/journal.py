"""A log of queue messages: one JSON line per message, with its id, run and CorrelationId."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TextIO


class Journal:
    def __init__(self, path: Path | None = None) -> None:
        self._file: TextIO | None = path.open("a", encoding="utf-8", buffering=1) if path else None

    def write(self, event: str, **fields: object) -> None:
        if self._file:
            self._file.write(json.dumps({"at": round(time.time(), 3), "event": event, **fields}) + "\n")

    def close(self) -> None:
        if self._file:
            self._file.close()
            self._file = None
