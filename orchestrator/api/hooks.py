"""What is served behind the anonymous door: routes of the API for callers of another kind."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from orchestrator.api import alerts, ask, incidents
from orchestrator.api.views import RunView

runs = APIRouter(prefix="/hooks", tags=["links"])
runs.get(
    "/runs/{run_id}",
    operation_id="links_run",
    summary="Get a run, by a signed link",
    response_model=RunView,
    responses=ask.WORKING,
)(ask.runs_get)

reports = APIRouter(prefix="/hooks", tags=["links"])
reports.get(
    "/incidents/{incident_id}",
    operation_id="links_incident",
    summary="Get an incident as a report, by a signed link",
    response_class=PlainTextResponse,
)(incidents.incidents_report)

alerts_with_token = alerts.routes("/hooks/alerts", "_by_token")
