"""Questions under a storm of faults: is any lost, answered twice, late, or anything left over?

    python -m bench.chaos [--seed N] [--questions M] [--short] [--json] [--mutant NAME]

Storage on disk behind a fault proxy, both stand-ins, two instances of the app that are killed and come back. Eight
askers ask by HTTP with an Idempotency-Key; as each question is asked, one stroke of a seeded deck is played. Everything
is counted from outside. The last line is one JSON object; the exit code is 1 unless nothing was lost, doubled, late (of
which --short only tells) or left over. A mutant spoils the test, not the app: its counter must turn red.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bench.chaos import verdict as verdicts
from bench.chaos.asker import QUESTIONS, Asker
from bench.chaos.schedule import STEPS, strokes
from bench.chaos.verdict import Verdict
from bench.chaos.witness import orphans
from bench.chaos.world import World, world
from core import clients
from core.settings import Settings
from localcloud.storageproxy.faults import Fault
from orchestrator import services
from orchestrator.stores.run_tables import TableRunStore
from tools_worker.runtime.worker import utc_now

AT_ONCE = 8
MUTANTS = {"drop_reply": "swallow", "double_reply": "double", "lose_question": ""}
MUTATED = 3  # the question that the last mutant loses
DRAIN_SECONDS = 100  # a reply that the agent service failed to delete comes back to it after 60 s
SHORT, WHOLE = 40, 500


async def run(seed: int, questions: int, mutant: str, *, quiet: bool) -> tuple[Verdict, dict[str, int]]:
    async with world(seed) as cloud:
        asker = Asker(cloud.instances, seed, forget=MUTATED if mutant == "lose_question" else None)
        try:
            right = await in_calm(asker)
            if kind := MUTANTS.get(mutant):
                cloud.proxy.faults.arm(Fault(kind, STEPS["reply_sent"], name=f"mutant.{mutant}"))
            await in_storm(cloud, asker, seed, questions, quiet=quiet)
            faults = await struck(cloud)
            await cloud.calm()
            await all_up(cloud)
            await asker.read_again()
            await drained(cloud)
            await tidied(cloud)
            return await judged(cloud, asker, right), faults
        finally:
            await asker.close()


async def in_calm(asker: Asker) -> dict[str, frozenset[str]]:
    """The evidence of each question's answer when nothing is wrong."""
    right = {}
    for number, question in enumerate(QUESTIONS):
        end = (await asker.ask(-1 - number, question)).end
        right[question] = frozenset(str(item["id"]) for item in end.get("evidence") or ())
        if not right[question]:
            raise RuntimeError(f"No evidence in calm: {question!r}: {dict(end)}")
    asker.before = {run_id for each in asker.log for run_id in each.run_ids}
    asker.log.clear()
    return right


async def in_storm(cloud: World, asker: Asker, seed: int, questions: int, *, quiet: bool) -> None:
    numbers, deck = iter(range(questions)), strokes(seed)
    began = time.monotonic()

    async def work() -> None:
        for number in numbers:
            stroke = next(deck)
            await stroke.play(cloud)
            asked = await asker.ask(number, QUESTIONS[number % len(QUESTIONS)])
            if not quiet:
                took = f"{asked.ended - asked.began:.1f} s" if asked.ended else "no end"
                code = (asked.end.get("error") or {}).get("code", "")
                moment = time.monotonic() - began
                print(
                    f"{moment:6.1f} {number:4} {stroke.name:8} {took:>8} {asked.end.get('status')} {code}", flush=True
                )

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


async def all_up(cloud: World) -> None:
    await asyncio.gather(*(each.is_up() for each in cloud.instances))


async def drained(cloud: World) -> None:
    """Until every call has its reply and no agent run works, or it is clear that this will not come."""
    until = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < until:
        cloud.witness.read(cloud.journal)
        live = (await cloud.stats(cloud.foundry))["live"]
        if not cloud.witness.missing and not live["runs"]:
            break
        await asyncio.sleep(1)
    await asyncio.sleep(1)  # what would be answered twice is answered by now
    cloud.witness.read(cloud.journal)


async def tidied(cloud: World) -> None:
    """The app's own sweeper of threads and agents, as it will run in an hour."""
    settings = Settings.load(cloud.settings)
    sweeper = services.build(settings).sweeper
    async with clients.table_service(settings) as tables:
        later = replace(sweeper, store=TableRunStore(tables), now=lambda: utc_now() + timedelta(hours=1))
        while await later.orphans():
            pass
    await sweeper.service.close()


async def judged(cloud: World, asker: Asker, right: dict[str, frozenset[str]]) -> Verdict:
    threads, agents = await cloud.listed("threads"), await cloud.listed("assistants")
    runs: Counter[str] = Counter()
    for thread in threads:
        if (thread.get("metadata") or {}).get("run"):
            listed = await cloud.listed(f"threads/{thread['id']}/runs")
            runs.update(str((each.get("metadata") or {}).get("run")) for each in listed)
    live = (await cloud.stats(cloud.foundry))["live"]["runs"]
    known = {run_id for each in asker.log for run_id in each.run_ids} | asker.before
    return verdicts.judge(asker.log, right, cloud.witness, runs, orphans(known, threads, agents, live))


async def struck(cloud: World) -> dict[str, int]:
    """What was really done to the app, by those who did it."""
    agents, adf = (await cloud.stats(cloud.foundry))["faults"], (await cloud.stats(cloud.adf))["faults"]
    return {
        **{f"agents.{name}": count for name, count in agents.items()},
        **{f"adf.{name}": count for name, count in adf.items()},
        **cloud.proxy.faults.struck,
        "storage.restart": cloud.storage.restarts,
        "kills": sum(each.kills for each in cloud.instances),
        "crashes": sum(each.crashes for each in cloud.instances),
    }


def tell(verdict: Verdict) -> None:
    for name in ("lost", "doubled", "late", "orphans"):
        for line in getattr(verdict, name):
            print(f"{name}: {line}")


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--questions", type=int, default=None, help=f"default {WHOLE}, or {SHORT} with --short")
    parser.add_argument("--short", action="store_true", help="fewer questions, for CI")
    parser.add_argument("--json", action="store_true", help="only what went wrong, and the JSON line")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="", help="spoil the test; it must turn red")
    return parser.parse_args()


def main() -> None:
    arguments = read_arguments()
    questions = arguments.questions or (SHORT if arguments.short else WHOLE)
    verdict, faults = asyncio.run(run(arguments.seed, questions, arguments.mutant, quiet=arguments.json))
    tell(verdict)
    figures: dict[str, Any] = verdict.figures(arguments.seed, faults)
    print(json.dumps(figures))
    kept = replace(verdict, late=[]) if arguments.short else verdict  # a busy machine is late by itself
    sys.exit(0 if kept.clean else 1)


if __name__ == "__main__":
    main()
