"""How callers come in and are called back: links, callbacks, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.settings.problems import Problem, check_url, is_https, is_loopback_http

CALLBACK_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com")  # workflows and flows that wait for us
TOKEN_APPS = ("461e8683-5575-4561-ac7f-899cc907d62a", "4962773b-9cdb-44cf-a8bf-237846a00ab7")  # AzNS, Event Grid
TOKEN_ROLES = (
    "ActionGroupsSecureWebhook",
    "AzureEventGridSecureWebhookSubscriber",
)  # as their set-up scripts name them
SIGN_IN = "https://login.microsoftonline.com"
KEY_CHARACTERS = 32  # of a key that signs: 256 bits as hexadecimal are 64, as base64 are 44


def callers(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """How callers come in and are called back. Without its setting a part is off; keys are repeated by no problem."""
    tenant, authority = env.get("TOKEN_TENANT_ID", ""), env.get("TOKEN_AUTHORITY", "").rstrip("/") or SIGN_IN
    check_url("callers", "TOKEN_AUTHORITY", authority, problems)
    if bool(tenant) != bool(env.get("TOKEN_AUDIENCES", "")):
        text = "and TOKEN_AUDIENCES belong together: give both, or neither where no alerts come with tokens."
        problems.append(Problem("callers", "TOKEN_TENANT_ID", text))
    return {
        "public_url": _origin(env, problems),
        "link_signing_key": _key(env, "LINK_SIGNING_KEY", problems),
        "callback_hosts": _listed(env, "CALLBACK_HOSTS", CALLBACK_HOSTS),
        "callback_signing_key": _key(env, "CALLBACK_SIGNING_KEY", problems),
        "token_tenant": tenant,
        "token_audiences": _listed(env, "TOKEN_AUDIENCES"),
        "token_apps": _listed(env, "TOKEN_APPS", TOKEN_APPS),
        "token_roles": _listed(env, "TOKEN_ROLES", TOKEN_ROLES),
        "token_authority": authority,
    }


def _listed(env: Mapping[str, str], name: str, otherwise: tuple[str, ...] = ()) -> tuple[str, ...]:
    return tuple(part.strip() for part in env.get(name, "").split(",") if part.strip()) or otherwise


def _origin(env: Mapping[str, str], problems: list[Problem]) -> str:
    """A wrong one counts as none: no link may point there."""
    url = env.get("PUBLIC_URL", "").rstrip("/")
    if not url or ((is_https(url) or is_loopback_http(url)) and _is_bare(url)):
        return url
    text = f"{url!r} is not https://<host>, the address of the app without a path."
    problems.append(Problem("callers", "PUBLIC_URL", text))
    return ""


def _is_bare(url: str) -> bool:
    parts = urlsplit(url)
    return not (parts.path or parts.query or parts.fragment or parts.username or parts.password)


def _key(env: Mapping[str, str], name: str, problems: list[Problem]) -> str:
    """A weak one counts as none: what it would sign is off."""
    key = env.get(name, "")
    if not key or len(key) >= KEY_CHARACTERS:
        return key
    text = f"is shorter than {KEY_CHARACTERS} characters: make one with `openssl rand -base64 32`."
    problems.append(Problem("callers", name, text))
    return ""
