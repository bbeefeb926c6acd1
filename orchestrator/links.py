"""Links that carry their own permission: signed, for one thing and one purpose, and only for a while.

Nothing is kept of a link or of who follows it: it is checked by its signature, before anything is read from storage.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode

from core.settings import Settings, is_loopback_http
from core.settings.surroundings import WEBSITE_HOSTNAME
from orchestrator.runs.record import Run

Purpose = Literal["run", "subscription", "incident"]
PATHS: Mapping[Purpose, str] = {
    "run": "/hooks/runs/",
    "subscription": "/hooks/subscriptions/",
    "incident": "/hooks/incidents/",
}
READABLE = timedelta(hours=1)  # after a run's deadline: a workflow that was paused still finds its answer
SHOWN = timedelta(days=7)  # a card in a channel is read after the weekend


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

    def incident(self, incident_id: str, now: datetime) -> str:
        """Its report. "" without a key, for people have no function key."""
        return self.signed("incident", incident_id, now + SHOWN) if self.origin else ""

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


def own_origin(settings: Settings, env: Mapping[str, str]) -> str:
    """The app's address as it is set, or as the platform names it; "" where neither is so."""
    if settings.public_url:
        return settings.public_url
    named = WEBSITE_HOSTNAME.of(env)
    if not named:
        return ""
    local = f"http://{named}"
    return local if is_loopback_http(local) else f"https://{named}"
