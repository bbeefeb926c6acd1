"""Where alerts arrive: from Azure Monitor's action groups, from Event Grid, and in a plain shape from anything else.

An alert is kept before it is answered: 202 where it is new, 200 where it was known, 503 where it could not be kept, so
that the sender repeats it. What it says is never a reason to refuse it, as long as it is JSON.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from core.errors import NotPermitted, RequestError
from orchestrator.alerts import shapes
from orchestrator.alerts.intake import AlertIntake
from orchestrator.alerts.services import provided
from orchestrator.alerts.shapes.events import VALIDATION
from orchestrator.alerts.shapes.told import Source
from tools_worker.datafactory.fields import as_mapping, mapping, text

log = logging.getLogger("alerts")
MAX_BODY_BYTES = 256 * 1024  # the largest alert of Azure Monitor
EVENT_GRID = "eventgrid.azure.net"
EVENTS_A_MINUTE = 600  # what we allow Event Grid: far more than alerts come, far less than we can take
_CODE = re.compile(r"[A-Za-z0-9-]{1,100}")
Intake = Annotated[AlertIntake, Depends(provided)]


class Taken(BaseModel):
    """How many alerts the body held."""

    new: int = Field(description="Kept now; they are being looked at.", examples=[1])
    known: int = Field(description="Told before.", examples=[0])


class Validated(BaseModel):
    """The answer to Event Grid's question whether its events are wanted."""

    validationResponse: str = Field(description="The code that it sent.")


class InvalidJson(RequestError):
    code = "invalid_json"


TAKEN: dict[int | str, dict[str, Any]] = {202: {"model": Taken, "description": "Kept, and being looked at."}}
FACTORY = "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.DataFactory/factories/<name>"
TEXT = {"type": "string"}
PLAIN = {  # what is understood; anything else is taken, too
    "type": "object",
    "properties": {
        "pipeline": {**TEXT, "description": "This or run_id is needed."},
        "run_id": {**TEXT, "description": "@{pipeline().RunId}"},
        "factory": {**TEXT, "description": "A name or a resource id: @{pipeline().DataFactory}"},
        "activity": TEXT,
        "message": TEXT,
        "status": {**TEXT, "description": "Succeeded, Resolved and the like say that it is over."},
        "at": {**TEXT, "description": "ISO 8601; without it, now."},
        "severity": {"description": "0, the worst, to 4."},
        "rule": TEXT,
        "link": {**TEXT, "description": "https, for people."},
    },
}
EXAMPLES: dict[str, Any] = {
    "/azure-monitor": {
        "schemaId": "azureMonitorCommonAlertSchema",
        "data": {
            "essentials": {
                "alertId": "/subscriptions/<id>/providers/Microsoft.AlertsManagement/alerts/<id>",
                "alertRule": "adf-pipeline-failed",
                "severity": "Sev2",
                "signalType": "Metric",
                "monitorCondition": "Fired",
                "alertTargetIDs": [FACTORY],
                "firedDateTime": "2026-11-21T03:00:00Z",
            }
        },
    },
    "/event-grid": [
        {
            "id": "1",
            "topic": FACTORY,
            "subject": "LoadSales",
            "eventType": "PipelineFailed",
            "eventTime": "2026-11-21T03:00:00Z",
            "data": {"pipeline": "LoadSales"},
        }
    ],
    "/plain": {"pipeline": "LoadSales", "factory": "adf-prod", "status": "Failed", "message": "No rows arrived."},
}


async def alerts_azure_monitor(request: Request, intake: Intake) -> JSONResponse:
    """An alert of an action group's webhook: metric, log, activity log, service or resource health, budget; in the
    common alert schema or an older one."""
    return await _take(await _body(request), "azure-monitor", intake)


async def alerts_event_grid(
    request: Request,
    intake: Intake,
    aeg_event_type: Annotated[str, Header(description="Of Event Grid: Notification, or SubscriptionValidation.")] = "",
) -> JSONResponse:
    """Events of Event Grid, in its own schema or as CloudEvents 1.0, one or many. Answers its validation too."""
    body = await _body(request)
    return _handshake(body, aeg_event_type) or await _take(body, "event-grid", intake)


async def alerts_plain(request: Request, intake: Intake) -> JSONResponse:
    """Trouble told by a Web activity, a script, anything that sends JSON: `pipeline` or `run_id`, and what else is
    known of `factory`, `activity`, `message`, `status`, `at`, `severity`."""
    return await _take(await _body(request), "plain", intake)


async def alerts_event_grid_allow(webhook_request_origin: Annotated[str, Header()] = "") -> Response:
    """The handshake of CloudEvents: who may send here."""
    if webhook_request_origin.strip().lower() != EVENT_GRID:
        raise NotPermitted("Only Event Grid sends events here.", hint=f"WebHook-Request-Origin must be {EVENT_GRID}.")
    headers = {"WebHook-Allowed-Origin": EVENT_GRID, "WebHook-Allowed-Rate": str(EVENTS_A_MINUTE)}
    return Response(status_code=200, headers={**headers, "Allow": "POST, OPTIONS"})


def routes(prefix: str, suffix: str = "") -> APIRouter:
    """The same routes for each door; `suffix` keeps their operation ids apart."""
    made = APIRouter(prefix=prefix, tags=["alerts"])
    post: dict[str, Any] = {"responses": TAKEN, "methods": ["POST"]}
    for path, handler in HANDLERS.items():
        name = f"{handler.__name__}{suffix}"
        made.add_api_route(
            path,
            handler,
            operation_id=name,
            summary=SUMMARIES[path],
            response_model=Taken | Validated if path == "/event-grid" else Taken,
            openapi_extra=_described(path),
            **post,
        )
    made.add_api_route("/event-grid", alerts_event_grid_allow, methods=["OPTIONS"], include_in_schema=False)
    return made


def _described(path: str) -> dict[str, Any]:
    """Bodies are read as they come: only the description of the API says what they hold."""
    content = {"schema": PLAIN if path == "/plain" else {}, "example": EXAMPLES[path]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


SUMMARIES = {
    "/azure-monitor": "Send an alert of Azure Monitor",
    "/event-grid": "Send events of Event Grid",
    "/plain": "Tell of a failure",
}
HANDLERS = {"/azure-monitor": alerts_azure_monitor, "/event-grid": alerts_event_grid, "/plain": alerts_plain}


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError) as exc:
        raise InvalidJson("The body is not JSON.", hint="Send a JSON object as UTF-8.") from exc


async def _take(body: object, source: Source, intake: AlertIntake) -> JSONResponse:
    now = datetime.now(UTC)
    if isinstance(body, list):  # a long batch takes a third of a second: other callers must not wait for it
        alerts = await asyncio.to_thread(shapes.read, body, now, source)
    else:
        alerts = shapes.read(body, now, source)
    taken = await intake.take(alerts)
    log.info("source=%s outcome=taken new=%d known=%d", source, taken.new, taken.known)
    return JSONResponse(Taken(new=taken.new, known=taken.known).model_dump(), 202 if taken.new else 200)


def _handshake(body: object, event_type: str) -> JSONResponse | None:
    """The answer to Event Grid's question whether we want its events. None where it does not ask."""
    first = as_mapping(body[0] if isinstance(body, list) and body else body)
    asks = text(first, "eventType") == VALIDATION
    if not asks and event_type.lower() != "subscriptionvalidation":
        return None
    code = text(mapping(first, "data"), "validationCode")
    if not asks or event_type.lower() != "subscriptionvalidation" or not _CODE.fullmatch(code):
        text_ = "This is no validation of a subscription."
        raise RequestError(text_, hint=f"It needs the header aeg-event-type, an event {VALIDATION} and its code.")
    return JSONResponse({"validationResponse": code})


router = routes("/api/alerts")
