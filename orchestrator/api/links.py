"""Signed links as the API gives and takes them."""

# No `from __future__ import annotations` here: see callers.py.
import hmac
import os
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from fastapi import Request

from core.errors import NotConfigured
from core.settings import Settings, is_loopback_http
from orchestrator.api.callers import Caller, Guard, Unauthenticated
from orchestrator.links import Links, Purpose, own_origin, signature
from tools_worker.runtime.worker import utc_now

__all__ = ["Links", "SignedLink", "origin", "provided", "signature"]
EXPIRY_DIGITS = 12
HOST = re.compile(r"[A-Za-z0-9.\-]{1,255}(:\d{1,5})?|\[[0-9a-fA-F:]{2,45}\](:\d{1,5})?")


class SignedLink(Guard):
    """Whoever holds a link for this very thing: `parameter` is its name in the route's path."""

    door = "hooks"

    def __init__(self, purpose: Purpose, parameter: str, now: Callable[[], datetime] = utc_now) -> None:
        self._purpose, self._parameter, self._now = purpose, parameter, now
        self.accepts = f"signed link to this {purpose}"

    async def caller(self, request: Request) -> Caller:
        key = Settings.load(os.environ).link_signing_key
        if not key:
            raise NotConfigured("Links are switched off.", hint="Set LINK_SIGNING_KEY.")
        expires, given = request.query_params.get("exp", ""), request.query_params.get("sig", "")
        expected = signature(key, self._purpose, request.path_params[self._parameter], expires)
        if not hmac.compare_digest(expected.encode(), given.encode()) or self._is_over(expires):
            raise Unauthenticated("This link is wrong or no longer valid.", hint="Use the API with its key instead.")
        return Caller("link", f"a link to this {self._purpose}")

    def _is_over(self, expires: str) -> bool:
        """Asked of what is signed: it is ours."""
        if not (expires.isascii() and expires.isdigit() and len(expires) <= EXPIRY_DIGITS):
            return True
        return self._now() >= datetime.fromtimestamp(int(expires), UTC)


async def provided(request: Request) -> Links:
    """How this installation makes links, as the API's routes ask for it."""
    settings = Settings.load(os.environ)
    return Links(origin(settings, os.environ, request), settings.link_signing_key)


def origin(settings: Settings, env: Mapping[str, str], request: Request) -> str:
    """The app's own address. What a caller says it is (Host) counts on this machine only."""
    if own := own_origin(settings, env):
        return own
    host = request.headers.get("host", "")
    return f"http://{host}" if HOST.fullmatch(host) and is_loopback_http(f"http://{host}") else ""
