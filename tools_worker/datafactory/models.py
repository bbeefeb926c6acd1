"""What ADF tells us, as plain frozen records: runs of pipelines, activities and triggers, and definitions.

`of(raw)` builds each record from the REST JSON and never raises. Statuses are text: unknown ones are kept as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from tools_worker.datafactory import fields

FAILED = "Failed"
SUCCEEDED = "Succeeded"
CANCELLED = frozenset({"Cancelled", "Canceled", "Canceling", "Cancelling"})
UNFINISHED = frozenset({"Queued", "InProgress", "Canceling", "Cancelling"})

_FACTORY_ID = re.compile(
    r"^/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.DataFactory/factories/(?P<name>[^/]+)/?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FactoryId:
    subscription: str
    resource_group: str
    name: str

    @classmethod
    def parse(cls, resource_id: str) -> Self:
        """From an ARM resource id; ValueError says what one looks like."""
        found = cls.read(resource_id)
        if found is None:
            raise ValueError(
                f"{resource_id!r} is not the resource id of a data factory: it reads "
                "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.DataFactory/factories/<name>."
            )
        return found

    @classmethod
    def read(cls, resource_id: str) -> Self | None:
        match = _FACTORY_ID.match(resource_id.strip())
        return cls(match["subscription"], match["group"], match["name"]) if match else None

    @property
    def path(self) -> str:
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.DataFactory/factories/{self.name}"
        )


@dataclass(frozen=True, slots=True)
class InvokedBy:
    """Who started a run: a trigger, a person ("Manual") or an activity of a parent pipeline."""

    name: str = ""
    id: str = ""
    type: str = ""
    pipeline: str = ""
    run_id: str = ""

    @classmethod
    def of(cls, raw: object) -> Self:
        return cls(
            name=fields.name(raw, "name"),
            id=fields.name(raw, "id"),
            type=fields.name(raw, "invokedByType"),
            pipeline=fields.name(raw, "pipelineName"),
            run_id=fields.name(raw, "pipelineRunId"),
        )


@dataclass(frozen=True, slots=True)
class PipelineRun:
    run_id: str
    pipeline: str = ""
    status: str = ""
    start: datetime | None = None
    end: datetime | None = None  # may be missing although the run has ended
    updated: datetime | None = None
    duration_ms: int | None = None
    message: str = ""
    group_id: str = ""
    is_latest: bool | None = None
    invoked_by: InvokedBy = field(default_factory=InvokedBy)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Self:
        return cls(
            run_id=fields.name(raw, "runId"),
            pipeline=fields.name(raw, "pipelineName"),
            status=fields.name(raw, "status"),
            start=fields.moment(raw, "runStart"),
            end=fields.moment(raw, "runEnd"),
            updated=fields.moment(raw, "lastUpdated"),
            duration_ms=fields.duration(raw, "durationInMs"),
            message=fields.text(raw, "message"),
            group_id=fields.name(raw, "runGroupId"),
            is_latest=fields.flag(raw, "isLatest"),
            invoked_by=InvokedBy.of(fields.mapping(raw, "invokedBy")),
            parameters=fields.mapping(raw, "parameters"),
        )

    @property
    def failed(self) -> bool:
        return self.status == FAILED

    @property
    def unfinished(self) -> bool:
        return self.status in UNFINISHED


@dataclass(frozen=True, slots=True)
class ActivityError:
    """Empty strings on success: ask the status whether an activity failed, never this."""

    code: str = ""
    message: str = ""
    failure_type: str = ""
    target: str = ""

    @classmethod
    def of(cls, raw: object) -> Self:
        return cls(
            code=fields.name(raw, "errorCode"),
            message=fields.text(raw, "message"),
            failure_type=fields.name(raw, "failureType"),
            target=fields.name(raw, "target"),
        )


@dataclass(frozen=True, slots=True)
class ActivityRun:
    """One attempt of one activity. Retries and ForEach iterations give several of one name."""

    id: str
    name: str = ""
    type: str = ""
    status: str = ""
    pipeline: str = ""
    pipeline_run_id: str = ""
    start: datetime | None = None
    end: datetime | None = None
    duration_ms: int | None = None
    error: ActivityError = field(default_factory=ActivityError)
    iteration: str = ""  # iterationHash: which turn of the loop
    retry_attempt: int | None = None
    linked_service: str = ""
    runtimes: tuple[str, ...] = ()  # of integration; in lower case, as ADF writes them here
    input: Mapping[str, Any] = field(default_factory=dict)
    output: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Self:
        return cls(
            id=fields.name(raw, "activityRunId"),
            name=fields.name(raw, "activityName"),
            type=fields.name(raw, "activityType"),
            status=fields.name(raw, "status"),
            pipeline=fields.name(raw, "pipelineName"),
            pipeline_run_id=fields.name(raw, "pipelineRunId"),
            start=fields.moment(raw, "activityRunStart"),
            end=fields.moment(raw, "activityRunEnd"),
            duration_ms=fields.duration(raw, "durationInMs"),
            error=ActivityError.of(fields.mapping(raw, "error")),
            iteration=fields.name(raw, "iterationHash"),
            retry_attempt=fields.whole(raw, "retryAttempt"),
            linked_service=fields.name(raw, "linkedServiceName"),
            runtimes=tuple(name for name in fields.items(raw, "integrationRuntimeNames") if isinstance(name, str)),
            input=fields.mapping(raw, "input"),
            output=fields.mapping(raw, "output"),
        )

    @property
    def failed(self) -> bool:
        return self.status == FAILED

    @property
    def child_run_id(self) -> str:
        """The run that an ExecutePipeline activity started, where its output tells."""
        return fields.name(self.output, "pipelineRunId")


@dataclass(frozen=True, slots=True)
class TriggerRun:
    id: str
    trigger: str = ""
    type: str = ""
    status: str = ""
    at: datetime | None = None
    message: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    pipelines: Mapping[str, Any] = field(default_factory=dict)  # name → run id
    dimension: Mapping[str, Any] = field(default_factory=dict)  # of a tumbling window: its start and end
    dependencies: Mapping[str, Any] = field(default_factory=dict)  # of a tumbling window: what it waits for

    @classmethod
    def of(cls, raw: object) -> Self:
        return cls(
            id=fields.name(raw, "triggerRunId"),
            trigger=fields.name(raw, "triggerName"),
            type=fields.name(raw, "triggerType"),
            status=fields.name(raw, "status"),
            at=fields.moment(raw, "triggerRunTimestamp"),
            message=fields.text(raw, "message"),
            properties=fields.mapping(raw, "properties"),
            pipelines=fields.mapping(raw, "triggeredPipelines"),
            dimension=fields.mapping(raw, "runDimension"),
            dependencies=fields.mapping(raw, "dependencyStatus"),
        )


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A definition: `definition` is the JSON under `properties`, as ADF and Git hold it."""

    name: str
    definition: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Self:
        return cls(name=fields.name(raw, "name"), definition=fields.mapping(raw, "properties"))


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named place of data: `place` is the JSON under `typeProperties` (table, folder, file, often parameterised)."""

    name: str
    type: str = ""
    linked_service: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    place: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Self:
        properties = fields.mapping(raw, "properties")
        return cls(
            name=fields.name(raw, "name"),
            type=fields.name(properties, "type"),
            linked_service=fields.name(fields.mapping(properties, "linkedServiceName"), "referenceName"),
            parameters=fields.mapping(properties, "parameters"),
            place=fields.mapping(properties, "typeProperties"),
        )


@dataclass(frozen=True, slots=True)
class Trigger:
    name: str
    type: str = ""
    state: str = ""  # Started, Stopped, Disabled
    definition: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Self:
        properties = fields.mapping(raw, "properties")
        return cls(
            name=fields.name(raw, "name"),
            type=fields.name(properties, "type"),
            state=fields.name(properties, "runtimeState"),
            definition=properties,
        )


@dataclass(frozen=True, slots=True)
class IntegrationRuntime:
    """A moment's picture: it tells how the runtime is now, not how it was when a run failed."""

    name: str
    type: str = ""
    state: str = ""
    nodes: tuple[Mapping[str, Any], ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: object) -> Self:
        properties = fields.mapping(raw, "properties")
        detail = fields.mapping(properties, "typeProperties")
        nodes = fields.items(detail, "nodes") or fields.items(properties, "nodes")
        return cls(
            name=fields.name(raw, "name"),
            type=fields.name(properties, "type"),
            state=fields.name(properties, "state"),
            nodes=tuple(fields.as_mapping(node) for node in nodes),
            detail=detail,
        )


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to a resource of a factory, as the Activity Log tells it.

    `operation`: write, delete, start, stop, cancel, createrun …; `kind`: pipelines, datasets, linkedservices, triggers,
    dataflows, integrationruntimes, pipelineruns (then `name` is the run's id) or factories; both in lower case. `by` is
    a person's address or the id of an application.
    """

    id: str
    at: datetime | None = None
    by: str = ""
    operation: str = ""
    kind: str = ""
    name: str = ""
    status: str = ""
