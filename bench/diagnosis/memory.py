"""The memory of another process over what it held when it was idle, as Linux counts it. Elsewhere it is not known."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_RESET_PEAK = "5"  # what /proc/<pid>/clear_refs takes to begin the high-water mark anew (Linux 4.0)


class Memory:
    """From now on: the peak of resident memory (VmHWM), less what is resident now (VmRSS)."""

    def __init__(self, pid: int) -> None:
        self._process = Path("/proc") / str(pid)
        with suppress(OSError):
            (self._process / "clear_refs").write_text(_RESET_PEAK, encoding="ascii")
        self._idle_mb = self._read("VmRSS")

    def over_idle_mb(self) -> float | None:
        peak = self._read("VmHWM")
        return None if peak is None or self._idle_mb is None else peak - self._idle_mb

    def _read(self, name: str) -> float | None:
        try:
            status = (self._process / "status").read_text(encoding="ascii", errors="replace")
        except OSError:
            return None
        found = re.search(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
        return int(found[1]) / 1024 if found else None
