"""The Activity Log of Azure Monitor: who changed which resource of a factory, and who cancelled which run.

Data Factory's own records name no author. The log is kept for 90 days, belongs to the subscription, and needs its own
permission (Microsoft.Insights/eventtypes/values/read: Monitoring Reader, or Reader). It tells that somebody wrote a
definition, never what was in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from core.errors import UpstreamRefused
from tools_worker.datafactory import fields
from tools_worker.datafactory.models import Change, FactoryId

API_VERSION = "2015-04-01"
KEPT = timedelta(days=90) - timedelta(hours=1)  # a start that is older is refused, by Azure's clock
FACTORY = "factories"  # the kind of a change to the factory itself
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
UNSHOWN = "somebody whose name cannot be shown"
_ACCOUNT = re.compile(r"[\w.+'#-]{1,100}")
_ENDS = ("action", "write", "delete")


def path(factory: FactoryId, since: datetime, until: datetime) -> str:
    """The query for the factory's resource group: the log filters by group or by one resource, not by what is below
    it."""
    terms = (
        f"eventTimestamp ge '{_iso(since)}' and eventTimestamp le '{_iso(until)}' "
        f"and resourceGroupName eq '{factory.resource_group}'"
    )
    log = "providers/Microsoft.Insights/eventtypes/management/values"
    subscription = quote(factory.subscription, safe="")
    return f"/subscriptions/{subscription}/{log}?api-version={API_VERSION}&$filter={quote(terms)}"


def change_of(raw: object, factory: FactoryId) -> Change | None:
    """One event; None when it is about something else than this factory, or is no change."""
    resource = fields.text(raw, "resourceId")
    below = resource[len(factory.path) :] if resource.casefold().startswith(factory.path.casefold()) else None
    operation = fields.text(fields.mapping(raw, "operationName"), "value")
    if below is None or (below and not below.startswith("/")) or not operation.lower().endswith(_ENDS):
        return None
    kind, _, name = below.strip("/").partition("/")
    return Change(
        id=fields.name(raw, "correlationId") or fields.name(raw, "eventDataId"),
        at=fields.moment(raw, "eventTimestamp"),
        by=fields.name(raw, "caller"),
        operation=_verb(operation),
        kind=kind.lower() or FACTORY,
        name=_bounded(name.split("/")[0]) if name else factory.name,
        status=fields.name(fields.mapping(raw, "status"), "value"),
    )


def once_each(changes: Iterable[Change]) -> list[Change]:
    """Newest first, one for each action: Azure logs its begin and its end under one correlation id. The end tells how
    it went, the begin when it was asked for."""
    found: dict[tuple[str, str, str, str], Change] = {}
    newest_first = sorted(changes, key=lambda change: change.at or _NEVER, reverse=True)
    for number, change in enumerate(newest_first):
        key = (change.id or f"nameless {number}", change.operation, change.kind, change.name.casefold())
        found.setdefault(key, change)
    return list(found.values())


def who(change: Change) -> str:
    """The caller as a colleague knows them: the account before the @, since replies are masked for addresses, or an
    application by its id. Other text of the log is not ours to show."""
    caller = change.by.strip()
    if not caller:
        return "somebody unnamed"
    if _GUID.fullmatch(caller):
        return f"application {caller}"
    account, at, _ = caller.partition("@")
    return account if at and _ACCOUNT.fullmatch(account) else UNSHOWN


def not_permitted(factory: FactoryId) -> UpstreamRefused:
    return UpstreamRefused(
        f"The app's identity may not read the Activity Log of {factory.resource_group}, where {factory.name} is (403).",
        hint="Give it Monitoring Reader, or Reader, on the resource group: Microsoft.Insights/eventtypes/values/read.",
    )


def _bounded(name: str) -> str:
    return name if len(name) <= fields.MAX_NAME else ""


def _verb(operation: str) -> str:
    """`Microsoft.DataFactory/factories/triggers/stop/action` → `stop`; `…/pipelines/write` → `write`."""
    parts = operation.lower().split("/")
    return parts[-2] if parts[-1] == "action" and len(parts) > 1 else parts[-1]


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_NEVER = datetime.min.replace(tzinfo=UTC)
