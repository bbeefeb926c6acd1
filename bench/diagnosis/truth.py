"""The truth of the worlds, `bench/truth/<world>.json`: what really happened in each run, and what may be said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tools_worker.datafactory.failures.rules import CATEGORIES, INSUFFICIENT

FOLDER = Path(__file__).parents[1] / "truth"
DIAGNOSE = "adf_diagnose_run"
OUTCOMES = ("failed", "succeeded", "running", "queued", "cancelled", "not_found")
CONCLUSIONS = CATEGORIES | {INSUFFICIENT}
TRANSIENCES = ("transient", "permanent", "intermittent")
GRADED = {  # what a case may state, and of which JSON type it is
    "id": str,
    "level": int,
    "author": str,
    "story": str,
    "run": dict | None,
    "ask": dict,
    "tool": str,
    "outcome": str,
    "root_cause_path": list,
    "category": str,
    "alt_categories": list,
    "transience": str | list,
    "retry_may_help": bool,
    "tells": list,
    "never": list,
    "forbidden_categories": list,
    "forbidden_actions": list,
    "secrets": list,
    "injection": str,
    "facts": dict,  # for the tests of the world
    "wrong_conclusions": list,  # for people: what no machine can check
}
_PLACE = re.compile(r"\{(run_id|now|start|end)(?:([+-])(\d+)([mhd])|:(upper))?\}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
Json = Mapping[str, Any]


class BadTruth(ValueError):
    """A case that cannot be played; the message names it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a world's truth."""

    world: str
    truth: Json

    @property
    def id(self) -> str:
        return str(self.truth["id"])

    @property
    def level(self) -> str:
        return str(self.truth["level"])

    @property
    def blind(self) -> bool:
        return self.truth.get("author") == "blind"

    @property
    def tool(self) -> str:
        return str(self.truth.get("tool", DIAGNOSE))


@dataclass(frozen=True, slots=True)
class Moments:
    """The times that a question may speak of: when the meant run began and ended, and the present."""

    now: datetime
    start: datetime | None = None
    end: datetime | None = None


def worlds() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(world: str) -> list[Case]:
    """Raises BadTruth."""
    path = FOLDER / f"{world}.json"
    if not path.is_file():
        raise BadTruth(f"No truth of a world {world!r}. There are: {', '.join(worlds())}.")
    cases = [Case(world, truth) for truth in json.loads(path.read_text(encoding="utf-8"))["cases"]]
    wrong = [f"{world}/{case.truth.get('id')}: {problem}" for case in cases for problem in problems(case.truth)]
    if wrong:
        raise BadTruth("; ".join(wrong))
    return cases


def problems(truth: Json) -> Iterator[str]:
    """Slips of the pen, which would otherwise pass for a case that asks for nothing."""
    for name in ("id", "level", "story"):
        if name not in truth:
            yield f"{name} is missing"
    for name, value in truth.items():
        if name not in GRADED:
            yield f"{name} is not known"
        elif not isinstance(value, GRADED[name]):
            yield f"{name} is of the wrong type"
    yield from _unknown(truth)
    if truth.get("run") is None and "ask" not in truth:
        yield "neither a run nor a question"
    for tell in truth.get("tells", ()):
        if not tell.get("in") or not isinstance(tell.get("words"), list) or not tell["words"]:
            yield f"a tell without in or words: {tell}"


def _unknown(truth: Json) -> Iterator[str]:
    categories = [truth.get("category"), *truth.get("alt_categories", ()), *truth.get("forbidden_categories", ())]
    yield from (f"category {name!r} is not known" for name in categories if name and name not in CONCLUSIONS)
    yield from (f"transience {name!r} is not known" for name in transiences(truth) if name not in TRANSIENCES)
    if truth.get("outcome", "failed") not in OUTCOMES:
        yield f"outcome {truth['outcome']!r} is not known"


def transiences(truth: Json) -> tuple[str, ...]:
    """Those that are right."""
    stated = truth.get("transience", ())
    return (stated,) if isinstance(stated, str) else tuple(stated)


def meant(case: Case, runs: Sequence[Json], anchor: datetime) -> Json | None:
    """The run of a case among those of its pipeline, newest first: the nth that began before the start of the world,
    with its status at that moment. None for a case without a run. Raises BadTruth."""
    wanted = case.truth.get("run")
    if wanted is None:
        return None
    began = [run for run in runs if (moment(run.get("runStart")) or anchor) <= anchor]
    fitting = [run for run in began if wanted.get("status") in (None, _status_at(run, anchor))]
    nth = int(wanted.get("nth", 1))
    if len(fitting) < nth:
        raise BadTruth(f"{case.world}/{case.id}: only {len(fitting)} such runs of {wanted['pipeline']}")
    return fitting[nth - 1]


def _status_at(run: Json, anchor: datetime) -> str:
    """A run that ended since then was still going."""
    end = moment(run.get("runEnd"))
    return "InProgress" if end is not None and end > anchor else str(run["status"])


def asked(case: Case, run: Json | None, now: datetime) -> dict[str, Any]:
    """The arguments of the tool call. Raises BadTruth for a time that the run does not have."""
    moments = Moments(now, moment(run.get("runStart")), moment(run.get("runEnd"))) if run else Moments(now)
    run_id = str(run["runId"]) if run else None

    def filled(match: re.Match[str]) -> str:
        name, sign, number, unit, upper = match.groups()
        if name == "run_id":
            if run_id is None:
                raise BadTruth(f"{case.world}/{case.id}: it asks for a run and has none")
            return run_id.upper() if upper else run_id
        return _time(case, getattr(moments, name), sign, number, unit)

    given = case.truth.get("ask") or {"run_id": "{run_id}"}
    return {name: _PLACE.sub(filled, value) if isinstance(value, str) else value for name, value in given.items()}


def _time(case: Case, at: datetime | None, sign: str | None, number: str | None, unit: str | None) -> str:
    if at is None:
        raise BadTruth(f"{case.world}/{case.id}: it asks for a time that its run does not have")
    shift = timedelta(**{_UNITS[unit]: int(number)}) if unit and number else timedelta()
    shifted = at - shift if sign == "-" else at + shift
    return shifted.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
