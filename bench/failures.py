"""How well errors are read: `python -m bench.failures [FILE.jsonl] [--json] [--misses] [--rules]`.

Classifies every labelled error of a file and compares category and retry verdict with its labels, beside two baselines
that see less: a handful of keywords, and the outer code alone. A line of the file is an object with `id, status, raw,
outer_error_code, activity_type, side, category, alt_categories, retry_may_help`. "unknown" is the label for what cannot
be told from the text; our `insufficient_evidence` counts as that. The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools_worker.datafactory.failures import INSUFFICIENT, classify

DEFAULT = Path(__file__).resolve().parents[1].parent / "shared" / "adf" / "failures.jsonl"
STATUSES = ("user-posted", "documented")
UNKNOWN = "unknown"

# Baseline 1: what somebody would grep for. In this order, first hit wins. Not tuned on any file.
KEYWORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("authentication", ("login failed", "unauthorized", "authentication", "password", "credential", "expired", "401")),
    ("authorization", ("forbidden", "permission", "denied", "not authorized", "403")),
    ("throttling_quota", ("throttl", "429", "too many", "quota", "limit")),
    ("timeout", ("timeout", "timed out")),
    ("concurrency_lock", ("deadlock", "lease", "lock", "concurrent")),
    ("constraint_violation", ("duplicate key", "primary key", "foreign key", "constraint")),
    ("integration_runtime", ("integration runtime", "java runtime", "gateway")),
    ("network", ("connect", "network", "firewall", "dns", "ssl", "tls")),
    ("not_found", ("not found", "does not exist", "notfound", "404", "cannot find")),
    ("compute_resources", ("memory", "disk", "cluster")),
    ("schema_mapping", ("column", "mapping", "schema")),
    ("data_conversion", ("convert", "conversion", "format", "truncat", "parse")),
    ("expression_parameter", ("expression", "template", "parameter")),
    ("trigger", ("trigger",)),
    ("user_code", ("syntax", "exception in", "notebook", "traceback")),
    ("cancelled", ("cancel",)),
    ("transient_platform", ("internal server error", "unavailable", "retry")),
    ("configuration", ("invalid", "not supported", "required", "property")),
)
# Baseline 2: what the code of the activity's own wrapper mostly means, without its text.
OUTER_CODES = {
    "2010": "integration_runtime",
    "2011": "configuration",
    "2108": "network",
    "2128": "network",
    "2200": "configuration",
    "2402": "user_code",
    "4502": "transient_platform",
    "6000": "user_code",
    "6002": "user_code",
    "ActionFailed": "upstream_dependency",
    "BadRequest": "expression_parameter",
    "InvalidTemplate": "expression_parameter",
}
OUTER_FAMILIES: tuple[tuple[str, str], ...] = (
    ("21", "configuration"),
    ("23", "compute_resources"),
    ("25", "user_code"),
    ("27", "authorization"),
    ("29", "user_code"),
    ("32", "user_code"),
    ("36", "user_code"),
    ("41", "configuration"),
)
MOST_FREQUENT = "configuration"  # the guess where there is no code at all
FIRST_CODE = re.compile(r"error ?code\W{1,5}([\w-]+)", re.IGNORECASE)
PASSES_BY_ITSELF = frozenset({"throttling_quota", "timeout", "concurrency_lock", "transient_platform", "cancelled"})


@dataclass(frozen=True)
class Verdict:
    category: str
    retry: bool
    rule: str = ""
    confidence: str = ""


@dataclass(frozen=True)
class Graded:
    row: Mapping[str, Any]
    found: Verdict

    @property
    def top1(self) -> bool:
        return bool(self.found.category == self.row["category"])

    @property
    def near(self) -> bool:
        return self.top1 or self.found.category in (self.row.get("alt_categories") or ())

    @property
    def retry(self) -> bool:
        return self.found.retry == bool(self.row.get("retry_may_help"))


Classifier = Callable[[Mapping[str, Any]], Verdict]


def by_rules(row: Mapping[str, Any]) -> Verdict:
    found = classify(_text(row, "raw"), _text(row, "outer_error_code"), _text(row, "activity_type"), _text(row, "side"))
    category = UNKNOWN if found.category == INSUFFICIENT else found.category
    retry = found.retry_may_help is True  # not known is no advice to retry
    return Verdict(category, retry, found.rule, found.confidence)


def by_keywords(row: Mapping[str, Any]) -> Verdict:
    return _guess(_worded(_text(row, "raw")) or UNKNOWN)


def by_outer_code(row: Mapping[str, Any]) -> Verdict:
    found = FIRST_CODE.search(_text(row, "raw"))
    code = _text(row, "outer_error_code") or (found[1] if found else "")
    family = next((name for start, name in OUTER_FAMILIES if code.isdigit() and code.startswith(start)), "")
    return _guess(OUTER_CODES.get(code) or family or _worded(code) or MOST_FREQUENT)


def _worded(text: str) -> str:
    lowered = text.lower()
    return next((name for name, words in KEYWORDS if any(word in lowered for word in words)), "")


def _guess(category: str) -> Verdict:
    return Verdict(category, category in PASSES_BY_ITSELF)


def grade(rows: Iterable[Mapping[str, Any]], classifier: Classifier) -> list[Graded]:
    return [Graded(row, classifier(row)) for row in rows]


def rates(graded: list[Graded]) -> dict[str, Any]:
    """Rates from 0 to 1; None where there is nothing to rate."""

    def rate(hits: int) -> float | None:
        return round(hits / len(graded), 4) if graded else None

    return {
        "n": len(graded),
        "top1": rate(sum(one.top1 for one in graded)),
        "top1_or_alternative": rate(sum(one.near for one in graded)),
        "retry_accuracy": rate(sum(one.retry for one in graded)),
    }


def report(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    graded = grade(rows, by_rules)
    categories = sorted({row["category"] for row in rows})
    statuses = list(dict.fromkeys((*STATUSES, *(str(row.get("status")) for row in rows))))
    return {
        **rates(graded),
        "by_status": {name: rates([one for one in graded if one.row.get("status") == name]) for name in statuses},
        "by_category": {name: rates([one for one in graded if one.row["category"] == name]) for name in categories},
        "baselines": {
            "keywords": rates(grade(rows, by_keywords)),
            "outer_code": rates(grade(rows, by_outer_code)),
        },
    }


def load(path: Path) -> list[Mapping[str, Any]]:
    """ValueError names the line that is not a labelled error."""
    rows: list[Mapping[str, Any]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        row = json.loads(line)
        if not isinstance(row, dict) or "category" not in row:
            raise ValueError(f"{path.name}, line {number}: an object with a 'category' is expected.")
        rows.append(row)
    return rows


def _text(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    return "" if value is None else str(value)


def show(result: Mapping[str, Any]) -> None:
    line = "{:24} {:>4} {:>7} {:>9} {:>7}".format
    print(line("", "n", "top-1", "or alt.", "retry"))
    groups = {"all": result, **result["by_status"], **result["by_category"]}
    groups |= {f"baseline {name}": found for name, found in result["baselines"].items()}
    for name, found in groups.items():
        figures = (found["top1"], found["top1_or_alternative"], found["retry_accuracy"])
        print(line(name, found["n"], *("–" if figure is None else f"{figure:.1%}" for figure in figures)))


def show_misses(rows: list[Mapping[str, Any]]) -> None:
    for one in grade(rows, by_rules):
        if not one.near or not one.retry:
            told = f"{one.found.category}, retry {one.found.retry}"
            wanted = f"{one.row['category']}, retry {one.row.get('retry_may_help')}"
            print(f"{one.row.get('id')}: {told}; label {wanted}: {_text(one.row, 'raw')[:160]!r}")


def show_rules(rows: list[Mapping[str, Any]]) -> None:
    """Rules that decide one error only may fit that one alone; guesses are those of low confidence."""
    graded = grade(rows, by_rules)
    fired = Counter(one.found.rule for one in graded if one.found.rule)
    once = sorted(rule for rule, times in fired.items() if times == 1)
    guesses = [one for one in graded if one.found.rule and one.found.confidence == "low"]
    print(f"{len(fired)} rules decided {fired.total()} errors, {len(once)} of them once: {', '.join(once)}")
    print(f"{len(guesses)} guesses, {sum(one.near for one in guesses)} of them right")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.failures", description=__doc__.split("\n")[0])
    parser.add_argument("file", nargs="?", type=Path, help="labelled errors, one JSON object a line")
    parser.add_argument("--json", action="store_true", help="only the last line")
    parser.add_argument("--short", action="store_true", help="accepted for the sake of its fellows: it is short anyway")
    parser.add_argument("--misses", action="store_true", help="show what went wrong")
    parser.add_argument("--rules", action="store_true", help="show which rules decided, and how many only once")
    args = parser.parse_args(argv)
    path: Path = args.file or DEFAULT
    if not path.exists():
        reason = f"{path.name} is not there: the collection of labelled errors is not part of this repository"
        print(json.dumps({"skipped": reason}))
        return 2 if args.file else 0
    rows = load(path)
    result = report(rows)
    if not args.json:
        show(result)
    if args.misses:
        show_misses(rows)
    if args.rules:
        show_rules(rows)
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
