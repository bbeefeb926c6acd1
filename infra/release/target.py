"""Where a release goes: the two apps of one environment, and the container where its releases are kept."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra.release.commands import az, az_json
from infra.release.failure import Failed

ENVIRONMENT = re.compile(r"[a-z0-9-]{2,40}", re.IGNORECASE)
CONTAINER = json.loads(Path(__file__).parents[1].joinpath("storage.json").read_text(encoding="utf-8"))[
    "releaseContainer"
]


@dataclass(frozen=True)
class Target:
    group: str
    app: str
    operator: str
    url: str
    account: str
    python: str
    container: str = CONTAINER


def find(environment: str) -> Target:
    """As `azd provision` made it: apps are found by the tags that azd knows them by."""
    if not ENVIRONMENT.fullmatch(environment):
        raise Failed(f"{environment!r} is no name of an environment: set AZURE_ENV_NAME.")
    group = f"rg-{environment}"
    apps = az_json("functionapp", "list", "--resource-group", group)
    by_service = {(one.get("tags") or {}).get("azd-service-name"): one for one in apps or []}
    missing = [service for service in ("app", "operator") if service not in by_service]
    if missing:
        raise Failed(f"{group} has no function app tagged {' or '.join(missing)}: run 'azd provision' first.")
    app, operator = (str(by_service[service]["name"]) for service in ("app", "operator"))
    shown = az_json("functionapp", "show", "--resource-group", group, "--name", app)
    return Target(group, app, operator, f"https://{_host(shown)}", _account(group, app), _python(shown))


def _host(shown: dict[str, object]) -> str:
    """Whatever this version of az calls it: the plan's own properties are below `properties` in some."""
    host = shown.get("defaultHostName") or _properties(shown).get("defaultHostName")
    if not isinstance(host, str) or not host:
        raise Failed("az does not tell the app's host name: it may be too old.")
    return host


def _python(shown: dict[str, object]) -> str:
    config = shown.get("functionAppConfig") or _properties(shown).get("functionAppConfig")
    runtime = config.get("runtime") if isinstance(config, dict) else None
    version = runtime.get("version") if isinstance(runtime, dict) else None
    return str(version or "")


def _properties(shown: dict[str, object]) -> dict[str, object]:
    inner = shown.get("properties")
    return inner if isinstance(inner, dict) else {}


def _account(group: str, app: str) -> str:
    listed = az_json("functionapp", "config", "appsettings", "list", "--resource-group", group, "--name", app)
    for setting in listed or []:
        if setting.get("name") == "STORAGE__blobServiceUri":
            return (urlsplit(str(setting.get("value"))).hostname or "").partition(".")[0]
    raise Failed(
        f"{app} has no setting STORAGE__blobServiceUri: run 'azd provision', which makes where releases are kept."
    )


def key(target: Target) -> str:
    """The function key by which the app is asked. It goes into a header, and nowhere else."""
    words = ("functionapp", "keys", "list", "--resource-group", target.group, "--name", target.app)
    return az(*words, "--query", "functionKeys.default", "--output", "tsv").strip()
