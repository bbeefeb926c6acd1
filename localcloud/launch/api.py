"""The app as a caller sees it over HTTP: ask, follow the events, read the run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

POLL_SECONDS = 60.0  # the app holds an events request for about 20 s
Json = Mapping[str, Any]


class Refused(Exception):
    """The app said no, in a sentence for people."""


class Api:
    def __init__(self, url: str, key: str) -> None:
        # trust_env off: a proxy or .netrc of the machine has no part in talking to loopback
        self._client = httpx.AsyncClient(
            base_url=url, headers={"x-functions-key": key}, timeout=POLL_SECONDS, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def ask(self, question: str) -> Json:
        """Hand in a question without waiting for its answer; the run as it stands."""
        return await self._call("POST", "/api/ask", {"question": question, "wait_seconds": 0})

    async def run(self, run_id: str) -> Json:
        return await self._call("GET", f"/api/runs/{run_id}")

    async def events(self, run_id: str) -> AsyncIterator[Json]:
        """Every event of a run as it happens, until the run has ended."""
        page: Json = {"last": 0, "ended": False}
        while not page["ended"]:
            page = await self._call("GET", f"/api/runs/{run_id}/events?after={page['last']}")
            for event in page["events"]:
                yield event

    async def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        response = await self._client.request(method, path, json=body)
        if response.is_success:
            answer: Json = response.json()
            return answer
        raise Refused(problem(response))


def problem(response: httpx.Response) -> str:
    """The sentence of a problem-details answer, or the little that is known of another one."""
    try:
        details = response.json()
        sentence = details.get("detail") or details["title"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return f"The app answered {response.status_code} {response.reason_phrase}."
    return " ".join(part for part in (str(sentence), str(details.get("hint") or "")) if part)
