"""Plain JSON over GET with a bearer token, for what no client of the app reads: the project, roles, alerts.

azure-ai-projects would read deployments and connections too, but brings openai along (0.9 s, 84 MB) into an app that
answers `GET /api/health?deep=true` itself; two lists are not worth that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from core import clients
from tools_worker.datafactory import fields

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

MAX_PAGES = 20
PATIENCE: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10}


class Unreachable(Exception):
    """No answer at all: no name, no connection, no certificate, or it broke off."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Mapping[str, Any]
    ahead: timedelta | None = None  # how far the server's clock is ahead of ours

    @property
    def refused(self) -> bool:
        return self.status in (401, 403)

    @property
    def words(self) -> str:
        """What the service says of an error."""
        error = fields.mapping(self.body, "error") or self.body
        code, text = fields.text(error, "code"), fields.text(error, "message")
        return " ".join(part for part in (f"HTTP {self.status}", code, text[:300]) if part)


@dataclass(frozen=True, slots=True)
class Listed:
    """The items of all pages, or the answer that was no list."""

    items: tuple[Mapping[str, Any], ...] = ()
    refusal: Answer | None = field(default=None)


class Rest:
    """One service behind one audience. Use it as an async context manager."""

    def __init__(self, endpoint: str, credential: AsyncTokenCredential, audience: str) -> None:
        from azure.core import AsyncPipelineClient
        from azure.core.pipeline.policies import AsyncBearerTokenCredentialPolicy

        signing = AsyncBearerTokenCredentialPolicy(credential, f"{audience}/.default")
        self._endpoint = endpoint.rstrip("/")
        self._client: Any = AsyncPipelineClient(
            self._endpoint,
            policies=[*clients.loopback_policies(self._endpoint), signing],
            transport=clients.transport(),
        )

    async def __aenter__(self) -> Rest:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()

    async def get(self, path: str, version: str = "") -> Answer:
        """`path` may be a whole URL of the same server (a nextLink). Raises Unreachable."""
        from azure.core.exceptions import AzureError, ClientAuthenticationError
        from azure.core.rest import HttpRequest

        request = HttpRequest("GET", self._url(path), params={"api-version": version} if version else None)
        begun = datetime.now(UTC)
        try:
            response = await self._client.send_request(request, **PATIENCE)
            text = await response.read()
        except ClientAuthenticationError as exc:
            raise Unreachable("signing in failed, see 'credentials'") from exc
        except AzureError as exc:
            raise Unreachable(f"{urlsplit(self._endpoint).netloc}: {type(exc).__name__}") from exc
        return Answer(response.status_code, _object(text), _ahead(response.headers.get("Date", ""), begun))

    async def listed(self, path: str, version: str) -> Listed:
        """Raises Unreachable."""
        items: list[Mapping[str, Any]] = []
        answer = await self.get(path, version)
        for _ in range(MAX_PAGES):
            if answer.status != 200:
                return Listed(tuple(items), answer)
            items += [fields.as_mapping(each) for each in fields.items(answer.body, "value")]
            following = fields.text(answer.body, "nextLink")
            if not following:
                break
            answer = await self.get(following)
        return Listed(tuple(items))

    def _url(self, path: str) -> str:
        if path.startswith("/"):
            return f"{self._endpoint}{path}"
        ours, theirs = urlsplit(self._endpoint), urlsplit(path)
        if (ours.scheme, ours.netloc) != (theirs.scheme, theirs.netloc):  # our token goes to no other host
            raise Unreachable(f"{ours.netloc} sent a link to another host, which is not followed")
        return path


def _object(text: bytes) -> Mapping[str, Any]:
    try:
        return fields.as_mapping(json.loads(text))
    except (ValueError, RecursionError):  # a proxy's page; nested without end
        return {}


def _ahead(date: str, begun: datetime) -> timedelta | None:
    """From the middle of the request; the header holds whole seconds, of which the middle is taken too."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    if told.tzinfo is None:
        return None
    return told + timedelta(seconds=0.5) - (begun + (datetime.now(UTC) - begun) / 2)
