"""A run's outcome, sent to whoever asked to be called back: signed, to a checked address, redirects not followed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from core.errors import UpstreamError, UpstreamRefused, UpstreamThrottled, UpstreamUnavailable
from orchestrator.notify.addresses import Resolve, parse, refusal, resolver, system_resolve

SECONDS = 20.0
AGAIN = (408, 425, 429)


class Callbacks(Protocol):
    async def send(self, url: str, delivery: str, body: bytes, now: datetime) -> None:
        """Raises UpstreamError, which says whether to send it again. `delivery` is the same each time it is sent."""


def signature(key: str, timestamp: str, body: bytes) -> str:
    """The receiver reckons the same over X-Timestamp, a dot and the body as it came."""
    return f"sha256={hmac.new(key.encode(), timestamp.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


@dataclass(frozen=True)
class HttpCallbacks:
    key: str = field(repr=False)
    hosts: Sequence[str]
    here: bool = False
    resolve: Resolve = system_resolve

    async def send(self, url: str, delivery: str, body: bytes, now: datetime) -> None:
        if reason := refusal(url, self.hosts, here=self.here):  # the list may be another one than when it was accepted
            raise UpstreamRefused(f"The callback was not sent: its address {reason}.")
        if not self.key:
            raise UpstreamUnavailable("The callback was not sent: CALLBACK_SIGNING_KEY is not set any more.")
        timestamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "X-Delivery-Id": delivery,
            "X-Timestamp": timestamp,
            "X-Signature": signature(self.key, timestamp, body),
        }
        status, wait = await self._post(url, body, headers)
        if not 200 <= status < 300:
            raise _refused(status, wait)

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        import aiohttp

        # One connection for one delivery: nothing is kept, neither a socket nor what a name meant.
        connector = aiohttp.TCPConnector(
            resolver=resolver(self.resolve, here=self.here), use_dns_cache=False, force_close=True
        )
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        options: dict[str, Any] = {"trust_env": False, "cookie_jar": aiohttp.DummyCookieJar()}
        try:
            async with (
                aiohttp.ClientSession(connector=connector, timeout=timeout, **options) as session,
                session.post(parse(url) or url, data=body, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError):  # their texts may hold the address, which is a secret
            raise UpstreamUnavailable("Whoever asked to be called back does not answer.") from None


def _refused(status: int, wait: str) -> UpstreamError:
    text = f"Whoever asked to be called back answered {status}."
    if status == 429:
        return UpstreamThrottled(text, retry_after_seconds=float(wait) if wait.isdigit() else None)
    if status in AGAIN or status >= 500:
        return UpstreamUnavailable(text)
    return UpstreamRefused(text)
