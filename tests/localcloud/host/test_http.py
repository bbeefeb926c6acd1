"""HTTP triggers, asked over HTTP."""

from __future__ import annotations

import httpx
import pytest

from tests.localcloud.host.running import RunningHost


@pytest.fixture
def client(served: RunningHost) -> httpx.Client:
    return served.client()


def test_the_first_registered_route_that_matches_answers(served: RunningHost) -> None:
    with served.client() as client:
        assert client.get("/api/things/special").text == "special"
        assert client.get("/api/things/7").text == "thing 7"
