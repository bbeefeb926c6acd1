"""What a check found: how it is, why that matters, and the exact command or step that mends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from orchestrator.doctor.patient import Patient

Result = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that a check saw. `why` where it is another reason than the check's own."""

    result: Result
    found: str
    mend: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """`needs` are the areas of settings without which there is nothing to look at."""

    name: str
    why: str
    look: Callable[[Patient], Awaitable[Sequence[Seen]]]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    result: Result
    found: str
    why: str
    mend: str


def ok(found: str) -> list[Seen]:
    return [Seen("ok", found)]


def warning(found: str, mend: str, why: str = "") -> list[Seen]:
    return [Seen("warning", found, mend, why)]


def failed(found: str, mend: str, why: str = "") -> list[Seen]:
    return [Seen("failed", found, mend, why)]


def skipped(found: str, mend: str = "") -> list[Seen]:
    return [Seen("skipped", found, mend)]
