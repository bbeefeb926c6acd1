"""az, asked by a list of words, never through a shell."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

from infra.release.failure import Failed


def az(*arguments: str) -> str:
    """What it prints. Raises Failed with its own words where it fails; no argument may be a secret."""
    done = subprocess.run(  # noqa: S603 - a list of words, no shell
        [found("az"), *arguments, "--only-show-errors"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"'az {' '.join(arguments[:4])} …' failed: {done.stderr.strip() or 'it does not say why'}")
    return done.stdout


def az_json(*arguments: str) -> Any:
    printed = az(*arguments, "--output", "json")
    try:
        return json.loads(printed or "null")
    except ValueError:
        raise Failed(f"'az {' '.join(arguments[:4])} …' printed no JSON: {printed[:200]!r}") from None


def found(tool: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise Failed(f"There is no {tool} here: docs/deploy.md tells where it comes from.")
    return path
