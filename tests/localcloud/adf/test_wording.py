"""The layers of error texts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from localcloud.adf.definitions import Activity
from localcloud.adf.simulated import Failure
from localcloud.adf.wording import failure_of, timed_out


def worded(kind: str, **error: Any) -> Failure:
    return failure_of(Activity("Step", kind), error, "run-1")


def test_a_copy_says_on_which_side_it_failed_and_chains_the_exceptions() -> None:
    inner = {
        "type": "SqlException",
        "message": "Login failed.",
        "source": "Client",
        "numbers": {"SqlErrorNumber": 18456},
    }
    failure = worded(
        "Copy", side="Source", code="SqlFailedToConnect", message="Cannot connect.", source="MSSQL", inner=inner
    )
    assert failure.code == "2200"
    assert failure.message.startswith("Failure happened on 'Source' side. ErrorCode=SqlFailedToConnect,'Type=")
    assert (
        "Message=Cannot connect.,Source=MSSQL,''Type=SqlException,Message=Login failed.,Source=Client,"
        in failure.message
    )
    assert "SqlErrorNumber=18456" in failure.message


def test_a_data_flow_answers_with_json_text() -> None:
    failure = worded(
        "ExecuteDataFlow", code="DF-Executor-OutOfMemoryError", side="Sink", transformation="out", message="m"
    )
    told = json.loads(failure.message)
    assert failure.code == told["StatusCode"] == "DF-Executor-OutOfMemoryError"
    assert told["Message"] == "Job failed due to reason: at Sink 'out': m"


def test_databricks_gives_only_the_address_of_the_run_page() -> None:
    message = worded("DatabricksNotebook", message="KeyError").message
    assert "run page url: https://" in message
    assert "KeyError" not in message


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("Copy", "2200"),
        ("SqlServerStoredProcedure", "2402"),
        ("WebActivity", "2108"),
        ("SetVariable", "InvalidTemplate"),
    ],
)
def test_the_outer_code_is_that_of_the_type_of_activity(kind: str, code: str) -> None:
    assert worded(kind, message="m").code == code


def test_a_scenario_may_name_another_outer_code() -> None:
    assert worded("Copy", outer="2010", message="offline") == Failure("2010", "offline")


def test_a_timeout_names_the_limit_of_the_policy() -> None:
    activity = Activity("Step", "Copy", raw={"policy": {"timeout": "0.02:00:00"}})
    assert "0.02:00:00" in timed_out(activity).message
