"""Prepares a checkout: pinned Python packages, Azurite, Microsoft's worker library. Standard library only.

`python -m localcloud.setup packages|azurite|worker-library`, run by the virtual environment's own Python. Each step may
be repeated at any time and does nothing when nothing changed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localcloud import azurite

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements-dev.txt"
NODE_REQUIREMENTS = azurite.HERE / "requirements.txt"
LOCK = azurite.HERE / "package-lock.json"
INSTALLED = azurite.HERE / "node_modules" / ".package-lock.json"  # npm writes it last, so it means a whole install


class SetupFailed(Exception):
    """A step failed. Says what to do."""


@dataclass(frozen=True)
class Npm:
    """How to run npm, and the folder of the Node that its packages' scripts should find first."""

    command: Sequence[str]
    node_folder: Path


def install_packages() -> None:
    say("Installing the pinned Python packages …")
    pip("install", "--requirement", str(REQUIREMENTS))


def install_azurite() -> None:
    if installed_is(json.loads(LOCK.read_text())) and has_node():
        return
    npm = machine_npm() or wheel_npm()
    say("Installing Azurite, the storage emulator …")
    environment = {**os.environ, "PATH": f"{npm.node_folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    # No install scripts: none is needed, and code of strangers does not run at install time.
    run(
        [*npm.command, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
        environment,
    )


def install_worker_library() -> None:
    """Only one test needs it, so that a failure is a warning."""
    result = subprocess.run(
        [sys.executable, "-m", "localcloud.host.worker_library", "--install"], cwd=ROOT, check=False
    )
    if result.returncode:
        say("Microsoft's worker library could not be installed: its contract test will be skipped.")


def installed_is(lock: Mapping[str, Any]) -> bool:
    """Whether node_modules holds what the lock file asks for."""
    try:
        found = json.loads(INSTALLED.read_text())["packages"]
    except (OSError, ValueError, KeyError):
        return False
    wanted = {name: entry["version"] for name, entry in lock["packages"].items() if name and not entry.get("optional")}
    return all(found.get(name, {}).get("version") == version for name, version in wanted.items())


def has_node() -> bool:
    try:
        return bool(azurite.find_node())
    except RuntimeError:
        return False


def machine_npm() -> Npm | None:
    """The machine's npm when its Node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and azurite.node_major(node) >= azurite.OLDEST_NODE:
        return Npm([npm], Path(node).parent)
    return None


def wheel_npm() -> Npm:
    """Node and its npm from PyPI, into the virtual environment."""
    say(f"No Node.js ≥ {azurite.OLDEST_NODE} with npm on this machine: installing one from PyPI …")
    pip("install", "--requirement", str(NODE_REQUIREMENTS))
    home = Path(azurite.wheel_node()).parents[1]
    node = home / "bin" / "node"
    return Npm([str(node), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")], node.parent)


def pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments, "--progress-bar", "off"]
    run(command, os.environ, pip_progress)


def run(command: Sequence[str], environment: Mapping[str, str], told: Callable[[str], str] = str) -> None:
    """Run a step and pass on the lines of its output that `told` does not leave empty."""
    started = time.monotonic()
    with subprocess.Popen(command, cwd=azurite.HERE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            show(told(line.strip()))
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    if process.returncode:
        raise SetupFailed(f"`{' '.join(command)}` ended with exit code {process.returncode}; its output is above.")
    say(f"  done in {time.monotonic() - started:.0f} s")


def show(news: str) -> None:
    """The latest news on one line of a terminal; a log is spared them."""
    if news and sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        print(f"\r\x1b[K  {news}"[:columns], end="", file=sys.stderr, flush=True)


def pip_progress(line: str) -> str:
    """pip says five lines a package; these two kinds tell how far it is."""
    if line.startswith("Installing collected packages"):
        return "unpacking …"
    return line.partition(" (from")[0].lower() if line.startswith("Collecting ") else ""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


STEPS = {"packages": install_packages, "azurite": install_azurite, "worker-library": install_worker_library}


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in STEPS:
        say(f"Usage: python -m localcloud.setup {'|'.join(STEPS)}")
        return 2
    try:
        STEPS[arguments[0]]()
    except SetupFailed as exc:
        say(str(exc))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
