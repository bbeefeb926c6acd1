"""The official schema of Adaptive Cards 1.5, and what it says of a card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft6Validator


@cache
def validator() -> Draft6Validator:
    return Draft6Validator(json.loads((files("adaptive_cards") / "schemas" / "schema-1.5.json").read_text("utf-8")))


def faults(card: Mapping[str, Any]) -> list[str]:
    """`msteams` is taken off first: it belongs to Teams, not to the schema. The card is looked at as it is sent."""
    sent = json.loads(json.dumps({name: value for name, value in card.items() if name != "msteams"}))
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator().iter_errors(sent)]
