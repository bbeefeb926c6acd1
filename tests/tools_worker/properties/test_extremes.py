"""What no factory should hold and some do: circles of runs, ids twice, thousands of attempts, huge messages."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.tools_worker.properties.calling import call, questions
from tests.tools_worker.properties.worlds import BY_HAND, run_id

Raw = dict[str, Any]
ABOUT_A_RUN = [question for question in questions(BY_HAND) if question[1].keys() & {"run_id"}]
MEGABYTES = 10_000_000


def world() -> Raw:
    copy: Raw = json.loads(json.dumps(BY_HAND.raw))
    return copy


def activity(raw: Raw, name: str) -> Raw:
    found: Raw = next(a for a in raw["activities"][run_id(1)] if a["activityName"] == name)
    return found


def calls_back(raw: Raw, run: str, child: str) -> None:
    """The run gets an activity that started `child`, and `child` says that the run is its parent."""
    raw["activities"][run].append(
        activity(raw, "RunChild") | {"activityRunId": run_id(77), "output": {"pipelineRunId": child}}
    )
    parent = {
        "invokedByType": "PipelineActivity",
        "pipelineRunId": run,
        "pipelineName": "LoadSales",
        "name": "RunChild",
    }
    next(r for r in raw["runs"] if r["runId"] == child)["invokedBy"] = parent


def invokes_itself(raw: Raw) -> None:
    calls_back(raw, run_id(1), run_id(1))
    activity(raw, "RunChild")["output"]["pipelineRunId"] = run_id(1)


def two_call_each_other(raw: Raw) -> None:
    calls_back(raw, run_id(2), run_id(1))


def every_activity_has_the_id_of_the_run(raw: Raw) -> None:
    for one in raw["activities"][run_id(1)]:
        one["activityRunId"] = run_id(1)


def every_record_comes_three_times(raw: Raw) -> None:
    for part in ("runs", "pipelines", "datasets", "triggers", "trigger_runs", "runtimes"):
        raw[part] *= 3
    raw["activities"] = {run: listed * 3 for run, listed in raw["activities"].items()}


def nothing_but_empty_records(raw: Raw) -> None:
    for part in ("runs", "pipelines", "datasets", "triggers", "trigger_runs", "runtimes"):
        raw[part] += [{}, None, [], "x"]
    raw["activities"] = {run: [{}, None, [], "x"] for run in raw["activities"]}


def a_definition_calls_itself_and_depends_on_itself(raw: Raw) -> None:
    steps = raw["pipelines"][0]["properties"]["activities"]
    steps[0]["dependsOn"] = [{"activity": "CopySales", "dependencyConditions": ["Succeeded"]}]
    steps[2]["typeProperties"]["activities"][0]["typeProperties"]["pipeline"]["referenceName"] = "LoadSales"


CIRCLES: list[Callable[[Raw], None]] = [
    invokes_itself,
    two_call_each_other,
    every_activity_has_the_id_of_the_run,
    every_record_comes_three_times,
    nothing_but_empty_records,
    a_definition_calls_itself_and_depends_on_itself,
]


@pytest.mark.parametrize("spoil", CIRCLES, ids=lambda spoil: str(spoil.__name__))
async def test_circles_and_twins_are_answered(spoil: Callable[[Raw], None]) -> None:
    raw = world()
    spoil(raw)
    for tool, arguments in questions(BY_HAND):
        assert (await call(BY_HAND, raw, tool, arguments))["ok"]


@pytest.mark.parametrize("spoil", [invokes_itself, two_call_each_other], ids=lambda spoil: str(spoil.__name__))
async def test_a_run_in_a_circle_is_billed_once(spoil: Callable[[Raw], None]) -> None:
    raw = world()
    spoil(raw)
    billed = (await call(BY_HAND, raw, "adf_cost", {"run_id": run_id(1)}))["data"]
    runs = [row["run_id"] for row in billed["runs"]]
    assert len(runs) == len(set(runs))
    assert billed["activity_runs"] <= sum(len(raw["activities"][run]) for run in runs)


async def test_thousands_of_attempts_of_one_activity_are_counted() -> None:
    raw = world()
    attempt = activity(raw, "CopySales") | {"output": {}}
    many = [attempt | {"activityRunId": run_id(10_000 + n), "retryAttempt": n} for n in range(3000)]
    raw["activities"][run_id(1)] = many
    for tool, arguments in ABOUT_A_RUN:
        assert (await call(BY_HAND, raw, tool, arguments))["ok"]
    told = await call(BY_HAND, raw, "adf_activity_runs", {"run_id": run_id(1)})
    assert "CopySales (Copy) failed after 2999 retries" in told["summary"]


async def test_thousands_of_iterations_that_fail_are_one_line() -> None:
    raw = world()
    turn = activity(raw, "CopySales") | {"output": {}, "retryAttempt": None}
    many = [turn | {"activityRunId": run_id(10_000 + n), "iterationHash": f"turn {n}"} for n in range(2000)]
    raw["activities"][run_id(1)] = many
    told = await call(BY_HAND, raw, "adf_activity_runs", {"run_id": run_id(1)})
    assert "failed in 2000 of 2000 iterations" in told["summary"]
    assert len(told["data"]["activities"]) == 1


def nested(levels: int) -> str:
    """JSON in JSON in JSON: each level doubles the backslashes of those below it."""
    text = "Login failed for user 'etl'."
    for _ in range(levels):
        text = json.dumps({"errorCode": "2200", "message": text})
    return text


HUGE = {
    "one letter": "x" * MEGABYTES,
    "wrappers": "Operation on target A failed: " * (MEGABYTES // 30),
    "open braces": '{"message":' * (MEGABYTES // 11),
    "quotes": "'\"\\" * (MEGABYTES // 3),
    "half a surrogate pair": "\ud83d" * (MEGABYTES // 4),
    "JSON in JSON": nested(14),
}


@pytest.mark.parametrize("text", HUGE)
async def test_megabytes_in_every_text_are_answered(text: str) -> None:
    raw = world()
    for run in raw["runs"]:
        run |= {"message": HUGE[text], "parameters": {"window": HUGE[text]}}
        run["invokedBy"]["name"] = HUGE[text]
    for one in raw["activities"][run_id(1)]:
        one["error"] = {"errorCode": HUGE[text], "message": HUGE[text], "failureType": HUGE[text], "target": HUGE[text]}
        one["linkedServiceName"] = HUGE[text]
    for tool, arguments in ABOUT_A_RUN:
        assert (await call(BY_HAND, raw, tool, arguments))["ok"]


async def test_names_of_megabytes_are_no_names() -> None:
    raw = world()
    for part in ("pipelines", "triggers", "datasets", "runtimes"):
        raw[part][-1]["name"] = "N" * MEGABYTES
    activity(raw, "CopySales")["activityName"] = "N" * MEGABYTES
    for tool, arguments in questions(BY_HAND):
        assert (await call(BY_HAND, raw, tool, arguments))["ok"]


async def test_bottomless_nesting_is_answered() -> None:
    raw = world()
    deep: Any = "x"
    for _ in range(300):
        deep = {"value": [deep]}
    raw["runs"][0]["parameters"] = {"window": deep}
    activity(raw, "CopySales").update({"output": deep, "input": deep})
    raw["pipelines"][0]["properties"]["parameters"]["table"] = deep
    raw["datasets"][0]["properties"]["typeProperties"]["table"] = deep
    for tool, arguments in questions(BY_HAND):
        assert (await call(BY_HAND, raw, tool, arguments))["ok"]


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999Z", "1900-01-01T00:00:00Z"])
async def test_dates_at_the_ends_of_time_are_answered(end: str) -> None:
    raw = world()
    for run in raw["runs"][:1] + raw["activities"][run_id(1)]:
        for field in run:
            run[field] = end if field in ("runStart", "runEnd", "activityRunStart", "activityRunEnd") else run[field]
    recurrence = raw["triggers"][0]["properties"]["typeProperties"]["recurrence"]
    recurrence |= {"startTime": end, "endTime": end}
    raw["triggers"][1]["properties"]["typeProperties"]["startTime"] = end
    for tool, arguments in questions(BY_HAND):
        assert (await call(BY_HAND, raw, tool, arguments))["ok"] or tool == "adf_compare_runs"  # nothing came before it


async def test_a_negative_duration_is_told_as_unknown() -> None:
    raw = world()
    raw["runs"][0]["durationInMs"] = -60_000
    for one in raw["activities"][run_id(1)]:
        one["durationInMs"] = -60_000
    for tool, arguments in questions(BY_HAND):
        assert (await call(BY_HAND, raw, tool, arguments))["ok"]
    told = await call(BY_HAND, raw, "adf_activity_runs", {"run_id": run_id(1)})
    assert all("duration_s" not in row for row in told["data"]["activities"])
