"""Every setting of the app in one frozen record, with every problem reported at once.

`Settings.load(env)` never opens anything. A part of the app says what it needs with `require(...)`, so that a worker
runs without the agent service and a diagnosis without a model.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from core.errors import NotConfigured

AZURE_MANAGEMENT = "https://management.azure.com"
LEARN_MCP = "https://learn.microsoft.com/api/mcp"
CALLBACK_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com")  # workflows and flows that wait for us
TOKEN_APPS = ("461e8683-5575-4561-ac7f-899cc907d62a", "4962773b-9cdb-44cf-a8bf-237846a00ab7")  # AzNS, Event Grid
TOKEN_ROLES = (
    "ActionGroupsSecureWebhook",
    "AzureEventGridSecureWebhookSubscriber",
)  # as their set-up scripts name them
SIGN_IN = "https://login.microsoftonline.com"


@dataclass(frozen=True)
class Problem:
    """A setting that is missing or wrong, and what to do about it.

    `area`: storage, foundry, adf, teams, callers or limits."""

    area: str
    setting: str
    text: str


@dataclass(frozen=True)
class Settings:
    """See docs/configuration.md for what each setting means. All times are in seconds."""

    storage_connection: str = ""
    storage_queue_uri: str = ""
    storage_table_uri: str = ""
    foundry_endpoint: str = ""
    foundry_model: str = ""
    foundry_api_version: str = ""
    adf_endpoint: str = AZURE_MANAGEMENT
    adf_factories: tuple[str, ...] = ()
    adf_subscription: str = ""
    adf_failure_rules: str = ""
    learn_mcp_url: str = LEARN_MCP
    incident_narrative: bool = True
    run_deadline_seconds: float = 300.0
    tool_deadline_seconds: float = 100.0
    adf_timeout_seconds: float = 30.0
    adf_cache_seconds: float = 5.0
    heartbeat_seconds: float = 5.0
    teams_webhook_url: str = field(default="", repr=False)  # holds the flow's signature
    teams_security_token: str = field(default="", repr=False)
    public_url: str = ""
    link_signing_key: str = field(default="", repr=False)
    callback_hosts: tuple[str, ...] = CALLBACK_HOSTS
    callback_signing_key: str = field(default="", repr=False)
    token_tenant: str = ""
    token_audiences: tuple[str, ...] = ()
    token_apps: tuple[str, ...] = TOKEN_APPS
    token_roles: tuple[str, ...] = TOKEN_ROLES
    token_authority: str = SIGN_IN
    problems: tuple[Problem, ...] = ()

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Settings:
        """Read `env`. Problems are kept in the record, not raised: `require` raises for the areas somebody needs."""
        values = {key: value.strip() for key, value in env.items()}
        found: list[Problem] = []
        fields: dict[str, Any] = {}
        for read in (_storage, _foundry, _adf, _teams, _callers, _limits):
            fields |= read(values, found)
        return cls(**fields, problems=tuple(found))

    def require(self, *areas: str) -> Settings:
        """Self, or NotConfigured naming every problem of these areas and how to mend each."""
        mine = [p for p in self.problems if p.area in (*areas, "limits")]
        if mine:
            raise NotConfigured(
                "Settings are missing or wrong: " + " ".join(f"{p.setting}: {p.text}" for p in mine),
                hint="Set them as app settings, or start the app with `make dev`.",
            )
        return self


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


def _storage(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    connection = env.get("STORAGE", "")
    queue, table = env.get("STORAGE__queueServiceUri", ""), env.get("STORAGE__tableServiceUri", "")
    if connection and "=" not in connection:
        problems.append(Problem("storage", "STORAGE", "is not a connection string (AccountName=…;AccountKey=…)."))
    if not connection and not (queue and table):
        text = (
            "give STORAGE__queueServiceUri and STORAGE__tableServiceUri (identity), or a connection string in STORAGE."
        )
        problems.append(Problem("storage", "STORAGE", text))
    for name, url in (("STORAGE__queueServiceUri", queue), ("STORAGE__tableServiceUri", table)):
        if url:
            _check_url("storage", name, url, problems)
    return {"storage_connection": connection, "storage_queue_uri": queue, "storage_table_uri": table}


def _foundry(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    endpoint = env.get("FOUNDRY_PROJECT_ENDPOINT", "").rstrip("/")
    model = env.get("FOUNDRY_MODEL", "")
    learn = env.get("LEARN_MCP_URL", LEARN_MCP)
    if not endpoint:
        text = "give the project endpoint, https://<account>.services.ai.azure.com/api/projects/<project>."
        problems.append(Problem("foundry", "FOUNDRY_PROJECT_ENDPOINT", text))
    else:
        _check_url("foundry", "FOUNDRY_PROJECT_ENDPOINT", endpoint, problems)
    if not model:
        problems.append(Problem("foundry", "FOUNDRY_MODEL", "give the name of a model deployment of that project."))
    if learn.lower() in ("", "off", "none"):
        learn = ""
    else:
        _check_url("foundry", "LEARN_MCP_URL", learn, problems)
    return {
        "foundry_endpoint": endpoint,
        "foundry_model": model,
        "foundry_api_version": env.get("FOUNDRY_API_VERSION", ""),
        "learn_mcp_url": learn,
        "incident_narrative": env.get("INCIDENT_NARRATIVE", "").lower() not in ("off", "false", "0", "no"),
    }


def _adf(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    endpoint = (env.get("ADF_ENDPOINT", "") or AZURE_MANAGEMENT).rstrip("/")
    factories = tuple(part.strip() for part in env.get("ADF_FACTORIES", "").split(",") if part.strip())
    subscription = env.get("ADF_SUBSCRIPTION_ID", "")
    _check_url("adf", "ADF_ENDPOINT", endpoint, problems)
    if not factories and not subscription:
        text = "give factory resource ids in ADF_FACTORIES (comma separated), or ADF_SUBSCRIPTION_ID to find them all."
        problems.append(Problem("adf", "ADF_FACTORIES", text))
    for factory in factories:
        if "/providers/microsoft.datafactory/factories/" not in factory.lower() or not factory.startswith(
            "/subscriptions/"
        ):
            text = f"{factory!r} is not /subscriptions/…/providers/Microsoft.DataFactory/factories/<name>."
            problems.append(Problem("adf", "ADF_FACTORIES", text))
    rules = env.get("ADF_FAILURE_RULES", "")
    if rules and not Path(rules).is_file():
        problems.append(Problem("adf", "ADF_FAILURE_RULES", f"there is no file {rules!r}."))
    return {
        "adf_endpoint": endpoint,
        "adf_factories": factories,
        "adf_subscription": subscription,
        "adf_failure_rules": rules,
    }


FLOW_HOSTS = (".logic.azure.com", ".environment.api.powerplatform.com")  # where Teams' Workflows live


def _teams(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
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
    return is_loopback_http(url) or (_is_https(url) and (urlsplit(url).hostname or "").endswith(FLOW_HOSTS))


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False


KEY_CHARACTERS = 32  # of a key that signs: 256 bits as hexadecimal are 64, as base64 are 44


def _callers(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """How callers come in and are called back. Without its setting a part is off; keys are repeated by no problem."""
    tenant, authority = env.get("TOKEN_TENANT_ID", ""), env.get("TOKEN_AUTHORITY", "").rstrip("/") or SIGN_IN
    _check_url("callers", "TOKEN_AUTHORITY", authority, problems)
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
    if not url or ((_is_https(url) or is_loopback_http(url)) and _is_bare(url)):
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


# The host ends a function after ten minutes (functionTimeout in host.json): what is longer would be cut off by it.
LIMITS = {  # setting: (field, smallest, largest)
    "RUN_DEADLINE_SECONDS": ("run_deadline_seconds", 1, 580),
    "TOOL_DEADLINE_SECONDS": ("tool_deadline_seconds", 1, 570),
    "ADF_TIMEOUT_SECONDS": ("adf_timeout_seconds", 0.1, 600),
    "ADF_CACHE_SECONDS": ("adf_cache_seconds", 0, 60),
    "HEARTBEAT_SECONDS": ("heartbeat_seconds", 0.1, 60),
}


def _limits(env: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, float] = {}
    for name, (attribute, smallest, largest) in LIMITS.items():
        text = env.get(name, "")
        if not text:
            continue
        try:
            value = float(text)
        except ValueError:
            problems.append(Problem("limits", name, f"{text!r} is not a number of seconds."))
            continue
        if smallest <= value <= largest:
            found[attribute] = value
        else:
            problems.append(Problem("limits", name, f"{value:g} is outside {smallest} to {largest} seconds."))
    _check_order(found, problems)
    return found


def _check_order(found: Mapping[str, float], problems: list[Problem]) -> None:
    """A call must end before the tool that makes it, and a tool before the run that waits for it."""
    adf = found.get("adf_timeout_seconds", Settings.adf_timeout_seconds)
    tool = found.get("tool_deadline_seconds", Settings.tool_deadline_seconds)
    run = found.get("run_deadline_seconds", Settings.run_deadline_seconds)
    if not adf < tool < run:
        text = (
            f"must grow: ADF_TIMEOUT_SECONDS {adf:g} < TOOL_DEADLINE_SECONDS {tool:g} < RUN_DEADLINE_SECONDS {run:g}."
        )
        problems.append(Problem("limits", "RUN_DEADLINE_SECONDS", text))


def _check_url(area: str, name: str, url: str, problems: list[Problem]) -> None:
    if not (_is_https(url) or is_loopback_http(url)):
        problems.append(Problem(area, name, f"{url!r} is not an https address (http is for this machine only)."))


def _is_https(url: str) -> bool:
    try:
        return url.startswith("https://") and bool(urlsplit(url).hostname)
    except ValueError:
        return False
