"""Every check, in the order in which their findings help."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from infra.checks import again, agreement, modules, queries, rights, safety, symbols, watching
from infra.checks.tree import Finding, Templates

Check = Callable[[Templates], Iterator[Finding]]

# A file that cannot be read is told first: what is said of the others would only confuse.
READABLE: tuple[Check, ...] = (symbols.syntax, agreement.json_files)
CHECKS: tuple[Check, ...] = (
    symbols.names,
    symbols.unused,
    symbols.cycles,
    symbols.json_keys,
    modules.modules,
    modules.orphans,
    modules.outputs,
    modules.deployment_names,
    safety.demands,
    safety.versions,
    safety.keys,
    safety.secrets,
    safety.receivers,
    safety.immutability,
    safety.dead_letters,
    safety.companions,
    safety.parents,
    rights.role_assignments,
    rights.guids,
    rights.unused_roles,
    rights.factory_roles,
    agreement.settings,
    agreement.host_settings,
    agreement.identities,
    agreement.storage_names,
    agreement.resource_names,
    agreement.parameters,
    agreement.descriptions,
    agreement.azd,
    agreement.vault_secrets,
    again.steady,
    again.own_names,
    again.locked,
    queries.texts,
    queries.query_files,
    queries.query_names,
    watching.silent_functions,
    watching.workbook,
    watching.own_alerts,
)


def findings(templates: Templates) -> list[Finding]:
    return _of(READABLE, templates) or _of(CHECKS, templates)


def _of(checks: Iterable[Check], templates: Templates) -> list[Finding]:
    return [replace(finding, check=check.__name__) for check in checks for finding in check(templates)]
