"""Tokens of Microsoft Entra ID by which Azure Monitor's secure webhooks and Event Grid prove who they are."""

# No `from __future__ import annotations` here: see callers.py.
import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import Request

from core.errors import NotPermitted, UpstreamUnavailable
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.api.callers import Caller, Guard, Unauthenticated
from tools_worker.datafactory.fields import as_mapping, items, text

if TYPE_CHECKING:
    from jwt import PyJWK

log = logging.getLogger("tokens")
ALGORITHM = "RS256"  # what Entra signs with; what a token says of itself chooses nothing
LEEWAY_SECONDS = 300  # of clocks
MAX_TOKEN = 16 * 1024
REFRESH_SECONDS = 60.0  # at most once: a made-up key id must not have us ask for keys with every request
RETRY_SECONDS = 5.0  # after a fetch that failed
STALE_SECONDS = 24 * 3600.0  # keys that Entra took back are forgotten after a day
FETCH_SECONDS = 10.0
REQUIRED = ["exp", "nbf", "aud", "iss"]
Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]


class SigningKeys:
    """The keys of a tenant by their ids, fetched when one is needed that is not known."""

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._keys: dict[str, PyJWK] = {}
        self._url = ""
        self._fetched = self._next = float("-inf")
        self._fetching = asyncio.Lock()

    async def key(self, url: str, key_id: str) -> "PyJWK | None":
        """None where the tenant has no such key. Raises UpstreamUnavailable where there are no keys to look in."""
        if url != self._url or self._clock() - self._fetched > STALE_SECONDS:
            self._keys = {}
        if key_id not in self._keys:
            async with self._fetching:  # who comes meanwhile finds what is fetched
                await self._refresh(url, key_id)
        if not self._keys:
            raise _no_keys()
        return self._keys.get(key_id)

    async def _refresh(self, url: str, key_id: str) -> None:
        if key_id in self._keys or (url == self._url and self._clock() < self._next):
            return
        self._url, self._next = url, self._clock() + RETRY_SECONDS
        self._keys = read(await self._fetch(url))
        self._fetched = self._clock()
        self._next = self._fetched + REFRESH_SECONDS


def read(document: Mapping[str, Any]) -> "dict[str, PyJWK]":
    """The RSA keys for signatures of a key set. What is none is left out."""
    from jwt import PyJWK
    from jwt.exceptions import PyJWTError

    found: dict[str, PyJWK] = {}
    for raw in items(document, "keys"):
        if text(raw, "kty") == "RSA" and text(raw, "use") in ("", "sig") and text(raw, "kid"):
            try:
                found[text(raw, "kid")] = PyJWK(dict(as_mapping(raw)), ALGORITHM)
            except (PyJWTError, ValueError, TypeError):
                log.warning("kid=%s outcome=not_a_key", text(raw, "kid"))
    return found


def _no_keys() -> UpstreamUnavailable:
    return UpstreamUnavailable("The signing keys of the tenant cannot be had.", hint="Try again in a minute.")


async def fetch_keys(url: str) -> Mapping[str, Any]:
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            answer.raise_for_status()
            return as_mapping(await answer.json(content_type=None))
    except (aiohttp.ClientError, TimeoutError, ValueError) as exc:
        raise _no_keys() from exc


@dataclass(frozen=True)
class Rules:
    """Whose tokens are taken, for which application, from which clients, with one of which roles."""

    authority: str
    tenant: str
    audiences: tuple[str, ...]
    apps: tuple[str, ...]
    roles: tuple[str, ...]

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        return cls(
            settings.token_authority,
            settings.token_tenant,
            settings.token_audiences,
            settings.token_apps,
            settings.token_roles,
        )

    @property
    def keys_url(self) -> str:
        return f"{self.authority}/{self.tenant}/discovery/v2.0/keys"

    @property
    def issuer(self) -> str:
        return f"{self.authority}/{self.tenant}/v2.0"


class WebhookToken(Guard):
    """A service that holds a token for us. Which of its claims is wrong is told to nobody but the log."""

    door = "hooks"
    accepts = "token of Azure Monitor or Event Grid"

    def __init__(self, keys: Callable[[], SigningKeys] | None = None) -> None:
        self._keys = keys or PerLoop(lambda: SigningKeys(fetch_keys)).get

    async def caller(self, request: Request) -> Caller:
        rules = Rules.of(Settings.load(os.environ))
        if not (rules.tenant and rules.audiences):
            # Not 503, which senders repeat: nothing changes until somebody sets it.
            raise NotPermitted(
                "Alerts with a token are switched off.", hint="Set TOKEN_TENANT_ID and TOKEN_AUDIENCES, or use a key."
            )
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN:
            raise Unauthenticated("A token is needed.", hint="Send Authorization: Bearer … of the configured tenant.")
        claims = await self._claims(token, rules)
        app = text(claims, "azp") or text(claims, "appid")
        if app not in rules.apps:
            log.warning("app=%s outcome=refused reason=app", app)
            raise NotPermitted("This token may not send alerts.", hint="See TOKEN_APPS and TOKEN_ROLES.")
        if not set(rules.roles).intersection(each for each in items(claims, "roles") if isinstance(each, str)):
            log.warning("app=%s outcome=refused reason=role", app)
            raise NotPermitted("This token may not send alerts.", hint="See TOKEN_APPS and TOKEN_ROLES.")
        return Caller("token", app)

    async def _claims(self, token: str, rules: Rules) -> Mapping[str, Any]:
        import jwt

        refused = Unauthenticated("This token is not valid here.", hint="See TOKEN_TENANT_ID and TOKEN_AUDIENCES.")
        try:
            header = as_mapping(jwt.get_unverified_header(token))
            if header.get("alg") != ALGORITHM:
                raise refused
            key = await self._keys().key(rules.keys_url, text(header, "kid"))
            if key is None:
                raise refused
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=list(rules.audiences),
                issuer=rules.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED},
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as exc:
            log.warning("outcome=refused reason=%s", exc.__class__.__name__)
            raise refused from None
        return claims
