"""Persons, as App Service authentication tells of them. It is believed where the platform says that it is on."""

# No `from __future__ import annotations` here: see callers.py.
import base64
import json
import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from core.errors import NotPermitted
from core.settings.surroundings import WEBSITE_AUTH_ENABLED
from orchestrator.api.callers import Caller, Guard, Unauthenticated
from tools_worker.datafactory.fields import as_mapping, text

Role = Literal["reader", "operator", "approver"]
INCLUDED: Mapping[str, frozenset[str]] = {
    "reader": frozenset({"reader"}),
    "operator": frozenset({"reader", "operator"}),
    "approver": frozenset({"reader", "approver"}),  # who approves does not act: that is what approving is for
}
PRINCIPAL = "x-ms-client-principal"
NAMES = (
    "preferred_username",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
OBJECT_IDS = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
ROLES = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
SIGN_IN = "/.auth/login/aad"  # the platform's own page
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


class Person(Guard):
    """Somebody who signed in and holds a role that includes this one."""

    door = "ui"

    def __init__(self, role: Role) -> None:
        self._role, self.accepts = role, f"person with the role {role}"

    async def caller(self, request: Request) -> Caller:
        if WEBSITE_AUTH_ENABLED.of(os.environ).lower() != "true":
            raise NotPermitted(
                "Nobody can sign in here.", hint="Switch on App Service authentication with Microsoft Entra ID."
            )
        if request.method not in SAFE_METHODS and request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise NotPermitted("Another site sent this.", hint="Do it on the page of the app.")
        person = read(request.headers.get(PRINCIPAL, ""))
        if person is None and _is_page(request):
            raise SignInFirst("Nobody is signed in.")
        if person is None:
            raise Unauthenticated("Nobody is signed in.", hint="Sign in with an account of your organisation.")
        if self._role not in person.roles:
            raise NotPermitted(f"This needs the role {self._role}.", hint="Ask whoever assigns the roles of this app.")
        return person


class SignInFirst(Unauthenticated):
    """For a browser, which is sent there: see `to_sign_in`."""


async def to_sign_in(request: Request, exc: Exception) -> RedirectResponse:
    """Whoever followed a card's link comes back to it."""
    return RedirectResponse(f"{SIGN_IN}?post_login_redirect_uri={quote(request.url.path, safe='')}", 302)


def _is_page(request: Request) -> bool:
    return request.method == "GET" and "text/html" in request.headers.get("accept", "")


router = APIRouter(prefix="/ui", tags=["persons"])


class PersonView(BaseModel):
    name: str = Field(description="As Entra ID names them.", examples=["ana@contoso.com"])
    roles: list[Role] = Field(description="What this person may do here.")


def signed_in(request: Request) -> Caller:
    """The person whom the route's guard let in."""
    person: Caller = request.state.caller
    return person


@router.get("/me", operation_id="persons_me", summary="Who is signed in", response_model=PersonView)
async def persons_me(person: Annotated[Caller, Depends(signed_in)]) -> dict[str, Any]:
    """Who is signed in."""
    return {"name": person.name, "roles": sorted(person.roles)}


def read(header: str) -> Caller | None:
    """The person of a principal. None where it is no sound one of Entra ID, or an application's."""
    try:
        principal = as_mapping(json.loads(base64.b64decode(header, validate=True)))
    except (ValueError, RecursionError):
        return None
    claims = _claims(principal)
    object_id, known_as = _first(claims, OBJECT_IDS), _first(claims, (*NAMES, text(principal, "name_typ")))
    is_app = _first(claims, ("idtyp",)).lower() == "app"
    # An application's token names no one: an object id alone is no person.
    if text(principal, "auth_typ") != "aad" or is_app or not known_as or not object_id:
        return None
    held = {value.lower() for kind in {text(principal, "role_typ"), *ROLES} for value in claims.get(kind, ())}
    roles = frozenset().union(*(INCLUDED.get(role, frozenset()) for role in held))
    return Caller("person", known_as, roles, object_id)


def _claims(principal: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    claims = principal.get("claims")
    for claim in claims if isinstance(claims, list) else ():
        kind, value = text(as_mapping(claim), "typ"), text(as_mapping(claim), "val")
        if kind and value:
            found.setdefault(kind, []).append(value)
    return found


def _first(claims: Mapping[str, list[str]], kinds: tuple[str, ...]) -> str:
    return next((claims[kind][0] for kind in kinds if claims.get(kind)), "")
