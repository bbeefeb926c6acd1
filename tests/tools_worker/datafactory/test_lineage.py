from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools_worker.datafactory.definitions import hints, ordered, sentence, steps
from tools_worker.datafactory.lineage import UNKNOWN, lineage, place
from tools_worker.datafactory.models import Dataset, Pipeline, Trigger

REAL = Path(__file__).resolve().parents[3] / "../shared/adf/pipelines"


def of(name: str) -> dict[str, str]:
    return {"referenceName": name, "type": "x"}


def copy(source: Any, sink: Any, name: str = "Copy1") -> dict[str, Any]:
    return {"name": name, "type": "Copy", "inputs": [source], "outputs": [sink]}


def pipeline(name: str, *activities: dict[str, Any], **more: Any) -> Pipeline:
    return Pipeline(name, {"activities": list(activities), **more})


A, B = Dataset("A", "T", "Db", place={"schema": "s", "table": "a"}), Dataset("B", "T", "Db", place={"table": "b"})


def test_finds_a_table_by_its_name_with_and_without_schema() -> None:
    found = lineage([pipeline("P", copy(of("A"), of("B")))], [A, B])
    assert [t.mode for t in found.about("s.a")] == [t.mode for t in found.about("a")] == ["reads"]


def test_what_reads_a_written_table_comes_after() -> None:
    found = lineage([pipeline("P", copy(of("A"), of("B"))), pipeline("Q", copy(of("B"), of("A")))], [A, B])
    assert found.after("P") == [("Q", "reads b")]


def test_the_same_table_of_two_stores_is_not_the_same() -> None:
    other = Dataset("C", "T", "OtherDb", place={"table": "b"})
    found = lineage([pipeline("P", copy(of("A"), of("B"))), pipeline("Q", copy(of("C"), of("A")))], [A, B, other])
    assert found.after("P") == []


def test_a_circle_of_pipelines_ends() -> None:
    found = lineage([pipeline("P", copy(of("A"), of("B"))), pipeline("Q", copy(of("B"), of("A")))], [A, B])
    assert found.downstream(["P"]) == ["Q"]


def test_parameters_are_filled_in_from_the_activity() -> None:
    dataset = Dataset("D", place={"table": {"value": "@dataset().t", "type": "Expression"}})
    assert place(dataset, {"t": "Orders"}, {}) == "Orders"
    assert place(dataset, {"t": "@pipeline().parameters.x"}, {"x": "Sales"}) == "Sales"
    assert place(dataset, {"t": "@item().name"}, {}) == UNKNOWN


def test_a_tumbling_window_that_waits_puts_its_pipeline_after() -> None:
    def window(name: str, starts: str, *waits: str) -> Trigger:
        needs = [{"referenceTrigger": of(wait)} for wait in waits]
        definition = {"pipeline": {"pipelineReference": of(starts)}, "typeProperties": {"dependsOn": needs}}
        return Trigger(name, "TumblingWindowTrigger", "Started", definition)

    found = lineage([], [], [window("T1", "P"), window("T2", "Q", "T1")])
    assert found.after("P") == [("Q", "its trigger T2 waits for it")]


def test_activities_stand_in_the_order_in_which_they_run() -> None:
    first, last = {"name": "first"}, {"name": "last", "dependsOn": [{"activity": "first"}]}
    assert ordered([last, first]) == [first, last]


def test_a_circle_of_dependencies_loses_nothing() -> None:
    circle: list[Any] = [
        {"name": "a", "dependsOn": [{"activity": "b"}]},
        {"name": "b", "dependsOn": [{"activity": "a"}]},
    ]
    assert len(ordered(circle)) == 2


def test_says_what_is_risky() -> None:
    raw = copy(of("A"), of("B")) | {"policy": {"timeout": "7.00:00:00", "retry": 0}}
    told = " ".join(hints({"activities": [raw]}))
    assert "No retry: Copy1" in told
    assert "Timeout of 7 days: Copy1" in told


@pytest.mark.skipif(not REAL.is_dir(), reason="the collection of real pipelines is not beside this checkout")
def test_every_real_pipeline_is_told_in_full() -> None:
    files = [path for path in sorted(REAL.glob("*.json")) if path.name != "MANIFEST.json"]
    assert files
    for path in files:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
        found = Pipeline.of(raw)
        told = [sentence(step) for step in steps(found.definition)]
        assert told, path.name
        lineage([found], [])


@pytest.mark.parametrize("broken", [None, 3, "x", [None, 1, "a", {"typeProperties": 4, "dependsOn": [0, {}]}]])
def test_a_broken_definition_raises_nothing(broken: object) -> None:
    definition = {"activities": broken}
    assert all(sentence(step) for step in steps(definition))
    hints(definition)
    lineage([Pipeline("P", definition)], [])


def test_is_worked_out_once_for_the_same_definitions_and_anew_for_others() -> None:
    one, other = pipeline("P", copy(of("A"), of("B"))), pipeline("P", copy(of("B"), of("A")))
    first = lineage([one], [A, B])
    assert lineage([Pipeline(one.name, one.definition)], [A, B]) is first
    assert [t.place for t in lineage([other], [A, B]).about("s.a") if t.mode == "writes"] == ["s.a"]
    assert lineage([one], [A]) is not first
    trigger = Trigger("T", "TumblingWindowTrigger", "Started", {"pipelines": []})
    assert lineage([one], [A, B], [trigger]) is not first


def test_lineages_of_long_ago_are_not_held() -> None:
    one = pipeline("P", copy(of("A"), of("B")))
    first = lineage([one], [A, B])
    for number in range(4):
        lineage([pipeline(f"P{number}")], [])
    assert lineage([one], [A, B]) is not first
