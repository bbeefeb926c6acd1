"""host.json: the parts that this host honours, with the real host's defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.host.settings import LoadError, read_json_object

MAX_BATCH = 32  # what the storage service hands out in one answer
TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(\.\d+)?")


@dataclass(frozen=True)
class QueueSettings:
    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_seconds: float = 60.0
    visibility_seconds: float = 0.0  # how long a failed message rests before it is tried again
    max_dequeue_count: int = 5
    base64: bool = True


@dataclass(frozen=True)
class HostJson:
    route_prefix: str = "api"
    function_timeout_seconds: float | None = 1800.0
    queues: QueueSettings = field(default_factory=QueueSettings)
    log_levels: Mapping[str, str] = field(default_factory=dict)


def load_host_json(root: Path) -> HostJson:
    path = root / "host.json"
    if not path.exists():
        raise LoadError(f"There is no host.json in {root}. --root must name the folder of the function app.")
    document = read_json_object(path)
    extensions = section(document, "extensions")
    return HostJson(
        route_prefix=str(section(extensions, "http").get("routePrefix", "api")).strip("/"),
        function_timeout_seconds=function_timeout(document.get("functionTimeout", "00:30:00")),
        queues=queue_settings(section(extensions, "queues")),
        log_levels=section(section(document, "logging"), "logLevel"),
    )


def section(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name, {})
    if not isinstance(value, dict):
        raise LoadError(f"{name!r} in host.json must be an object.")
    return value


def queue_settings(queues: Mapping[str, Any]) -> QueueSettings:
    batch = whole(queues, "batchSize", 16, 1, MAX_BATCH)
    return QueueSettings(
        batch_size=batch,
        new_batch_threshold=whole(queues, "newBatchThreshold", batch // 2, 0, 1000),
        max_polling_seconds=max(0.1, timespan(queues.get("maxPollingInterval", "00:01:00"))),
        visibility_seconds=timespan(queues.get("visibilityTimeout", "00:00:00")),
        max_dequeue_count=whole(queues, "maxDequeueCount", 5, 1, 1000),
        base64=str(queues.get("messageEncoding", "base64")).lower() == "base64",
    )


def whole(document: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = document.get(name, default)
    if not isinstance(value, int) or not least <= value <= most:
        raise LoadError(f"{name!r} in host.json must be a whole number from {least} to {most}, not {value!r}.")
    return value


def function_timeout(value: object) -> float | None:
    return None if value in ("-1", -1, None) else timespan(value)


def timespan(value: object) -> float:
    """Seconds of a .NET time span: [days.]hh:mm:ss[.fraction]."""
    found = TIMESPAN.fullmatch(str(value))
    if not found:
        raise LoadError(f"{value!r} is not a time span; write hh:mm:ss.")
    days, hours, minutes, seconds, fraction = found.groups()
    return int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(fraction or 0)
