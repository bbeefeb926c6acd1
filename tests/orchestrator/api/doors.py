"""The doors in tests: what the Functions host tells the app of how a request came in."""

from __future__ import annotations

import base64
import json
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.api.callers import FUNCTION


def through(door: str, app: ASGIApp) -> ASGIApp:
    """The app as the function of this name serves it."""

    async def entered(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, FUNCTION: door}, receive, send)

    return entered


def by_path(app: ASGIApp) -> ASGIApp:
    """The app behind all three functions: as the host does, it chooses by the path."""

    async def entered(scope: Scope, receive: Receive, send: Send) -> None:
        door = str(scope.get("path", "")).strip("/").split("/")[0]
        await through(door, app)(scope, receive, send)

    return entered


def principal(*roles: str, name: str = "ana@contoso.com", **more: Any) -> str:
    """The header by which the platform names a person."""
    claims = [("preferred_username", name), ("oid", "6a1f"), *(("roles", role) for role in roles)]
    told = {"auth_typ": "aad", "claims": [{"typ": typ, "val": val} for typ, val in claims], **more}
    return base64.b64encode(json.dumps(told).encode()).decode()
