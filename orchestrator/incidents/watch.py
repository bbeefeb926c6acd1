"""The watcher's clock: each minute somebody looks at every factory, and at whatever an alert was left waiting for."""

from __future__ import annotations

from orchestrator.incidents.services import IncidentServices


async def wake_all(services: IncidentServices) -> list[str]:
    """Wish for a look at each factory and wake whoever looks. The scopes that were woken."""
    investigator = services.investigator
    names = [factory.name.casefold() for factory in await investigator.factories.all()]
    for name in names:
        await investigator.scopes.want(name)
    left = [scope.name for scope in await investigator.scopes.all() if scope.waits(investigator.now())]
    woken = sorted({*names, *left})
    for name in woken:
        await services.wake.send(name)
    return woken
