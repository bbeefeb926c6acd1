"""What is wrong with a setting, and which addresses a setting may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

VAULT = "@Microsoft.KeyVault("
OTHERS = "callers"  # the area of a name that is not ours


@dataclass(frozen=True)
class Problem:
    """A setting that is missing or wrong, and what to do about it.

    `area`: storage, foundry, adf, teams, callers, digest, audit, telemetry or limits."""

    area: str
    setting: str
    text: str


def is_loopback_http(url: str) -> bool:
    """Plain http is allowed to this machine only."""
    try:
        parts = urlsplit(url)
    except ValueError:  # no address at all
        return False
    if parts.scheme != "http" or not parts.hostname:
        return False
    if parts.hostname == "localhost":
        return True
    try:
        return ip_address(parts.hostname).is_loopback
    except ValueError:
        return False


def check_url(area: str, name: str, url: str, problems: list[Problem]) -> None:
    if not (is_https(url) or is_loopback_http(url)):
        problems.append(Problem(area, name, f"{url!r} is not an https address (http is for this machine only)."))


def is_https(url: str) -> bool:
    try:
        return url.startswith("https://") and bool(urlsplit(url).hostname)
    except ValueError:
        return False


def unresolved(env: Mapping[str, str], areas: Mapping[str, str]) -> list[Problem]:
    """References that the platform left as they are. None is a secret: whoever knows the vault could write it.

    `areas`: of each setting."""
    text = (
        "is a Key Vault reference that was not resolved: give the app's identity the role Key Vault Secrets User "
        "on the vault, check the secret's name, and restart the app."
    )
    left = [name for name, value in env.items() if value.startswith(VAULT)]
    return [Problem(areas.get(name, OTHERS), name, text) for name in left]
