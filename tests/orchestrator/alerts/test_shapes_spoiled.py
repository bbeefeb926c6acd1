"""Whatever is sent, reading it does not fail, and gives something small that can be kept and holds no secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.alerts.record import Alert
from orchestrator.alerts.shapes import read
from orchestrator.stores.alert_tables import from_json, to_json
from tests.orchestrator.alerts import samples
from tests.orchestrator.alerts.samples import SAMPLES

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ALL = {**SAMPLES, **dict(samples.official())}
SECRETS = {
    "AccountKey=" + "q7Zt" * 21 + "q7==": "q7Ztq7Zt",
    "Server=tcp:x;Password=hunter2-hunter2;": "hunter2",
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sIgNaTuRe": "sIgNaTuRe",
    "https://x.blob.core.windows.net/c?sv=1&sig=aBcDeFgHiJkLmNo%3D": "aBcDeFgHiJ",
    "somebody.private@example.com": "somebody.private",
}
LARGEST = 20_000  # characters of JSON: titles and names, at most 20 runs and dimensions, details of 8 KiB
VALUES: list[Any] = [
    *(None, True, 0, -1, 10**30, 1.5, float("nan"), float("inf")),
    *("", " ", "*", "x" * 50_000, "\ud83d", "\x00", "🚀" * 300),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9999999Z",
        "2026-11-21T00:00:00",
        "PT99999H",
        "P9999D",
        "Sev9",
        "SEV0",
    ),
    *([], {}, [[]], [None], {"": None}),
    *(["x"] * 5000, {str(n): n for n in range(5000)}, [{"name": "a", "value": ["b"]}] * 300),
]
EACH = [None, 10**30, float("nan"), "", " ", "\ud83d", "0001-01-01T00:00:00Z", [None], {"": None}]


def nested(depth: int) -> Any:
    value: Any = "deep"
    for level in range(depth):
        value = {"data": value} if level % 2 else [value]
    return value


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from places(entry, (*path, key))


def put(body: Any, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> None:
    for key in path[:-1]:
        body = body[key]
    change(body, path[-1])


def drop(holder: Any, key: Any) -> None:
    del holder[key]


def setting(holder: Any, key: Any, value: Any) -> None:
    holder[key] = value


def wrap(holder: Any, key: Any) -> None:
    holder[key] = [holder[key]]


def spoiled(body: Any, random: Random, replacements: list[Any], number: int) -> Any:
    """The body with so many of its values dropped, replaced, or wrapped."""
    body = deepcopy(body)
    for _ in range(number):
        path = random.choice(list(places(body))[:500])
        value = deepcopy(random.choice(replacements))
        if not path:
            continue
        changes: list[Callable[[Any, Any], None]] = [drop, partial(setting, value=value), wrap]
        put(body, path, random.choice(changes))
    return body


def check(alert: Alert) -> None:
    plain = to_json(alert)
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    text.encode()  # fails for half a surrogate pair
    assert len(text) < LARGEST
    assert from_json(json.loads(text)) == alert
    assert (len(alert.key), len(alert.about)) == (32, 32)
    assert alert.title.strip()
    assert alert.scope
    assert alert.at.tzinfo is alert.received_at.tzinfo is UTC
    assert alert.severity in (None, 0, 1, 2, 3, 4)
    assert alert.link == "" or alert.link.startswith("https://")
    if alert.since or alert.until:
        assert alert.since is not None
        assert alert.until is not None
        assert alert.since <= alert.until


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=15)
@given(random=st.randoms(use_true_random=False), number=st.integers(1, 6))
def test_a_sample_with_anything_dropped_or_replaced(name: str, random: Random, number: int) -> None:
    for alert in read(spoiled(ALL[name], random, VALUES, number), NOW):
        check(alert)


@settings(max_examples=60)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.text() | st.sampled_from(["data", "schemaId", "essentials", "pipeline", "id", "type", "source"]),
                inner,
            )
        ),
    )
)
def test_any_json_at_all(body: Any) -> None:
    for alert in read(body, NOW):
        check(alert)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_with_each_value_replaced_by_each(name: str) -> None:
    for path in list(places(ALL[name]))[1:]:
        for value in EACH:
            body = deepcopy(ALL[name])
            put(body, path, partial(setting, value=value))
            for alert in read(body, NOW):
                check(alert)


@pytest.mark.parametrize("depth", [10, 900])
@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_with_something_deep_in_it(name: str, depth: int) -> None:
    for path in list(places(SAMPLES[name]))[1:8]:
        body = deepcopy(SAMPLES[name])
        put(body, path, partial(setting, value=nested(depth)))
        for alert in read(body, NOW):
            check(alert)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", SAMPLES)
def test_no_secret_is_shown_wherever_it_stands(name: str, secret: str) -> None:
    for path in list(places(SAMPLES[name]))[1:]:
        body = deepcopy(SAMPLES[name])
        put(body, path, partial(setting, value=f"failed with {secret} at last"))
        for alert in read(body, NOW):
            check(alert)
            assert SECRETS[secret] not in json.dumps(to_json(alert))


@settings(max_examples=50)
@given(random=st.randoms(use_true_random=False), secret=st.sampled_from(sorted(SECRETS)), before=st.integers(0, 4000))
def test_no_secret_is_shown_where_a_text_is_cut(random: Random, secret: str, before: int) -> None:
    path = random.choice(list(places(SAMPLES["metric"]))[1:])
    body = deepcopy(SAMPLES["metric"])
    put(body, path, partial(setting, value="x " * before + secret))
    for alert in read(body, NOW):
        assert SECRETS[secret] not in json.dumps(to_json(alert))
