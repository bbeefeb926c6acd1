"""Links that carry their own permission: signed, for one thing and one purpose, and only for a while.

Nothing is kept of a link or of who follows it: it is checked by its signature, before anything is read from storage.
"""

# No `from __future__ import annotations` here: see callers.py.
import base64
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request

from core.errors import NotConfigured
from core.settings import Settings, is_loopback_http
from orchestrator.api.callers import Caller, Guard, Unauthenticated
from orchestrator.runs.record import Run
from tools_worker.runtime.worker import utc_now

Purpose = Literal["run", "subscription", "incident"]
PATHS: Mapping[Purpose, str] = {
    "run": "/hooks/runs/",
    "subscription": "/hooks/subscriptions/",
    "incident": "/hooks/incidents/",
}
READABLE = timedelta(hours=1)  # after a run's deadline: a workflow that was paused still finds its answer
EXPIRY_DIGITS = 12
HOST = re.compile(r"[A-Za-z0-9.\-]{1,255}(:\d{1,5})?|\[[0-9a-fA-F:]{2,45}\](:\d{1,5})?")


@dataclass(frozen=True)
class Links:
    """`origin` is the app's address as callers know it, "" where that is unknown; without a `key` nothing is signed."""

    origin: str = ""
    key: str = field(default="", repr=False)

    def run(self, run: Run) -> str:
        """Where to look after a run: without a key, a place for those who have the function key."""
        signed = self.signed("run", run.id, run.deadline_at + READABLE)
        return signed or f"{self.origin}/api/runs/{run.id}"

    def subscription(self, run: Run) -> str:
        """Where to take it back."""
        signed = self.signed("subscription", run.id, run.deadline_at + READABLE)
        return signed or f"{self.origin}/api/subscriptions/{run.id}"

    def signed(self, purpose: Purpose, subject: str, until: datetime) -> str:
        """A link for anybody who has it. "" without a key."""
        if not self.key:
            return ""
        expires = str(int(until.timestamp()))
        query = urlencode({"exp": expires, "sig": signature(self.key, purpose, subject, expires)})
        return f"{self.origin}{PATHS[purpose]}{subject}?{query}"


def signature(key: str, purpose: str, subject: str, expires: str) -> str:
    told = "\n".join((purpose, subject, expires)).encode()
    return base64.urlsafe_b64encode(hmac.digest(key.encode(), told, hashlib.sha256)).decode().rstrip("=")


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
    if settings.public_url:
        return settings.public_url
    named = env.get("WEBSITE_HOSTNAME", "").strip()  # the platform's
    if named:
        local = f"http://{named}"
        return local if is_loopback_http(local) else f"https://{named}"
    host = request.headers.get("host", "")
    return f"http://{host}" if HOST.fullmatch(host) and is_loopback_http(f"http://{host}") else ""
