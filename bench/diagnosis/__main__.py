"""How true diagnoses are: `python -m bench.diagnosis [--world NAME …] [--short] [--json]`.

Every case of `bench/truth/*.json`, written by hand from the story of a world, is played through the own path of the
product: a call on the tool's storage queue, the Functions host, the tool, the reply queue. The structured fields of the
reply are graded by code. The last line is one JSON object; the exit code is 1 if anything was said that must not be.

Levels: 1 plain; 2 nested, iterated, retried; 3 misleading: masked, two causes, empty or cut texts, secrets or
instructions in them; 4 healthy, resolved, running, queued, cancelled, or not enough evidence.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from bench.diagnosis import figures, truth
from bench.diagnosis.playing import Played, play_world


async def measure(worlds: Sequence[str], *, quiet: bool) -> list[Played]:
    found: list[Played] = []
    for world in worlds:
        played = await play_world(world, truth.load(world))
        for each in played:
            if not each.grade.right or not quiet:
                print(figures.line(each), flush=True)
        found += played
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.diagnosis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--world", action="append", choices=truth.worlds(), help="only this one; may be repeated")
    parser.add_argument("--short", action="store_true", help="fewer repetitions, for CI")
    parser.add_argument("--json", action="store_true", help="only what went wrong and the last line")
    options = parser.parse_args()
    worlds = options.world or truth.worlds()
    played = asyncio.run(measure(worlds, quiet=options.json))
    summary: dict[str, Any] = figures.summarised(played)
    print(json.dumps(summary))
    sys.exit(1 if summary["forbidden_conclusions"] else 0)


if __name__ == "__main__":
    main()
