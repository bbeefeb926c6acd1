from __future__ import annotations

import json

from tools_worker.runtime.replies import MAX_EVIDENCE, success
from tools_worker.runtime.tables import FEW, compact, table
from tools_worker.runtime.tools import Evidence, Reply

RUNS = [{"factory": "adf", "run": n, "note": "x" if n else None} for n in range(FEW + 1)]


def test_few_rows_stay_objects() -> None:
    assert table(RUNS[:FEW]) == RUNS[:FEW]


def test_many_rows_name_their_fields_once() -> None:
    found = table(RUNS)
    assert isinstance(found, dict)
    assert (found["columns"], found["rows"][:2]) == (["run", "note"], [[0, None], [1, "x"]])


def test_what_all_rows_have_is_said_once() -> None:
    found = table(RUNS)
    assert isinstance(found, dict)
    assert found["all"] == {"factory": "adf"}


def test_a_true_is_no_one() -> None:
    found = table([{"n": 1}, {"n": True}], few=0)
    assert isinstance(found, dict)
    assert found["rows"] == [[1], [True]]


def test_a_field_that_only_some_rows_have_is_empty_in_the_others() -> None:
    found = table([{"a": 1}, {"a": 2, "b": 3}], few=0)
    assert isinstance(found, dict)
    assert found["rows"] == [[1, None], [2, 3]]


def test_empty_fields_are_left_out_but_no_zero_and_no_false() -> None:
    data: dict[str, object] = {
        "a": None,
        "b": "",
        "c": [],
        "d": {},
        "e": 0,
        "f": False,
        "g": {"h": None},
        "runs_left_out": 0,
    }
    assert compact(data) == {"e": 0, "f": False}


def test_what_was_left_out_is_counted() -> None:
    assert compact({"left_out": 3}) == {"left_out": 3}


def test_cells_of_a_table_keep_their_places() -> None:
    assert compact({"columns": ["a", "b"], "rows": [[None, 1]]}) == {"columns": ["a", "b"], "rows": [[None, 1]]}


def test_times_are_told_to_the_minute() -> None:
    assert compact({"at": "2026-03-09T02:00:59Z"}) == {"at": "2026-03-09 02:00Z"}


def test_times_in_a_table_are_told_to_the_minute() -> None:
    told = {"columns": ["at", "name"], "rows": [["2026-03-09T02:00:59Z", "2026-03-09T02:00:59Z"]]}
    assert compact(told)["rows"] == [["2026-03-09 02:00Z", "2026-03-09T02:00:59Z"]]


def test_a_name_that_looks_like_a_time_is_left_alone() -> None:
    assert compact({"trigger": "2026-03-09T02:00:59Z"}) == {"trigger": "2026-03-09T02:00:59Z"}


def test_evidence_that_the_summary_names_comes_first_and_no_more_than_ten_are_given() -> None:
    many = [Evidence("pipeline_run", f"run-{n:02}", "adf") for n in range(MAX_EVIDENCE + 5)]
    text = success(Reply(summary="It is run-14.", evidence=many), 0.1, lambda _: True)
    assert text.count('"kind"') == MAX_EVIDENCE
    assert text.index("run-14", text.index("evidence")) < text.index("run-00")


def test_rows_of_a_table_are_left_out_and_counted_when_a_reply_is_too_large() -> None:
    data = {"runs": table([{"run": "x" * 50, "n": n} for n in range(100)])}
    reply = Reply(summary="Many.", data=data)
    text = success(reply, 0.1, lambda text: len(text) < 600)
    told = json.loads(text)
    assert told["data"]["runs"]["all"] == {"run": "x" * 50}
    assert 0 < len(told["data"]["runs"]["rows"]) == 100 - told["omitted"]["runs"]
