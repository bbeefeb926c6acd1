"""Who calls, and who may: every route has exactly one guard, and a route without one keeps the app from starting.

The Functions host hands each request over with the name of the function it came in through: that is its door. The host
checks the key of the door `api`; the guards of the other two check their callers themselves.
"""

# No `from __future__ import annotations` here: FastAPI resolves annotations that are text in functions alone, and
# guards are objects.
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import NotPermitted, RequestError
from orchestrator.api import problems

Door = Literal["api", "hooks", "ui"]
Kind = Literal["key", "person", "teams", "link", "token"]
DOORS: frozenset[str] = frozenset({"api", "hooks", "ui"})
FUNCTION = "azure_functions.function_name"  # where azure-functions puts it in the ASGI scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Only a `person` is one: a key, a link or a token says nothing about who holds it.

    `id` is a person's object id, which stays the same and is nobody else's; a `name` may change, and is for people.
    """

    kind: Kind
    name: str
    roles: frozenset[str] = frozenset()
    id: str = ""


class Unauthenticated(RequestError):
    code = "unauthenticated"
    status = 401
    kind = "authentication"


class Guard:
    """A FastAPI dependency that finds out who calls, or raises Unauthenticated, NotPermitted or NotConfigured."""

    door: ClassVar[Door]
    accepts: str

    async def __call__(self, request: Request) -> Caller:
        if request.scope.get(FUNCTION) != self.door:
            raise NotPermitted("This is not the way in.", hint=f"Call it under /{self.door}/.")
        found: Caller = await self.caller(request)
        request.state.caller = found  # for the handler, which needs no second guard to know
        return found

    async def caller(self, request: Request) -> Caller:
        raise NotImplementedError


class FunctionKey(Guard):
    """The host has checked the key: nobody else comes in through this door."""

    door = "api"
    accepts = "function key"

    async def caller(self, request: Request) -> Caller:
        return Caller("key", "a function key")


class Doors:
    """Lets in what came through a door and asks for something behind it. The door is never read from the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refused(scope) if scope["type"] != "lifespan" else None
        answer = problems.response(refused) if refused else self._app
        await answer(scope, receive, send)

    @staticmethod
    def _refused(scope: Scope) -> problems.Problem | None:
        door, path = str(scope.get(FUNCTION) or ""), str(scope.get("path", ""))
        if door not in DOORS:
            return problems.problem(403, "not_permitted", "This request came through no door.", kind="permission")
        if not path.startswith(f"/{door}/"):
            return problems.problem(404, "no_such_route", f"There is no {path!r} here.", hint="See /api/openapi.json.")
        return None


def check(app: FastAPI) -> None:
    """Raises RuntimeError where a route has no guard, several, or one of another door."""
    for path, route in routes(app):
        found = guards(route)
        if len(found) != 1:
            raise RuntimeError(f"The route {path} has {len(found)} guards: it needs exactly one.")
        if not path.startswith(f"/{found[0].door}/"):
            raise RuntimeError(f"The route {path} has a guard of the door {found[0].door!r}.")


def routes(app: FastAPI) -> Iterator[tuple[str, Any]]:
    """Every route with its whole path."""
    for route in iter_route_contexts(app.routes):
        yield str(route.path), route


def guards(route: Any) -> list[Guard]:
    """The guards that FastAPI asks before it calls the handler; none on what is no route of FastAPI."""
    return list({call: None for call in _asked(getattr(route, "dependant", None)) if isinstance(call, Guard)})


def _asked(dependant: Any) -> Iterator[Any]:
    for each in dependant.dependencies if dependant else ():
        yield each.call
        yield from _asked(each)
