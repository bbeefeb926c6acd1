"""The signature under what Teams' outgoing webhook sends, and how old it may be."""

# No `from __future__ import annotations` here: see callers.py.
import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from datetime import datetime, timedelta

from fastapi import Request

from core.errors import NotConfigured
from core.settings import Settings
from orchestrator.api.callers import Caller, Guard, Unauthenticated
from tools_worker.datafactory.fields import as_mapping, text
from tools_worker.runtime.worker import utc_now

WINDOW = timedelta(minutes=5)  # of clocks and of the way here; Teams itself gives up after seconds


class TeamsSignature(Guard):
    """Teams, by the security token of its webhook.

    A body that is sent again within the window is the same question: its run is the record of it, there is only one.
    """

    door = "hooks"
    accepts = "Teams, by HMAC"

    def __init__(self, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now

    async def caller(self, request: Request) -> Caller:
        settings = Settings.load(os.environ)
        unsound = any(problem.setting == "TEAMS_SECURITY_TOKEN" for problem in settings.problems)
        if unsound or not settings.teams_security_token:
            raise NotConfigured(
                "Questions from Teams are switched off.",
                hint="Set TEAMS_SECURITY_TOKEN to what Teams showed when the outgoing webhook was made.",
            )
        body = await request.body()
        given = request.headers.get("authorization", "")
        if not body or not hmac.compare_digest(signature(settings.teams_security_token, body), given.encode()):
            raise Unauthenticated("This was not signed by Teams.", hint="Only its outgoing webhook may call this.")
        if self._is_stale(body):
            raise Unauthenticated("This was signed too long ago, or with another clock.", hint="Ask again.")
        return Caller("teams", "Teams")

    def _is_stale(self, body: bytes) -> bool:
        """What tells no time is not stale: nobody but the signer could have left it out."""
        try:
            told = text(as_mapping(json.loads(body)), "timestamp")
            at = datetime.fromisoformat(told) if told else None
        except (ValueError, RecursionError):
            return True
        return at is not None and (at.tzinfo is None or abs(self._now() - at) > WINDOW)


def signature(token: str, body: bytes) -> bytes:
    """The header Authorization that belongs to this body."""
    return b"HMAC " + base64.b64encode(hmac.digest(base64.b64decode(token), body, hashlib.sha256))
