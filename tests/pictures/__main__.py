"""Draws every sample message with the official renderer, in colours near to those of Teams, into docs/pictures.

    python -m tests.pictures            # all
    python -m tests.pictures incident   # one

The browser and the renderer come from npm on first use, into .localcloud. The last line counts what markdown made of
texts that try to smuggle links and emphasis in: it must be nothing, where the same texts as TextBlocks become several.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from localcloud.azurite import find_node
from orchestrator.notify.cards.incident import incident_card
from tests.orchestrator.notify.samples import INCIDENT, messages
from tests.orchestrator.notify.test_cards_bad_input import SMUGGLED

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / ".localcloud" / "pictures"
PICTURES = ROOT / "docs" / "pictures"


def installed() -> None:
    wanted, stamp = HERE / "package.json", WORK / "installed.json"
    if not stamp.is_file() or stamp.read_bytes() != wanted.read_bytes():
        WORK.mkdir(parents=True, exist_ok=True)
        shutil.copy(wanted, WORK)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=WORK, check=True)
        shutil.copy(wanted, stamp)


def hostile() -> dict[str, Any]:
    """A card whose every text from outside looks like markdown."""
    text = " ".join(SMUGGLED)
    incident = replace(INCIDENT, title=text, summary=text, resource=text, similar=SMUGGLED, pipelines=SMUGGLED)
    return dict(incident_card(incident).card)


def exposed() -> dict[str, Any]:
    blocks = [{"type": "TextBlock", "text": text, "wrap": True} for text in SMUGGLED]
    return {"type": "AdaptiveCard", "version": "1.5", "body": blocks}


def draw(names: list[str]) -> None:
    cards = {name: message.card for name, message in messages().items() if not names or name in names}
    work = {"cards": cards, "hostile": hostile(), "exposed": exposed(), "folder": str(PICTURES)}
    PICTURES.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "shots.mjs", WORK)  # imports are looked up beside the file
    subprocess.run([find_node(), str(WORK / "shots.mjs")], input=json.dumps(work).encode(), check=True)


if __name__ == "__main__":
    installed()
    draw(sys.argv[1:])
