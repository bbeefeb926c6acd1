"""Settings as the real host gives them to an app: the environment, completed by local.settings.json."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

FILE = "local.settings.json"


class LoadError(Exception):
    """The app or its files cannot be served; the text says what to mend."""


@dataclass(frozen=True)
class Settings:
    values: Mapping[str, str]

    def get(self, name: str) -> str | None:
        return self.values.get(name)

    def number(self, name: str, default: float) -> float:
        text = self.get(name) or str(default)
        try:
            return float(text)
        except ValueError:
            raise LoadError(f"The setting {name} must be a number, not {text!r}.") from None

    def resolve(self, text: str) -> str:
        """`text` with every %NAME% replaced by the setting of that name."""
        return re.sub(r"%([^%]+)%", lambda found: self._required(found[1], text), text)

    def is_disabled(self, function: str) -> bool:
        """`AzureWebJobs.NAME.Disabled`; where a shell refuses the dots, `AzureWebJobs__NAME__Disabled`."""
        spellings = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs__{function}__Disabled")
        return any((self.get(name) or "").lower() in ("1", "true") for name in spellings)

    def _required(self, name: str, text: str) -> str:
        value = self.get(name)
        if value is None:
            raise LoadError(f"{text!r} needs the setting {name!r}, which is not set.")
        return value


def load_settings(root: Path, environment: MutableMapping[str, str]) -> Settings:
    """Adds the Values of local.settings.json to `environment` (what is set there already wins)."""
    for name, value in read_values(root / FILE).items():
        environment.setdefault(name, value)
    return Settings(dict(environment))


def read_values(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    document = read_json_object(path)
    if document.get("IsEncrypted"):
        raise LoadError(f"{path.name} is encrypted. Run `func settings decrypt` or set IsEncrypted to false.")
    values = document.get("Values", {})
    if not isinstance(values, dict):
        raise LoadError(f'"Values" in {path.name} must be an object.')
    return {str(name): value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}


def read_json_object(path: Path) -> dict[str, object]:
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as exc:
        raise LoadError(f"{path.name} is not valid JSON: {exc}") from exc
    if not isinstance(document, dict):
        raise LoadError(f"{path.name} must hold a JSON object.")
    return document
