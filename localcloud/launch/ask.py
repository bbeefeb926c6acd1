"""Ask one question of a freshly started local cloud: live progress on stderr, the answer on stdout, then all stops."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from localcloud.launch import telemetry
from localcloud.launch.api import Api, Json, Refused
from localcloud.launch.children import ChildFailed
from localcloud.launch.cloud import PLANNER, STARTING, CannotStart, Cloud, Options, check, running
from localcloud.launch.terminal import Terminal

ANSWERED, NO_ANSWER, BAD_QUESTION = 0, 1, 2
MOST_EVIDENCE = 12  # the run itself has all
T = TypeVar("T")


@dataclass(frozen=True)
class Screen:
    """Progress goes to one stream and the answer to another, so that the answer can be piped."""

    progress: Terminal
    answer: Terminal


async def ask(question: str, options: Options, screen: Screen) -> int:
    """The exit code: 0 only when there is an answer."""
    if not question.strip():
        screen.progress.line('The question is empty. Try: make ask Q="Why did LoadSales fail?"', "red")
        return BAD_QUESTION
    started = time.monotonic()
    try:
        check(options)
        screen.progress.line(STARTING, "dim")
        async with running(options, grace_seconds=3) as cloud:
            screen.progress.line(f"Ready after {time.monotonic() - started:.1f} s.", "dim")
            run = await unless_a_part_dies(cloud, converse(cloud, question, screen.progress))
    except (CannotStart, ChildFailed, Refused) as exc:
        screen.progress.paragraphs(str(exc))
        return NO_ANSWER
    show(run, screen, time.monotonic() - started)
    for line in telemetry.lines(options.root / options.logs / "app.log"):
        screen.progress.line(line, "dim")
    return ANSWERED if run["status"] == "done" and run.get("answer") else NO_ANSWER


async def unless_a_part_dies(cloud: Cloud, work: Awaitable[T]) -> T:
    """The result of `work`; ChildFailed as soon as a process it needs has died."""
    working = asyncio.ensure_future(work)
    dying = asyncio.create_task(cloud.children.first_death())
    try:
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise dying.result()
    finally:
        working.cancel()
        dying.cancel()


async def converse(cloud: Cloud, question: str, out: Terminal, now: Callable[[], float] = time.monotonic) -> Json:
    """Ask, tell every event, return the run as it ended."""
    asked = now()
    async with Api(cloud.url, cloud.key) as api:
        out.line()
        out.line(question, "bold")
        run_id = (await api.ask(question))["run_id"]
        async for event in api.events(run_id):
            out.line(described(event, now() - asked), "red" if event.get("state") == "failed" else "dim")
        return await api.run(run_id)


def described(event: Json, elapsed_seconds: float) -> str:
    """`  0.8 s  run-investigator  adf_failures     3 of 41 runs failed … (0.1 s)`"""
    who = f"{event.get('agent') or '':<18}  {event.get('tool') or event.get('state') or '':<18}"
    took = f" ({event['seconds']:.1f} s)" if event.get("seconds") is not None else ""
    return f"{elapsed_seconds:6.1f} s  {who}  {event.get('text') or ''}{took}"


def show(run: Json, screen: Screen, total_seconds: float) -> None:
    screen.progress.line()
    if run.get("answer"):
        screen.answer.paragraphs(run["answer"])
    else:
        screen.progress.paragraphs(failure(run), "red")
    screen.progress.line()
    for label, text in facts(run, total_seconds):
        screen.progress.line(f"{label:<12} {text}", "dim")


def failure(run: Json) -> str:
    error = run.get("error") or {}
    return f"No answer: the run ended {run.get('status')}. {error.get('message', '')} {error.get('hint', '')}".rstrip()


def facts(run: Json, total_seconds: float) -> list[tuple[str, str]]:
    """What the answer rests on and what it took, one labelled line each."""
    usage: Any = run.get("usage") or {}
    tokens = f"{usage.get('input_tokens', 0):,} in, {usage.get('output_tokens', 0):,} out"
    seconds = f"{run.get('seconds') or 0:.1f} s for the answer, {total_seconds:.1f} s with starting and stopping"
    rests_on = [("" if i else "Rests on", text) for i, text in enumerate(evidence(run))] if run.get("answer") else []
    took = [("Tokens", tokens), ("Time", seconds), ("Answered by", thinker(run)), ("Run", run["run_id"])]
    doubts = [("Do not trust", f"{item}: no tool returned it") for item in run.get("unsupported") or []]
    return [*rests_on, *doubts, *took]


def thinker(run: Json) -> str:
    name = str(run.get("answered_by") or "unknown")
    if name != PLANNER:
        return name
    return f"{name}: rules, no model (LOCAL_MODEL_URL, LOCAL_MODEL_NAME and LOCAL_MODEL_KEY give it one)"


def evidence(run: Json) -> list[str]:
    items = run.get("evidence") or []
    texts = list(dict.fromkeys(cited(item) for item in items)) or ["no run: nothing was cited"]
    more = [f"and {len(texts) - MOST_EVIDENCE} more"] if len(texts) > MOST_EVIDENCE else []
    return texts[:MOST_EVIDENCE] + more


def cited(item: Json) -> str:
    where = f" in {item['factory']}" if item.get("factory") else ""
    return f"{item['kind'].replace('_', ' ')} {item['id']}{where}"
