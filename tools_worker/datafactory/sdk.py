"""A real data factory, asked through azure-mgmt-datafactory's client (see `arm.py`)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

from core import clients
from core.errors import InvalidArguments, NotFound, UpstreamRefused, not_found
from core.settings import Settings
from tools_worker.datafactory import activity_log, fields
from tools_worker.datafactory.arm import Arm, Patience, Uncached
from tools_worker.datafactory.client import Found, Status
from tools_worker.datafactory.factories import Factories
from tools_worker.datafactory.models import (
    ActivityRun,
    Change,
    Dataset,
    FactoryId,
    IntegrationRuntime,
    Pipeline,
    PipelineRun,
    Trigger,
    TriggerRun,
)
from tools_worker.datafactory.paging import MAX_PAGES, Cursor, from_both_ends
from tools_worker.datafactory.traffic import Freshness

T = TypeVar("T")
MAX_LOG_PAGES = 40  # the log is the whole resource group's; others may write much into it
DEFINITIONS_LAST = 6  # times as long as runs, which change by themselves
STEP, HOUR = timedelta(seconds=10), timedelta(hours=1)
MARGIN = timedelta(days=1)  # ADF's clock is not ours, and an update can be written late
RETENTION = timedelta(days=45)
_NEVER = datetime.min.replace(tzinfo=UTC)
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NAME = re.compile(r"[^<>*#.%&:\\+?/\x00-\x1f]{1,260}")  # ADF's own rule for names


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SdkDataFactory:
    """Cheap to make; the client behind it is shared by the factories of a subscription."""

    def __init__(self, arm: Arm | Uncached, factory: FactoryId, *, clock: Callable[[], datetime] = _utc_now) -> None:
        self._arm = arm
        self._id = factory
        self._clock = clock

    @property
    def id(self) -> FactoryId:
        return self._id

    @property
    def name(self) -> str:
        return self._id.name

    def fresh(self) -> SdkDataFactory:
        return SdkDataFactory(self._arm.uncached(), self._id, clock=self._clock)

    async def pipeline_runs(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        status: Status = None,
        pipeline: str | None = None,
        group: str | None = None,
        newest_first: bool = True,
        limit: int | None = None,
    ) -> Found[PipelineRun]:
        body = self._window(since) | {
            "filters": _filters(PipelineName=pipeline, Status=status, RunGroupId=group),
            "orderBy": [{"orderBy": "RunStart", "order": "DESC" if newest_first else "ASC"}],
        }
        return await self._query(
            "/queryPipelineRuns",
            body,
            PipelineRun.of,
            key=lambda run: run.run_id,
            keep=lambda run: (
                (until is None or run.start is None or run.start < until)
                and (run.updated is None or run.updated >= since)  # the window sent begins a little earlier
            ),
            past=lambda run: not newest_first and until is not None and run.start is not None and run.start >= until,
            limit=limit,
        )

    async def pipeline_run(self, run_id: str) -> PipelineRun:
        missing = NotFound(f"No pipeline run with id {run_id!r} in {self.name!r}.")
        raw = await self._arm.get(f"{self._id.path}/pipelineruns/{_run_segment(run_id)}", missing)
        return PipelineRun.of(raw)

    async def activity_runs(self, run: PipelineRun) -> Found[ActivityRun]:
        window = self._window((run.start or self._clock() - RETENTION) - MARGIN)
        path = f"{self._id.path}/pipelineruns/{_run_segment(run.run_id)}/queryActivityruns"

        def cursor(order: str) -> Cursor[ActivityRun]:
            body = window | {"orderBy": [{"orderBy": "ActivityRunStart", "order": order}]}
            return Cursor(lambda page: self._arm.post(path, page), body, ActivityRun.of)

        ahead = cursor("ASC")
        read, complete = await ahead.next(), ahead.ended
        if not ahead.over:
            read, complete = await from_both_ends(
                ahead, cursor("DESC"), lambda activity: activity.start or _NEVER, read
            )
        found: dict[str, ActivityRun] = {}
        _add(found, read, lambda activity: activity.id)
        return Found(tuple(found.values()), complete)

    async def trigger_runs(
        self,
        since: datetime,
        until: datetime | None = None,
        *,
        status: Status = None,
        trigger: str | None = None,
        limit: int | None = None,
    ) -> Found[TriggerRun]:
        body = self._window(since) | {
            "filters": _filters(TriggerName=trigger, Status=status),
            "orderBy": [{"orderBy": "TriggerRunTimestamp", "order": "DESC"}],
        }
        return await self._query(
            "/queryTriggerRuns",
            body,
            TriggerRun.of,
            key=lambda run: run.id,
            keep=lambda run: until is None or run.at is None or run.at < until,
            limit=limit,
        )

    async def pipelines(self) -> Sequence[Pipeline]:
        return [Pipeline.of(raw) async for raw in self._listed("/pipelines")]

    async def pipeline(self, name: str) -> Pipeline:
        try:
            segment = _name_segment("pipeline", name)
            raw = await self._arm.get(f"{self._id.path}/pipelines/{segment}", NotFound("No such pipeline."))
        except NotFound as exc:
            raise not_found("pipeline", name, [known.name for known in await self.pipelines()], self.name) from exc
        return Pipeline.of(raw)

    async def triggers(self) -> Sequence[Trigger]:
        return [Trigger.of(raw) async for raw in self._listed("/triggers")]

    async def event_subscription(self, trigger: str) -> str:
        missing = not_found("trigger", trigger, [], self.name)
        segment = _name_segment("trigger", trigger)
        path = f"{self._id.path}/triggers/{segment}/getEventSubscriptionStatus"
        return fields.text(await self._arm.post(path, None, missing), "status")

    async def integration_runtime(self, name: str) -> IntegrationRuntime:
        missing = not_found("integration runtime", name, [], self.name)
        segment = _name_segment("integration runtime", name)
        raw = await self._arm.post(f"{self._id.path}/integrationRuntimes/{segment}/getStatus", None, missing)
        return IntegrationRuntime.of({"name": name, **raw})

    async def datasets(self) -> Sequence[Dataset]:
        return [Dataset.of(raw) async for raw in self._listed("/datasets")]

    async def integration_runtimes(self) -> Sequence[IntegrationRuntime]:
        return [IntegrationRuntime.of(raw) async for raw in self._listed("/integrationRuntimes")]

    async def runtime_monitoring(self, name: str) -> Sequence[Mapping[str, Any]]:
        missing = not_found("integration runtime", name, [], self.name)
        segment = _name_segment("integration runtime", name)
        raw = await self._arm.post(f"{self._id.path}/integrationRuntimes/{segment}/monitoringData", None, missing)
        return [fields.as_mapping(node) for node in fields.items(raw, "nodes")]

    async def changes(self, since: datetime, until: datetime | None = None) -> Found[Change]:
        now = self._clock()
        earliest = now - activity_log.KEPT
        if until is not None and until <= earliest:
            return Found()
        following = activity_log.path(self._id, max(since, earliest), until or now + MARGIN)
        found: list[Change] = []
        seen: set[str] = set()
        while following and following not in seen and len(seen) < MAX_LOG_PAGES:
            seen.add(following)
            page = await self._log_page(following)
            known = (activity_log.change_of(raw, self._id) for raw in fields.items(page, "value"))
            found += [change for change in known if change is not None]
            following = fields.text(page, "nextLink")
        return Found(tuple(activity_log.once_each(found)), complete=not following)

    async def _log_page(self, path: str) -> Mapping[str, Any]:
        try:
            return await self._arm.get(path)
        except UpstreamRefused as exc:
            if "(403)" not in exc.message:  # the sign-in failed: a role would not help
                raise
            raise activity_log.not_permitted(self._id) from exc

    async def tags(self) -> Mapping[str, str]:
        raw = await self._arm.get(self._id.path, not_found("data factory", self.name, []))
        told = fields.mapping(raw, "tags")
        return {name: value for name, value in told.items() if isinstance(value, str)}

    async def close(self) -> None:
        await self._arm.close()

    def _window(self, since: datetime) -> dict[str, Any]:
        """The service bounds the last update of a run, not its start: the upper end stays open, so that a run which
        began in the caller's window is not lost because it ended after it. Both ends are rounded, so that questions of
        a few seconds are the same question; see `cache.py`."""
        return {
            "lastUpdatedAfter": _iso(_whole(since, STEP)),
            "lastUpdatedBefore": _iso(_whole(max(self._clock(), since) + MARGIN, HOUR)),
        }

    async def _query(
        self,
        path: str,
        body: dict[str, Any],
        read: Callable[[object], T],
        *,
        key: Callable[[T], str],
        keep: Callable[[T], bool] = lambda _: True,
        past: Callable[[T], bool] = lambda _: False,
        limit: int | None = None,
    ) -> Found[T]:
        """`past` a record means that nothing after it is wanted either."""
        found: dict[str, T] = {}
        cursor = Cursor(lambda page: self._arm.post(f"{self._id.path}{path}", page), body, read)
        while not cursor.over:
            page = await cursor.next()
            _add(found, filter(keep, page), key)
            if limit is not None and len(found) > limit:
                return Found(tuple(found.values())[:limit], complete=False)
            if any(map(past, page)):
                return Found(tuple(found.values()))
        return Found(tuple(found.values()), complete=cursor.ended)

    async def _listed(self, path: str) -> AsyncIterator[object]:
        following = f"{self._id.path}{path}"
        seen: set[str] = set()
        while following and following not in seen and len(seen) < MAX_PAGES:
            seen.add(following)
            page = await self._arm.get(following)
            for raw in fields.items(page, "value"):
                yield raw
            following = fields.text(page, "nextLink")


def open_factories(settings: Settings) -> Factories:
    """The factories of the settings, or all of the subscription. Opens nothing yet; use it on one event loop."""
    credential = clients.credential(settings.adf_endpoint)
    patience = Patience(deadline=settings.adf_timeout_seconds)
    freshness = Freshness(settings.adf_cache_seconds, settings.adf_cache_seconds * DEFINITIONS_LAST)

    @cache
    def arm(subscription: str) -> Arm:
        return Arm(credential, subscription, endpoint=settings.adf_endpoint, patience=patience, freshness=freshness)

    if settings.adf_factories:
        named = [FactoryId.parse(resource_id) for resource_id in settings.adf_factories]
        return Factories([SdkDataFactory(arm(factory.subscription), factory) for factory in named])
    whole = arm(settings.adf_subscription)
    return Factories(lambda: discover(whole, settings.adf_subscription), closing=whole.close)


async def discover(arm: Arm, subscription: str) -> list[SdkDataFactory]:
    """Every factory of a subscription that the identity may see."""
    following = f"/subscriptions/{quote(subscription, safe='')}/providers/Microsoft.DataFactory/factories"
    found: list[SdkDataFactory] = []
    seen: set[str] = set()  # the service may go in circles
    while following and following not in seen and len(found) < 1000:
        seen.add(following)
        page = await arm.get(following)
        ids = (FactoryId.read(fields.text(raw, "id")) for raw in fields.items(page, "value"))
        found += [SdkDataFactory(arm, factory) for factory in ids if factory is not None]
        following = fields.text(page, "nextLink")
    return found


def _add(found: dict[str, T], records: Iterable[T], key: Callable[[T], str]) -> None:
    """By id, the first one stays: a run that changes while we page can come twice."""
    for record in records:
        found.setdefault(key(record) or f"nameless {len(found)}", record)


def _filters(**wanted: Status) -> list[dict[str, Any]]:
    return [
        {"operand": operand, "operator": "Equals" if isinstance(value, str) else "In", "values": _values(value)}
        for operand, value in wanted.items()
        if value is not None
    ]


def _values(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _whole(when: datetime, step: timedelta) -> datetime:
    """Rounded down."""
    return when - (when - _NEVER) % step


def _iso(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _run_segment(run_id: str) -> str:
    if not _RUN_ID.fullmatch(run_id):
        raise InvalidArguments(
            f"{run_id[:60]!r} is not a run id.", hint="A run id is a GUID, such as adf_pipeline_runs lists."
        )
    return run_id


def _name_segment(what: str, name: str) -> str:
    if not _NAME.fullmatch(name):
        raise NotFound(f"No {what} can be named {name[:60]!r}.")
    return quote(name, safe="")
