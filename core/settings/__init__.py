"""Every setting of the app in one frozen record, with every problem reported at once.

`Settings.load(env)` never opens anything. A part of the app says what it needs with `require(...)`, so that a worker
runs without the agent service and a diagnosis without a model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from core.errors import NotConfigured
from core.settings import audit, callers, digest, limits, policy, surroundings, teams, telemetry, upstreams
from core.settings.problems import Problem, is_loopback_http, unresolved
from core.settings.setting import Setting
from core.settings.upstreams import AZURE_MANAGEMENT

__all__ = ["AZURE_MANAGEMENT", "DESCRIBED", "OURS", "Problem", "Setting", "Settings", "is_loopback_http"]

READERS = (
    upstreams.storage,
    upstreams.foundry,
    upstreams.adf,
    teams.teams,
    callers.callers,
    digest.digest,
    audit.audit,
    limits.limits,
    telemetry.telemetry,
)
OURS = (
    *upstreams.SETTINGS,
    *policy.SETTINGS,
    *limits.SETTINGS,
    *teams.SETTINGS,
    *digest.SETTINGS,
    *audit.SETTINGS,
    *callers.SETTINGS,
    *telemetry.SETTINGS,
)
DESCRIBED = (*OURS, *surroundings.SETTINGS)  # every name in the environment that has a meaning here
_AREAS = {each.name: each.area for each in OURS}


@dataclass(frozen=True)
class Settings:
    """See docs/configuration.md for what each setting means. All durations are in seconds."""

    storage_connection: str = field(default="", repr=False)  # may hold a key
    storage_queue_uri: str = ""
    storage_table_uri: str = ""
    storage_blob_uri: str = ""
    foundry_endpoint: str = ""
    foundry_model: str = ""
    foundry_api_version: str = ""
    adf_endpoint: str = AZURE_MANAGEMENT
    adf_factories: tuple[str, ...] = ()
    adf_subscription: str = ""
    adf_failure_rules: str = ""
    adf_operator_client_id: str = ""  # the identity that changes factories; empty: the app's own
    learn_mcp_url: str = upstreams.LEARN.default
    incident_narrative: bool = True
    run_deadline_seconds: float = float(limits.RUN_DEADLINE.default)
    tool_deadline_seconds: float = float(limits.TOOL_DEADLINE.default)
    adf_timeout_seconds: float = float(limits.ADF_TIMEOUT.default)
    adf_cache_seconds: float = float(limits.ADF_CACHE.default)
    heartbeat_seconds: float = float(limits.HEARTBEAT.default)
    teams_webhook_url: str = field(default="", repr=False)  # holds the flow's signature
    teams_security_token: str = field(default="", repr=False)
    public_url: str = ""
    link_signing_key: str = field(default="", repr=False)
    callback_hosts: tuple[str, ...] = callers.CALLBACK_HOSTS
    callback_signing_key: str = field(default="", repr=False)
    token_tenant: str = ""
    token_audiences: tuple[str, ...] = ()
    token_apps: tuple[str, ...] = callers.TOKEN_APPS
    token_roles: tuple[str, ...] = callers.TOKEN_ROLES
    token_authority: str = callers.SIGN_IN
    digest_at: time | None = None  # of the day in `digest_timezone`; None: no digest is sent
    digest_timezone: str = digest.DIGEST_TIMEZONE.default
    digest_weekly_on: int | None = None  # 0 is Monday
    audit_days: int = int(audit.AUDIT_DAYS.default)
    telemetry: str = ""
    problems: tuple[Problem, ...] = ()

    @classmethod
    def load(cls, env: Mapping[str, str]) -> Settings:
        """Read `env`. Problems are kept in the record, not raised: `require` raises for the areas somebody needs."""
        given = {key: value.strip() for key, value in env.items()}
        found = unresolved(given, _AREAS)
        values = given | {problem.setting: "" for problem in found}
        fields: dict[str, Any] = {}
        for read in READERS:
            fields |= read(values, found)
        return cls(**fields, problems=tuple(found))

    @property
    def has_blobs(self) -> bool:
        """Only the anchors and exports of the audit trail need them."""
        named = ("BlobEndpoint=", "AccountName=", "UseDevelopmentStorage=")
        return bool(self.storage_blob_uri) or any(part in self.storage_connection for part in named)

    def require(self, *areas: str) -> Settings:
        """Self, or NotConfigured naming every problem of these areas and how to mend each."""
        mine = [p for p in self.problems if p.area in (*areas, "limits")]
        if mine:
            raise NotConfigured(
                "Settings are missing or wrong: " + " ".join(f"{p.setting}: {p.text}" for p in mine),
                hint="Set them as app settings, or start the app with `make dev`.",
            )
        return self
