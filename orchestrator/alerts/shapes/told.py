"""What a sender told, made fit to be kept and shown: texts cut and masked, in the shape of an alert.

Nothing here raises, whatever was told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from orchestrator.alerts.record import Alert, AlertKind
from tools_worker.datafactory.fields import sound
from tools_worker.datafactory.masking import mask, mask_value

Source = Literal["azure-monitor", "event-grid", "plain"]
MAX_TITLE = 200
MAX_NAME = 400  # resource ids are longer than names: some 300 characters at most
MAX_LINK = 1500
MAX_RUNS = 20
MAX_DIMENSIONS = 20
MAX_DETAILS = 8 * 1024  # characters of JSON
# What is read of a body before it is masked: masking a long text costs a thousand times as much as cutting it.
MAX_READ, MAX_TEXT_READ, MAX_DEPTH, MAX_ENTRIES = 24 * 1024, 3000, 8, 50
MAX_TEXT = 600
_RUN_ID = re.compile(r"[A-Za-z0-9-]{6,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """As it was told, neither cut nor masked. `ended`: the sender says that it is over. See Alert for the rest."""

    instance: str = ""
    title: str = ""
    rule: str = ""
    severity: int | None = None
    target: str = ""
    factory: str = ""
    pipeline: str = ""
    run_ids: Sequence[str] = ()
    ended: bool = False
    since: datetime | None = None
    until: datetime | None = None
    dimensions: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


def alert(source: Source, kind: AlertKind, told: Told, at: datetime, received_at: datetime) -> Alert:
    since, until = told.since, told.until
    return Alert(
        source=source,
        kind=kind,
        instance=short(told.instance),
        fired=not told.ended,
        at=at,
        received_at=received_at,
        title=short(told.title, MAX_TITLE) or short(told.rule, MAX_TITLE) or "An alert without a name",
        rule=short(told.rule),
        severity=told.severity,
        target=short(told.target),
        factory=short(told.factory),
        pipeline=short(told.pipeline),
        run_ids=run_ids(told.run_ids),
        since=since if since and until and since <= until else None,
        until=until if since and until and since <= until else None,
        dimensions={
            short(name): short(value) for name, value in list(told.dimensions.items())[:MAX_DIMENSIONS] if name
        },
        link=_link(told.link),
        details=trimmed(told.details),
    )


def short(text: str, limit: int = MAX_NAME) -> str:
    masked = mask(sound(text[: 3 * limit]))  # masked before it is cut: half a secret is not known for one
    masked = " ".join(masked.split())
    return masked if len(masked) <= limit else masked[: limit - 1] + "…"


def severity(text: str) -> int | None:
    """0, the worst, to 4, of `Sev2` or `2`."""
    found = re.fullmatch(r"(?:sev)?\s?([0-4])(?:\.0)?", text.strip().lower()[:10])
    return int(found.group(1)) if found else None


def run_ids(texts: Iterable[str]) -> tuple[str, ...]:
    """Those that can be ids of runs, each once, in their order."""
    found = dict.fromkeys(text.strip() for text in texts)
    sane = (text for text in found if _RUN_ID.fullmatch(text) and mask(text) == text)
    return tuple(sane)[:MAX_RUNS]


def _link(text: str) -> str:
    sane = text.startswith("https://") and len(text) <= MAX_LINK and not re.search(r"[\s<>\"'\\^`{|}]", text)
    return mask(sound(text)) if sane else ""


def trimmed(told: Mapping[str, Any]) -> dict[str, Any]:
    """As much of it as fits into MAX_DETAILS, the small entries before the large ones; `left_out` counts what does not,
    nulls and empty texts aside."""
    room = _Room(MAX_READ)
    pruned = {name: value for name, value in room.pruned(told).items() if value not in (None, "", {}, [])}
    entries = {name: _cut(value) for name, value in mask_value(pruned).items()}
    sizes = {name: len(json.dumps({name: value})) for name, value in entries.items()}
    used, kept = 40, set[str]()  # `left_out` itself
    for name in sorted(entries, key=lambda name: sizes[name]):
        if used + sizes[name] <= MAX_DETAILS:
            used, kept = used + sizes[name], {*kept, name}
    left_out = room.left_out + len(entries) - len(kept)
    shown = {name: value for name, value in entries.items() if name in kept}
    return {**shown, "left_out": left_out} if left_out else shown


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[: MAX_TEXT - 1]}…"
    if isinstance(value, Mapping):
        return {name[:MAX_TEXT]: _cut(entry) for name, entry in value.items()}
    return [_cut(entry) for entry in value] if isinstance(value, list) else value


class _Room:
    """Reads a value until so many characters were read."""

    def __init__(self, characters: int) -> None:
        self._left = characters
        self.left_out = 0

    def pruned(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, list | tuple):
            return self._list(value, depth)
        self._left -= 8
        return value if isinstance(value, bool | float | None) or abs(value) < 2**63 else str(value)[:40]

    def _text(self, text: str) -> str:
        self._left -= min(len(text), MAX_TEXT_READ)
        return sound(text[:MAX_TEXT_READ])

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for index, (name, entry) in enumerate(value.items()):
            if self._full(depth, index):
                self.left_out += len(value) - index
                break
            kept[self._text(str(name)[:MAX_NAME])] = self.pruned(entry, depth + 1)
        return kept

    def _list(self, value: Sequence[Any], depth: int) -> list[Any]:
        kept: list[Any] = []
        for index, entry in enumerate(value):
            if self._full(depth, index):
                self.left_out += len(value) - index
                break
            kept.append(self.pruned(entry, depth + 1))
        return kept

    def _full(self, depth: int, index: int) -> bool:
        return depth >= MAX_DEPTH or index >= MAX_ENTRIES or self._left <= 0
