"""Where an alert points to: a factory, a pipeline, runs, found by their names in whatever spelling was told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tools_worker.datafactory.fields import as_mapping, text

_FACTORY = re.compile(
    r"/subscriptions/[^/?#\s]{1,100}/resourcegroups/[^/?#\s]{1,100}"
    r"/providers/microsoft\.datafactory/factories/[^/?#\s]{1,100}",
    re.IGNORECASE,
)
MAX_FIELDS, MAX_NAME = 200, 400
_COLUMN_TYPE = re.compile(r"_[a-z]$")  # of custom logs: RunId_g, PipelineName_s
PIPELINES = ("pipelinename", "pipeline")
FACTORIES = ("factory", "factoryname", "datafactory", "datafactoryname", "factoryid")
RESOURCES = ("resourceid", "resource", "resourceuri", "targetresourceid", "factoryresourceid")
RUNS = ("pipelinerunid", "runid", "runids")
CORRELATIONS = ("correlationid",)  # in the logs of Data Factory the run that all began with


def spelled(name: str) -> str:
    """`Run_Id`, `runId_g` and `RUNID` are one name."""
    return re.sub(r"[^a-z0-9]", "", _COLUMN_TYPE.sub("", name[:100].lower()))


def factory_id(*texts: str) -> str:
    """The resource id of the first factory that is named by any of them, whatever of the factory it names."""
    for told in texts:
        if found := _FACTORY.match(told[:1000].strip()):
            return found.group()
    return ""


class Names:
    """Values by their names, told in any spelling, in one or several mappings: the first that tells counts."""

    def __init__(self, *sources: object) -> None:
        self._values: dict[str, str] = {}
        for source in sources:
            told = as_mapping(source)
            for name in list(told)[:MAX_FIELDS]:
                if value := text(told, name).strip():
                    self._values.setdefault(spelled(str(name)), value)

    def first(self, names: Iterable[str]) -> str:
        return next((self._values[name] for name in names if _is_one(self._values.get(name, ""))), "")

    def every(self, names: Iterable[str]) -> list[str]:
        return [self._values[name] for name in names if name in self._values]

    @property
    def factory(self) -> str:
        """A resource id where one is told, else a name."""
        return factory_id(*self.every((*FACTORIES, *RESOURCES))) or self.first(FACTORIES)

    @property
    def pipeline(self) -> str:
        return self.first(PIPELINES)

    def run_ids(self, *more: str) -> list[str]:
        """Also those under `more` names."""
        return [part for told in self.every((*RUNS, *more)) for part in re.split(r"[\s,;]+", told[:2000]) if part]


def _is_one(value: str) -> bool:
    """Azure Monitor tells `*` where a rule looks at all of them together."""
    return 0 < len(value) <= MAX_NAME and value != "*"


def dimensions(told: Iterable[Any]) -> dict[str, str]:
    """Of `[{"name": …, "value": …}]`: the first value of each name."""
    found: dict[str, str] = {}
    for each in told:
        if name := text(each, "name"):
            found.setdefault(name, text(each, "value"))
    return found


def without_runs(told: Mapping[str, str]) -> dict[str, str]:
    """A run's id says which run, not what an alert is about: with it every alert would be about something else."""
    return {name: value for name, value in told.items() if spelled(name) not in (*RUNS, *CORRELATIONS, "activityrunid")}
