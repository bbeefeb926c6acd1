"""Environments: every factory is in the first one that fits it, or in none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pydantic import model_validator

from orchestrator.policy.globs import all_covered, any_fits
from orchestrator.policy.parts import Globs, Part, Tags, Text, tagged


class Environment(Part):
    """A factory is in it by its name or by its tags: one of the two is enough."""

    name: Text
    factories: Globs | None = None
    tags: Tags | None = None  # all of them

    @model_validator(mode="after")
    def _says_something(self) -> Environment:
        if self.factories is None and self.tags is None:
            raise ValueError("give factories, tags or both: as it stands no factory is in it")
        return self

    def holds(self, factory: str, tags: Mapping[str, str]) -> bool:
        named = self.factories is not None and any_fits(factory, self.factories)
        return named or (self.tags is not None and tagged(tags, self.tags))

    def hides(self, later: Environment) -> bool:
        """No factory is left for a later one."""
        everything = self.factories is not None and all_covered(self.factories, ["*"])
        names = later.factories is None or (self.factories is not None and all_covered(self.factories, later.factories))
        tags = later.tags is None or (self.tags is not None and tagged(later.tags, self.tags))
        return everything or (names and tags)


def environment_of(environments: Iterable[Environment], factory: str, tags: Mapping[str, str]) -> str:
    """Its name; empty where the factory is in none."""
    return next((each.name for each in environments if each.holds(factory, tags)), "")
