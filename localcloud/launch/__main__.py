"""`python -m localcloud.launch ask|dev`: what `make ask` and `make dev` run."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from localcloud.launch import interruption
from localcloud.launch.ask import Screen, ask
from localcloud.launch.cloud import ROOT, UNWATCHED, Options
from localcloud.launch.dev import QUESTION, dev
from localcloud.launch.terminal import Terminal


def parser() -> argparse.ArgumentParser:
    # make hands over the question and the folder by environment: they may hold any character.
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--root", type=Path, default=ROOT, help="the checkout to run")
    shared.add_argument(
        "--factory", default=os.environ.get("ASK_FACTORY", ""), help="a folder exported by ADF's Git integration"
    )
    shared.add_argument("--host", choices=["light", "func"], default="light", help="func: the real Functions host")
    shared.add_argument("--port", type=int, default=0, help="the app's port (0: a free one)")
    commands = argparse.ArgumentParser(prog="python -m localcloud.launch", description=__doc__)
    verbs = commands.add_subparsers(dest="verb", required=True)
    asking = verbs.add_parser("ask", parents=[shared], help="ask one question, then stop everything")
    asking.add_argument("question", nargs="?", default=os.environ.get("ASK_QUESTION", QUESTION))
    verbs.add_parser("dev", parents=[shared], help="keep it running until Ctrl-C")
    return commands


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    options = Options(
        root=given.root.resolve(),
        logs=Path(".localcloud/logs") / given.verb,
        port=given.port,
        factory=Path(given.factory) if given.factory else None,
        host=given.host,
        teams=given.verb == "dev",
        storage_made=given.verb == "dev",
        settings={} if given.verb == "dev" else UNWATCHED,
    )
    err = Terminal.on(sys.stderr)
    if given.verb == "dev":
        return interruption.run(dev(options, err))
    return interruption.run(ask(given.question, options, Screen(err, Terminal.on(sys.stdout))))


if __name__ == "__main__":
    sys.exit(main())
