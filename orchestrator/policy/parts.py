"""What every part of policy.yaml is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Place = tuple[str | int, ...]  # in the file: ("rules", 0, "match")
Text = Annotated[str, Field(min_length=1, max_length=200)]
Globs = Annotated[tuple[Text, ...], Field(min_length=1)]
Names = Globs
Tags = Annotated[Mapping[Text, str], Field(min_length=1)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def tagged(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """All that are wanted are there, names and values in any case."""
    return _folded(wanted).items() <= _folded(tags).items()


def tagged_apart(some: Mapping[str, str], others: Mapping[str, str]) -> bool:
    """Nothing can have the tags of both: one of them has another value."""
    one, other = _folded(some), _folded(others)
    return any(one[name] != other[name] for name in one.keys() & other.keys())


def _folded(tags: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): value.casefold() for name, value in tags.items()}
