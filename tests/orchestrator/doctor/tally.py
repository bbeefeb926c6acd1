"""How many checks there are, how many things were broken to try them, and which of these the doctor missed.

python -m tests.orchestrator.doctor.tally
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.doctor.rota import CHECKS
from tests.orchestrator.doctor.breakages import BREAKAGES
from tests.orchestrator.doctor.world import opened


@dataclass(frozen=True)
class Tally:
    """`false_alarms`: checks that find something while nothing is broken."""

    checks: int
    tried: int
    missed: tuple[str, ...]
    false_alarms: tuple[str, ...]


async def tally() -> Tally:
    """Breaks each thing in a world of its own; some twenty seconds."""
    with TemporaryDirectory() as folder:
        async with opened(Path(folder)) as world:
            alarms = [each.check for each in await world.examined() if each.result in ("failed", "warning")]
            missed = [each.name for each in BREAKAGES if not each.is_told(await each.found(world))]
    return Tally(len(CHECKS), len(BREAKAGES), tuple(missed), tuple(alarms))


if __name__ == "__main__":
    sys.stdout.write(f"{json.dumps(asdict(asyncio.run(tally())))}\n")
