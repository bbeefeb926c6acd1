"""Releases of the app, one environment at a time. docs/deploy.md, "From your repository", tells how they are used.

    python3 -m infra.release version PACKAGE
    python3 -m infra.release preview                 # what `azd provision` would change
    python3 -m infra.release provision
    python3 -m infra.release deploy PACKAGE          # into both apps, tried; else the last good one is back
    python3 -m infra.release rollback [--to VERSION]
    python3 -m infra.release list
    python3 -m infra.release smoke --url URL [--version VERSION]   # the key of the app in APP_KEY

All but `version` and `smoke` need AZURE_ENV_NAME and somebody who is signed in with az. The exit code is 1 where it
fails, and the last line says why.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from infra.release import packages, resources, shelf, smoke, target
from infra.release.failure import Failed
from infra.release.rollout import Rollout
from infra.release.smoke import App, Patience

LAST = "last"  # the last good one that is not the one that runs


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(text: str) -> None:
    say(harmless(text))


def harmless(text: str) -> str:
    """What an app answers may hold anybody's words. To Azure DevOps `##vso[…]` is a command wherever it stands in a
    log, to GitHub `::…` is one where a line begins."""
    return re.sub(
        r"(?m)##(?=\w*\[)|(?:^|(?<=\r))\s*::", lambda found: found[0].replace("##", "# #").replace("::", ": :"), text
    )


def parsed(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m infra.release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--patience", type=float, default=Patience().seconds, help="seconds that each step is waited for"
    )
    parser.add_argument("--question", default=smoke.QUESTION, help="what the app is asked when it is tried")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("preview", "provision", "list"):
        commands.add_parser(name)
    for name in ("version", "deploy"):
        commands.add_parser(name).add_argument("package", type=Path)
    commands.add_parser("rollback").add_argument("--to", default=LAST, help="a version of `list`")
    asked = commands.add_parser("smoke")
    asked.add_argument("--url", required=True)
    asked.add_argument("--version", default="", help="which one is waited for")
    return parser.parse_args(arguments)


def rollout(given: argparse.Namespace, env: Mapping[str, str]) -> Rollout:
    return Rollout(target.find(env.get("AZURE_ENV_NAME", "")), tell, Patience(given.patience), given.question)


def listed(env: Mapping[str, str]) -> None:
    for kept in shelf.releases(target.find(env.get("AZURE_ENV_NAME", ""))):
        say(f"{kept.version}  {f'good {kept.good}' if kept.good else 'never found good'}")


def tried(given: argparse.Namespace, env: Mapping[str, str]) -> None:
    address = urlsplit(given.url)
    if address.scheme != "https" and address.hostname not in ("127.0.0.1", "localhost"):
        raise Failed(f"{given.url} is no https address: the key of the app would be sent for all to read.")
    key = env.get("APP_KEY", "")
    smoke.smoke(App(given.url.rstrip("/"), lambda: key, Patience(given.patience)), given.version, tell, given.question)


def main(env: Mapping[str, str] = os.environ) -> int:
    given = parsed()
    commands: dict[str, Callable[[], object]] = {
        "version": lambda: say(packages.read(given.package).version),
        "preview": lambda: resources.preview(env, say),
        "provision": lambda: resources.provision(env, say),
        "deploy": lambda: rollout(given, env).deploy(packages.read(given.package)),
        "rollback": lambda: rollout(given, env).rollback("" if given.to == LAST else given.to),
        "list": lambda: listed(env),
        "smoke": lambda: tried(given, env),
    }
    try:
        commands[given.command]()
    except Failed as exc:
        sys.stderr.write(f"{harmless(str(exc))}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
