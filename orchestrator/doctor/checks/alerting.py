"""Do alerts reach the app? Action groups, the alert rules that use them, and Event Grid, where they can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from core.errors import AppError
from orchestrator.doctor.checks import alert_rules
from orchestrator.doctor.findings import Check, Seen, skipped, warning
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.rest import Listed
from tools_worker.datafactory import fields

INSIGHTS, EVENT_GRID = "2023-01-01", "2022-06-15"
PATHS = ("/api/alerts/", "/hooks/alerts/")
RECEIVERS = {"webhookReceivers": "serviceUri", "azureFunctionReceivers": "httpTriggerUrl"}
MAKE = (
    "az monitor action-group create --name adf-ops --resource-group <group> --action webhook adf-ops "
    "https://{address}/hooks/alerts/azure-monitor usecommonalertschema; docs/integrations tells the secure webhook."
)
TOPICS = {"topics": "az eventgrid topic list", "systemTopics": "az eventgrid system-topic list"}
DEAD_LETTERS = ("deadLetterDestination", "deadLetterWithResourceIdentity")


async def wiring(patient: Patient) -> Sequence[Seen]:
    address = patient.address
    if not address:
        return skipped(
            "The app's own address is not known here, so nothing can be found that sends to it.",
            "Set PUBLIC_URL, or ask the app itself: GET /api/health?deep=true.",
        )
    if not patient.subscription:
        return skipped("The subscription of the factories is not known.", "Set ADF_FACTORIES or ADF_SUBSCRIPTION_ID.")
    insights = f"/subscriptions/{patient.subscription}/providers/Microsoft.Insights"
    groups = await patient.arm.listed(f"{insights}/actionGroups", INSIGHTS)
    rules = await alert_rules.read(patient, insights)
    return [*await _of_groups(patient, groups, rules, address), *await _events(patient)]


async def _factories(patient: Patient) -> list[str]:
    try:
        return [each.id.path for each in await patient.factories.all()]
    except AppError:
        return []  # 'adf_factories' tells it


async def _of_groups(patient: Patient, groups: Listed, rules: alert_rules.Rules, address: str) -> list[Seen]:
    refusal = groups.refusal or rules.refusal
    if refusal:
        look = "az monitor action-group list; az monitor metrics alert list; az monitor scheduled-query list"
        return skipped(f"Action groups and alert rules cannot be read: {refusal.words}.", f"Look yourself: {look}")
    ours = [group for group in groups.items if _reaches(group, address)]
    if not ours:
        return warning(f"No action group sends to {address}.", MAKE.format(address=address))
    reaching = {fields.text(each, "id").lower() for each in ours if alert_rules.is_on(each)}
    if not reaching:
        name = fields.text(ours[0], "name")
        mend = f"az monitor action-group update --name {name} --resource-group <group> --set enabled=true"
        return warning(f"The action group {name!r} sends to {address}, but is disabled.", mend)
    return await alert_rules.judged(patient, rules, reaching, await _factories(patient))


def _reaches(group: Mapping[str, Any], address: str) -> bool:
    properties = fields.mapping(group, "properties")
    return any(
        _is_ours(fields.text(receiver, field), address)
        for kind, field in RECEIVERS.items()
        for receiver in fields.items(properties, kind)
    )


def _is_ours(url: str, address: str) -> bool:
    """An address holds a key sometimes: it is compared, never shown."""
    parts = urlsplit(url)
    return parts.netloc.lower() == address.lower() and parts.path.lower().startswith(PATHS)


async def _events(patient: Patient) -> list[Seen]:
    """Only where there are any: the action group alone is enough."""
    topics: list[Mapping[str, Any]] = []
    for kind, look in TOPICS.items():
        listed = await patient.arm.listed(
            f"/subscriptions/{patient.subscription}/providers/Microsoft.EventGrid/{kind}", EVENT_GRID
        )
        if listed.refusal:
            return skipped(f"Event Grid cannot be read: {listed.refusal.words}.", f"Look yourself: {look}")
        topics += listed.items
    found: list[Seen] = []
    for topic in topics:
        subscriptions = await patient.arm.listed(f"{fields.text(topic, 'id')}/eventSubscriptions", EVENT_GRID)
        found += [seen for each in subscriptions.items if (seen := _event(each))]
    return found


def _event(subscription: Mapping[str, Any]) -> Seen | None:
    properties, name = fields.mapping(subscription, "properties"), fields.text(subscription, "name")
    target = fields.mapping(fields.mapping(properties, "destination"), "properties")
    if not fields.text(target, "resourceId").lower().endswith("/functions/alerts_event"):
        return None
    state = fields.text(properties, "provisioningState")
    if state not in ("", "Succeeded"):
        return Seen("warning", f"The event subscription {name!r} is {state}.", "Delete it and run azd provision again.")
    if not any(fields.mapping(properties, field) for field in DEAD_LETTERS):
        mend = f"az eventgrid event-subscription update --name {name} … --deadletter-endpoint <container id>"
        return Seen(
            "warning", f"The event subscription {name!r} has no dead-letter container.", mend, "Alerts are lost."
        )
    return Seen("ok", f"The event subscription {name!r} reaches the app.")


CHECKS = (Check("alert_wiring", "Failures are then seen by the watcher only, minutes later.", wiring, ("adf",)),)
