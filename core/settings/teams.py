"""The channel in Teams: where cards go, and who asks from there."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.settings.problems import Problem, is_https, is_loopback_http
from core.settings.setting import Setting

FLOW_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com")  # where Teams' Workflows live
TEAMS_WEBHOOK_URL = Setting(
    "TEAMS_WEBHOOK_URL",
    "teams",
    "the address of the Workflows flow that posts cards into a Teams channel ([Teams](integrations/teams.md))",
    secret=True,
    without="cards are lines in the log.",
    part="teams",
)
TEAMS_SECURITY_TOKEN = Setting(
    "TEAMS_SECURITY_TOKEN",
    "teams",
    "the security token of the outgoing webhook by which Teams asks questions",
    secret=True,
    without="no questions from Teams.",
    part="teams",
)
SETTINGS = (TEAMS_WEBHOOK_URL, TEAMS_SECURITY_TOKEN)


def teams(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """Both are secrets: no problem repeats them. Without them the part is off, and a wrong one counts as none."""
    webhook, token = TEAMS_WEBHOOK_URL.of(env), TEAMS_SECURITY_TOKEN.of(env)
    if webhook and not _is_flow(webhook):
        text = f"is not the https address of a flow (its host ends in {' or '.join(FLOW_HOSTS)})."
        problems.append(Problem("teams", TEAMS_WEBHOOK_URL.name, text))
        webhook = ""
    if token and not _is_base64(token):
        text = "is not the security token (base64) that Teams showed when the outgoing webhook was made."
        problems.append(Problem("teams", TEAMS_SECURITY_TOKEN.name, text))
        token = ""
    return {"teams_webhook_url": webhook, "teams_security_token": token}


def _is_flow(url: str) -> bool:
    return is_loopback_http(url) or (is_https(url) and (urlsplit(url).hostname or "").endswith(FLOW_HOSTS))


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False
