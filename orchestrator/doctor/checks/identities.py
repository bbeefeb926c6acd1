"""Can a token be had for every audience, and of whom is it?"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from core import clients
from core.settings import AZURE_MANAGEMENT, is_loopback_http
from orchestrator.doctor.findings import Check, Seen, skipped
from orchestrator.doctor.patient import EXECUTE, FOUNDRY_AUDIENCE, STORAGE_AUDIENCE, Patient

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

MEND = (
    "On Azure: az functionapp identity assign --name <app> --resource-group <group> --identities <resource id>, and "
    "AZURE_CLIENT_ID = its client id. On your own machine: az login."
)


class Wanted(NamedTuple):
    what: str
    credential: AsyncTokenCredential
    audience: str


async def tokens(patient: Patient) -> Sequence[Seen]:
    found = [await _token(each) for each in _wanted(patient)]
    return found or skipped("Storage is reached by a connection string, and nothing else is set.")


def _wanted(patient: Patient) -> Iterator[Wanted]:
    settings = patient.settings
    if not settings.storage_connection and settings.storage_queue_uri:
        yield Wanted("storage", clients.credential(settings.storage_queue_uri), STORAGE_AUDIENCE)
    if settings.foundry_endpoint:
        yield Wanted("the agent service", clients.credential(settings.foundry_endpoint), FOUNDRY_AUDIENCE)
    yield Wanted("Data Factory", clients.credential(settings.adf_endpoint), AZURE_MANAGEMENT)


async def operator_token(patient: Patient) -> Sequence[Seen]:
    settings = patient.settings
    if not settings.adf_operator_client_id:
        return skipped("ADF_OPERATOR_CLIENT_ID is not set: the app's own identity changes factories.")
    if not patient.acts:
        return skipped(f"{EXECUTE} is disabled in this app: another one acts, as an identity of its own.")
    if "IDENTITY_ENDPOINT" not in patient.env and not is_loopback_http(settings.adf_endpoint):
        return skipped("A managed identity can be had on Azure only, in the app that it is assigned to.")
    return [await _token(Wanted("the operator", clients.operator_credential(settings), AZURE_MANAGEMENT))]


async def _token(wanted: Wanted) -> Seen:
    from azure.core.exceptions import ClientAuthenticationError

    try:
        token = await wanted.credential.get_token(f"{wanted.audience}/.default")
    except ClientAuthenticationError as exc:  # with azure-identity's CredentialUnavailableError
        first = str(exc.message).strip().partition("\n")[0][:300]
        return Seen("failed", f"No token for {wanted.what} ({wanted.audience}): {first}", MEND)
    return Seen("ok", f"A token for {wanted.what}{_whose(token.token)}.")


def _whose(token: str) -> str:
    """What the token says of its owner: ids, no secret. Nothing is checked; nobody is let in by it."""
    try:
        middle = token.split(".")[1]
        claims: Any = json.loads(urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
        owner = claims.get("upn") or claims.get("oid") or ""
    except (IndexError, ValueError, AttributeError):
        return ""
    return f", of {owner} (application {claims.get('appid', 'unknown')})" if owner else ""


CHECKS = (
    Check("credentials", "Without a token the service behind it refuses everything.", tokens),
    Check("operator_credential", "Approved actions are carried out by this identity.", operator_token, ("adf",)),
)
