"""Puts the API together: routes, problem details, a limit on the size of bodies."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import Settings
from core.version import VERSION
from orchestrator.api import (
    actions,
    alerts,
    ask,
    audit,
    callers,
    contract,
    desk,
    diagnose,
    digest,
    health,
    hooks,
    incidents,
    persons,
    policy,
    problems,
    subscriptions,
    swagger,
    teams,
)
from orchestrator.api.links import SignedLink, origin
from orchestrator.api.teams_signature import TeamsSignature
from orchestrator.api.tokens import WebhookToken
from orchestrator.api.tracing import Traced

MAX_BODY_BYTES = 32 * 1024
KEY = callers.FunctionKey()
GUARDED: tuple[tuple[callers.Guard, tuple[APIRouter, ...]], ...] = (  # every router behind its guard
    (
        KEY,
        (
            actions.router,
            alerts.router,
            ask.router,
            audit.router,
            diagnose.router,
            digest.router,
            health.router,
            incidents.router,
            policy.router,
            subscriptions.router,
        ),
    ),
    (SignedLink("run", "run_id"), (hooks.runs,)),
    (SignedLink("subscription", "run_id"), (subscriptions.links,)),
    (SignedLink("incident", "incident_id"), (hooks.reports,)),
    (TeamsSignature(), (teams.router,)),
    (WebhookToken(), (hooks.alerts_with_token,)),
    (persons.Person("reader"), (persons.router, desk.readers)),
    (persons.Person("operator"), (actions.ui, desk.operators)),
)


def build() -> FastAPI:
    app = contract.Described(
        title="Operations agent for Azure Data Factory",
        version=VERSION,
        description="Ask about pipelines and their failures in plain words; get answers that rest on run ids.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        responses=problems.RESPONSES,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would tell addresses, signatures and all
    )
    for guard, routers in GUARDED:
        for routes in routers:
            app.include_router(routes, dependencies=[Depends(guard)])
    app.get("/api/openapi.json", include_in_schema=False, dependencies=[Depends(KEY)])(document(app))
    app.get("/api/swagger.json", include_in_schema=False, dependencies=[Depends(KEY)])(connector(app))
    callers.check(app)
    problems.register(app)
    app.add_exception_handler(persons.SignInFirst, persons.to_sign_in)
    app.add_middleware(BodyLimit)
    app.add_middleware(callers.Doors)
    app.add_middleware(problems.Bugs)  # it also answers for the limit
    app.add_middleware(Traced)  # added last, so outermost
    return app


def document(app: FastAPI) -> Callable[[], Awaitable[JSONResponse]]:
    async def contract_get() -> JSONResponse:
        """This API as OpenAPI 3.1."""
        return JSONResponse(app.openapi())

    return contract_get


def connector(app: FastAPI) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def contract_connector(request: Request) -> JSONResponse:
        """This API as OpenAPI 2.0, for a custom connector."""
        own = origin(Settings.load(os.environ), os.environ, request)
        return JSONResponse(swagger.swagger(app.openapi(), own))

    return contract_connector


class BodyLimit:
    """Refuses bodies over MAX_BODY_BYTES, of alerts over a larger limit, before anything reads them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = _limit(scope)
        if scope["type"] == "http" and _length(scope) > limit:
            hint = (
                "Ask a shorter question and name runs by their ids."
                if limit == MAX_BODY_BYTES
                else "Send less at once."
            )
            text = f"The body is larger than {limit // 1024} KiB."
            await problems.response(problems.problem(413, "payload_too_large", text, hint=hint))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _limit(scope: Scope) -> int:
    path = str(scope.get("path", ""))
    return alerts.MAX_BODY_BYTES if path.startswith(("/api/alerts/", "/hooks/alerts/")) else MAX_BODY_BYTES


def _length(scope: Scope) -> int:
    """The declared length. The Functions host always declares one: it has read the body before it calls us."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
