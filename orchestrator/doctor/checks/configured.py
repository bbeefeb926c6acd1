"""What is set: every problem of the settings, the policy file, the shape of the Teams webhook, host.json."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

from core.settings import DESCRIBED
from orchestrator.doctor.findings import Check, Seen, failed, ok, skipped
from orchestrator.doctor.patient import Patient
from orchestrator.policy.reading import PolicyFile, problems, warnings

CONNECT_SECONDS = 5.0
WITHOUT = {  # by the area of settings
    "storage": "Nothing works without storage.",
    "foundry": "No question is answered without the agent service.",
    "adf": "Without Data Factory there is nothing to tell.",
    "teams": "Until it is mended this part of Teams is off.",
    "callers": "Until it is mended this door or this signature is off.",
    "digest": "Until it is mended no digest is sent.",
    "audit": "Until it is mended the longest period counts.",
    "telemetry": "Until it is mended nothing is traced.",
    "limits": "Until it is mended the app does not start its work.",
}


async def settings_sound(patient: Patient) -> Sequence[Seen]:
    found = patient.settings.problems
    if not found:
        return ok("Every setting that is needed is there, and all are sound.")
    return [
        Seen("failed", f"{each.setting}: {each.text}", _set(each.setting), WITHOUT.get(each.area, "")) for each in found
    ]


def _set(name: str) -> str:
    """The command with an example of what it holds; of a secret with the reference to it."""
    value = next((each.shown for each in DESCRIBED if each.name == name), "<value>")
    return (
        f'az functionapp config appsettings set --name <app> --resource-group <group> --settings "{name}={value}"; '
        "docs/configuration.md says what it holds."
    )


async def policy_sound(patient: Patient) -> Sequence[Seen]:
    file = PolicyFile.of(patient.env)
    mend = f"make policy-check POLICY={file.path.name}; docs/policy.md tells every field."
    if stopped := file.writable():
        return failed(stopped, mend)
    told = await asyncio.to_thread(lambda: [*problems(file.path), *warnings(file.path)])
    return [Seen("warning", each, mend) for each in told] or ok(f"{file.path.name} is sound.")


async def teams_webhook(patient: Patient) -> Sequence[Seen]:
    """Nothing is posted: a flow would show it to people."""
    wrong = [each for each in patient.settings.problems if each.setting == "TEAMS_WEBHOOK_URL"]
    mend = (
        "In Teams: the channel's … menu, Workflows, 'Post to a channel when a webhook request is received', copy the "
        "whole address; then set it as a Key Vault reference in TEAMS_WEBHOOK_URL."
    )
    if wrong:
        return failed(f"TEAMS_WEBHOOK_URL {wrong[0].text}", mend)
    if not patient.settings.teams_webhook_url:
        return skipped("TEAMS_WEBHOOK_URL is not set: messages are lines of the log.", mend)
    parts = urlsplit(patient.settings.teams_webhook_url)
    if "/workflows/" not in parts.path.lower() or not parse_qs(parts.query).get("sig"):
        return failed("TEAMS_WEBHOOK_URL has no '/workflows/…' or no 'sig=': a part of the address is missing.", mend)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not await _connects(parts.hostname or "", port):
        return failed(
            f"{parts.hostname} cannot be reached on port {port}.", "Let the app's outbound traffic through to it."
        )
    return ok(f"It is the address of a flow, and {parts.hostname} can be reached. No card was posted.")


async def _connects(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


async def base64_in_host(patient: Patient) -> Sequence[Seen]:
    mend = 'In host.json: "extensions": {"queues": {"messageEncoding": "base64"}}; then deploy again.'
    try:
        host = json.loads((patient.root / "host.json").read_text(encoding="utf-8-sig"))
        encoding = host.get("extensions", {}).get("queues", {}).get("messageEncoding", "base64")
    except (OSError, ValueError, AttributeError) as exc:
        return failed(f"host.json cannot be read ({type(exc).__name__}).", mend)
    if encoding != "base64":
        return failed(f"host.json has messageEncoding {encoding!r}, and both sides write base64.", mend)
    return ok("host.json reads and writes base64, as the agent service and the app do.")


CHECKS = (
    Check("settings", "What is missing or wrong there does not work at all.", settings_sound),
    Check("policy", "While the policy cannot be read no factory is changed.", policy_sound),
    Check("teams_webhook", "Without a whole address no card reaches the channel.", teams_webhook),
    Check(
        "host_base64",
        "With another encoding every message ends in a poison queue, and no tool answers.",
        base64_in_host,
    ),
)
