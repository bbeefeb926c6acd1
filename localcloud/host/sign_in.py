"""App Service authentication, as the platform puts it before an app: it alone says who is signed in.

Nobody signs in on a laptop: what is called below /ui/ on this machine comes from one developer who holds every role.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

SWITCH = "WEBSITE_AUTH_ENABLED"
PLATFORMS_OWN = ("x-ms-client-principal", "x-ms-token-")  # headers that no caller can send past the platform
DEVELOPER = "developer@localhost"
ROLES = ("reader", "operator", "approver")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class SignIn:
    enabled: bool = False

    def headers(self, sent: Mapping[str, str], path: str) -> dict[str, str]:
        """What the app gets of the headers that were sent."""
        kept = {name: value for name, value in sent.items() if not name.lower().startswith(PLATFORMS_OWN)}
        return {**kept, **developer()} if self.enabled and is_local(sent) and path.startswith("/ui/") else kept


def is_local(headers: Mapping[str, str]) -> bool:
    """Any page can have a browser call this machine, under a name of its own that leads here."""
    host = next((value for name, value in headers.items() if name.lower() == "host"), "")
    try:
        return urlsplit(f"//{host}").hostname in LOOPBACK
    except ValueError:
        return False


def developer() -> dict[str, str]:
    claims = [("preferred_username", DEVELOPER), ("oid", "00000000-0000-0000-0000-00000000d3e7")]
    told = [{"typ": kind, "val": value} for kind, value in (*claims, *(("roles", role) for role in ROLES))]
    principal = {"auth_typ": "aad", "name_typ": "preferred_username", "role_typ": "roles", "claims": told}
    return {
        "x-ms-client-principal": base64.b64encode(json.dumps(principal).encode()).decode(),
        "x-ms-client-principal-name": DEVELOPER,
        "x-ms-client-principal-idp": "aad",
    }
