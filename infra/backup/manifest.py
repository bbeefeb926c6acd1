"""What a copy holds: a digest for each file. It is written last, so that a copy without one was never finished."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

NAME, FORMAT = "manifest.json", 1
TABLES, BLOBS = "tables", "blobs"


class Spoilt(ValueError):
    """The copy is not what was saved. Says what is wrong."""


@dataclass(frozen=True)
class Manifest:
    """Times are UTC. `rows` of each table; `files`: path in the folder and SHA-256."""

    begun_at: str
    ended_at: str
    source: str
    rows: dict[str, int] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    format: int = FORMAT


def write(folder: Path, manifest: Manifest) -> None:
    text = json.dumps(asdict(manifest), indent=1, sort_keys=True)
    (folder / NAME).write_text(f"{text}\n", encoding="utf-8")


def read(folder: Path) -> Manifest:
    """Raises Spoilt where the copy is not whole: every file is read."""
    try:
        manifest = Manifest(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise Spoilt(f"{folder} holds no finished copy: there is no {NAME}.") from None
    except (ValueError, TypeError) as exc:
        raise Spoilt(f"{folder / NAME} cannot be read: {exc}") from exc
    if manifest.format != FORMAT:
        raise Spoilt(f"{folder} is a copy of format {manifest.format}, and this code reads {FORMAT}.")
    for wrong in _differing(folder, manifest):
        raise Spoilt(wrong)
    return manifest


def _differing(folder: Path, manifest: Manifest) -> Iterator[str]:
    for name, wanted in manifest.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing."
        elif digest(path) != wanted:
            yield f"{name} is not what was saved."


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
