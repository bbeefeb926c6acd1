"""The app in a process that can be killed at any moment: its own API, desk and executor, told what to do line by line.

    python -m bench.actions.inside          # settings from the environment, jobs on standard input

Each job is done by a process of its own, forked when all is imported and nothing is opened, so that a hundred can be
killed in a minute. The app's clock is that of the Data Factory stand-in, which can be turned on. Lines that come back:
{"pid"} before a job, {"answer"} of it where it came to its end, {"code"} when its process is gone.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import httpx
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.actions.people import ANA, APPROVERS, PEOPLE
from core import clients
from core.errors import AppError
from core.settings import Settings
from orchestrator.actions import services
from orchestrator.api import app as api
from orchestrator.api.callers import FUNCTION
from orchestrator.audit import services as audit
from orchestrator.stores.queues import Wishes

Json = Mapping[str, Any]
STANDIN = "BENCH_ADF"  # the stand-in past the proxy: what is asked of it here is no request of the app
TURN_SECONDS = 20  # that the clock is put on, each time everything that waits has been looked at
MAX_TURNS = 60
AT_ONCE = 24
USED = (  # which would be imported on first use otherwise, in every job anew
    *("azure.data.tables.aio", "azure.mgmt.datafactory.aio", "azure.storage.blob.aio", "azure.storage.queue.aio"),
    *("orchestrator.actions.executing", "orchestrator.audit.keeping", "orchestrator.stores.action_tables"),
    *("orchestrator.stores.audit_tables", "orchestrator.stores.incident_tables", "orchestrator.stores.sealed_blobs"),
    *("tools_worker.datafactory.operations.planning", "tools_worker.datafactory.operations.sdk"),
    "tools_worker.datafactory.sdk",
)


class Doors:
    """What the Functions host does: it names the function that a request came in through."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app({**scope, FUNCTION: str(scope["path"]).split("/")[1]}, receive, send)


class App:
    """`http` speaks to the app's API; `standin` to Data Factory's own switches."""

    def __init__(self, http: httpx.AsyncClient, standin: httpx.AsyncClient) -> None:
        self.http, self._standin = http, standin
        self._ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    async def turn_clock(self, seconds: float = 0) -> None:
        told = (await self._standin.post("/_clock", json={"advance_seconds": seconds})).json()
        self._ahead = datetime.fromisoformat(told["now"]) - datetime.now(UTC)

    async def propose(self, job: Json) -> Json:
        body = {"kind": job["kind"], "arguments": job["arguments"]}
        headers = {**ANA.headers, "idempotency-key": job["key"]}
        answer = await self.http.post("/ui/actions", json=body, headers=headers)
        if answer.status_code != 201:
            raise RuntimeError(f"{job} was answered {answer.status_code}: {answer.text[:300]}")
        told: Json = answer.json()
        return told

    async def decide(self, job: Json) -> Json:
        """A decision, and again where storage had no time for it."""
        body = {"decision": job["decision"], "digest": job["digest"]}
        tries = 0
        while True:
            tries += 1
            answer = await self.http.post(f"/ui/approvals/{job['id']}", json=body, headers=PEOPLE[job["who"]].headers)
            if answer.status_code < 500 or tries == 5:
                break
        state = answer.json().get("state", "")
        return {**job, "status": answer.status_code, "state": state, "tries": tries}

    async def work(self) -> None:
        """What the host does for the app: its timer for what was lost, and each message that can be seen."""
        executor, parts = services.executor(), services.current()
        queue = clients.queue_service(Settings.load(os.environ)).get_queue_client("actions")
        async with queue:
            for _ in range(MAX_TURNS):
                await parts.rounds.make()
                async for message in queue.receive_messages(messages_per_page=32, visibility_timeout=30):
                    with suppress(AppError):  # the message would come again; the timer finds the action too
                        await executor.step(_about(message.content))
                    await queue.delete_message(message)
                if not await parts.store.active():
                    return
                await self.turn_clock(TURN_SECONDS)

    async def records(self) -> list[Json]:
        listed = await self.http.get("/api/actions", params={"state": "all", "limit": 500})
        found: list[Json] = listed.json()["actions"]
        return found


def _about(content: str) -> str:
    return Wishes.read(base64.b64decode(content))


async def story(app: App, job: Json) -> Json:
    """Ask, decide, execute, verify. Told again after a kill it goes on from what stands on record."""
    action = await app.propose(job)
    if action["state"] == "waiting":
        await app.decide(
            {"id": action["id"], "who": APPROVERS[0].name, "decision": "approve", "digest": action["digest"]}
        )
    await app.work()
    found = {each["id"]: each for each in await app.records()}
    ends = [each for each in found.values() if each["why"].startswith(f"The pause {action['id']} ")]
    return {"record": found[action["id"]], "end": ends[0] if ends else None}


async def propose(app: App, job: Json) -> Json:
    return {"actions": [await app.propose(each) for each in job["proposals"]]}


async def decide(app: App, job: Json) -> Json:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(decision: Json) -> Json:
        async with gate:
            return await app.decide(decision)

    return {"answers": await asyncio.gather(*(one(each) for each in job["decisions"]))}


async def work(app: App, job: Json) -> Json:
    await app.work()
    return {}


async def listed(app: App, job: Json) -> Json:
    return {"records": await app.records()}


JOBS: Mapping[str, Callable[[App, Json], Awaitable[Json]]] = {
    "story": story,
    "propose": propose,
    "decide": decide,
    "work": work,
    "list": listed,
}


async def _do(job: Json) -> Json:
    transport = httpx.ASGITransport(Doors(api.build()))
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://app", timeout=60) as http,
        httpx.AsyncClient(base_url=os.environ[STANDIN], timeout=60, trust_env=False) as standin,
    ):
        app = App(http, standin)
        await app.turn_clock()
        for module in (services, audit):
            setattr(module, "utc_now", app.now)  # noqa: B010  before anything is built that would keep the real one
        try:
            return await JOBS[job["job"]](app, job)
        finally:
            await audit.current().close()


def _tell(line: Json) -> None:
    data = json.dumps(line).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def _child(job: Json) -> None:
    try:
        _tell({"answer": asyncio.run(_do(job))})
        os._exit(0)
    except BaseException:  # noqa: BLE001  whatever it was, this process must not go on as its parent
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


def main() -> None:
    for name in USED:
        import_module(name)
    _tell({"ready": True})
    for line in sys.stdin:
        sys.stderr.flush()
        go, told = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            os.read(go, 1)  # until it is known whom to kill
            os.close(go)
            _child(json.loads(line))
        os.close(go)
        _tell({"pid": pid})
        os.close(told)
        try:
            _, status = os.waitpid(pid, 0)
        except KeyboardInterrupt:
            os.kill(pid, signal.SIGKILL)
            raise
        _tell({"code": os.waitstatus_to_exitcode(status)})


if __name__ == "__main__":
    main()
