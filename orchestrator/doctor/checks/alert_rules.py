"""Which factories do alert rules watch: metric alerts by their scope, log alerts by where a factory sends its logs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.doctor.findings import Seen, ok, skipped, warning
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.rest import Answer, Listed
from tools_worker.datafactory import fields

METRIC_ALERTS, LOG_ALERTS, DIAGNOSTICS = "2018-03-01", "2022-06-15", "2021-05-01-preview"
TABLES = {"adfpipelinerun": "PipelineRuns", "adftriggerrun": "TriggerRuns", "adfactivityrun": "ActivityRuns"}
MAKE = (
    "az monitor metrics alert create --name adf-failures --resource-group <group> --scopes {factory} --condition "
    "'total PipelineFailedRuns > 0' --window-size 5m --evaluation-frequency 1m --action <id of the action group>"
)
SEND = (
    "az monitor diagnostic-settings create --name adf-operations --resource {factory} --workspace {workspace} "
    '--export-to-resource-specific true --logs \'[{{"category": "{category}", "enabled": true}}]\''
)
Rule = Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """Of a subscription. `refusal`: they cannot be read."""

    metric: Listed
    log: Listed

    @property
    def refusal(self) -> Answer | None:
        return self.metric.refusal or self.log.refusal


@dataclass(frozen=True)
class Watched:
    """What is known of one factory. `blind`: log alerts that see nothing of it, and what should come where."""

    factory: str
    by: int
    blind: tuple[tuple[str, str, str], ...] = ()


async def read(patient: Patient, insights: str) -> Rules:
    metric = await patient.arm.listed(f"{insights}/metricAlerts", METRIC_ALERTS)
    return Rules(metric, await patient.arm.listed(f"{insights}/scheduledQueryRules", LOG_ALERTS))


async def judged(patient: Patient, rules: Rules, groups: Collection[str], factories: Sequence[str]) -> list[Seen]:
    """Those rules that reach the app, by one of these action groups."""
    metric = [each for each in rules.metric.items if is_on(each) and set(groups) & set(_of_metric(each))]
    log = [each for each in rules.log.items if is_on(each) and set(groups) & set(_of_log(each)) and _asked(each)]
    if not metric and not log:
        names = _names(factories) or "any factory"
        mend = MAKE.format(factory=factories[0] if factories else "<factory id>")
        return warning(f"No alert rule that reaches the app watches {names}.", mend)
    watched: list[Watched] = []
    for factory in factories:
        sent = await _sent(patient, factory) if log else {}
        if isinstance(sent, Answer):
            look = f"az monitor diagnostic-settings list --resource {factory}"
            return skipped(
                f"Where {_names([factory])} sends its logs cannot be read: {sent.words}.", f"Look yourself: {look}"
            )
        watched.append(_watched(factory, metric, log, sent))
    return _told(watched, f"{len(metric)} metric alerts and {len(log)} log alerts")


def _told(watched: Sequence[Watched], how: str) -> list[Seen]:
    unwatched = [each.factory for each in watched if not each.by]
    if unwatched:
        mend = MAKE.format(factory=unwatched[0])
        return warning(f"No alert rule that reaches the app watches {_names(unwatched)}.", mend)
    blind = [each for each in watched if each.blind]
    if blind:
        rule, category, workspace = blind[0].blind[0]
        mend = SEND.format(factory=blind[0].factory, workspace=workspace, category=category)
        names = _names([each.factory for each in blind])
        return warning(f"The log alert {rule!r} sees nothing of {names}: no {category} come to its workspace.", mend)
    return ok(f"{how} reach the app and watch {len(watched)} factories.")


def _watched(factory: str, metric: Iterable[Rule], log: Iterable[Rule], sent: Mapping[str, set[str]]) -> Watched:
    by = sum(any(covers(scope, factory) for scope in scopes(each)) for each in metric)
    blind: list[tuple[str, str, str]] = []
    for rule in log:
        for category in _asked(rule):
            workspaces = [scope for scope in scopes(rule) if "/workspaces/" in scope]
            if any(covers(scope, factory) for scope in scopes(rule)) or set(workspaces) & sent.get(category, set()):
                by += 1
            elif workspaces:
                blind.append((fields.text(rule, "name"), category, workspaces[0]))
    return Watched(factory, by, tuple(blind))


async def _sent(patient: Patient, factory: str) -> dict[str, set[str]] | Answer:
    """The workspaces that get each category of its logs."""
    listed = await patient.arm.listed(f"{factory}/providers/Microsoft.Insights/diagnosticSettings", DIAGNOSTICS)
    if listed.refusal:
        return listed.refusal
    sent: dict[str, set[str]] = {}
    for setting in listed.items:
        properties = fields.mapping(setting, "properties")
        for each in fields.items(properties, "logs"):
            if fields.as_mapping(each).get("enabled") is True:
                found = ("category", "categoryGroup")
                named = next((text for key in found if (text := fields.text(each, key))), "")
                for category in TABLES.values() if named == "allLogs" else (named,):
                    sent.setdefault(category, set()).add(fields.text(properties, "workspaceId").lower())
    return sent


def covers(scope: str, resource: str) -> bool:
    """It may be for a group or a subscription, too."""
    return f"{resource.lower()}/".startswith(f"{scope}/")


def scopes(rule: Rule) -> list[str]:
    return [str(each).lower().rstrip("/") for each in fields.items(fields.mapping(rule, "properties"), "scopes")]


def is_on(resource: Rule) -> bool:
    return fields.mapping(resource, "properties").get("enabled") is not False


def _of_metric(rule: Rule) -> list[str]:
    actions = fields.items(fields.mapping(rule, "properties"), "actions")
    return [fields.text(each, "actionGroupId").lower() for each in actions]


def _of_log(rule: Rule) -> list[str]:
    actions = fields.mapping(fields.mapping(rule, "properties"), "actions")
    return [str(each).lower() for each in fields.items(actions, "actionGroups")]


def _asked(rule: Rule) -> list[str]:
    """The logs of Data Factory that a log alert asks for."""
    criteria = fields.items(fields.mapping(fields.mapping(rule, "properties"), "criteria"), "allOf")
    queries = " ".join(fields.text(each, "query") for each in criteria).lower()
    return [category for table, category in TABLES.items() if table in queries]


def _names(factories: Sequence[str]) -> str:
    return ", ".join(each.rpartition("/")[2] for each in factories[:5])
