"""Event Grid triggers: the webhook with both handshakes; events are built by the library's own converter."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from azure.functions import meta
from azure.functions.eventgrid import EventGridEventInConverter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from localcloud.host.functions import Function
from localcloud.host.invocations import FunctionFailed
from localcloud.host.keys import Keys
from localcloud.host.problems import problem
from localcloud.host.runner import Runner

log = logging.getLogger("localcloud.host.eventgrid")
VALIDATION = "Microsoft.EventGrid.SubscriptionValidationEvent"


class EventGrid:
    def __init__(self, functions: Mapping[str, Function], runner: Runner, keys: Keys) -> None:
        self._functions, self._runner, self._keys = functions, runner, keys

    async def answer(self, request: Request) -> Response:
        if not self._keys.allow(request):
            return Response(status_code=401)
        name = request.query_params.get("functionName", "")
        function = self._functions.get(name)
        if function is None:
            known = ", ".join(sorted(self._functions)) or "none"
            return problem(404, f"No Event Grid function {name!r}. There are: {known}.")
        if request.method == "OPTIONS":
            return cloud_events_handshake(request)
        return await self._receive(function, request) if request.method == "POST" else Response(status_code=405)

    async def _receive(self, function: Function, request: Request) -> Response:
        events = events_of(await request.body())
        if events is None:
            return problem(400, "The body must be one event or an array of events, as JSON objects.")
        if request.headers.get("aeg-event-type", "").lower() == "subscriptionvalidation":
            return subscription_handshake(events)
        if not all(await asyncio.gather(*(self._run(function, event) for event in events))):
            return Response(status_code=500)  # Event Grid delivers again
        return Response(status_code=202)

    async def _run(self, function: Function, event: dict[str, Any]) -> bool:
        try:
            await self._runner.run(function, build_event(event))
        except FunctionFailed:
            return False
        return True

    async def run_now(self, function: Function, text: str) -> None:
        for event in events_of(text.encode()) or []:
            await self._run(function, event)


def build_event(event: dict[str, Any]) -> Any:
    """An EventGridEvent, or a CloudEvent where the document says so."""
    return EventGridEventInConverter.decode(meta.Datum(json.dumps(event), "json"), trigger_metadata=None)


def events_of(body: bytes) -> list[dict[str, Any]] | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    events = document if isinstance(document, list) else [document]
    return events if all(isinstance(event, dict) for event in events) else None


def subscription_handshake(events: list[dict[str, Any]]) -> Response:
    codes = [event.get("data", {}).get("validationCode") for event in events if event.get("eventType") == VALIDATION]
    if not codes:
        return problem(400, f"A subscription validation needs one event of type {VALIDATION}.")
    return JSONResponse({"validationResponse": codes[0]})


def cloud_events_handshake(request: Request) -> Response:
    origin = request.headers.get("webhook-request-origin")
    if not origin:
        return problem(400, "A CloudEvents handshake needs the header WebHook-Request-Origin.")
    return Response(status_code=200, headers={"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": "*"})
