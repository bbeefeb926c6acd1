from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools_worker.datafactory.failures import peel

CHAIN = (
    "Failure happened on 'Sink' side. ErrorCode=SqlOperationFailed,'Type=Microsoft.Shared.HybridDeliveryException,"
    "Message=A database operation failed. Please search error to get more details.,Source=Microsoft.DataTransfer,"
    "''Type=System.Data.SqlClient.SqlException,Message=Cannot insert duplicate key row in object 'dbo.T'.,"
    "Source=.Net SqlClient Data Provider,SqlErrorNumber=2601,Class=14,ErrorCode=-2146232060,State=1,"
    "Errors=[{Class=14,Number=2601,State=1,Message=Cannot insert duplicate key row in object 'dbo.T'.,},],'"
)


def test_peels_every_pipeline_around_the_error() -> None:
    peeled = peel("Operation on target RunA failed: Operation on target RunB failed: It broke.")
    assert peeled.path == ("RunA", "RunB")
    assert peeled.message == "It broke."


def test_peels_the_old_form() -> None:
    assert peel("Activity MyCustom failed: No pool.").message == "No pool."


def test_peels_containers() -> None:
    text = "Activity failed because an inner activity failed; Inner activity name: CopyTable, Error: It broke."
    assert peel(text).path == ("CopyTable",)
    assert peel(text).message == "It broke."


def test_knows_a_wrapper_without_a_cause() -> None:
    text = "Operation on target Loop failed: Activity failed because an inner activity failed"
    assert peel(text).empty_wrapper


def test_reads_the_side_the_code_and_the_number_of_a_copy() -> None:
    peeled = peel(CHAIN, "2200")
    assert (peeled.side, peeled.inner_code, peeled.outer_code, peeled.sql_number) == (
        "sink",
        "SqlOperationFailed",
        "2200",
        2601,
    )


def test_takes_the_last_message_of_a_chain() -> None:
    assert peel(CHAIN).message == "Cannot insert duplicate key row in object 'dbo.T'."


def test_passes_over_a_last_message_that_says_nothing() -> None:
    text = (
        "ErrorCode=AdlsGen2OperationFailed,'Type=X,Message=Path not allowed for this identity.,Source=A,"
        "''Type=Y,Message=Operation returned an invalid status code 'Forbidden',Source=B,'"
    )
    assert peel(text).message == "Path not allowed for this identity."


def test_reads_json_in_the_message() -> None:
    text = '{"StatusCode":"DF-Executor-OutOfMemoryError","Message":"Job failed due to reason: memory","Details":""}'
    assert peel(f"Operation on target Flow failed: {text}").inner_code == "DF-Executor-OutOfMemoryError"


def test_reads_json_in_json() -> None:
    inner = json.dumps({"errorCode": "2200", "message": json.dumps({"code": "X1", "message": "Deep."})})
    assert peel(inner).message == "Deep."


def test_reads_json_that_was_cut_off() -> None:
    assert peel('{"errorCode": "2200", "message": "It broke and the text ends he').message.startswith("It broke")


def test_reads_commas_that_were_escaped() -> None:
    assert peel("a&#44; b").message == "a, b"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("failed with client error, status code 404 NotFound", 404),
        ("HttpStatusCode - '401 : Unauthorized'", 401),
        ("The remote server returned an error: (403) Forbidden.", 403),
        ("row 404 of file", None),
    ],
)
def test_reads_the_http_status(text: str, status: int | None) -> None:
    assert peel(text).http_status == status


def test_reads_oracle_codes() -> None:
    assert peel("[Oracle]ORA-00001: unique constraint violated").oracle_code == "ORA-00001"


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300), st.text(max_size=30))
def test_reads_any_text(text: str, code: str) -> None:
    assert peel(text, code).outer_code == code


def test_reads_a_message_of_ten_megabytes() -> None:
    assert len(peel("Operation on target A failed: " + "x" * 10_000_000).message) < 20_000


def test_reads_absurdly_nested_json() -> None:
    peel("[" * 5000 + '{"message": ' * 5000)
