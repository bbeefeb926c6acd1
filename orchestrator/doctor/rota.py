"""Every check, in the order in which people should mend what it finds."""

from __future__ import annotations

from orchestrator.doctor.checks import (
    agents,
    alerting,
    configured,
    factories,
    identities,
    queues,
    records,
    roles,
    times,
)
from orchestrator.doctor.findings import Check

CHECKS: tuple[Check, ...] = (
    *configured.CHECKS,
    *identities.CHECKS,
    *times.CHECKS,
    *queues.CHECKS,
    *records.CHECKS,
    *agents.CHECKS,
    *factories.CHECKS,
    *roles.CHECKS,
    *alerting.CHECKS,
)
