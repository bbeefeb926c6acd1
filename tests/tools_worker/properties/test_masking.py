"""Masking of any text: done once is done for good, the secret is gone, and twice the text takes twice the time."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools_worker.properties.calling import strict
from tests.tools_worker.properties.mutation import JSON, ODD, ODD_TEXTS
from tools_worker.datafactory.masking import MAX_DEPTH, mask, mask_value

SECRET = "Zq7Xw2Vn9Lk4Rt8B"
SAYING = (
    f"password={SECRET};",
    f'"password": "{SECRET}"',
    f"Pwd = '{SECRET}'",
    f"?sv=1&sig={SECRET}%3D&se=2",
    f"AccountKey={SECRET}==",
    f"SharedAccessKey={SECRET}",
    f"client_secret={SECRET}",
    f"Authorization: Bearer {SECRET}.x1",
    f"access_token={SECRET}",
    f"https://user:{SECRET}@host/x",
    f"{SECRET}@contoso.example",
    f"The duplicate key value is ({SECRET}).",
    f"Offending value: {SECRET} (Column",
    f"converting value '{SECRET}' for column",
    f"Failing row contains ({SECRET}, 1).",
)
PIECES = (
    *("password", "pwd", "=", ":", " ", "'", '"', '\\"', ";", "&", "?", "@", "{", "}", "(", ")", "\n", ",", "://"),
    *("sig=", "AccountKey=", "bearer ", "token", "secret", "key", "eyJhbGciOi.", "offending value", "[masked x]"),
    *("[masked", "a@b.cd", "abc1", "value is (", "converting value '", "' for column", "Key (a)=(", ") already exists"),
    *("Failing row contains (", "Duplicate entry '", "' for key", "dup key: {", "-----BEGIN PRIVATE KEY-----", "code="),
    *ODD_TEXTS[:10],
)
TEXT = st.lists(st.sampled_from((*PIECES, *SAYING)), max_size=14).map("".join) | st.text(st.characters(), max_size=60)


@given(TEXT)
def test_masking_twice_changes_nothing(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@given(TEXT)
def test_what_is_masked_can_be_sent(text: str) -> None:
    mask(text).encode()


@given(
    st.lists(st.sampled_from(("x", "1", "\u20ac", "\ud83d", "\x00", "Ã©", "\u202e", " ", "\n")), max_size=12).map(
        "".join
    )
)
@pytest.mark.parametrize("saying", SAYING)
def test_no_secret_gets_past_the_odd_letters_before_it(saying: str, before: str) -> None:
    assert SECRET not in mask(f"{before} {saying}")


@given(JSON, st.sampled_from(SAYING), st.sampled_from(ODD))
def test_a_json_value_is_masked_wherever_the_secret_stands(value: Any, saying: str, odd: Any) -> None:
    odd = odd if isinstance(odd, str | int | float | list | dict) else None
    masked = mask_value({"a": [value, {"b": saying, saying: odd}], "clientSecret": SECRET, "c": odd})
    text = json.dumps(masked, ensure_ascii=False)
    assert SECRET not in text
    text.encode()
    assert strict(text) == masked
    assert mask_value(masked) == masked


def test_a_bottomless_value_ends() -> None:
    value: Any = f"password={SECRET};"
    for _ in range(900):
        value = [value]
    assert f"more than {MAX_DEPTH} levels deep" in json.dumps(mask_value(value))


@pytest.mark.parametrize(
    "piece",
    ["password ", "password=", "a@", "key (a)=(", "eyJ" + "a" * 30, "://a", "' for column converting value '", "x"],
)
def test_eight_times_the_text_takes_some_eight_times_as_long(piece: str) -> None:
    small = piece * (20_000 // len(piece))
    assert spent(small * 8) < 30 * spent(small) + 0.02  # a quadratic one takes sixty-four times as long


def spent(text: str) -> float:
    return min(_spent(text) for _ in range(3))


def _spent(text: str) -> float:
    start = time.process_time()
    mask(text)
    return time.process_time() - start
