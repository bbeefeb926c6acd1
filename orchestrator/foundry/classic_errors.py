"""What the classic agent service's failures mean for us."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceRequestError,
    ServiceResponseError,
)

from core.errors import (
    AppError,
    Conflict,
    NotConfigured,
    NotFound,
    UpstreamError,
    UpstreamRefused,
    UpstreamThrottled,
    UpstreamUnavailable,
)

BROKEN_CONNECTION = (ServiceRequestError, ServiceResponseError, IncompleteReadError)


class ConversationBusy(Conflict):
    """Another turn is active on this conversation."""

    code = "conversation_busy"


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except HttpResponseError as exc:
        raise from_response(exc) from exc
    except BROKEN_CONNECTION as exc:
        raise UpstreamUnavailable(
            "The agent service cannot be reached.", hint="Check FOUNDRY_PROJECT_ENDPOINT and the network path to it."
        ) from exc
    except ValueError as exc:  # the SDK reads error bodies as JSON; a proxy's page is none
        raise UpstreamUnavailable("The agent service answered with something that is not JSON.") from exc


def from_response(exc: HttpResponseError) -> AppError:
    said = _words(exc)
    status = exc.status_code or 0
    if isinstance(exc, ResourceNotFoundError):
        return NotFound(f"The agent service does not know it: {said}")
    if isinstance(exc, ClientAuthenticationError) or status in (401, 403):
        hint = "Give the app's identity the role Foundry User on the project."
        return UpstreamRefused(f"The agent service refused the app's identity: {said}", hint=hint)
    if status == 429:
        return UpstreamThrottled("The agent service is throttling.", retry_after_seconds=_retry_after(exc))
    if status == 400 and "active" in said.lower():
        return ConversationBusy("Another question of this session is still being answered.", hint="Try again shortly.")
    if status == 400 and "azure_function" in said:
        hint = "The Foundry project has the basic agent setup; queue tools need the standard setup."
        return NotConfigured(f"The agent service refused the queue tools: {said}", hint=hint)
    if status >= 500 or status == 408:
        return UpstreamUnavailable(f"The agent service failed with HTTP {status}.", hint="Try again in a minute.")
    return UpstreamError(f"The agent service answered HTTP {status}: {said}")


def _words(exc: HttpResponseError) -> str:
    detail = getattr(exc.error, "message", None) or exc.message or "no details"
    return str(detail).strip()[:300]


def _retry_after(exc: HttpResponseError) -> float | None:
    headers = getattr(exc.response, "headers", {})
    text = headers.get("Retry-After", "")
    try:
        return min(float(text), 60.0)
    except ValueError:
        return None
