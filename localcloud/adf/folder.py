"""Reading a factory from disk: the folders of ADF's Git integration, or JSON files lying together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.adf.definitions import BadDefinition, Json, read_pipeline

FOLDERS = {
    "pipeline": "pipelines",
    "dataset": "datasets",
    "linkedservice": "linkedservices",
    "trigger": "triggers",
    "dataflow": "dataflows",
    "integrationruntime": "integrationruntimes",
    "factory": "factory",
}
SKIPPED_SILENTLY = frozenset({"manifest.json", "publish_config.json", "package.json"})
_FLOWS = ("MappingDataFlow", "WranglingDataFlow", "Flowlet")
_RUNTIMES = ("SelfHosted", "Managed")


@dataclass(slots=True)
class Found:
    """What a folder holds. `notes` tells by name which files could not be used, and why."""

    resources: dict[str, dict[str, Json]] = field(default_factory=dict)
    factory: str | None = None
    location: str | None = None
    notes: list[str] = field(default_factory=list)
    skipped: int = 0

    def add(self, kind: str, name: str, properties: Json, file: str) -> None:
        """Raises BadDefinition."""
        if name in self.resources.setdefault(kind, {}):
            raise BadDefinition(f"there is another of the name {name!r}")
        if kind == "pipelines":
            read_pipeline(name, properties)
        self.resources[kind][name] = properties

    def skip(self, file: str, reason: str) -> None:
        self.skipped += 1
        self.notes.append(f"skipped {file}: {reason}")


def read_folder(root: Path) -> Found:
    found = Found()
    for path in _json_files(root):
        name = str(path.relative_to(root))
        try:
            _read_file(path, found)
        except BadDefinition as exc:
            found.skip(name, str(exc))
        except (OSError, ValueError) as exc:
            found.skip(name, f"not readable as JSON ({exc})")
    return found


def _json_files(root: Path) -> Iterator[Path]:
    for path in sorted(root.rglob("*.json")):
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and path.is_file() and path.name.lower() not in SKIPPED_SILENTLY:
            yield path


def _read_file(path: Path, found: Found) -> None:
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(data, Mapping):
        raise BadDefinition("not a resource: the file holds no object")
    kind = _told_kind(path) or _seen_kind(data)
    if kind is None:
        raise BadDefinition("not a resource that Data Factory knows")
    name = data.get("name") if isinstance(data.get("name"), str) else path.stem.split("__")[-1]
    if kind == "factory":
        found.factory, found.location = str(name), data.get("location")
        return
    found.add(kind, str(name), _properties(data), path.name)


def _told_kind(path: Path) -> str | None:
    """The kind that the folder, or the beginning of the file's name, tells."""
    return FOLDERS.get(path.parent.name.lower()) or (FOLDERS.get(path.name.split("__")[0].lower()))


def _seen_kind(data: Json) -> str | None:
    """The kind that the content shows."""
    full = str(data.get("type", "")).lower()
    if full.startswith(("microsoft.datafactory/", "microsoft.synapse/")):
        segment = full.rsplit("/", 1)[-1]
        return segment if segment in FOLDERS.values() else None
    properties = _properties(data)
    kind = str(properties.get("type", ""))
    if isinstance(properties.get("activities"), list):
        return "pipelines"
    if kind.endswith("Trigger"):
        return "triggers"
    if kind in _FLOWS:
        return "dataflows"
    if kind in _RUNTIMES:
        return "integrationruntimes"
    if "linkedServiceName" in properties and "schema" in properties:
        return "datasets"
    if "typeProperties" in properties and kind:
        return "datasets" if "linkedServiceName" in properties else "linkedservices"
    return (
        "factory"
        if set(data) <= {"name", "location", "identity", "id", "properties", "tags"} and "name" in data
        else None
    )


def _properties(data: Json) -> Json:
    """Files hold {name, properties} or the bare properties."""
    wrapped: Any = data.get("properties")
    if isinstance(wrapped, Mapping):
        return wrapped
    return {key: value for key, value in data.items() if key != "name"}
