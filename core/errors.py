"""Who should hear of a failure, and would trying again help?

Two families are caught at the edges (the tool handler and the HTTP edge). Everything else is a bug and propagates.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import ClassVar


class AppError(Exception):
    """A failure with a sentence for people. `code` is stable; `kind` tells people which sort of trouble it is."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    kind: ClassVar[str] = "data"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class RequestError(AppError):
    """The caller or the model can mend it, so it is told."""

    status = 400
    code = "invalid_request"


class InvalidArguments(RequestError):
    code = "invalid_arguments"
    status = 422


class NotFound(RequestError):
    code = "not_found"
    status = 404


class NotPermitted(RequestError):
    code = "not_permitted"
    status = 403
    kind = "permission"


class Conflict(RequestError):
    code = "conflict"
    status = 409


class PayloadTooLarge(RequestError):
    code = "payload_too_large"
    status = 413


class NotConfigured(AppError):
    """A setting is missing or wrong: an operator mends it, not the caller."""

    code = "not_configured"
    status = 503
    kind = "configuration"


class UpstreamError(AppError):
    """ADF, the agent service or storage let us down. Retried with back-off, then told."""

    code = "upstream_error"
    status = 502
    kind = "network"
    retryable = True


class UpstreamUnavailable(UpstreamError):
    code = "upstream_unavailable"
    status = 503


class UpstreamThrottled(UpstreamError):
    code = "upstream_throttled"
    status = 503

    def __init__(self, message: str, *, hint: str = "", retry_after_seconds: float | None = None) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds


class UpstreamRefused(UpstreamError):
    """The upstream knows us and says no (401, 403): trying again changes nothing."""

    code = "upstream_refused"
    status = 502
    kind = "permission"
    retryable = False


def not_found(what: str, name: str, known: list[str], where: str = "") -> NotFound:
    """A NotFound that offers close names: `No pipeline named 'LoadSale' in 'adf-prod'. Closest: 'LoadSales'.`"""
    place = f" in {where!r}" if where else ""
    by_lower = {k.lower(): k for k in known}
    close = [by_lower[c] for c in get_close_matches(name.lower(), list(by_lower), n=3, cutoff=0.5)]
    if close:
        hint = "Closest: " + ", ".join(repr(c) for c in close) + "."
    elif known:
        shown = ", ".join(repr(k) for k in sorted(known)[:10])
        hint = f"Known: {shown}" + (f" and {len(known) - 10} more." if len(known) > 10 else ".")
    else:
        hint = ""
    return NotFound(f"No {what} named {name!r}{place}.", hint=hint)
