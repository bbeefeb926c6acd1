"""Tables and blobs: there, readable, writable; and the audit trail against its anchors.

Writing is tried with what cannot be done: deleting a row that does not exist, writing a blob on a condition that does
not hold. Without the role both are refused; with it nothing changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from core.errors import UpstreamError
from orchestrator.audit import checking
from orchestrator.doctor.findings import Check, Seen, failed, ok, warning
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.storage_parts import CONTAINERS, TABLES
from orchestrator.stores.audit_tables import TableAuditStore
from orchestrator.stores.sealed_blobs import BlobSealedFiles

NOTHING = "doctor"  # the name of what does not exist
NO_ETAG = '"0x0"'
TABLE_ROLE, BLOB_ROLE = "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
MAKE = "python -m orchestrator.doctor --make-storage"
SHOWN_FAULTS = 3


async def tables(patient: Patient) -> Sequence[Seen]:
    async def one(name: str) -> Seen | None:
        async with patient.turns:
            return await _table(patient, name)

    found = [seen for seen in await asyncio.gather(*map(one, TABLES)) if seen]
    return found or ok(f"{len(TABLES)} tables are there, readable and writable.")


async def _table(patient: Patient, name: str) -> Seen | None:
    from azure.core.exceptions import HttpResponseError

    table = patient.tables.get_table_client(name)
    try:
        await anext(table.list_entities(results_per_page=1).by_page(), None)
        await table.delete_entity(NOTHING, NOTHING)
    except HttpResponseError as exc:
        if exc.status_code == 404:
            text = f"There is no table {name!r}. It is made with the first write, if the identity may."
            return Seen("warning", text, MAKE, "Where it has been there before, its records are gone.")
        if exc.status_code in (401, 403):
            return Seen(
                "failed", f"The app may not read and write the table {name!r}.", _give(patient, TABLE_ROLE, "Table")
            )
        raise
    return None


async def blobs(patient: Patient) -> Sequence[Seen]:
    if not patient.settings.has_blobs:
        mend = "Set STORAGE__blobServiceUri: https://<account>.blob.core.windows.net."
        return warning("No blob service is set: the audit trail is kept, but neither anchored nor exported.", mend)
    found = [seen for name in CONTAINERS if (seen := await _container(patient, name))]
    return found or ok(f"The container {', '.join(CONTAINERS)} is there, readable and writable.")


async def _container(patient: Patient, name: str) -> Seen | None:
    from azure.core import MatchConditions
    from azure.core.exceptions import HttpResponseError

    container: Any = patient.blobs.get_container_client(name)
    try:
        await anext(container.list_blob_names(results_per_page=1).by_page(), None)
        await container.upload_blob(
            NOTHING, b"", overwrite=True, etag=NO_ETAG, match_condition=MatchConditions.IfNotModified
        )
    except HttpResponseError as exc:
        if exc.status_code == 412:
            return None
        if exc.status_code in (401, 403):
            return Seen(
                "failed", f"The app may not read and write the container {name!r}.", _give(patient, BLOB_ROLE, "Blob")
            )
        if exc.status_code == 404:
            return Seen("warning", f"There is no container {name!r}. It is made with the first anchor.", MAKE)
        raise
    raise AssertionError("a condition that does not hold was taken")


def _give(patient: Patient, role: str, what: str) -> str:
    return (
        f"az role assignment create --assignee-object-id {patient.app_identity} --assignee-principal-type "
        f"ServicePrincipal --role {role} --scope $(az storage account show --name {patient.account} --query id "
        f"--output tsv)   # Storage {what} Data Contributor"
    )


async def audit_trail(patient: Patient) -> Sequence[Seen]:
    """Of today and yesterday: the whole takes `verify` its time."""
    if not patient.settings.has_blobs:
        return warning("Without a blob service there are no anchors to compare with.", "Set STORAGE__blobServiceUri.")
    today = datetime.now(UTC).date()
    store, sealed = TableAuditStore(patient.tables), BlobSealedFiles(patient.blobs)
    try:
        report, _ = await checking.table(store, sealed, today - timedelta(days=1), today)
    except UpstreamError as exc:
        return warning(f"The audit trail cannot be read: {exc}", "See 'tables' and 'blobs'.")
    if report.findings:
        shown = " ".join(str(each) for each in report.findings[:SHOWN_FAULTS])
        return failed(
            f"{len(report.findings)} faults in the audit trail: {shown}", "python -m orchestrator.audit verify"
        )
    return ok(f"{report.entries} entries of two days agree with {report.anchors} anchors.")


CHECKS = (
    Check(
        "tables", "Questions, incidents and actions are kept there; without it nothing is begun.", tables, ("storage",)
    ),
    Check("blobs", "What is not anchored can be cut off the audit trail unseen.", blobs, ("storage",)),
    Check("audit_anchors", "Somebody may have changed what the trail says was done.", audit_trail, ("storage",)),
)
