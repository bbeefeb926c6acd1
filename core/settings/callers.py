"""How callers come in and are called back: links, callbacks, tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from core.settings.problems import Problem, check_url, is_https, is_loopback_http
from core.settings.setting import Setting

CALLBACK_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com")  # workflows and flows that wait for us
TOKEN_APPS = ("461e8683-5575-4561-ac7f-899cc907d62a", "4962773b-9cdb-44cf-a8bf-237846a00ab7")  # AzNS, Event Grid
TOKEN_ROLES = (
    "ActionGroupsSecureWebhook",
    "AzureEventGridSecureWebhookSubscriber",
)  # as their set-up scripts name them
SIGN_IN = "https://login.microsoftonline.com"
KEY_CHARACTERS = 32  # of a key that signs: 256 bits as hexadecimal are 64, as base64 are 44
PUBLIC_URL = Setting(
    "PUBLIC_URL",
    "callers",
    "where callers reach the app under another name (gateway, custom domain): links point there",
    otherwise="the platform's own name of the app",
    example="https://ops.contoso.com",
)
LINK_SIGNING_KEY = Setting(
    "LINK_SIGNING_KEY",
    "callers",
    "signs the links that 202 answers and cards point to; 32 characters or more, the same on all instances: "
    "`openssl rand -base64 32`",
    secret=True,
    without="202 answers point to /api, which needs the key of the app.",
    part="links",
)
CALLBACK_HOSTS_SETTING = Setting(
    "CALLBACK_HOSTS",
    "callers",
    "hosts that `callback_url` may name, comma separated; with a dot in front every host below it",
    default=",".join(CALLBACK_HOSTS),
    example="flows.contoso.com",
)
CALLBACK_SIGNING_KEY = Setting(
    "CALLBACK_SIGNING_KEY",
    "callers",
    "signs what is sent to a `callback_url`; the receiver shares it; made like the other",
    secret=True,
    without="no callback_url is accepted.",
    part="callbacks",
)
TOKEN_TENANT_ID = Setting(
    "TOKEN_TENANT_ID",
    "callers",
    "the tenant whose tokens open `/hooks/alerts`; together with `TOKEN_AUDIENCES`",
    example="00000000-0000-4000-8000-000000000001",
    without="/hooks/alerts is closed; alerts come with the key of the app.",
    part="tokens",
)
TOKEN_AUDIENCES = Setting(
    "TOKEN_AUDIENCES",
    "callers",
    "for which application these tokens must be: its client id, its Application ID URI, comma separated",
    example="00000000-0000-4000-8000-000000000002,api://adf-operations",
    without="the same door is closed.",
)
TOKEN_APPS_SETTING = Setting(
    "TOKEN_APPS",
    "callers",
    "client ids of who may send alerts with a token",
    default=",".join(TOKEN_APPS),
    otherwise="Azure Monitor's action groups, Event Grid",
    example="00000000-0000-4000-8000-000000000003",
)
TOKEN_ROLES_SETTING = Setting(
    "TOKEN_ROLES",
    "callers",
    "app roles of which such a token must hold one",
    default=",".join(TOKEN_ROLES),
    example="ActionGroupsSecureWebhook",
)
TOKEN_AUTHORITY = Setting(
    "TOKEN_AUTHORITY",
    "callers",
    "another cloud's sign-in service",
    default=SIGN_IN,
    example="https://login.microsoftonline.us",
)
SETTINGS = (
    PUBLIC_URL,
    LINK_SIGNING_KEY,
    CALLBACK_HOSTS_SETTING,
    CALLBACK_SIGNING_KEY,
    TOKEN_TENANT_ID,
    TOKEN_AUDIENCES,
    TOKEN_APPS_SETTING,
    TOKEN_ROLES_SETTING,
    TOKEN_AUTHORITY,
)


def callers(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """How callers come in and are called back. Without its setting a part is off; keys are repeated by no problem."""
    tenant, authority = TOKEN_TENANT_ID.of(env), TOKEN_AUTHORITY.of(env).rstrip("/")
    check_url("callers", TOKEN_AUTHORITY.name, authority, problems)
    if bool(tenant) != bool(TOKEN_AUDIENCES.of(env)):
        text = "and TOKEN_AUDIENCES belong together: give both, or neither where no alerts come with tokens."
        problems.append(Problem("callers", TOKEN_TENANT_ID.name, text))
    return {
        "public_url": _origin(env, problems),
        "link_signing_key": _key(env, LINK_SIGNING_KEY, problems),
        "callback_hosts": CALLBACK_HOSTS_SETTING.listed(env),
        "callback_signing_key": _key(env, CALLBACK_SIGNING_KEY, problems),
        "token_tenant": tenant,
        "token_audiences": TOKEN_AUDIENCES.listed(env),
        "token_apps": TOKEN_APPS_SETTING.listed(env),
        "token_roles": TOKEN_ROLES_SETTING.listed(env),
        "token_authority": authority,
    }


def _origin(env: Mapping[str, str], problems: list[Problem]) -> str:
    """A wrong one counts as none: no link may point there."""
    url = PUBLIC_URL.of(env).rstrip("/")
    if not url or ((is_https(url) or is_loopback_http(url)) and _is_bare(url)):
        return url
    text = f"{url!r} is not https://<host>, the address of the app without a path."
    problems.append(Problem("callers", PUBLIC_URL.name, text))
    return ""


def _is_bare(url: str) -> bool:
    parts = urlsplit(url)
    return not (parts.path or parts.query or parts.fragment or parts.username or parts.password)


def _key(env: Mapping[str, str], setting: Setting, problems: list[Problem]) -> str:
    """A weak one counts as none: what it would sign is off."""
    key = setting.of(env)
    if not key or len(key) >= KEY_CHARACTERS:
        return key
    text = f"is shorter than {KEY_CHARACTERS} characters: make one with `openssl rand -base64 32`."
    problems.append(Problem("callers", setting.name, text))
    return ""
