"""The entry of a tool's reply by which its trace is found: put last, taken out exactly, believed only in its form."""

from __future__ import annotations

import pytest

from core.telemetry.carrying import in_reply, out_of_reply

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_what_is_put_into_a_reply_comes_out_and_leaves_the_rest_as_it_was() -> None:
    assert in_reply(TRACE) == {"trace": TRACE}
    assert out_of_reply(f'{{"ok":true,"data":{{"a": 1}},"trace":"{TRACE}"}}') == ('{"ok":true,"data":{"a": 1}}', TRACE)
    assert in_reply("") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        '{"ok":true}',
        f'{{"trace":"{TRACE}"}}',  # alone: no reply of ours
        f'{{"ok":true,"trace":"{TRACE}","more":1}}',
        f'{{"ok":true,"trace":"{TRACE[:-2]}00"}}',  # not kept, so a reply of ours would not name it
        f'{{"ok":true,"trace":"00-{"0" * 32}-00f067aa0ba902b7-01"}}',
        '{"ok":true,"trace":"https://example.org"}',
        f'{{"ok":true,"trace":"{TRACE}"}}\n',
    ],
)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert out_of_reply(text) == (text, "")
