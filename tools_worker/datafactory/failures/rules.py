"""The table of known failures: `knowledge/*.yaml`, checked at load, matched in order; the first that fits wins.

An operator's own file (setting ADF_FAILURE_RULES) has the same form and is asked first. knowledge/README.md tells how.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from core.errors import NotConfigured
from core.settings.upstreams import FAILURE_RULES
from tools_worker.datafactory.failures.consequences import Owner, Transience
from tools_worker.datafactory.failures.words import Words
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
OWN_RULES_SETTING = FAILURE_RULES.name
Confidence = Literal["high", "medium", "low"]
_LEARN = "https://learn.microsoft.com"
_WHEN = frozenset(
    {"codes", "code_like", "outer_codes", "text", "not_text", "sql", "sqlstate", "http", "oracle", "activities", "side"}
)
_KEYS = frozenset({"id", "category", "transience", "confidence", "owner", "when", "cause", "fix", "docs"})


@dataclass(frozen=True, slots=True)
class When:
    """Everything that is given must hold; of a list, one entry."""

    codes: frozenset[str] = frozenset()  # lower case; any code that the error names
    code_like: Words | None = None
    outer_codes: frozenset[str] = frozenset()
    text: Words | None = None
    not_text: Words | None = None
    sql: frozenset[int] = frozenset()
    sqlstate: tuple[str, ...] = ()  # a state, or how states of a family begin
    http: frozenset[int] = frozenset()
    oracle: frozenset[str] = frozenset()
    activities: frozenset[str] = frozenset()
    side: str = ""

    def fits(self, error: Peeled, activity: str) -> bool:
        return (
            (not self.codes or not self.codes.isdisjoint(error.codes))
            and (not self.outer_codes or error.outer_code.lower() in self.outer_codes)
            and (not self.sql or error.sql_number in self.sql)
            and (not self.sqlstate or error.sqlstate.startswith(self.sqlstate))
            and (not self.http or error.http_status in self.http)
            and (not self.oracle or error.oracle_code in self.oracle)
            and (not self.activities or activity.lower() in self.activities)
            and (not self.side or error.side == self.side)
            and (self.code_like is None or any(self.code_like.occur(code, code) for code in error.codes))
            and (self.text is None or self.text.occur(error.text, error.lowered))
            and (self.not_text is None or not self.not_text.occur(error.text, error.lowered))
        )

    @property
    def basis(self) -> str:
        """What it goes by, the firmest first: an error code, a number of the store, or words."""
        if self.codes or self.code_like or self.outer_codes:
            return "error code"
        if self.sql or self.sqlstate or self.http or self.oracle:
            return "number"
        return "words"


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
    owner: Owner | None = None  # None: the usual one of the category


@cache
def shipped() -> tuple[Rule, ...]:
    files = sorted(Path(__file__).with_name("knowledge").glob("*.yaml"))
    rules = tuple(chain.from_iterable(load(file) for file in files))
    _refuse_twins("knowledge", rules)
    return rules


@cache
def known() -> tuple[Rule, ...]:
    """The operator's own rules, then those that are shipped. Raises NotConfigured when the operator's are wrong."""
    path = FAILURE_RULES.of(os.environ)
    return (*own(path), *shipped()) if path else shipped()


def own(path: str) -> tuple[Rule, ...]:
    """Rules of an operator's file. Raises NotConfigured naming the file and the entry."""
    try:
        return load(Path(path))
    except (OSError, ValueError, yaml.YAMLError) as exc:
        hint = f"Correct the file, or remove the setting {OWN_RULES_SETTING}."
        raise NotConfigured(f"{OWN_RULES_SETTING}: {path!r} cannot be used. {exc}", hint=hint) from exc


def load(path: Path) -> tuple[Rule, ...]:
    """ValueError names the file, the rule and what is wrong with it."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one takes a tenth of the time
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - both loaders are safe ones
    if not isinstance(raw, list):
        raise ValueError(f"{path.name} must be a list of rules.")  # noqa: TRY004 - a file, not a type
    rules = tuple(_rule(path.name, entry) for entry in raw)
    _refuse_twins(path.name, rules)
    return rules


def _refuse_twins(file: str, rules: Sequence[Rule]) -> None:
    ids = [rule.id for rule in rules]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ValueError(f"{file} defines {', '.join(twice)} twice.")


def _rule(file: str, raw: Any) -> Rule:
    name = raw.get("id", "?") if isinstance(raw, Mapping) else "?"
    try:
        return _checked(raw)
    except KeyError as exc:
        raise ValueError(f"Rule {name!r} in {file} lacks {exc}.") from exc
    except (TypeError, ValueError, AttributeError, re.error) as exc:
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
        docs=_address(raw.get("docs", "")),
        owner=raw.get("owner"),
    )
    if rule.category not in CATEGORIES:
        raise ValueError(f"unknown category {rule.category!r}")
    if rule.transience not in get_args(Transience) or rule.confidence not in get_args(Confidence):
        raise ValueError("unknown transience or confidence")
    if rule.owner is not None and rule.owner not in get_args(Owner):
        raise ValueError(f"unknown owner {rule.owner!r}; known: {', '.join(get_args(Owner))}")
    return rule


def _address(page: str) -> str:
    """A page of the ADF documentation by name, another of the same site by path, or a whole address."""
    if not page or page.startswith("https://"):
        return page
    return _LEARN + (page if page.startswith("/") else f"/azure/data-factory/{page}")


def _when(raw: Mapping[str, Any]) -> When:
    _only(raw, _WHEN)
    if not raw:
        raise ValueError("'when' is empty, so it would fit everything")
    return When(
        codes=_lowered(raw.get("codes", ())),
        outer_codes=_lowered(raw.get("outer_codes", ())),
        code_like=_words(raw.get("code_like")),
        text=_words(raw.get("text")),
        not_text=_words(raw.get("not_text")),
        sql=frozenset(int(n) for n in raw.get("sql", ())),
        sqlstate=tuple(str(state) for state in raw.get("sqlstate", ())),
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


def _words(source: str | Sequence[str] | None) -> Words | None:
    """One expression, or several of which one must occur."""
    if not source:
        return None
    return Words.of([source] if isinstance(source, str) else source)
