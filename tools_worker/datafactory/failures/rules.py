"""The table of known failures: read from `rules.yaml`, checked at load, matched in order; the first that fits wins."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from tools_worker.datafactory.failures.wrappers import Peeled

INSUFFICIENT = "insufficient_evidence"
CATEGORIES = frozenset(
    {
        "authentication",
        "authorization",
        "cancelled",
        "compute_resources",
        "concurrency_lock",
        "configuration",
        "constraint_violation",
        "data_conversion",
        "expression_parameter",
        "integration_runtime",
        "network",
        "not_found",
        "schema_mapping",
        "throttling_quota",
        "timeout",
        "transient_platform",
        "trigger",
        "unknown",
        "upstream_dependency",
        "user_code",
    }
)
Transience = Literal["transient", "permanent", "intermittent"]
Confidence = Literal["high", "medium", "low"]
_DOCS = "https://learn.microsoft.com/azure/data-factory/"
_WHEN = frozenset({"codes", "outer_codes", "text", "not_text", "sql", "http", "oracle", "activities", "side"})
_KEYS = frozenset({"id", "category", "transience", "confidence", "when", "cause", "fix", "docs"})


@dataclass(frozen=True, slots=True)
class When:
    """Everything that is given must hold; of a list, one entry."""

    codes: frozenset[str] = frozenset()  # lower case; inner or outer code
    outer_codes: frozenset[str] = frozenset()
    text: re.Pattern[str] | None = None
    not_text: re.Pattern[str] | None = None
    sql: frozenset[int] = frozenset()
    http: frozenset[int] = frozenset()
    oracle: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()
    side: str = ""

    def fits(self, error: Peeled, activity: str) -> bool:
        return (
            (not self.codes or not self.codes.isdisjoint((error.inner_code.lower(), error.outer_code.lower())))
            and (not self.outer_codes or error.outer_code.lower() in self.outer_codes)
            and (not self.sql or error.sql_number in self.sql)
            and (not self.http or error.http_status in self.http)
            and (not self.oracle or error.oracle_code in self.oracle)
            and (not self.activities or activity.lower() in self.activities)
            and (not self.side or error.side == self.side)
            and (self.text is None or self.text.search(error.text) is not None)
            and (self.not_text is None or self.not_text.search(error.text) is None)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    id: str
    category: str
    transience: Transience
    confidence: Confidence
    cause: str
    fix: str
    when: When = field(default_factory=When)
    docs: str = ""


@cache
def shipped() -> tuple[Rule, ...]:
    return load(Path(__file__).with_name("rules.yaml"))


def load(path: Path) -> tuple[Rule, ...]:
    """ValueError names the file, the rule and what is wrong with it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one takes a tenth of the time
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe ones
    if not isinstance(raw, list):
        raise ValueError(f"{path.name} must be a list of rules.")  # noqa: TRY004 - a file, not a type
    rules = tuple(_rule(path.name, entry) for entry in raw)
    ids = [rule.id for rule in rules]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ValueError(f"{path.name} defines {', '.join(twice)} twice.")
    return rules


def _rule(file: str, raw: Any) -> Rule:
    name = raw.get("id", "?") if isinstance(raw, Mapping) else "?"
    try:
        return _checked(raw)
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as exc:
        raise ValueError(f"Rule {name!r} in {file} is wrong: {exc}") from exc


def _checked(raw: Mapping[str, Any]) -> Rule:
    _only(raw, _KEYS)
    rule = Rule(
        id=raw["id"],
        category=raw["category"],
        transience=raw.get("transience", "permanent"),
        confidence=raw.get("confidence", "high"),
        cause=raw["cause"].strip(),
        fix=raw["fix"].strip(),
        when=_when(raw["when"]),
        docs=_DOCS + raw["docs"] if raw.get("docs") else "",
    )
    if rule.category not in CATEGORIES:
        raise ValueError(f"unknown category {rule.category!r}")
    if rule.transience not in get_args(Transience) or rule.confidence not in get_args(Confidence):
        raise ValueError("unknown transience or confidence")
    return rule


def _when(raw: Mapping[str, Any]) -> When:
    _only(raw, _WHEN)
    if not raw:
        raise ValueError("'when' is empty, so it would fit everything")
    return When(
        codes=_lowered(raw.get("codes", ())),
        outer_codes=_lowered(raw.get("outer_codes", ())),
        text=_pattern(raw.get("text")),
        not_text=_pattern(raw.get("not_text")),
        sql=frozenset(int(n) for n in raw.get("sql", ())),
        http=frozenset(int(n) for n in raw.get("http", ())),
        oracle=frozenset(str(code) for code in raw.get("oracle", ())),
        activities=_lowered(raw.get("activities", ())),
        side=str(raw.get("side", "")),
    )


def _only(raw: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(raw) - known)
    if unknown:
        raise ValueError(f"unknown key {', '.join(unknown)}")


def _lowered(values: Sequence[Any]) -> frozenset[str]:
    return frozenset(str(value).lower() for value in values)


def _pattern(source: str | Sequence[str] | None) -> re.Pattern[str] | None:
    """One expression, or several of which one must occur. Each is compiled by itself, so that a broken one is told."""
    if not source:
        return None
    parts = [source] if isinstance(source, str) else source
    for part in parts:
        re.compile(part)
    return re.compile("|".join(parts), re.IGNORECASE)
