"""What a caller is told when the app says no."""

from __future__ import annotations

import httpx
import pytest

from localcloud.launch.api import problem


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (httpx.Response(404, json={"title": "Not found", "detail": "No run 'x'."}), "No run 'x'."),
        (httpx.Response(422, json={"detail": "No factory 'x'.", "hint": "Known: 'y'."}), "No factory 'x'. Known: 'y'."),
        (httpx.Response(503, json={"title": "Not configured"}), "Not configured"),
        (httpx.Response(500, text="boom"), "The app answered 500 Internal Server Error."),
        (httpx.Response(500, json=["boom"]), "The app answered 500 Internal Server Error."),
    ],
)
def test_a_refusal_is_told_in_a_sentence(response: httpx.Response, sentence: str) -> None:
    assert problem(response) == sentence
