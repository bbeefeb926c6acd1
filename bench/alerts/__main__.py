"""A storm of alerts: is any lost, is each cause one incident and one card, and how soon are people told?

    python -m bench.alerts [--short] [--seed N] [--json]

Twenty causes have broken pipelines of two factories in the last half hour. A thousand different alerts about them (by
pipeline and window, without run ids, shuffled, some repeated, some over before they began) are offered over HTTP, 32 at
a time. Then ten single failures, each with one alert. Everything is counted from outside: answers at the client, cards
at a server that the app takes for Teams, incidents by the API, alerts in the table, Data Factory's own count of
requests. Processes are laid out as Flex Consumption does it, HTTP functions in one, all others in another; the whole
run also tries all in one process, and two such processes. No model, and no timer that looks by itself. The last line is
one JSON object; the exit code is 1 where anything was lost, folded wrongly or told twice. Times are printed, never
judged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import Any

import httpx

from bench.alerts import verdict as verdicts
from bench.alerts.cloud import Cloud, Layout, cloud
from bench.alerts.estate import Cause, burst_causes, quiet_causes
from bench.alerts.signals import FailedRun, Signal, ending, ends_before_beginnings, single, storm
from bench.alerts.verdict import Offer, Verdict, percentile

IN_FLIGHT = 32
WARM = 64
WHOLE, SHORT = 1000, 200
QUIET_WHOLE, QUIET_SHORT = 10, 2
OTHERS: tuple[Layout, ...] = ("together", "twice")
SETTLE_SECONDS = 90
AFTERWARDS_SECONDS = 2.0  # what would be told twice is told by now


async def run(alerts: int, quiet: int, layout: Layout, seed: int) -> tuple[Verdict, dict[str, Any]]:
    async with cloud(layout) as made:
        causes = burst_causes()
        runs = await made.failed_runs(causes)
        check(causes, runs)
        await warm(made, runs[0])
        asked = await made.adf_queries()
        offered = storm(runs, alerts, seed, datetime.now(UTC))
        used, began = made.cpu_seconds(), time.perf_counter()
        offers = await offer(made, offered)
        seconds = time.perf_counter() - began
        await settled(made, {each.signal.key for each in offers}, len(causes))
        spent = {name: round((now - used[name]) * 1000 / len(offers), 1) for name, now in made.cpu_seconds().items()}
        queries = await made.adf_queries() - asked
        found = verdicts.judge(causes, runs, offers, await made.rows(), await made.stories(), made.channel.cards)
        alone = await in_quiet(made, quiet_causes()[:quiet])
        return found, {
            **found.figures(),
            "adf_queries_per_cause_max": max([ceil(queries / len(causes)), *(each[1] for each in alone)]),
            "adf_queries_in_burst": queries,
            "adf_queries_single_max": max((each[1] for each in alone), default=0),
            "single_to_card_p50_s": round(percentile([each[0] for each in alone], 50), 2),
            "offers": len(offers),
            "ends_before_beginnings": ends_before_beginnings(offered),
            "offered_in_s": round(seconds, 1),
            "cpu_ms_per_alert": spent,
            "layout": layout,
        }


def check(causes: Sequence[Cause], runs: Sequence[FailedRun]) -> None:
    """The truth is about what really happened."""
    for cause in causes:
        there = [each for each in runs if each.cause == cause.id]
        if len(there) != cause.runs:
            raise RuntimeError(f"{cause.id} should have {cause.runs} failed runs, Data Factory shows {len(there)}.")


async def warm(made: Cloud, failed: FailedRun) -> None:
    """What a process imports and connects to at its first alert and first diagnosis, it has done before the storm."""
    elsewhere = [replace(failed, factory="adf-elsewhere", pipeline=f"Other{number}") for number in range(WARM)]
    strange = [ending(each, datetime.now(UTC)) for each in elsewhere]  # of what never began: no incident
    await offer(made, strange)
    await made.diagnose(failed.run_id)


async def offer(made: Cloud, signals: Sequence[Signal]) -> list[Offer]:
    """In this order, so many at a time, to the instances in turn."""
    numbers = iter(range(len(signals)))
    offers: list[Offer] = []
    headers = {"x-functions-key": made.key, "content-type": "application/json"}
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(headers=headers, timeout=30, trust_env=False, limits=limits) as http:

        async def sender() -> None:
            for number in numbers:
                url = f"{made.urls[number % len(made.urls)]}/api/alerts/azure-monitor"
                began = time.perf_counter()
                try:
                    status = (await http.post(url, content=signals[number].body)).status_code
                except httpx.TransportError:
                    status = 0
                offers.append(Offer(signals[number], status, began, time.perf_counter()))

        await asyncio.gather(*(sender() for _ in range(IN_FLIGHT)))
    return offers


async def settled(made: Cloud, keys: set[tuple[str, bool]], cards: int) -> None:
    """Until every alert has its incident and every cause its card, or it is clear that this will not come."""
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        if len(made.channel.cards) >= cards:
            homes = {(row.instance, row.fired): row.incident for row in await made.rows()}
            if all(homes.get(key) for key in keys):
                break
        await asyncio.sleep(0.5)
    await asyncio.sleep(AFTERWARDS_SECONDS)


async def in_quiet(made: Cloud, causes: Sequence[Cause]) -> list[tuple[float, int]]:
    """One failure and one alert at a time: seconds from its acceptance to its card, and queries of Data Factory."""
    found = []
    for cause in causes:
        failed = await made.fail(cause)
        asked, known = await made.adf_queries(), len(made.channel.cards)
        (told,) = await offer(made, [single(failed, datetime.now(UTC))])
        try:
            async with asyncio.timeout(30):
                while not any(failed.run_id in card.runs for card in made.channel.cards[known:]):
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise RuntimeError(f"No card of {cause.id}; its alert was answered {told.status}.") from None
        card = next(card for card in made.channel.cards[known:] if failed.run_id in card.runs)
        await asyncio.sleep(1)
        found.append((card.at - told.ended, await made.adf_queries() - asked))
    return found


async def measure(short: bool, seed: int) -> tuple[bool, dict[str, Any], list[str]]:
    sizes = (SHORT, QUIET_SHORT) if short else (WHOLE, QUIET_WHOLE)
    found, figures = await run(*sizes, "apart", seed)
    clean, sentences = found.clean, complaints(found)
    for layout in () if short else OTHERS:
        other, figures[layout] = await run(*sizes, layout, seed)
        clean, sentences = clean and other.clean, sentences + complaints(other)
    return clean, figures, sentences


def complaints(found: Verdict) -> list[str]:
    names = ("lost", "misfolded", "misplaced", "doubled")
    return [f"{name}: {text}" for name in names for text in getattr(found, name)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer alerts and one layout, for CI")
    parser.add_argument("--seed", type=int, default=1, help="another order")
    parser.add_argument("--json", action="store_true", help="only what went wrong, and the JSON line")
    arguments = parser.parse_args()
    clean, figures, sentences = asyncio.run(measure(arguments.short, arguments.seed))
    for sentence in sentences:
        print(sentence)
    if not arguments.json:
        for name, value in figures.items():
            print(f"{name:28} {value}")
    print(json.dumps(figures))
    sys.exit(0 if clean else 1)


if __name__ == "__main__":
    main()
