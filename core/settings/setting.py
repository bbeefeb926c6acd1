"""One name in the environment: what it holds is told once, beside where it is read.

docs/configuration.md is made of these (`python -m core.settings`), and GET /api/health and the doctor speak by them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Setting:
    """`meaning` and `without` are halves of sentences, in Markdown. A `default` stands here and nowhere else."""

    name: str
    area: str
    meaning: str
    default: str = ""  # as it would be written
    otherwise: str = ""  # the default in words: beside it, or where it is no fixed value
    unit: str = ""
    bounds: tuple[float, float] | None = None  # both included
    example: str = ""
    secret: bool = False
    needed: bool = False
    instead: str = ""  # names of what serves instead of a needed one
    without: str = ""  # what is not there without it
    part: str = ""  # the name of what is off without it, for /api/health

    @property
    def shown(self) -> str:
        """The example; of a secret never one that somebody could use, but the reference to it."""
        secret = self.name.lower().replace("_", "-")
        return f"@Microsoft.KeyVault(VaultName=<vault>;SecretName={secret})" if self.secret else self.example

    def of(self, env: Mapping[str, str]) -> str:
        """An empty one counts as not set."""
        return env.get(self.name, "").strip() or self.default

    def listed(self, env: Mapping[str, str]) -> tuple[str, ...]:
        """Of several with commas between them."""
        return tuple(part.strip() for part in self.of(env).split(",") if part.strip())
