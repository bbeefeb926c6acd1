"""What came out, as a table for people and as figures."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from bench.diagnosis.playing import Played


def line(played: Played) -> str:
    case, wrong = played.case, [*played.grade.wrong, *(f"FORBIDDEN: {text}" for text in played.grade.forbidden)]
    name = f"{case.world}/{case.id}{' (blind)' if case.blind else ''}"
    cost = f"{played.reply_bytes:>6} B {played.adf_calls:>3} calls {played.seconds:>6.2f} s"
    return f"{case.level}  {name:<48} {cost}  {'; '.join(wrong) or 'right'}"


def summarised(played: Sequence[Played]) -> dict[str, Any]:
    """`levels` are those of the team's cases; what the blind author wrote is counted apart."""
    team, blind = [p for p in played if not p.case.blind], [p for p in played if p.case.blind]
    ratios = [each.raw_ratio for each in played if each.raw_ratio is not None]
    return {
        "scenarios": len(played),
        "levels": levels(team),
        "forbidden_conclusions": sum(len(each.grade.forbidden) for each in played),
        "reply_bytes_p50": middle((each.reply_bytes for each in played), 0),
        "raw_ratio_p50": middle(ratios, 3),
        "seconds_p50": middle((each.seconds for each in played), 3),
        "adf_calls_p50": middle((each.adf_calls for each in played), 0),
        "blind": {**passed(blind), "levels": levels(blind)},
        "worlds": {world: passed(mine) for world, mine in grouped(played, by_world=True).items()},
    }


def levels(played: Sequence[Played]) -> dict[str, Any]:
    return {level: passed(mine) for level, mine in grouped(played, by_world=False).items()}


def passed(played: Sequence[Played]) -> dict[str, Any]:
    right = sum(each.grade.right for each in played)
    return {
        "passed": right,
        "total": len(played),
        "pass_rate": round(right / len(played), 3) if played else None,
    }


def grouped(played: Iterable[Played], *, by_world: bool) -> dict[str, list[Played]]:
    found: dict[str, list[Played]] = {}
    for each in played:
        found.setdefault(each.case.world if by_world else each.case.level, []).append(each)
    return dict(sorted(found.items()))


def middle(values: Iterable[float], digits: int) -> float | None:
    found = list(values)
    return round(statistics.median(found), digits or None) if found else None
