"""What a person wrote is found in whatever Teams makes of it."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.teams.activity import Activity, said
from tests.tools_worker.properties.mutation import JSON, ODD_TEXTS, spoilt

SAMPLES = Path(__file__).resolve().parents[3] / ".." / "shared" / "callers" / "payloads"
ACTIVITY: dict[str, Any] = {
    "type": "message",
    "id": "1700000000001",
    "timestamp": "2026-11-21T06:12:07.437Z",
    "from": {"id": "29:person", "name": "Dana Weber"},
    "conversation": {"id": "19:thread@thread.tacv2;messageid=1700000000000"},
    "textFormat": "plain",
    "text": "<at>Ops</at> Why did LoadSales fail?\n",
    "entities": [{"type": "mention", "mentioned": {"id": "28:hook", "name": "Ops"}, "text": "<at>Ops</at>"}],
}
WORD = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<at>Ops</at> Why did LoadSales fail?\n", "Why did LoadSales fail?"),
        ("Why did <at>Ops</at> it&nbsp;fail?", "Why did it fail?"),
        ('<at id="0">R&amp;D Ops</at>hello', "hello"),
        ("<at><b>Ops</b></at> hello", "hello"),
        ("<p>Did <b>Load</b>Sales run?</p><div>Since <i>when</i>?</div>", "Did LoadSales run? Since when?"),
        ("runs with duration &lt; 5 &amp;&amp; &gt; 2", "runs with duration < 5 && > 2"),
        ("duration < 5 and rows > 2", "duration < 5 and rows > 2"),
        ("&lt;at&gt;no mention&lt;/at&gt;", "<at>no mention</at>"),
        ("line<br/>break <img src='x' onerror='y'> end", "line break end"),
        ("<!-- hidden --> seen <!DOCTYPE x> <?php x ?>", "seen"),
        ("<at>Ops what is left open", "Ops what is left open"),
        ("zero\u200bwidth \u202eover", "zerowidth over"),
        ("half \ud800 pair", "half \ufffd pair"),
        ("", ""),
    ],
)
def test_only_what_was_written_is_left(markup: str, words: str) -> None:
    assert said(markup) == words


def test_the_official_sample_holds_a_greeting() -> None:
    sample = SAMPLES / "teams_outgoing_webhook_activity.json"
    if not sample.is_file():
        pytest.skip("no samples beside this checkout")
    asked = Activity.of(json.loads(sample.read_text(encoding="utf-8")))
    assert asked.question == "Hello"
    assert asked.wants_help


@given(st.lists(WORD, min_size=1, max_size=8), st.data())
def test_words_survive_any_markup_around_them(words: list[str], data: st.DataObject) -> None:
    around = st.sampled_from(["{}", "<p>{}</p>", "<b>{}</b>", "<at>Ops</at>{}", "<div class='x'>{}</div>", "&nbsp;{}"])
    markup = " ".join(data.draw(around).format(html.escape(word)) for word in words)
    assert said(markup) == " ".join(words)


@given(st.one_of(st.text(max_size=400), st.sampled_from(ODD_TEXTS)))
def test_any_text_becomes_one_sound_line(markup: str) -> None:
    line = said(markup)
    line.encode()
    assert line == " ".join(line.split())
    assert line.isprintable() or not line.isascii()


@given(spoilt(ACTIVITY))
def test_an_activity_with_any_field_spoilt_is_still_read(body: Any) -> None:
    if isinstance(body, dict):
        asked = Activity.of(body)
        assert all(part.isascii() and part.replace("-", "").isalnum() for part in (asked.key, asked.session))


@given(st.dictionaries(st.text(max_size=20), JSON, max_size=5))
def test_any_object_is_read(body: dict[str, Any]) -> None:
    assert isinstance(Activity.of(body).question, str)


@pytest.mark.parametrize("piece", ["<", "<a ", "<at>", "<at>x", "<!--", "&", "&#", "</at ", "<at " + "x" * 150])
def test_a_long_body_of_broken_markup_is_read_at_all(piece: str) -> None:
    length = 500_000  # with a pattern that looks twice at what it has seen this never ends
    assert isinstance(said(piece * (length // len(piece))), str)


def test_the_same_activity_has_the_same_key_and_another_one_another() -> None:
    again, other = Activity.of(dict(ACTIVITY)), Activity.of({**ACTIVITY, "id": "1700000000002"})
    assert Activity.of(ACTIVITY).key == again.key != other.key


def test_one_thread_is_one_session_and_its_id_tells_nothing_of_it() -> None:
    here = Activity.of(ACTIVITY)
    assert here.session == Activity.of({**ACTIVITY, "id": "2"}).session
    assert here.session != Activity.of({**ACTIVITY, "conversation": {"id": "19:other"}}).session
    assert "thread" not in here.session


def test_activities_without_ids_do_not_share_a_session() -> None:
    bare = {"type": "message"}
    assert Activity.of({**bare, "text": "a"}).session != Activity.of({**bare, "text": "b"}).session


@pytest.mark.parametrize("text", ["", "<at>Ops</at>", "<at>Ops</at> Help!", "hello", " ? "])
def test_who_says_hello_wants_help(text: str) -> None:
    assert Activity.of({**ACTIVITY, "text": text}).wants_help


def test_a_question_with_help_in_it_is_a_question() -> None:
    assert not Activity.of({**ACTIVITY, "text": "help me with LoadSales"}).wants_help
