"""How true diagnoses are: `python -m bench.diagnosis [--world NAME …] [--short] [--show] [--json]`.

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


async def measure(options: argparse.Namespace, worlds: Sequence[str]) -> dict[str, Any]:
    found: list[Played] = []
    for world in worlds:
        if world != DEEP.world:
            found += tell(await play_world(world, truth.load(world)), options)
    measured = figures.summarised(found)
    if DEEP.world in worlds:
        deep = await measure_deep(REPETITIONS_SHORT if options.short else REPETITIONS)
        tell(deep.played, options)
        measured["deep"] = deep.figures
        measured["forbidden_conclusions"] += sum(len(each.grade.forbidden) for each in deep.played)
    return measured


def tell(played: Sequence[Played], options: argparse.Namespace) -> Sequence[Played]:
    for each in played:
        if not each.grade.right or not options.json:
            print(figures.line(each), flush=True)
        if not each.grade.right and options.show:
            print(f"   asked: {json.dumps(each.asked)}\n   reply: {each.reply}", flush=True)
    return played


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.diagnosis", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [*truth.worlds(), DEEP.world]
    parser.add_argument("--world", action="append", choices=every, help="only this one; may be repeated")
    parser.add_argument("--short", action="store_true", help="fewer repetitions of the deep case")
    parser.add_argument("--json", action="store_true", help="only what went wrong and the last line")
    parser.add_argument("--show", action="store_true", help="the question and the reply of each case that went wrong")
    options = parser.parse_args()
    measured = asyncio.run(measure(options, options.world or every))
    print(json.dumps(measured))
    sys.exit(1 if measured["forbidden_conclusions"] else 0)


if __name__ == "__main__":
    main()
