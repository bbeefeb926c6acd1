"""Reading an ADF error: peeled to the layer that tells, put in a category, with cause and mend in plain words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from tools_worker.datafactory.failures.consequences import Owner, Transience, owner_of, retry_may_help
from tools_worker.datafactory.failures.rules import INSUFFICIENT, Confidence, Rule, known
from tools_worker.datafactory.failures.signature import signature
from tools_worker.datafactory.failures.wrappers import LARGEST_REMEMBERED, REMEMBERED, Peeled, peel

__all__ = ["INSUFFICIENT", "Failure", "classify", "peel", "signature_of"]


@dataclass(frozen=True, slots=True)
class Failure:
    """`message` is the innermost text, not masked and not cut: whoever shows it does both."""

    category: str
    transience: Transience | None
    confidence: Confidence
    reason: str  # why this category
    code: str  # the innermost code that is known
    message: str
    signature: str
    cause: str = ""
    fix: str = ""
    docs: str = ""
    side: str = ""
    rule: str = ""
    path: tuple[str, ...] = ()  # activities that the wrappers named
    numbers: str = ""  # "SQL error 18456", "SQLSTATE 42501", "HTTP 429", "ORA-00001"
    alternatives: tuple[str, ...] = ()
    owner: Owner | None = None  # who mends it; None: not known
    retry_may_help: bool | None = None  # the same run may pass later; None: not known


def classify(message: str, code: str = "", activity_type: str = "", side: str = "") -> Failure:
    """Nothing fits: `insufficient_evidence`, with the reason. Raises only when the operator's own rules are wrong."""
    read = remembered if len(message) <= LARGEST_REMEMBERED else _read
    return read(message, code, activity_type, side)


def _read(message: str, code: str, activity_type: str, side: str) -> Failure:
    error = peel(message, code)
    if side and not error.side:
        error = _on_side(error, side)
    wordless = not error.message.strip() and not error.inner_code  # an outer code names the kind of activity only
    fitting = [] if wordless else [rule for rule in known() if rule.when.fits(error, activity_type)]
    shown_code = error.inner_code or error.outer_code
    return _verdict(error, shown_code, fitting[0] if fitting else None, _others(fitting))


remembered = lru_cache(REMEMBERED)(_read)


def signature_of(message: str, code: str = "") -> str:
    """What `classify` gives as signature, at a hundredth of its cost."""
    error = peel(message, code)
    return _signature(error)


def _verdict(error: Peeled, code: str, rule: Rule | None, alternatives: tuple[str, ...]) -> Failure:
    read = Failure(
        category=INSUFFICIENT,
        transience=None,
        confidence="low",
        reason=_why_nothing(error, code),
        code=code,
        message=error.message,
        signature=_signature(error),
        side=error.side,
        path=error.path,
        numbers=_numbers(error),
    )
    if rule is None:
        return read
    return replace(
        read,
        category=rule.category,
        transience=rule.transience,
        confidence=rule.confidence,
        reason=_why(rule, error, code),
        cause=rule.cause,
        fix=rule.fix,
        docs=rule.docs,
        rule=rule.id,
        alternatives=alternatives,
        owner=rule.owner or owner_of(rule.category, error.side),
        retry_may_help=retry_may_help(rule.category, rule.transience),
    )


def _why(rule: Rule, error: Peeled, code: str) -> str:
    basis = rule.when.basis
    if basis == "error code":
        return f"known failure {rule.id!r}, by its error code {code}"
    if basis == "number":
        return f"known failure {rule.id!r}, by {_numbers(error)}"
    return f"known failure {rule.id!r}, by the words of the error"


def _signature(error: Peeled) -> str:
    """By the inner code and the store's own number. A number as code is mostly the wrapper's, and a run's message has
    lost it."""
    code = "" if error.inner_code.isdigit() else error.inner_code
    return signature(" ".join(part for part in (code, _numbers(error)) if part), error.message)


def _numbers(error: Peeled) -> str:
    if error.sql_number is not None:
        return f"SQL error {error.sql_number}"
    if error.oracle_code:
        return error.oracle_code
    if error.sqlstate:
        return f"SQLSTATE {error.sqlstate}"
    return f"HTTP {error.http_status}" if error.http_status is not None else ""


def _others(fitting: Iterable[Rule]) -> tuple[str, ...]:
    categories = list(dict.fromkeys(rule.category for rule in fitting))
    return tuple(categories[1:3])


def _why_nothing(error: Peeled, code: str) -> str:
    if not error.message.strip():
        return "the error message is empty"
    return f"no known failure looks like this (code {code or 'none'})"


def _on_side(error: Peeled, side: str) -> Peeled:
    return replace(error, side=side.lower())
