"""Repairs unattended: failures told to the whole app by alerts, and what Data Factory shows that was run again."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.actions import estate
from bench.actions.estate import DEV, PROD, Failure
from bench.actions.lane import LOGS, VERSION
from bench.actions.verdict import Case, Run
from bench.alerts.signals import FailedRun, single
from localcloud.launch.children import Children
from localcloud.launch.cloud import SUBSCRIPTION, Options, app_settings, start_app, start_server, start_storage

READY_SECONDS = 20.0  # by then the app is up, and what fails while it looks on may fail
APART_SECONDS = 2.5
WAIT_SECONDS = 120  # for everything to be tried
AFTERWARDS_SECONDS = 5  # what would be run again behind our back is run by then


@dataclass
class Plant:
    """The cloud, and what was seen in it. `http` has the key and the token that each side asks for."""

    app: str
    adf: str
    http: httpx.AsyncClient
    failures: Sequence[Failure]
    before: frozenset[str] = frozenset()  # ids of runs that were there when it all began
    first: dict[str, Run] = field(default_factory=dict)  # by failure: the run that failed

    async def runs(self) -> list[Run]:
        return [run for factory in (DEV, PROD) for run in await self._runs(factory)]

    async def _runs(self, factory: str) -> list[Run]:
        now = datetime.fromisoformat((await self._asked("GET", f"{self.adf}/_clock"))["now"])
        body: dict[str, Any] = {
            "lastUpdatedAfter": (now - timedelta(days=1)).isoformat(),
            "lastUpdatedBefore": (now + timedelta(minutes=1)).isoformat(),
        }
        found: list[Run] = []
        while True:
            page = await self._asked("POST", f"{self.adf}{self._id(factory)}/queryPipelineRuns?{VERSION}", body)
            found += [Run.of(factory, each) for each in page["value"]]
            if not page.get("continuationToken"):
                return found
            body["continuationToken"] = page["continuationToken"]

    async def start(self, pipeline: str) -> None:
        await self._asked("POST", f"{self.adf}{self._id(DEV)}/pipelines/{pipeline}/createRun?{VERSION}", {})

    async def alert(self, run: Run) -> None:
        """As Azure Monitor would tell of it, without the run's id."""
        assert run.ended is not None
        failed = FailedRun(run.id, run.pipeline, run.factory, run.pipeline, run.ended)
        body = single(failed, datetime.now(UTC)).body
        answer = await self.http.post(
            f"{self.app}/api/alerts/azure-monitor", content=body, headers={"content-type": "application/json"}
        )
        answer.raise_for_status()

    async def approve(self, action: Mapping[str, Any]) -> None:
        """By the developer whom the local host signs in."""
        yes = {"decision": "approve", "digest": action["digest"]}
        await self._asked("POST", f"{self.app}/ui/approvals/{action['id']}", yes)

    async def actions(self) -> list[dict[str, Any]]:
        told = await self._asked("GET", f"{self.app}/api/actions?state=all&limit=500")
        found: list[dict[str, Any]] = told["actions"]
        return found

    async def incidents(self) -> list[dict[str, Any]]:
        told = await self._asked("GET", f"{self.app}/api/incidents?state=all&limit=500")
        return [await self._asked("GET", f"{self.app}/api/incidents/{each['id']}") for each in told["incidents"]]

    async def _asked(self, method: str, url: str, body: Any = None) -> Any:
        answer = await self.http.request(method, url, json=body)
        answer.raise_for_status()
        return answer.json()

    @staticmethod
    def _id(factory: str) -> str:
        group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{estate.GROUP}"
        return f"{group}/providers/Microsoft.DataFactory/factories/{factory}"


async def run(live: int, *, waits: bool) -> list[Case]:
    """So many of the safe failures happen while the app looks on, all others before. `waits`: those too that can only
    be repaired a minute later."""
    safe = [replace(each, live=number < live) for number, each in enumerate(estate.safe())]
    later = estate.later() if waits else []
    failures = [*safe, *estate.unsafe(), *estate.permanent(), *later, *estate.production()]
    async with plant(failures) as made:
        # What will fail has begun by now. The app may have looked already, and a rerun has its first run's group.
        made.before = frozenset(each.id for each in await made.runs() if each.id == each.group)
        telling = asyncio.create_task(tell(made))
        try:
            await tried(made)
            for action in await made.actions():
                if action["pipeline"] == _pipeline(failures, estate.APPROVED) and action["state"] == "waiting":
                    await made.approve(action)
            await tried(made)
            await asyncio.sleep(AFTERWARDS_SECONDS)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return await cases(made)


async def tell(made: Plant) -> None:
    """An alert for each failure as soon as its run has failed, and whatever called that; real ones come minutes later.
    And the bills are written when they are missed."""
    told: set[str] = set()
    written = not any(each.id == "bills-missing" for each in made.failures)
    while True:
        runs = await made.runs()
        failed = {(run.factory, run.pipeline): run for run in runs if run.status == "Failed" and run.id in made.before}
        for failure in made.failures:
            outer = failed.get((failure.factory, failure.pipeline))
            inner = failed.get((failure.factory, failure.child))
            if failure.id not in told and outer is not None and inner is not None:
                told.add(failure.id)
                made.first[failure.id] = outer
                await made.alert(inner)
        if not written and "bills-missing" in made.first:
            written = True
            await made.start(estate.WRITES_BILLS)
        await asyncio.sleep(0.2)


async def tried(made: Plant) -> None:
    """Until the app has done what it does about every failure, or it is clear that this will not come."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        found = await cases(made)
        if len(made.first) == len(made.failures) and all(case.settled for case in found):
            return
        await asyncio.sleep(3)  # it asks for every incident, and the app has other things to do


async def cases(made: Plant) -> list[Case]:
    runs, actions, incidents = await made.runs(), await made.actions(), await made.incidents()
    new = [run for run in runs if run.id not in made.before]
    return [_case(failure, made.first.get(failure.id), new, actions, incidents) for failure in made.failures]


def _case(
    failure: Failure,
    first: Run | None,
    new: Sequence[Run],
    actions: Sequence[Mapping[str, Any]],
    incidents: Sequence[Mapping[str, Any]],
) -> Case:
    """What happened because of a failure: told by its pipelines, which are nobody else's."""
    own = {failure.pipeline, failure.child}
    proposed = [each for each in actions if each["pipeline"] in own and each["factory"] == failure.factory]
    about = [each for each in incidents if set(each["pipelines"]) & own and each["factory"] == failure.factory]
    repairs = [each["repair"] for each in about if each["repair"]]
    again = [run for run in new if run.factory == failure.factory and run.pipeline in own]
    return Case(
        id=failure.id,
        truth=failure.truth,
        approved=failure.id == estate.APPROVED,
        live=failure.live,
        first=first,
        reruns=tuple(again),
        states=tuple(str(each["state"]) for each in proposed),
        agreed=sum(len(each["approvals"]) for each in proposed),
        given_up=any(each["over"] for each in repairs),
        told=tuple(str(each["outcome"]) for each in (*repairs, *proposed) if each["outcome"]),
        resolved=any(each["status"] == "resolved" for each in about),
    )


def _pipeline(failures: Sequence[Failure], name: str) -> str:
    return next(each.pipeline for each in failures if each.id == name)


@asynccontextmanager
async def plant(failures: Sequence[Failure]) -> AsyncIterator[Plant]:
    options = Options(logs=LOGS / "healing")
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="healing-")))
        children = Children(options.root / options.logs)
        stack.push_async_callback(children.stop, 3)
        storage = await start_storage(options, children)
        scenario = estate.write(folder, failures, READY_SECONDS, APART_SECONDS)
        adf = await start_server(options, children, "adf", ("--scenario", str(scenario)))
        settings = {name: value for name, value in app_settings(storage, adf, "", "").items() if value}
        settings = {name: value for name, value in settings.items() if not name.startswith(("FOUNDRY_", "LEARN_"))}
        settings |= {"POLICY_FILE": str(folder / "policy.yaml")}
        key = secrets.token_urlsafe(16)
        app = await start_app(options, children, key, settings)
        headers = {"authorization": "Bearer bench", "x-functions-key": key}
        http = await stack.enter_async_context(httpx.AsyncClient(headers=headers, timeout=60, trust_env=False))
        yield Plant(app, adf, http, failures)
