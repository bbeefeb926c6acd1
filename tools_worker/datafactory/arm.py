"""JSON over Azure Resource Manager through the real management client: retries, deadlines, and errors in our own words.

Bulk reads skip the SDK's models (decoding 100 runs into them costs 16 ms, plain JSON 0.2 ms). azure.mgmt is imported on
the first call: it costs 300 ms and 38 MB.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from core import clients
from core.breaker import Breaker
from core.errors import AppError, UpstreamThrottled, UpstreamUnavailable
from core.settings import AZURE_MANAGEMENT, is_loopback_http
from tools_worker.datafactory.cache import Cache
from tools_worker.datafactory.refusals import Answer, refusal, refused_credential, retry_after_seconds
from tools_worker.datafactory.tracing import Reuse, asking
from tools_worker.datafactory.traffic import Freshness, Pacing

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.core.rest import AsyncHttpResponse, HttpRequest

API_VERSION = "2018-06-01"

JsonObject = Mapping[str, Any]


class Transport(Protocol):
    """What is used of azure-mgmt-datafactory's client; a test may bring its own."""

    def send_request(self, request: HttpRequest, **kwargs: Any) -> Awaitable[AsyncHttpResponse]: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Patience:
    """How long to wait for ADF. All times in seconds. Reads only: a write is never repeated by this module."""

    attempts: int = 4
    first_pause: float = 0.5
    longest_pause: float = 15.0
    connect_timeout: float = 5.0
    read_timeout: float = 20.0
    deadline: float = 60.0  # of one call with all its attempts

    def pause(self, attempt: int, asked_for: float | None) -> float | None:
        """What the service asks for, None when that is too long to wait for; else exponential, with jitter so that
        several workers do not come back as one."""
        if asked_for is not None:
            return asked_for if asked_for <= self.longest_pause else None
        pause: float = self.first_pause * 2**attempt
        return min(pause, self.longest_pause) * random.uniform(0.7, 1.0)


class Arm:
    """One subscription. The client is made on the first call of an event loop and kept for that loop."""

    def __init__(
        self,
        credential: AsyncTokenCredential,
        subscription: str,
        *,
        endpoint: str = AZURE_MANAGEMENT,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        transport: Any = None,
        freshness: Freshness | None = None,
    ) -> None:
        self._credential = credential
        self._subscription = subscription
        self._endpoint = checked_endpoint(endpoint)
        self._patience = patience or Patience()
        self._sleep = sleep
        self._transport = transport
        self._client: Transport | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._freshness = freshness or Freshness()
        self._breaker = Breaker("Azure Data Factory")
        self._pacing = Pacing()
        self._cache: Cache[JsonObject] = Cache()

    @property
    def endpoint(self) -> str:
        return self._endpoint

    async def get(self, path: str, missing: AppError | None = None) -> JsonObject:
        """`path` may be a whole URL (a nextLink). `missing` is raised for a 404 instead of a general sentence."""
        return await self._ask("GET", path, None, missing)

    async def post(self, path: str, body: JsonObject | None, missing: AppError | None = None) -> JsonObject:
        """For queries, which ADF takes as POST: it is repeated on failure, so never use it for a write."""
        return await self._ask("POST", path, body, missing)

    def uncached(self) -> Uncached:
        return Uncached(self)

    async def ask_now(self, method: str, path: str, body: JsonObject | None, missing: AppError | None) -> JsonObject:
        """Past the cache, and past an identical question that is under way: it may have been answered before."""
        self._open()
        return await self._guarded(method, path, body, missing)

    async def close(self) -> None:
        client, self._client, self._loop = self._client, None, None
        self._cache.close()
        if client is not None:
            await client.close()

    async def _ask(self, method: str, path: str, body: JsonObject | None, missing: AppError | None) -> JsonObject:
        self._open()  # first: it forgets what was asked on another event loop
        key = f"{method} {path} {json.dumps(body, sort_keys=True) if body else ''}"
        reuse = Reuse(method, path)

        async def ask() -> JsonObject:
            reuse.asked = True
            return await self._guarded(method, path, body, missing)

        answer = await self._cache.get(key, self._freshness.of(path), ask)
        reuse.over()
        return answer

    async def _guarded(self, method: str, path: str, body: JsonObject | None, missing: AppError | None) -> JsonObject:
        with self._breaker.guarding():
            return await self._in_time(method, path, body, missing)

    async def _in_time(self, method: str, path: str, body: JsonObject | None, missing: AppError | None) -> JsonObject:
        try:
            async with asyncio.timeout(self._patience.deadline):
                return await self._attempts(method, path, body, missing)
        except TimeoutError as exc:
            raise UpstreamUnavailable(
                f"Azure Data Factory did not answer within {self._patience.deadline:.0f} seconds.",
                hint="Try again later.",
            ) from exc

    async def _attempts(self, method: str, path: str, body: JsonObject | None, missing: AppError | None) -> JsonObject:
        attempt = 0
        while True:
            try:
                await self._pacing.turn(path)
                return await self._once(method, path, body, missing)
            except (UpstreamThrottled, UpstreamUnavailable) as exc:
                asked_for = exc.retry_after_seconds if isinstance(exc, UpstreamThrottled) else None
                pause = self._patience.pause(attempt, asked_for)
                if pause is None or attempt + 1 >= self._patience.attempts:
                    raise
            await self._sleep(pause)
            attempt += 1

    async def _once(self, method: str, path: str, body: JsonObject | None, missing: AppError | None) -> JsonObject:
        answer = await self._send(method, path, body)
        if answer.status >= 400:
            raise refusal(answer, missing)
        if not isinstance(answer.body, Mapping):
            raise UpstreamUnavailable("Azure Data Factory sent an answer that is not JSON.", hint="Try again later.")
        return answer.body

    async def _send(self, method: str, path: str, body: JsonObject | None) -> Answer:
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.core.rest import HttpRequest

        request = HttpRequest(method, self._url(path), json=body)
        try:
            with asking(method, path, self._endpoint) as asked:
                # As a stream: the client's pipeline would decode the whole body, and we would have to do it again.
                response = await self._open().send_request(
                    request,
                    stream=True,
                    connection_timeout=self._patience.connect_timeout,
                    read_timeout=self._patience.read_timeout,
                )
                async with response:
                    text = await response.read()
                asked.answered(response.status_code)
            return Answer(response.status_code, _json_of(text), retry_after_seconds(response.headers))
        except ClientAuthenticationError as exc:
            raise refused_credential(exc) from exc
        except AzureError as exc:  # no connection, connection lost, body cut off or undecodable
            raise UpstreamUnavailable(
                f"Azure Data Factory cannot be reached at {self._endpoint}.", hint="Check the network and try again."
            ) from exc

    def _url(self, path: str) -> str:
        if path.startswith("/") and "api-version=" in path:  # of another provider, with a version of its own
            return f"{self._endpoint}{path}"
        if path.startswith("/"):
            joint = "&" if "?" in path else "?"
            return f"{self._endpoint}{path}{joint}api-version={API_VERSION}"
        try:
            ours, theirs = urlsplit(self._endpoint), urlsplit(path)
        except ValueError as exc:
            raise UpstreamUnavailable("Azure Data Factory sent a link that cannot be read.") from exc
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):  # our token goes to no other host
            raise UpstreamUnavailable("Azure Data Factory sent a link to another host, which is not followed.")
        return path

    def _open(self) -> Transport:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:  # a client of another loop cannot be used, nor closed, here
            self._client, self._loop = self._build(), loop
            self._cache = Cache()
        return self._client

    def _build(self) -> Transport:
        from azure.core.pipeline.policies import AsyncRetryPolicy
        from azure.mgmt.datafactory.aio import DataFactoryManagementClient

        return DataFactoryManagementClient(
            self._credential,
            self._subscription,
            base_url=self._endpoint,
            transport=self._transport or clients.transport(),
            # Retried here instead: azure-core does not repeat a POST on 429 without Retry-After, and queries are POST.
            retry_policy=AsyncRetryPolicy.no_retries(),
            per_call_policies=clients.loopback_policies(self._endpoint),
        )


class Uncached:
    """An `Arm` that asks each time. It has nothing of its own to close."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def get(self, path: str, missing: AppError | None = None) -> JsonObject:
        return await self._arm.ask_now("GET", path, None, missing)

    async def post(self, path: str, body: JsonObject | None, missing: AppError | None = None) -> JsonObject:
        return await self._arm.ask_now("POST", path, body, missing)

    def uncached(self) -> Uncached:
        return self

    async def close(self) -> None: ...


def checked_endpoint(endpoint: str) -> str:
    """https anywhere; plain http only on this machine, because the bearer token travels with every request."""
    if urlsplit(endpoint).scheme == "https" or is_loopback_http(endpoint):
        return endpoint.rstrip("/")
    raise ValueError(f"The ADF endpoint {endpoint!r} must use https (plain http: on the loopback address only).")


def _json_of(text: bytes) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # the second: nested without end
        return None
