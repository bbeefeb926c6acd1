"""Rights of others than the app: who changes factories, and the agent service on the queues. Read, never tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from core.errors import AppError
from orchestrator.doctor.checks.identities import operator_token
from orchestrator.doctor.findings import Check, Seen, failed, ok, skipped, warning
from orchestrator.doctor.patient import EXECUTE, Patient
from orchestrator.doctor.rest import Answer
from orchestrator.doctor.storage_parts import QUEUES
from tools_worker.datafactory import fields

AUTHORIZATION, STORAGE, PROJECT = "2022-04-01", "2023-05-01", "2025-06-01"
MOST = 10
CHANGES = (  # what the operations send
    "Microsoft.DataFactory/factories/pipelines/createrun/action",
    "Microsoft.DataFactory/factories/pipelineruns/cancel/action",
    "Microsoft.DataFactory/factories/triggers/start/action",
    "Microsoft.DataFactory/factories/triggers/stop/action",
    "Microsoft.DataFactory/factories/triggers/triggerruns/rerun/action",
)
CONTRIBUTOR, SENDER = "974c5e8b-45b9-4653-ba55-5f855dd0fb88", "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
PROCESSOR = "8a0f0c08-91a1-4084-bc3d-661d67233fed"
READER = "19e7f393-937e-4f77-808e-94535e297925"
KNOWN = {CONTRIBUTOR, SENDER, PROCESSOR, READER}
HOLDS = {"calls": (CONTRIBUTOR, SENDER), "replies": (CONTRIBUTOR, PROCESSOR)}  # what the service needs on a queue
_ACCOUNT = re.compile(r"/storageAccounts/[^/]+(/queueServices/default/queues/(?P<queue>[^/]+))?$", re.IGNORECASE)


async def operator(patient: Patient) -> Sequence[Seen]:
    reason = await _unseen(patient)
    if reason and not patient.operator_identity:
        look = f"--assignee {patient.settings.adf_operator_client_id or '<operator>'} --scope <factory id>"
        return skipped(reason, f"Look yourself: az role assignment list --include-inherited {look}")
    try:
        factories = (await patient.factories.all())[:MOST]
    except AppError:
        return skipped("The factories could not be listed: see 'adf_factories'.")
    look_at = _has_roles if reason else _may_change
    found = [seen for factory in factories if (seen := await look_at(patient, factory.id.path))]
    return found or ok(f"What is approved can be carried out in {len(factories)} factories.")


async def _unseen(patient: Patient) -> str:
    """Why the operator's own token does not tell here what it may do; empty where it does."""
    if not patient.acts:
        return f"{EXECUTE} is disabled in this app: another one acts."
    if not patient.settings.adf_operator_client_id:
        return ""
    [token] = await operator_token(patient)
    return "" if token.result == "ok" else f"The rights of an identity are seen with its token only. {token.found}"


async def _may_change(patient: Patient, factory: str) -> Seen | None:
    """By what Azure tells whoever asks of its own rights."""
    named = bool(patient.settings.adf_operator_client_id)
    arm = patient.arm_as_operator if named else patient.arm
    held = await arm.listed(f"{factory}/providers/Microsoft.Authorization/permissions", AUTHORIZATION)
    if held.refusal:
        return _unread("Rights on the factory", held.refusal, f"az role assignment list --scope {factory}")
    return _lacking(factory, held.items, named, "<its object id>")


async def _has_roles(patient: Patient, factory: str) -> Seen | None:
    """By the roles that it was given there, above it, or through a group."""
    principal = patient.operator_identity
    look = f"az role assignment list --include-inherited --assignee {principal} --scope {factory}"
    wanted = quote(f"atScope() and assignedTo('{principal}')")
    given = await patient.arm.listed(
        f"{factory}/providers/Microsoft.Authorization/roleAssignments?$filter={wanted}", AUTHORIZATION
    )
    if given.refusal:
        return _unread("Role assignments", given.refusal, look)
    held: list[Mapping[str, Any]] = []
    for each in given.items:
        role = fields.text(fields.mapping(each, "properties"), "roleDefinitionId")
        definition = await patient.arm.get(role, AUTHORIZATION)
        if definition.status != 200:
            return _unread("A role of the operator's identity", definition, look)
        permissions = fields.items(fields.mapping(definition.body, "properties"), "permissions")
        held += [fields.as_mapping(permission) for permission in permissions]
    return _lacking(factory, held, True, principal)


def _lacking(factory: str, held: Sequence[Mapping[str, Any]], named: bool, principal: str) -> Seen | None:
    missing = [action for action in CHANGES if not _allowed(action, held)]
    if not missing:
        return None
    who = "The operator's identity" if named else "The app's own identity (ADF_OPERATOR_CLIENT_ID is not set)"
    mend = (
        f"az role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal "
        f"--role <the operator role of infra/factoryRoles.json> --scope {factory}"
    )
    why = "" if named else "Approved actions fail. Nothing to mend where nobody is to change factories through the app."
    short = ", ".join(action.removeprefix("Microsoft.DataFactory/factories/") for action in missing)
    return Seen("failed" if named else "warning", f"{who} may not: {short} ({factory.rpartition('/')[2]}).", mend, why)


def _allowed(action: str, held: Iterable[Mapping[str, Any]]) -> bool:
    """Each role adds what it holds less what it takes out again, as Azure reads them."""
    return any(_among(action, role, "actions") and not _among(action, role, "notActions") for role in held)


def _among(action: str, role: Mapping[str, Any], field: str) -> bool:
    patterns = (str(each).lower() for each in fields.items(role, field))
    return any(fnmatchcase(action.lower(), pattern) for pattern in patterns)


async def agent_service(patient: Patient) -> Sequence[Seen]:
    """The Foundry project's own identity writes the calls and reads the replies."""
    connections = await patient.project.listed("/connections", "v1")
    project = fields.text(connections.items[0], "id").partition("/connections/")[0] if connections.items else ""
    if not project:
        return skipped("The project's resource id is not known: see 'foundry_standard_setup'.")
    look = f"az role assignment list --assignee <object id of the project's identity> --scope <id of {patient.account}>"
    resource = await patient.arm.get(project, PROJECT)
    principal = fields.text(fields.mapping(resource.body, "identity"), "principalId")
    if resource.status != 200:
        return [_unread("The project's identity", resource, look)]
    if not principal:
        return failed("The Foundry project has no identity of its own.", "Make the project anew (azd up): it has one.")
    accounts = await patient.arm.listed(
        f"/subscriptions/{project.split('/')[2]}/providers/Microsoft.Storage/storageAccounts", STORAGE
    )
    account = next((fields.text(each, "id") for each in accounts.items if _is(each, patient.account)), "")
    if not account:
        return skipped(f"The storage account {patient.account!r} cannot be seen by the app's identity.", look)
    wanted = quote(f"principalId eq '{principal}'")
    held = await patient.arm.listed(
        f"{account}/providers/Microsoft.Authorization/roleAssignments?$filter={wanted}", AUTHORIZATION
    )
    return (
        [_unread("Role assignments", held.refusal, look)] if held.refusal else _queues(held.items, principal, account)
    )


def _is(account: Mapping[str, Any], name: str) -> bool:
    return fields.text(account, "name").lower() == name.lower()


def _queues(held: Sequence[Mapping[str, Any]], principal: str, account: str) -> list[Seen]:
    known = [found for each in held if (found := _assignment(fields.mapping(each, "properties")))]
    lacking = [
        queue.name
        for queue in QUEUES
        if queue.use != "own" and not any(role in HOLDS[queue.use] and on in ("", queue.name) for role, on in known)
    ]
    if not lacking:
        return ok("The agent service may send calls and take replies on every queue.")
    mend = (
        f"az role assignment create --assignee-object-id {principal} --assignee-principal-type ServicePrincipal "
        f"--role {CONTRIBUTOR} --scope {account}   # Storage Queue Data Contributor"
    )
    text = f"The Foundry project's identity may not use {len(lacking)} of the tools' queues, first {lacking[0]}"
    if others := sorted({role for role, _ in known} - KNOWN):
        return warning(f"{text}, unless one of its other roles holds it: {', '.join(others)}.", mend)
    return failed(f"{text}.", mend)


def _assignment(properties: Mapping[str, Any]) -> tuple[str, str] | None:
    """The role, and the queue that it is for: empty for the whole account, or for what the account is in."""
    role = fields.text(properties, "roleDefinitionId").rpartition("/")[2].lower()
    scope = fields.text(properties, "scope")
    below = _ACCOUNT.search(scope)
    if below is None and "/providers/Microsoft.Storage/" in scope:
        return None  # of something else in the account
    return role, (below["queue"] or "") if below else ""


def _unread(what: str, answer: Answer, look: str) -> Seen:
    return Seen("skipped", f"{what} cannot be read by the app's identity: {answer.words}.", f"Look yourself: {look}")


CHECKS = (
    Check("operator_rights", "What people approve is then refused by Data Factory.", operator, ("adf",)),
    Check(
        "agent_service_roles",
        "Without the role nothing fails: calls are not written or replies not read, and every question ends at its "
        "deadline.",
        agent_service,
        ("foundry", "storage", "adf"),
    ),
)
