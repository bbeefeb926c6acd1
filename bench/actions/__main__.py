"""Actions: is anything decided twice, done twice, done unasked, or changed unseen?

    python -m bench.actions [--short] [--only PART] [--seed N] [--json]

decisions: a thousand decisions on a hundred approvals, offered to four processes at once. kills: the app is killed
(SIGKILL) at the boundaries of its requests to storage and Data Factory, from the question to the verified end, and
another process goes on. healing: failures that may be repeated, that must not, and that need something else first, told
to the whole app by alerts. trail: a chain of ten thousand entries of the audit trail, and edits of it. Everything is
counted from outside: answers at the callers, requests at a proxy, runs at the Data Factory stand-in. The last line is
one JSON object; the exit code is 1 where anything was lost, done twice, done unasked, left undone or missed. Times are
printed, never judged.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from bench.actions import decisions, healing, kills, trail, verdict
from bench.actions.kills import DEEDS, Tried
from bench.actions.verdict import Case, Decided

LANES, LANES_SHORT = 2, 1
APPROVALS, APPROVALS_SHORT = 100, 10
READS, READS_SHORT = 4, 60  # of the boundaries at reads each so-manieth: between two reads nothing has changed
WRITES, WRITES_SHORT = 1, 60
DEEDS_SHORT = ("rerun from failure", "cancel")
LIVE, LIVE_SHORT = 11, 2
ENTRIES = 10_000
SAMPLE, SAMPLE_SHORT = 12, 2
WHOLE_BYTES, WHOLE_BYTES_SHORT = 40, 5
Found = tuple[dict[str, Any], list[str]]  # figures, and what went wrong
T = TypeVar("T")


async def decide(seed: int, *, short: bool) -> Found:
    found = await decisions.run(APPROVALS_SHORT if short else APPROVALS, seed)
    return decision_figures(found)


def decision_figures(found: Sequence[Decided]) -> Found:
    lost, undecided = sentences(verdict.lost, found), sentences(verdict.undecided, found)
    answers = [answer for each in found for answer in each.answers]
    figures = {
        "decisions": len(answers),
        "approvals": len(found),
        "decided_once": sum(not verdict.undecided(each) for each in found),
        "lost": len(lost),
        "taken": sum(answer.taken for answer in answers),
        "approvals_by_end": dict(sorted(Counter(each.state for each in found).items())),
    }
    return figures, [*(f"lost: {each}" for each in lost), *(f"not decided once: {each}" for each in undecided)]


async def kill(*, short: bool) -> Found:
    deeds = [deed for deed in DEEDS if not short or deed.name in DEEDS_SHORT]
    return kill_figures(
        await kills.run(deeds, *((LANES_SHORT, READS_SHORT, WRITES_SHORT) if short else (LANES, READS, WRITES)))
    )


def kill_figures(tried: Sequence[Tried]) -> Found:
    wrong = [(each, text) for each in tried for text in verdict.disagreements(each.ending)]
    killed = [each for each in tried if each.point.kills]
    figures = {
        "kill_points": len(killed),
        "kill_failures": len({id(each) for each, _ in wrong if each.point.kills}),
        "lost_answer_points": len(tried) - len(killed),
        "lost_answer_failures": len({id(each) for each, _ in wrong if not each.point.kills}),
        "kill_ends": dict(sorted(Counter(each.ending.state for each in tried).items())),
        "schedules_left_off": sum(verdict.left_off(each.ending) for each in tried),
    }
    return figures, [f"{each.point.deed.name}, {each.point.fault} at {each.ending.at}: {text}" for each, text in wrong]


async def heal(*, short: bool) -> Found:
    return healing_figures(await healing.run(LIVE_SHORT if short else LIVE, waits=not short))


def healing_figures(found: Sequence[Case]) -> Found:
    rerun, untried = sentences(verdict.unsafe_reruns, found), sentences(verdict.untried, found)
    unrepaired = sentences(verdict.unrepaired, found)
    seconds = [each.seconds for each in found if each.live and each.seconds is not None]
    figures = {
        "repairable": sum(each.truth in ("repaired", "later") for each in found),
        "unrepaired": len(unrepaired),
        "repair_max_s": round(max(seconds), 1) if seconds else None,
        "repairs_timed": len(seconds),
        "unsafe": sum(each.truth == "unsafe" for each in found),
        "permanent": sum(each.truth == "permanent" for each in found),
        "in_production": sum(each.truth == "asked" for each in found),
        "unsafe_reruns": len(rerun),
        "unsafe_untried": len(untried),
    }
    told = [("run again", rerun), ("not tried", untried), ("not repaired", unrepaired)]
    return figures, [f"{name}: {text}" for name, texts in told for text in texts]


async def edit(seed: int, *, short: bool) -> Found:
    sizes = (SAMPLE_SHORT, WHOLE_BYTES_SHORT) if short else (SAMPLE, WHOLE_BYTES)
    found = await asyncio.to_thread(trail.run, ENTRIES, *sizes, seed)
    figures = {
        "audit_entries": found.entries,
        "audit_verify_s": round(found.command_seconds, 2),
        "audit_verify_in_process_s": round(found.seconds, 2),
        "audit_edits_tried": found.tried,
        "audit_edits_missed": len(found.missed),
    }
    return figures, [f"missed: {each}" for each in found.missed]


def sentences(rule: Callable[[T], list[str]], found: Iterable[T]) -> list[str]:
    return [text for each in found for text in rule(each)]


async def measure(parts: Sequence[str], seed: int, *, short: bool) -> Found:
    """One after the other, each with the machine to itself. Where it has to be short the first three at once: of these
    no time is of interest but that of repairs."""
    work = {
        "decisions": lambda: decide(seed, short=short),
        "kills": lambda: kill(short=short),
        "healing": lambda: heal(short=short),
        "trail": lambda: edit(seed, short=short),
    }
    figures: dict[str, Any] = {}
    wrong: list[str] = []

    async def one(name: str) -> None:
        began = time.perf_counter()
        found, texts = await work[name]()
        figures.update({**found, f"{name}_took_s": round(time.perf_counter() - began, 1)})
        wrong.extend(texts)

    together = [name for name in parts if short and name != "trail"]
    await asyncio.gather(*(one(name) for name in together))
    for name in parts:
        if name not in together:
            await one(name)
    return figures, wrong


PARTS = ("decisions", "kills", "healing", "trail")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="less of each, for CI")
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--seed", type=int, default=1, help="other decisions, other bytes")
    parser.add_argument("--json", action="store_true", help="only what went wrong, and the JSON line")
    given = parser.parse_args()
    parts = (given.only,) if given.only else PARTS
    figures, wrong = asyncio.run(measure(parts, given.seed, short=given.short))
    for text in wrong:
        print(text)
    if not given.json:
        for name, value in figures.items():
            print(f"{name:28} {value}")
    print(json.dumps(figures))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
