"""Clocks, and what ends when: the classic agent service, this Python, packages that are not the ones tested."""

from __future__ import annotations

import re
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from orchestrator.doctor.findings import Check, Seen, failed, ok, skipped, warning
from orchestrator.doctor.patient import Patient
from orchestrator.doctor.rest import Unreachable

NOTED, REFUSED = timedelta(seconds=30), timedelta(minutes=5)  # tokens are good for five minutes more or less
CLASSIC_AGENTS_END = date(2027, 3, 31)
PYTHON_ENDS = {(3, 11): date(2027, 10, 31), (3, 12): date(2028, 10, 31), (3, 13): date(2029, 10, 31)}
AHEAD = timedelta(days=90)
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)\s*(?:;\s*python_full_version\s*(<|>=)\s*'([\d.]+)')?")


async def clocks(patient: Patient) -> Sequence[Seen]:
    missing = {each.area for each in patient.settings.problems}
    asked = [area for area in SERVICES if area not in missing]
    unsigned = await patient.unsigned(asked)
    told = {area: await SERVICES[area][1](patient) for area in asked if area not in unsigned}
    ahead = {SERVICES[area][0]: by for area, by in told.items() if by is not None}
    if not told:
        return skipped("There is nobody whose clock could be looked at: see 'settings' and 'credentials'.")
    if not ahead:
        return warning("No upstream told its time.", "See 'foundry_reachable', 'adf_factories' and 'tables'.")
    found = [_off(name, by) for name, by in ahead.items() if abs(by) >= NOTED]
    return found or ok(f"This clock agrees with {', '.join(sorted(ahead))} within {NOTED.total_seconds():.0f} s.")


def _off(name: str, by: timedelta) -> Seen:
    way = "behind" if by > timedelta() else "ahead of"
    text = f"This clock is {abs(by).total_seconds():.0f} s {way} that of {name}."
    mend = "sudo timedatectl set-ntp true (on Azure clocks are kept: restart the app, az functionapp restart)."
    return Seen("failed" if abs(by) >= REFUSED else "warning", text, mend)


async def _of_arm(patient: Patient) -> timedelta | None:
    try:
        return (await patient.arm.get("/subscriptions", "2022-12-01")).ahead
    except Unreachable:
        return None


async def _of_project(patient: Patient) -> timedelta | None:
    try:
        return (await patient.project.get("/assistants?limit=1", "v1")).ahead
    except Unreachable:
        return None


async def _of_storage(patient: Patient) -> timedelta | None:
    from azure.core.exceptions import AzureError

    told: list[str] = []

    def note(response: Any) -> None:
        told.append(str(response.http_response.headers.get("Date", "")))

    with suppress(AzureError):  # refused: the hook heard it all the same
        await patient.queues.get_service_properties(raw_response_hook=note)
    return parsedate_to_datetime(told[-1]) - datetime.now(UTC) if told and told[-1] else None


SERVICES: dict[str, tuple[str, Callable[[Patient], Awaitable[timedelta | None]]]] = {  # by the area of settings
    "adf": ("Data Factory", _of_arm),
    "foundry": ("the agent service", _of_project),
    "storage": ("storage", _of_storage),
}


async def retirements(patient: Patient) -> Sequence[Seen]:
    today = datetime.now(UTC).date()
    python = sys.version_info[:2]
    return [
        _ends(today, "The classic agent service", CLASSIC_AGENTS_END, "Take a version of this app for the new agents."),
        _ends(
            today,
            f"Python {python[0]}.{python[1]}",
            PYTHON_ENDS.get(python, date.min),
            "Set the runtime version of the function app (infra/main.bicep), then: azd up.",
        ),
    ]


def _ends(today: date, what: str, end: date, mend: str) -> Seen:
    if end == date.min:
        return Seen("warning", f"{what} is not one of those that are tested (3.11 to 3.13).", mend)
    if today > end:
        return Seen("failed", f"{what} has ended on {end:%d %B %Y}.", mend)
    text = f"{what} ends on {end:%d %B %Y}, in {(end - today).days} days."
    return Seen("warning", text, mend) if end - today <= AHEAD else Seen("ok", text)


async def packages(patient: Patient) -> Sequence[Seen]:
    """Those that are installed against the pinned ones."""
    mend = "python -m pip install -r requirements.txt, or deploy again with a remote build."
    try:
        pinned = _pins((patient.root / "requirements.txt").read_text(encoding="utf-8"))
    except OSError:
        return failed("There is no requirements.txt beside the app.", "Deploy the whole package: make package.")
    wrong = [text for name, wanted in pinned.items() if (text := _other(name, wanted))]
    if wrong:
        return warning(f"Not the packages that were tested: {', '.join(wrong[:5])}.", mend)
    return ok(f"{len(pinned)} packages are of the versions that were tested.")


def _pins(text: str) -> dict[str, str]:
    """Of this Python: a line may be for newer or older ones only."""
    found = {}
    for line in text.splitlines():
        if (pin := _PIN.match(line)) and _is_meant(pin[3], pin[4]):
            found[pin[1]] = pin[2]
    return found


def _is_meant(sign: str | None, bound: str | None) -> bool:
    if not sign or not bound:
        return True
    below = sys.version_info[:2] < tuple(int(part) for part in bound.split(".")[:2])
    return below if sign == "<" else not below


def _other(name: str, wanted: str) -> str:
    try:
        have = version(name)
    except PackageNotFoundError:
        have = "missing"
    return "" if have == wanted else f"{name} {have} instead of {wanted}"


CHECKS = (
    Check(
        "clocks", "Tokens and shared keys are refused by clocks that are far apart, and leases are taken early.", clocks
    ),
    Check("retirements", "What has ended is switched off by its maker.", retirements),
    Check("packages", "Other versions were never tested with this app.", packages),
)
