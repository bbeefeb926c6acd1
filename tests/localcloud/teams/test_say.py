"""What is said in the local channel is signed as Teams signs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from localcloud.teams.say import activity, signed

SAMPLES = Path(__file__).resolve().parents[3] / ".." / "shared" / "callers" / "payloads"


def test_the_published_vectors_are_signed_alike() -> None:
    told = SAMPLES / "teams_outgoing_webhook_hmac_vectors.json"
    if not told.is_file():
        pytest.skip("no samples beside this checkout")
    vectors = json.loads(told.read_text(encoding="utf-8"))
    for vector in vectors["vectors"]:
        body = vector["body_utf8"].encode() if "body_utf8" in vector else None
        body = (SAMPLES / "teams_outgoing_webhook_activity.json").read_bytes() if body is None else body
        assert signed(body, vectors["key_base64"]) == vector["authorization"]


def test_every_saying_is_an_activity_of_its_own_in_its_thread() -> None:
    first, second = activity("one"), activity("two", thread="other")
    assert first["id"] != second["id"]
    assert first["conversation"] != second["conversation"]
    assert first["text"] == "<at>Ops</at> one\n"
