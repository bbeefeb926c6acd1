"""Keep the local cloud running until somebody stops it, and say what to try."""

from __future__ import annotations

import json
import shlex

from localcloud.launch.children import ChildFailed
from localcloud.launch.cloud import STARTING, CannotStart, Cloud, Options, check, running
from localcloud.launch.terminal import Terminal

QUESTION = "What failed in the last 24 hours, and why?"


async def dev(options: Options, out: Terminal) -> int:
    """Runs until cancelled. Returns 1 when it cannot start or when a part dies: nothing is restarted silently."""
    try:
        check(options)
    except CannotStart as exc:
        out.paragraphs(str(exc), "red")
        return 1
    out.line(STARTING, "dim")
    try:
        async with running(options, grace_seconds=10) as cloud:
            tell(cloud, options, out)
            death = await cloud.children.first_death()
            out.line()
            out.line(f"{death.name} has died; stopping the rest.", "red")
            raise death
    except (CannotStart, ChildFailed) as exc:
        out.paragraphs(str(exc))
        return 1
    finally:
        out.line("Everything is stopped.", "dim")


def tell(cloud: Cloud, options: Options, out: Terminal) -> None:
    out.line()
    out.line(f"The agent is at {cloud.url}. Ctrl-C stops everything.", "bold")
    out.line()
    for label, text in places(cloud, options):
        out.verbatim(f"  {label:<14} {text}")
    out.line()
    out.line("Try:", "bold")
    for command in suggestions(cloud):
        out.verbatim(f"  {command}")


def places(cloud: Cloud, options: Options) -> list[tuple[str, str]]:
    """Where everything is."""
    return [
        ("Function key", cloud.key),
        ("API", f"{cloud.url}/api/openapi.json"),
        ("Health", f"{cloud.url}/api/health"),
        ("Data Factory", cloud.adf),
        ("Agent service", cloud.foundry),
        ("Documentation", cloud.learn),
        ("Teams channel", cloud.teams),
        ("Storage", cloud.storage),
        ("Logs", f"{options.logs}/"),
    ]


def suggestions(cloud: Cloud) -> list[str]:
    """Commands to paste into a shell."""
    key = f"-H {shlex.quote(f'x-functions-key: {cloud.key}')}"
    question = shlex.quote(json.dumps({"question": QUESTION, "wait_seconds": 60}))
    return [
        f"curl -s {cloud.url}/api/health {key}",
        f"curl -s '{cloud.url}/api/health?deep=true' {key}",
        f"curl -s {cloud.url}/api/ask {key} -H 'content-type: application/json' -d {question}",
        f"curl -s '{cloud.url}/api/runs/RUN_ID/events?after=0' {key}",
    ]
