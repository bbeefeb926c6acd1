"""The channel in Teams: where cards go, and who asks from there."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.settings.problems import Problem, is_https, is_loopback_http

FLOW_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com")  # where Teams' Workflows live


def teams(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """Both are secrets: no problem repeats them. Without them the part is off, and a wrong one counts as none."""
    webhook, token = env.get("TEAMS_WEBHOOK_URL", ""), env.get("TEAMS_SECURITY_TOKEN", "")
    if webhook and not _is_flow(webhook):
        text = f"is not the https address of a flow (its host ends in {' or '.join(FLOW_HOSTS)})."
        problems.append(Problem("teams", "TEAMS_WEBHOOK_URL", text))
        webhook = ""
    if token and not _is_base64(token):
        text = "is not the security token (base64) that Teams showed when the outgoing webhook was made."
        problems.append(Problem("teams", "TEAMS_SECURITY_TOKEN", text))
        token = ""
    return {"teams_webhook_url": webhook, "teams_security_token": token}


def _is_flow(url: str) -> bool:
    return is_loopback_http(url) or (is_https(url) and (urlsplit(url).hostname or "").endswith(FLOW_HOSTS))


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False
