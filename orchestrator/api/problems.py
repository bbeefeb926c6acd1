"""Errors as RFC 9457 problem details: a code for programs, a sentence for people, and what to do."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import AppError, UpstreamThrottled

log = logging.getLogger("api")
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="A name for this sort of problem.", examples=["urn:problem:not_found"])
    title: str = Field(description="The code, as words.", examples=["not found"])
    status: int = Field(description="The same as of the answer.", examples=[404])
    code: str = Field(description="Stable, for programs.", examples=["not_found"])
    detail: str = Field(description="One sentence for people.")
    hint: str = Field(default="", description="What to do about it.")
    kind: str = Field(default="data", description="authentication, permission, network, configuration or data.")
    retryable: bool = Field(default=False, description="The same may do well later.")


RESPONSES: dict[int | str, dict[str, Any]] = {"default": {"model": Problem, "description": "Any other problem."}}


def response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse(problem.model_dump(), problem.status, headers, MEDIA_TYPE)


def problem(status: int, code: str, detail: str, **more: Any) -> Problem:
    return Problem(
        type=f"urn:problem:{code}", title=code.replace("_", " "), status=status, code=code, detail=detail, **more
    )


def register(app: FastAPI) -> None:
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _app_error(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, AppError)
    details = problem(exc.status, exc.code, exc.message, hint=exc.hint, kind=exc.kind, retryable=exc.retryable)
    if exc.status >= 500:
        log.warning("path=%s code=%s detail=%s", request.url.path, exc.code, exc)
    wait = exc.retry_after_seconds if isinstance(exc, UpstreamThrottled) and exc.retry_after_seconds else 10
    return response(details, {"Retry-After": str(round(wait))} if exc.retryable else None)


def _invalid(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)
    errors = exc.errors()
    if any(error["type"] == "json_invalid" for error in errors):
        return response(problem(400, "invalid_json", "The body is not JSON.", hint="Send a JSON object as UTF-8."))
    return response(problem(422, "invalid_request", " ".join(map(_sentence, errors)), hint="See /api/openapi.json."))


def _sentence(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"][1:]) or "The body"
    return f"{where}: {error['msg']}."


def _http(request: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    # 400 is raised by FastAPI alone, for a body that it cannot parse
    code = {400: "invalid_json", 404: "no_such_route", 405: "method_not_allowed"}.get(exc.status_code, "http_error")
    text = f"{request.method} {request.url.path}: {exc.detail}."
    details = problem(exc.status_code, code, text, hint="See /api/openapi.json for what there is.")
    return response(details, dict(exc.headers or {}))  # of a 405: Allow


class Bugs:
    """Answers what nobody caught. An exception handler would do, but Starlette raises again after it, into the host."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as exc:
            log.exception("path=%s outcome=bug error=%s", scope.get("path", ""), exc.__class__.__name__)
            if scope["type"] != "http" or begun:
                raise
            hint = "Try again; if it stays, give the time of this answer to whoever runs the app."
            details = problem(500, "internal_error", "Something went wrong on our side.", hint=hint)
            await response(details)(scope, receive, send)
