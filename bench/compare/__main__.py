"""This app beside the common pattern and beside the least that a question can cost.

    python -m bench.compare [--short | --gated] [--json]

The same questions over the same stand-ins, one system after another, each with stand-ins of its own. A cell is a time
that a turn of the model takes, a time that Data Factory takes for each request, and how many questions are under way at
once. An answer is right when it names the runs that Data Factory names. The last line is one JSON object: ours over
theirs, in the gated cell (1 s, 50 ms, 8 at once); more is better for throughput alone.

The world is the default one, grown to hundreds of pipelines (`bench/compare/estate.py`).

`own_s` is a question's time outside the model and Data Factory, in the mean: the mean time, less the seconds per
question that the agent service's own clock has for turns (which follow each other), less the requests to Data Factory
per question, each with what it adds to the wait when the same system is asked one question at a time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.compare import round_trip
from bench.compare.arithmetic import Measured, ratios, throughput
from bench.compare.burst import Burst, burst
from bench.compare.cells import cell
from bench.compare.questions import QUESTIONS
from bench.compare.systems import SYSTEMS, WIDE, Stand, standing
from bench.tool_queue import COLD

GATED, GATED_AT_ONCE = (1000, 50), 8  # milliseconds for a turn and for a request to Data Factory
TURNS_MS, ADF_MS = (0, 1000), (0, 50)
COUNTS = {1: 6, GATED_AT_ONCE: 24, 32: 64}  # questions by how many are at once
GATED_COUNTS = {1: 6, GATED_AT_ONCE: 64, 32: 128}
SHORT_COUNT, SHORT_ALONE = 8, 3
BURST, SHORT_BURST = 200, 40
UNCACHED = "ours, no ADF cache"


@dataclass
class Findings:
    """Rows in the order in which they were measured: (turn, ADF, at once, system)."""

    rows: list[tuple[int, int, int, str, Measured]] = field(default_factory=list)
    said: bool = True

    def add(self, turn: int, adf: int, at_once: int, system: str, measured: Measured) -> None:
        if self.said:
            told = {"turn_ms": turn, "adf_ms": adf, "at_once": at_once, **measured.row()}
            if not self.rows:
                print(f"{'':<19}" + "".join(f"{name:>{len(name) + 2}}" for name in told))
            print(f"{system:<19}" + "".join(f"{value:>{len(name) + 2}}" for name, value in told.items()), flush=True)
        self.rows.append((turn, adf, at_once, system, measured))

    def at(self, turn: int, adf: int, at_once: int) -> dict[str, Measured]:
        return {row[3]: row[4] for row in self.rows if row[:3] == (turn, adf, at_once)}

    @property
    def wrong(self) -> int:
        return sum(measured.wrong for *_, measured in self.rows)


async def warmed_up(stand: Stand) -> None:
    await asyncio.gather(*(stand.ask(question.text) for question in QUESTIONS))


async def cells(
    findings: Findings, name: str, stand: Stand, latencies: tuple[int, int], counts: Mapping[int, int]
) -> None:
    alone: Measured | None = None
    for at_once, count in counts.items():
        measured = await cell(stand, at_once, count, alone)
        alone = measured if at_once == 1 else alone
        findings.add(*latencies, at_once, name, measured)


async def whole(findings: Findings) -> Burst:
    for latencies in ((turn, adf) for turn in TURNS_MS for adf in ADF_MS):
        counts = GATED_COUNTS if latencies == GATED else COUNTS
        for system in (*SYSTEMS, WIDE) if latencies == GATED else SYSTEMS:
            async with standing(system, *latencies) as stand:
                await warmed_up(stand)
                await cells(findings, system, stand, latencies, counts)
    async with standing("ours", *GATED, COLD) as stand:
        await warmed_up(stand)
        await cells(findings, UNCACHED, stand, GATED, {1: COUNTS[1], GATED_AT_ONCE: COUNTS[GATED_AT_ONCE]})
    async with standing("ours", *GATED) as stand:
        return await burst(stand, BURST)


async def gated(findings: Findings) -> Burst:
    """The gated cell with its neighbours, which are all that the ratios need."""
    for system in SYSTEMS:
        async with standing(system, *GATED) as stand:
            await warmed_up(stand)
            await cells(findings, system, stand, GATED, GATED_COUNTS)
    async with standing("ours", *GATED) as stand:
        return await burst(stand, BURST)


async def short(findings: Findings) -> Burst:
    """The gated cell and a smaller burst. What need not be quiet, the systems do together."""
    async with AsyncExitStack() as stack:
        entering = (stack.enter_async_context(standing(system, *GATED)) for system in SYSTEMS)
        stands = dict(zip(SYSTEMS, await asyncio.gather(*entering), strict=True))
        # One question of each kind, which is warm-up enough: the others call the same tools.
        alone = await asyncio.gather(*(cell(stand, 1, SHORT_ALONE) for stand in stands.values()))
        for (system, stand), before in zip(stands.items(), alone, strict=True):
            measured = await cell(stand, GATED_AT_ONCE, SHORT_COUNT, before)
            findings.add(*GATED, GATED_AT_ONCE, system, measured)
        return await burst(stands["ours"], SHORT_BURST)


Size = Literal["short", "gated", "whole"]
SIZES: Mapping[Size, Callable[[Findings], Awaitable[Burst]]] = {"short": short, "gated": gated, "whole": whole}


async def measure(size: Size, said: bool) -> tuple[Findings, dict[str, Any]]:
    findings = Findings(said=said)
    began = time.perf_counter()
    many = await SIZES[size](findings)
    trip = await round_trip.measure(10 if size == "short" else 100)
    figures: dict[str, Any] = ratios(findings.at(*GATED, GATED_AT_ONCE))
    figures["ratio_throughput_32"] = throughput(findings.at(*GATED, 32))
    figures["round_trip_to_raw"] = trip.pop("round_trip_to_raw")
    figures["burst"] = many.row()
    figures["wrong"] = findings.wrong
    if said:
        print(f"{trip}, {os.cpu_count()} cores, {time.perf_counter() - began:.0f} s")
    return findings, figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="the gated cell with fewer questions, a burst of 40")
    parser.add_argument("--json", action="store_true", help="only the JSON line")
    parser.add_argument("--gated", action="store_true", help="all that the ratios need, and no other cell")
    arguments = parser.parse_args()
    size: Size = "short" if arguments.short else "gated" if arguments.gated else "whole"
    findings, figures = asyncio.run(measure(size, not arguments.json))
    print(json.dumps(figures))
    sys.exit(1 if findings.wrong or figures["burst"]["lost"] else 0)  # how long it takes is only told


if __name__ == "__main__":
    main()
