"""Can a token be had for every audience, and of whom is it?"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any

from core import clients
from core.settings import AZURE_MANAGEMENT, is_loopback_http
from core.settings.surroundings import IDENTITY_ENDPOINT
from orchestrator.doctor.findings import Check, Seen, skipped
from orchestrator.doctor.patient import EXECUTE, Patient

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken

SERVICES = {"storage": "storage", "foundry": "the agent service", "adf": "Data Factory"}  # by the area of settings
MEND = (
    "On Azure: az functionapp identity assign --name <app> --resource-group <group> --identities <resource id>, and "
    "AZURE_CLIENT_ID = its client id. On your own machine: az login."
)


async def tokens(patient: Patient) -> Sequence[Seen]:
    missing = {each.area for each in patient.settings.problems}
    found = [await _seen(what, patient.token(area)) for area, what in SERVICES.items() if area not in missing]
    return [each for each in found if each] or skipped("Nothing is set that a token is needed for.")


async def operator_token(patient: Patient) -> Sequence[Seen]:
    settings = patient.settings
    if not settings.adf_operator_client_id:
        return skipped("ADF_OPERATOR_CLIENT_ID is not set: the app's own identity changes factories.")
    if not patient.acts:
        return skipped(f"{EXECUTE} is disabled in this app: another one acts, as an identity of its own.")
    if not IDENTITY_ENDPOINT.of(patient.env) and not is_loopback_http(settings.adf_endpoint):
        return skipped("A managed identity can be had on Azure only, in the app that it is assigned to.")
    asking = clients.operator_credential(settings).get_token(f"{AZURE_MANAGEMENT}/.default")
    seen = await _seen("the operator", asking)
    return [seen] if seen else []


async def _seen(what: str, asking: Awaitable[AccessToken | None]) -> Seen | None:
    from azure.core.exceptions import ClientAuthenticationError

    try:
        token = await asking
    except ClientAuthenticationError as exc:  # with azure-identity's CredentialUnavailableError
        return Seen("failed", f"No token for {what}: {_reason(str(exc.message))}", MEND)
    return Seen("ok", f"A token for {what}{_whose(token.token)}.") if token else None


def _reason(told: str) -> str:
    """Of all the ways to sign in those that failed; of those that are not there nobody wants to read."""
    lines = told.strip().splitlines()
    failed = [line.strip() for line in lines if line.startswith("\t") and "unavailable" not in line]
    return " ".join(failed or lines[:1])[:400]


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
    Check("operator_credential", "Approved actions are carried out by this identity.", operator_token),
)
