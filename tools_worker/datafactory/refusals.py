"""What ARM's error answers mean for us: each becomes one of core.errors with a sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from core.errors import AppError, InvalidArguments, NotFound, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from tools_worker.datafactory import fields
from tools_worker.datafactory.masking import mask

MAX_MESSAGE = 300
_ACTION = re.compile(r"perform action '([\w./-]{3,200})'")
_NO_SUCH_PLACE = frozenset({"ResourceGroupNotFound", "SubscriptionNotFound", "InvalidSubscriptionId"})


class TokenRefused(UpstreamRefused):
    """Whoever asks is not taken for anybody, whatever its roles."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: object  # parsed JSON, None when it was none
    retry_after_seconds: float | None = None


def refusal(answer: Answer, missing: AppError | None = None) -> AppError:
    """`missing` tells what was asked for, and is what a plain 404 means."""
    code, message = _error_of(answer.body)
    if answer.status == 404:
        return _absent(code, message, missing)
    if answer.status == 401:
        return _refused_token(code)
    if answer.status == 403:
        return _refused(message)
    if answer.status == 429:
        return UpstreamThrottled(
            "Azure Data Factory is limiting our requests (429).",
            hint="Try again in a minute.",
            retry_after_seconds=answer.retry_after_seconds,
        )
    if answer.status >= 500 or answer.status == 408:
        return UpstreamUnavailable(
            f"Azure Data Factory answered with an error of its own ({answer.status}).", hint="Try again later."
        )
    return InvalidArguments(
        f"Azure Data Factory refused the request ({answer.status} {code}): {message or 'no reason given'}"
    )


def refused_credential(cause: Exception) -> UpstreamRefused:
    return UpstreamRefused(
        f"Signing in to Azure failed ({type(cause).__name__}), so Azure Data Factory could not be asked.",
        hint="Check the app's managed identity, or sign in with `az login` on your own machine.",
    )


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """From Retry-After in seconds or as a date, or from ARM's retry-after-ms."""
    milliseconds = headers.get("retry-after-ms") or headers.get("x-ms-retry-after-ms")
    if milliseconds and milliseconds.isdigit():
        return int(milliseconds) / 1000
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    return _seconds_until(value) if value else None


def _seconds_until(date: str) -> float | None:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return None
    if when.tzinfo is None:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def _error_of(body: object) -> tuple[str, str]:
    error: Mapping[str, Any] = fields.mapping(body, "error") or fields.as_mapping(body)
    return fields.text(error, "code"), mask(fields.text(error, "message"))[:MAX_MESSAGE]


def _absent(code: str, message: str, missing: AppError | None) -> AppError:
    factory_itself = code == "ResourceNotFound" and re.search(r"factories/[^/'\" ]+['\" ]", message) is not None
    if code in _NO_SUCH_PLACE or factory_itself:
        return NotFound(
            f"The data factory does not exist where the settings say ({code}).", hint="Check its resource id."
        )
    return missing or NotFound("Azure Data Factory does not know what was asked for (404).")


def _refused_token(code: str) -> TokenRefused:
    if code == "InvalidAuthenticationTokenTenant":
        return TokenRefused(
            "The data factory is in another tenant than the app's identity (401).",
            hint="An identity has rights in its own tenant only: install the app in the factory's tenant too, and take "
            "the factory out of ADF_FACTORIES here.",
        )
    return TokenRefused(
        "Azure refused our token (401).", hint="Check the tenant and the identity that the app signs in with."
    )


def _refused(message: str) -> UpstreamRefused:
    action = _ACTION.search(message)
    permission = f"the permission {action[1]!r}" if action else "permission"
    return UpstreamRefused(
        f"The app's identity lacks {permission} on the data factory (403).",
        hint="Give it the role that holds it (docs/configuration.md, Roles): the built-in Reader may not ask for runs.",
    )
