"""Data Factory as a witness: what really is there, read over its REST API past all code of the app."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
VERSION = {"api-version": "2018-06-01"}
LOG = f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values"
RETENTION = timedelta(days=45)
KINDS = ("pipelines", "datasets", "linkedservices", "dataflows", "triggers", "integrationRuntimes")
GUID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
Json = Mapping[str, Any]


@dataclass
class Known:
    """What exists: ids of runs, activity runs, trigger runs and logged events, and names of resources."""

    runs: dict[str, Json] = field(default_factory=dict)  # of a factory the newest first
    others: set[str] = field(default_factory=set)
    activities: set[str] = field(default_factory=set)

    def holds(self, identity: str) -> bool:
        return identity in self.runs or identity in self.activities or identity in self.others


@dataclass(frozen=True)
class Tree:
    """A run with all runs below it. `pages` is what reading its failed branches takes, `depth` how deep those go."""

    activities: list[Json]
    pages: int
    depth: int

    @property
    def raw_bytes(self) -> int:
        return len(json.dumps(self.activities, separators=(",", ":")).encode())


class Witness:
    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self.factories: dict[str, str] = {}  # name → path
        self._trees: dict[str, tuple[list[Json], int]] = {}

    async def start(self) -> None:
        found = await self._list(f"{SUBSCRIPTION}/providers/Microsoft.DataFactory/factories")
        self.factories = {item["name"]: item["id"] for item in found}

    async def clock(self) -> tuple[datetime, datetime]:
        """(start of the world, now)."""
        stats = await self._stats()
        return datetime.fromisoformat(stats["anchor"]), datetime.fromisoformat(stats["now"])

    async def calls(self) -> int:
        """How many requests Data Factory has had until now."""
        return sum((await self._stats())["requests"].values())

    async def known(self) -> Known:
        known = Known()
        await self.read_runs(known)
        for factory, path in self.factories.items():
            known.others |= {factory, path}
            for kind in KINDS:
                known.others |= {
                    name for item in await self._list(f"{path}/{kind}") for name in (item["name"], item["id"])
                }
            fired, _ = await self._query(factory, "queryTriggerRuns", {})
            known.others |= {str(run["triggerRunId"]) for run in fired}
        known.others |= await self._events()
        return known

    async def read_runs(self, known: Known) -> None:
        order = {"orderBy": [{"orderBy": "RunStart", "order": "DESC"}]}
        for factory in self.factories:
            found, _ = await self._query(factory, "queryPipelineRuns", order)
            known.runs |= {run["runId"]: {**run, "factory": factory} for run in found}

    async def tree(self, factory: str, run_id: str) -> Tree:
        activities, pages = await self.activities(factory, run_id)
        found, depth = list(activities), 0
        for activity in activities:
            child = (activity.get("output") or {}).get("pipelineRunId")
            if child:
                below = await self.tree(factory, child)
                found += below.activities
                if activity["status"] != "Succeeded":
                    pages, depth = pages + below.pages, max(depth, below.depth)
        return Tree(found, pages, depth + 1)

    async def activities(self, factory: str, run_id: str) -> tuple[list[Json], int]:
        """(activity runs, pages). Kept: what is over does not change, and what goes on is asked for once."""
        if run_id not in self._trees:
            path = f"pipelineruns/{run_id}/queryActivityruns"
            self._trees[run_id] = await self._query(factory, path, {})
        return self._trees[run_id]

    async def check(self, known: Known, identities: Iterable[str]) -> None:
        """Learn the activity runs of all these runs, where they are runs."""
        for run_id in {identity for identity in identities if identity in known.runs}:
            found, _ = await self.activities(known.runs[run_id]["factory"], run_id)
            known.activities |= {str(activity["activityRunId"]) for activity in found}

    async def _stats(self) -> Json:
        found: Json = (await self._http.get("/_stats")).json()
        return found

    async def _events(self) -> set[str]:
        since = (datetime.now(UTC) - timedelta(days=89)).isoformat()
        found = await self._list(LOG, {"api-version": "2015-04-01", "$filter": f"eventTimestamp ge '{since}'"})
        names = ("correlationId", "eventDataId", "operationId", "id", "caller")
        return {str(event[name]) for event in found for name in names}

    async def _list(self, path: str, query: Mapping[str, str] = VERSION) -> list[Json]:
        found: list[Json] = []
        page = (await self._http.get(path, params=dict(query))).raise_for_status().json()
        while True:
            found += page["value"]
            if not page.get("nextLink"):
                return found
            page = (await self._http.get(page["nextLink"])).raise_for_status().json()

    async def _query(self, factory: str, path: str, body: Json) -> tuple[list[Json], int]:
        now = datetime.now(UTC)
        window = {"lastUpdatedAfter": now - RETENTION, "lastUpdatedBefore": now + timedelta(minutes=10)}
        asked: dict[str, Any] = {**{name: at.isoformat() for name, at in window.items()}, **body}
        found: list[Json] = []
        pages = 0
        while True:
            answer = await self._http.post(f"{self.factories[factory]}/{path}", params=VERSION, json=asked)
            page = answer.raise_for_status().json()
            found, pages = found + page["value"], pages + 1
            if not page.get("continuationToken"):
                return found, pages
            asked["continuationToken"] = page["continuationToken"]


@asynccontextmanager
async def witness(url: str) -> AsyncIterator[Witness]:
    headers = {"Authorization": "Bearer bench"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60, trust_env=False) as http:
        found = Witness(http)
        await found.start()
        yield found
