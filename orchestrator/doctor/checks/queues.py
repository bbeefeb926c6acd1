"""Queues: there, taken from, sent to, and served by whoever should take their messages.

That the app may take is tried by deleting a message that does not exist, which is refused without the role and not
found with it. That it may send is tried with a message that nobody can see, which is taken back at once; it is not
tried where it could not be taken back. A role that is missing makes no error anywhere: a message lies in a queue, and
the question ends at its deadline.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orchestrator.doctor.findings import Check, Seen, ok
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.storage_parts import QUEUES, Queue

if TYPE_CHECKING:
    from azure.core.exceptions import HttpResponseError

NO_SUCH_MESSAGE = "00000000-0000-0000-0000-000000000000"
RECEIPT = b64encode(b"doctor").decode()
NOT_THERE = ("MessageNotFound", "PopReceiptMismatch")
HIDDEN_SECONDS = 120  # of the message that tries sending, if it could not be taken back
PROCESSOR, SENDER = "8a0f0c08-91a1-4084-bc3d-661d67233fed", "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a"
CONTRIBUTOR = "974c5e8b-45b9-4653-ba55-5f855dd0fb88"
SHOWN = 4
Verdict = str  # empty where all is well, else what is wrong


async def there(patient: Patient) -> Sequence[Seen]:
    async def look(client: Any) -> Verdict:
        from azure.core.exceptions import HttpResponseError

        try:
            await client.get_queue_properties()
        except HttpResponseError as exc:
            if exc.status_code not in (401, 403, 404):
                raise
            return "missing" if exc.status_code == 404 else "unseen"
        return ""

    found = await _each(patient, QUEUES, look)
    mend = (
        "python -m orchestrator.doctor --make-storage, or for one: az storage queue create --auth-mode login "
        f"--account-name {patient.account} --name <queue>"
    )
    told = _told(found, "queues are there", "missing", "There is no queue", mend)
    if unseen := [name for name, verdict in found.items() if verdict == "unseen"]:
        told.append(Seen("warning", f"The app may not look at: {_names(unseen)}.", _give(patient, CONTRIBUTOR)))
    return told


async def taken(patient: Patient) -> Sequence[Seen]:
    async def look(client: Any) -> Verdict:
        from azure.core.exceptions import HttpResponseError

        try:
            await client.peek_messages(max_messages=1)
        except HttpResponseError as exc:
            return _refusal(exc)
        return await _may_take(client)

    found = await _each(patient, [queue for queue in QUEUES if queue.use != "replies"], look)
    mend = _give(patient, PROCESSOR)
    return _told(found, "queues can be taken from", "refused", "The app may not take messages from", mend)


async def sent(patient: Patient) -> Sequence[Seen]:
    async def look(client: Any) -> Verdict:
        from azure.core.exceptions import HttpResponseError

        if await _may_take(client):
            return "untried"
        content = b64encode(b'{"doctor": "take no notice"}').decode()
        try:
            message = await client.send_message(
                content, visibility_timeout=HIDDEN_SECONDS, time_to_live=HIDDEN_SECONDS + 1
            )
        except HttpResponseError as exc:
            return _refusal(exc)
        await client.delete_message(message)
        return ""

    found = await _each(patient, [queue for queue in QUEUES if queue.use != "calls"], look)
    told = _told(found, "queues can be sent to", "refused", "The app may not send to", _give(patient, SENDER))
    untried = [name for name, verdict in found.items() if verdict == "untried"]
    if untried:
        text = f"Not tried, because the message could not be taken back: {_names(untried)}."
        told.append(Seen("skipped", text, _give(patient, SENDER)))
    return told


async def _may_take(client: Any) -> Verdict:
    """Empty where it may: only whoever may delete a message is told that it is not there."""
    from azure.core.exceptions import HttpResponseError

    try:
        await client.delete_message(NO_SUCH_MESSAGE, RECEIPT)
    except HttpResponseError as exc:
        code = getattr(exc, "error_code", "")
        if getattr(code, "value", code) not in NOT_THERE:
            return _refusal(exc)
    return ""


def _refusal(exc: HttpResponseError) -> Verdict:
    """Raises it where it is anything else."""
    if exc.status_code not in (401, 403):
        raise exc
    return "refused"


def _give(patient: Patient, role: str) -> str:
    what = {PROCESSOR: "Message Processor", SENDER: "Message Sender"}.get(role, "Contributor")
    return (
        f"az role assignment create --assignee-object-id {patient.app_identity} --assignee-principal-type "
        f"ServicePrincipal --role {role} --scope $(az storage account show --name {patient.account} --query id "
        f"--output tsv)   # Storage Queue Data {what}; Contributor is {CONTRIBUTOR}"
    )


async def served(patient: Patient) -> Sequence[Seen]:
    """Peeked only."""
    found: list[Seen] = []

    async def look(client: Any) -> Verdict:
        from azure.core.exceptions import HttpResponseError

        try:
            message = await _first(client)
        except HttpResponseError as exc:
            return _refusal(exc)
        if message is None:
            return ""
        if not _is_base64(str(message.content)):
            return "plain"
        age = (datetime.now(UTC) - message.inserted_on).total_seconds()
        if age <= patient.unserved_seconds:
            return ""
        await asyncio.sleep(patient.again_seconds)
        again = await _first(client)
        return f"{age:.0f}" if again is not None and again.id == message.id else ""

    looked = await _each(patient, QUEUES, look, missing="")
    uses = {queue.name: queue.use for queue in QUEUES}
    for name, verdict in looked.items():
        if verdict == "refused":
            found.append(Seen("skipped", f"The app may not look into {name}.", _give(patient, CONTRIBUTOR)))
        elif verdict == "plain":
            found.append(Seen("failed", f"The first message of {name} is not base64.", ENCODE, ENCODING))
        elif verdict.isdecimal() and uses[name] == "replies":
            found.append(
                Seen("failed", f"A reply lies in {name} for {verdict} s, and nobody takes it.", _service(patient))
            )
        elif verdict.isdecimal():
            found.append(
                Seen("failed", f"A message lies in {name} for {verdict} s, and nobody takes it.", HOST, SILENCE)
            )
    return found or ok(f"No message lies unserved in any of {len(looked)} queues, and all are base64.")


async def _first(client: Any) -> Any:
    """The message that is next to be taken, or None."""
    messages = await client.peek_messages(max_messages=1)
    return messages[0] if messages else None


ENCODING = "The Functions host puts it away as poison, and the agent service waits for an answer in vain."
ENCODE = (
    "Whoever sends it has to write base64 (QueueClient: TextBase64EncodePolicy). To throw away what is there: "
    "az storage message clear --auth-mode login --queue-name <queue> --account-name <account>"
)
SILENCE = (
    "The Functions host does not run the function, or its identity may not take messages: it then says nothing, "
    "except for a line in its log, and every question ends at its deadline."
)
HOST = (
    "Is the app running (az functionapp show --query state), the function not disabled "
    "(AzureWebJobs.<function>.Disabled), and has its identity Storage Queue Data Message Processor and Reader? See "
    "'queues_taken'."
)


def _service(patient: Patient) -> str:
    return (
        "Give the Foundry project's identity Storage Queue Data Contributor on the account "
        f"{patient.account!r}: see 'agent_service_roles'."
    )


def _is_base64(text: str) -> bool:
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False


async def _each(
    patient: Patient, queues: Sequence[Queue], look: Callable[[Any], Awaitable[Verdict]], missing: Verdict = ""
) -> dict[str, Verdict]:
    from azure.core.exceptions import ResourceNotFoundError

    async def one(queue: Queue) -> Verdict:
        async with patient.turns:
            try:
                return await look(patient.queues.get_queue_client(queue.name))
            except ResourceNotFoundError:  # 'queues_there' tells it
                return missing

    verdicts = await asyncio.gather(*map(one, queues))
    return {queue.name: verdict for queue, verdict in zip(queues, verdicts, strict=True)}


def _told(found: dict[str, Verdict], well: str, verdict: Verdict, wrong: str, mend: str) -> list[Seen]:
    names = [name for name, each in found.items() if each == verdict]
    if names:
        return [Seen("failed", f"{wrong}: {_names(names)}.", mend)]
    return ok(f"{sum(not each for each in found.values())} {well}.")


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


CHECKS = (
    Check("queues_there", "A tool without its queues is never called, or never answers.", there, ("storage",)),
    Check("queues_taken", SILENCE, taken, ("storage",)),
    Check(
        "queues_sent", "Questions are not begun and tools do not answer: each ends at its deadline.", sent, ("storage",)
    ),
    Check(
        "queues_served", "The agent service waits for replies in silence until the run expires.", served, ("storage",)
    ),
)
