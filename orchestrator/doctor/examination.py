"""Makes every check, all at once and each within its time, and tells nothing that is secret."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from core.errors import AppError
from core.per_loop import PerLoop
from core.settings import Settings
from orchestrator.doctor.findings import Check, Finding, Seen
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.rest import Unreachable
from orchestrator.doctor.rota import CHECKS
from tools_worker.datafactory.masking import mask

log = logging.getLogger("doctor")
CHECK_SECONDS = 25.0
SHORTEST_SECRET = 6


async def examine(patient: Patient, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """No longer than CHECK_SECONDS and a little. Raises nothing but what is cancelled."""
    found = await asyncio.gather(*(_look(check, patient) for check in checks))
    return [each for several in found for each in several]


async def _look(check: Check, patient: Patient) -> list[Finding]:
    seen = await _seen(check, patient)
    secrets = _secrets(patient.settings)
    return [
        Finding(check.name, each.result, _clean(each.found, secrets), _why(check, each), _clean(each.mend, secrets))
        for each in seen
    ]


def _why(check: Check, seen: Seen) -> str:
    return "" if seen.result == "ok" else seen.why or check.why


async def _seen(check: Check, patient: Patient) -> Sequence[Seen]:
    missing = {each.area for each in patient.settings.problems} & set(check.needs)
    if missing:
        return [Seen("skipped", f"Settings of {', '.join(sorted(missing))} are missing: see 'settings'.")]
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            if unsigned := await patient.unsigned(check.needs):
                return [Seen("skipped", f"Signing in failed ({', '.join(unsigned)}): see 'credentials'.")]
            return await check.look(patient)
    except TimeoutError:
        return [Seen("failed", f"It did not answer within {CHECK_SECONDS:.0f} s.", "Try again; check the network.")]
    except Unreachable as exc:
        return [Seen("failed", f"It cannot be reached: {exc}.", "Check its address and the app's network.")]
    except AppError as exc:
        return [Seen("failed", str(exc), "Try again in a minute.")]
    except Exception as exc:  # noqa: BLE001 - what breaks one check must not hide what the others find
        return [_broken(check, exc)]


def _broken(check: Check, exc: Exception) -> Seen:
    """An upstream's own error, or a bug. Its text may hold anything: the log has it, people get its kind."""
    log.warning("check=%s outcome=broken", check.name, exc_info=exc)
    from azure.core.exceptions import ClientAuthenticationError

    status = getattr(exc, "status_code", None)
    if isinstance(exc, ClientAuthenticationError) and not status:
        return Seen("failed", "It could not be looked at: signing in failed.", "See 'credentials'.")
    what = f"{type(exc).__name__}{f', HTTP {status}' if status else ''}"
    return Seen("failed", f"It could not be looked at ({what}).", "Check the address and the network of what it asks.")


def _secrets(settings: Settings) -> list[str]:
    """What is secret in the settings, word for word."""
    whole = [str(getattr(settings, each.name)) for each in fields(settings) if not each.repr]
    keys = (
        part.partition("=")[2] for part in settings.storage_connection.split(";") if "Key=" in part or "Sig" in part
    )
    return [each for each in (*whole, *keys) if len(each) >= SHORTEST_SECRET]


def _clean(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "[masked]")
    return mask(text)


async def of_app() -> list[Finding]:
    """As this process is set. Questions at once are one: each is some two hundred requests."""
    under_way = _under_way.get()
    if under_way.task is None or under_way.task.done():
        under_way.task = asyncio.create_task(_of_app())
    return await asyncio.shield(under_way.task)


async def _of_app() -> list[Finding]:
    async with of_environment(os.environ) as patient:
        return await examine(patient)


@dataclass
class _UnderWay:
    task: asyncio.Task[list[Finding]] | None = None


_under_way = PerLoop(_UnderWay)


def of_environment(env: Mapping[str, str], **given: Any) -> Patient:
    return Patient(Settings.load(env), env, **given)
