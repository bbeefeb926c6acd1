"""How often this process may ask Azure, and how long an answer may be used again.

Data Factory allows 1,000 monitoring queries a minute for a factory, Resource Manager 12,500 reads an hour for a
subscription. Every other tool and the portal share these, so a part is left to them.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.pace import Pace

MONITORING_PER_MINUTE = 800
READS_PER_HOUR = 10_000
_MONITORING = ("/querypipelineruns", "/queryactivityruns", "/querytriggerruns", "/pipelineruns/")
_NOW = (*_MONITORING, "/getstatus", "/monitoringdata", "/geteventsubscriptionstatus")


@dataclass(frozen=True)
class Freshness:
    """Seconds for which an answer may be used again; 0 for not at all. Runs and states change; definitions and the
    Activity Log do so rarely."""

    runs: float = 0.0
    definitions: float = 0.0

    def of(self, path: str) -> float:
        return self.runs if any(part in path.lower() for part in _NOW) else self.definitions


class Pacing:
    """Of one subscription. Raises UpstreamThrottled when a turn is too far away."""

    def __init__(self) -> None:
        self._reads = Pace("Azure Resource Manager", READS_PER_HOUR, 3600)
        self._monitoring: dict[str, Pace] = {}

    async def turn(self, path: str) -> None:
        factory = _monitored(path)
        if not factory:
            await self._reads.turn()
        else:
            if factory not in self._monitoring:
                self._monitoring[factory] = Pace(f"monitoring of {factory!r}", MONITORING_PER_MINUTE, 60)
            await self._monitoring[factory].turn()


def _monitored(path: str) -> str:
    """The factory whose runs are asked for; empty for other questions."""
    lower = path.lower()
    if "/factories/" not in lower or not any(part in lower for part in _MONITORING):
        return ""
    return lower.split("/factories/", 1)[1].split("/", 1)[0]
