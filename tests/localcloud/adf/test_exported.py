"""Real factories from disk."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from localcloud.adf import rendering
from localcloud.adf.exported import load_exported
from localcloud.adf.folder import read_folder
from localcloud.adf.living import LivingFactory
from localcloud.adf.scenario import BadScenario
from localcloud.adf.world import World
from tests.localcloud.adf.building import an_activity, calls
from tests.localcloud.adf.conftest import NOW, SHARED

beside_us = pytest.mark.skipif(
    not (SHARED / "pipelines").is_dir(), reason="the collected definitions are not beside us"
)


def put(root: Path, path: str, content: Any) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def resource(name: str, **properties: Any) -> dict[str, Any]:
    return {"name": name, "properties": properties}


def a_factory(root: Path) -> Path:
    """As Git integration lays it out."""
    put(root, "factory/adf-shop.json", {"name": "adf-shop", "location": "northeurope"})
    put(root, "pipeline/Main.json", resource("Main", activities=[calls("Call", "Load")]))
    put(root, "pipeline/Load.json", resource("Load", activities=[an_activity("Copy")]))
    put(
        root, "dataset/Orders.json", resource("Orders", type="AzureSqlTable", linkedServiceName={"referenceName": "Db"})
    )
    put(root, "linkedService/Db.json", resource("Db", type="AzureSqlDatabase", typeProperties={}))
    return root


def living(path: Path) -> LivingFactory:
    return World(load_exported(str(path), 7)[0], fixed=NOW).factories[0]


def ran(factory: LivingFactory) -> set[str]:
    found = factory.ledger.updated_between(NOW - timedelta(days=14), NOW, NOW)
    return {run.order.pipeline.name for run in found}


def test_a_factory_of_git_integration_is_read_whole(tmp_path: Path) -> None:
    found = read_folder(a_factory(tmp_path))
    assert {kind: list(items) for kind, items in found.resources.items()} == {
        "pipelines": ["Load", "Main"],
        "datasets": ["Orders"],
        "linkedservices": ["Db"],
    }
    assert (found.factory, found.location, found.notes) == ("adf-shop", "northeurope", [])


def test_every_pipeline_has_runs(tmp_path: Path) -> None:
    factory = living(a_factory(tmp_path))
    assert ran(factory) == {"Main", "Load"}
    assert not factory.ledger.roots("Load")


def test_started_triggers_keep_their_schedule(tmp_path: Path) -> None:
    reference = {"pipelineReference": {"referenceName": "Main", "type": "PipelineReference"}}
    every_hour = {"recurrence": {"frequency": "Hour", "interval": 1, "startTime": "2026-01-01T00:00:00Z"}}
    trigger = resource(
        "Hourly", type="ScheduleTrigger", runtimeState="Started", pipelines=[reference], typeProperties=every_hour
    )
    put(a_factory(tmp_path), "trigger/Hourly.json", trigger)
    factory = living(tmp_path)
    assert len(factory.ledger.roots("Main")) == 14 * 24
    assert [item.name for item in factory.factory.all("triggers")] == ["Hourly"]


def test_a_flat_folder_of_pipelines_will_do(tmp_path: Path) -> None:
    put(tmp_path, "one.json", resource("One", activities=[an_activity("Copy")]))
    put(tmp_path, "Two.json", {"activities": [an_activity("Copy")]})
    assert ran(living(tmp_path)) == {"One", "Two"}


def test_files_that_cannot_be_used_are_named_and_counted(tmp_path: Path) -> None:
    put(a_factory(tmp_path), "pipeline/broken.json", "{")
    put(tmp_path, "pipeline/list.json", [])
    put(tmp_path, "pipeline/nameless.json", resource("Nameless", activities=[{"type": "Wait"}]))
    _, notes = load_exported(str(tmp_path), 7)
    assert [note.split(":")[0] for note in notes[:3]] == [
        f"skipped pipeline/{n}.json" for n in ("broken", "list", "nameless")
    ]
    assert "3 files skipped" in notes[-1]


def test_a_pipeline_that_is_called_but_missing_gets_a_placeholder(tmp_path: Path) -> None:
    put(tmp_path, "Main.json", resource("Main", activities=[calls("Call", "Elsewhere")]))
    _, notes = load_exported(str(tmp_path), 7)
    assert "'Elsewhere'" in notes[0]
    assert ran(living(tmp_path)) == {"Main", "Elsewhere"}


def test_something_fails_so_that_there_is_something_to_ask(tmp_path: Path) -> None:
    factory = living(a_factory(tmp_path))
    assert any(run.status == "Failed" for run in factory.ledger.roots("Main"))


@pytest.mark.parametrize("make", [lambda root: None, lambda root: put(root, "x.json", "{")])
def test_a_folder_with_nothing_in_it_is_refused(tmp_path: Path, make: Any) -> None:
    make(tmp_path)
    with pytest.raises(BadScenario, match="Nothing of a factory"):
        load_exported(str(tmp_path), 7)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="no folder"):
        load_exported(str(tmp_path / "none"), 7)


@beside_us
def test_all_real_pipelines_run_and_can_be_shown() -> None:
    scenario, notes = load_exported(str(SHARED / "pipelines"), 7)
    assert "0 files skipped" in notes[-1]
    factory = World(scenario, fixed=NOW).factories[0]
    assert ran(factory) == set(factory.factory.pipelines())
    for name in factory.factory.pipelines():
        shown = next(
            r
            for r in factory.ledger.updated_between(NOW - timedelta(days=14), NOW, NOW)
            if r.order.pipeline.name == name
        )
        json.dumps(
            [rendering.activity_run(a, shown, factory.factory, NOW) for a in rendering.activity_runs(shown, NOW)]
        )


@beside_us
def test_real_resources_are_told_apart_by_their_content(tmp_path: Path) -> None:
    told = read_folder(SHARED / "resources")
    for file in (SHARED / "resources").glob("*__*.json"):
        put(tmp_path, f"{file.stem.replace('__', '-')}.json", file.read_text(encoding="utf-8"))
    seen = read_folder(tmp_path)
    kinds = {kind: len(items) for kind, items in told.resources.items()}
    assert told.skipped == seen.skipped == 0
    assert {kind: len(items) for kind, items in seen.resources.items()} == kinds
