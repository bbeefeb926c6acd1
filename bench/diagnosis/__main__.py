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
from bench.diagnosis.deep import DEEP, measure_deep
from bench.diagnosis.playing import Played, play_world

REPETITIONS, REPETITIONS_SHORT = 5, 2  # of the deep case


async def measure(worlds: Sequence[str], *, short: bool, quiet: bool) -> dict[str, Any]:
    found: list[Played] = []
    for world in worlds:
        if world != DEEP.world:
            found += tell(await play_world(world, truth.load(world)), quiet)
    measured = figures.summarised(found)
    if DEEP.world in worlds:
        deep = await measure_deep(REPETITIONS_SHORT if short else REPETITIONS)
        tell(deep.played, quiet)
        measured["deep"] = deep.figures
        measured["forbidden_conclusions"] += sum(len(each.grade.forbidden) for each in deep.played)
    return measured


def tell(played: Sequence[Played], quiet: bool) -> Sequence[Played]:
    for each in played:
        if not each.grade.right or not quiet:
            print(figures.line(each), flush=True)
    return played


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.diagnosis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [*truth.worlds(), DEEP.world]
    parser.add_argument("--world", action="append", choices=every, help="only this one; may be repeated")
    parser.add_argument("--short", action="store_true", help="fewer repetitions of the deep case")
    parser.add_argument("--json", action="store_true", help="only what went wrong and the last line")
    options = parser.parse_args()
    measured = asyncio.run(measure(options.world or every, short=options.short, quiet=options.json))
    print(json.dumps(measured))
    sys.exit(1 if measured["forbidden_conclusions"] else 0)


if __name__ == "__main__":
    main()
