"""Errors of any shape are read: an outcome that exists, a message and a path that stand in the error, no exception."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools_worker.properties.mutation import ODD_TEXTS
from tests.tools_worker.properties.worlds import COLLECTED, without_collection
from tools_worker.datafactory.failures import classify, peel, signature_of
from tools_worker.datafactory.failures.rules import CATEGORIES, INSUFFICIENT
from tools_worker.datafactory.failures.signature import MAX_LENGTH
from tools_worker.datafactory.failures.wrappers import MAX_READ

PIECES = (
    *("Operation on target A failed: ", "Activity B failed: ", "Failure happened on 'Sink' side. ", "ErrorCode="),
    *("Activity failed because an inner activity failed; Inner activity name: C, Error: ", "'Type=X", ",Message="),
    *(",Source=Y,", "''Type=", "SqlErrorNumber=", "99999", "-2", "SQLSTATE 42501", "ORA-00001: ", "status code 429"),
    *('{"errorCode": "2200", "message": "', '"}', '{"error":{"code":"X","message":"', "&#44;", "&#39;", "\\", '\\"'),
    *("Login failed for user 'etl'.", "deadlocked", "timeout", "\n", ",'", "DF-Executor-SourceInvalid", " "),
)
TEXT = st.lists(st.sampled_from((*PIECES, *ODD_TEXTS)), max_size=12).map("".join) | st.text(
    st.characters(), max_size=80
)


def checked(message: str, code: str, activity: str = "Copy") -> None:
    found = classify(message, code, activity)
    assert found.category in CATEGORIES | {INSUFFICIENT}
    assert found.reason
    assert len(found.signature) <= MAX_LENGTH + 3 + len(found.code) + len(found.numbers)
    assert found.signature == signature_of(message, code)
    assert len(found.message) <= MAX_READ + 3
    readable = message.replace("&#44;", ",").replace("&#39;", "'")
    if "{" not in message and '"' not in message and len(message) <= MAX_READ:  # else JSON unescapes it
        assert found.message in readable
        assert all(name in readable for name in found.path)
        assert found.code in readable or found.code == code


@given(TEXT, st.sampled_from(["", "2200", "BadRequest", "\ud800", "x" * 5000]))
def test_any_error_is_read(message: str, code: str) -> None:
    checked(message, code)


@given(TEXT, TEXT)
def test_an_error_in_json_in_json_is_read_as_the_error_itself(code: str, message: str) -> None:
    inner = json.dumps({"errorCode": "2200", "message": message})
    outer = json.dumps({"error": {"code": "BadRequest", "message": inner}})
    if not message.strip().startswith(("{", '"')) and len(outer) < MAX_READ and "&#" not in message:
        assert peel(outer).text == outer
        assert peel(outer).message == peel(message).message


@pytest.mark.parametrize("levels", [2, 8, 12])
def test_the_innermost_of_many_layers_of_json_is_found(levels: int) -> None:
    text = "Login failed for user 'etl'."
    for _ in range(levels):
        text = json.dumps({"errorCode": "2200", "message": text})
    assert peel(text).message == ("Login failed for user 'etl'." if len(text) <= MAX_READ else peel(text).message)
    checked(text, "")


@pytest.mark.parametrize(
    "encoding", [("utf-8", "latin-1"), ("utf-16-le", "latin-1"), ("cp1252", "utf-8"), ("utf-8", "cp437")]
)
def test_text_of_another_encoding_is_read(encoding: tuple[str, str]) -> None:
    written, read = encoding
    garbled = "Anmeldung für Benutzer „etl“ fehlgeschlagen".encode(written, "replace").decode(read, "replace")
    checked(f"Operation on target Kopie_ä failed: {garbled}", "2200")
    assert peel(f"Operation on target Kopie_ä failed: {garbled}").path == ("Kopie_ä",)


def test_a_message_of_megabytes_is_read_at_its_ends() -> None:
    text = "Operation on target A failed: " + "x" * 10_000_000 + " Login failed for user 'etl'. SqlErrorNumber=18456"
    found = classify(text, "2200", "Copy")
    assert (found.path, found.numbers) == (("A",), "SQL error 18456")


@cache
def collected() -> tuple[Any, ...]:
    lines = (COLLECTED / "failures.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(json.loads(line) for line in lines if line.strip())


@without_collection
@given(st.data())
def test_a_real_error_that_was_cut_or_garbled_is_read(data: st.DataObject) -> None:
    real = data.draw(st.sampled_from(collected()))
    text = next(str(real[key]) for key in ("message", "error_message", "error", "raw") if real.get(key))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    cut = text[start:end] + data.draw(st.sampled_from(("", *ODD_TEXTS)))
    checked(cut, "2200", str(real.get("activity_type") or "Copy"))
