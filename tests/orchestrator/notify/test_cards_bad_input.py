"""Text from outside in cards: it fits, it is masked, and it stays text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orchestrator.incidents.record import Incident, RunRef
from orchestrator.notify import teams
from orchestrator.notify.cards import parts
from orchestrator.notify.cards.answer import answer_message
from orchestrator.notify.cards.approval import Decision, Proposal, approval_card, decision_card
from orchestrator.notify.cards.diagnosis import diagnosis_card
from orchestrator.notify.cards.digest import Digest, digest_card
from orchestrator.notify.cards.incident import incident_card
from orchestrator.notify.port import Message
from orchestrator.runs.record import Run
from tests.orchestrator.notify.official import faults
from tests.orchestrator.notify.samples import DIAGNOSIS, DIGEST, INCIDENT, NOW, PROPOSAL, RESOLVED, RUN
from tests.tools_worker.properties.mutation import ODD_TEXTS, spoilt

LIMIT = 28_000
SMUGGLED = (
    "[click here](https://evil.example/login)",
    "![x](https://evil.example/pixel.png)",
    "**Approved** _by_ the admin",
    "<at>Everyone</at> <a href='https://evil.example'>x</a>",
    "{{DATE(2017-02-14T06:08:39Z, SHORT)}} ${secret} @{triggerBody()}",
    "- item\n# heading\n1. one\r\n> quote",
    "\u202egnp.exe\u2066 \u200bhidden\ufeff",
)
HUGE = ("x" * 200_000, "\U0001f680" * 60_000, '\\"' * 80_000, "訂單 " * 50_000, "\x01" * 100_000, "word " * 40_000)
SECRET = "hunter2hunter2"
LEAK = f"Server=x;Password={SECRET};"

outside = st.one_of(st.sampled_from([*SMUGGLED, *ODD_TEXTS, *HUGE, LEAK]), st.text(max_size=300))
several = st.lists(outside, max_size=60).map(tuple)


def records(of: type, **told: Any) -> st.SearchStrategy[Any]:
    """A record whose every text, and list of texts, comes from outside."""
    texts = {field.name: outside for field in fields(of) if field.type == "str"}
    lists = {field.name: several for field in fields(of) if field.type == "tuple[str, ...]"}
    return st.builds(of, **(texts | lists | told))


runs = st.lists(st.builds(RunRef, outside, outside, outside), max_size=50).map(tuple)
incidents = records(
    Incident,
    kind=st.sampled_from([*("failure", "stuck", "alert"), "unheard_of"]),
    status=st.sampled_from(["open", "diagnosed", "escalated", "resolved"]),
    severity=st.integers(-1, 9),
    opened_at=st.just(NOW),
    last_seen_at=st.just(NOW),
    resolved_at=st.sampled_from([None, NOW]),
    acknowledged_at=st.sampled_from([None, NOW]),
    escalated=st.integers(0, 3),
    runs=runs,
    parents=st.just(()),
    diagnosis=spoilt(DIAGNOSIS),
    timeline=st.just(()),
)
proposals = records(Proposal, risk=st.sampled_from(["none", "low", "medium", "high"]), expires_at=st.just(NOW))
digests = records(
    Digest, period=st.sampled_from(["daily", "weekly"]), since=st.just(NOW), until=st.just(NOW), runs=st.just(9)
)
questions = records(
    Run,
    status=st.sampled_from(["done", "failed", "expired", "cancelled"]),
    created_at=st.just(NOW),
    deadline_at=st.just(NOW),
    evidence=st.just(()),
)
built = st.one_of(
    st.builds(incident_card, incidents, link=outside),
    st.builds(diagnosis_card, spoilt(DIAGNOSIS), link=outside),
    st.builds(digest_card, digests),
    st.builds(approval_card, proposals, link=outside),
    st.builds(
        decision_card,
        proposals,
        st.builds(Decision, st.sampled_from(["approved", "expired"]), st.just(NOW), outside, outside),
    ),
    st.builds(answer_message, questions, link=outside),
)


def elements(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from elements(child)


OUR_WORDS = {
    element["text"]
    for message in (
        incident_card(INCIDENT),
        incident_card(RESOLVED),
        diagnosis_card(DIAGNOSIS),
        digest_card(DIGEST),
        approval_card(PROPOSAL),
        answer_message(RUN),
    )
    for element in elements(message.card)
    if element.get("type") == "TextBlock"
}


def sound(message: Message) -> None:
    sent = teams.envelope(message)
    assert len(sent) < LIMIT
    card = json.loads(sent)["attachments"][0]["content"]
    assert faults(card) == []
    assert len(message.text.encode()) < LIMIT
    for element in elements(card):
        assert element.get("type") != "Image"
        if element.get("type") == "TextBlock":  # the one element that reads markdown
            assert not set(element["text"]) & set("[]()<>*_`#{}") or "severity" in element["text"]
        if element.get("type") == "TextRun":
            assert "{{" not in element["text"]
    assert SECRET not in sent.decode()
    assert SECRET not in message.text


@given(built)
@settings(max_examples=60, phases=[Phase.generate])  # making a failure with such texts smaller takes minutes
def test_whatever_comes_in_the_message_is_sound_and_fits(message: Message) -> None:
    sound(message)


@pytest.mark.parametrize("text", HUGE, ids=[text[:6] for text in HUGE])
def test_the_largest_of_everything_fits(text: str) -> None:
    many = tuple(text for _ in range(60))
    every: dict[str, Any] = {field.name: text for field in fields(Incident) if field.type == "str"}
    sound(
        incident_card(
            replace(
                INCIDENT,
                **every,
                pipelines=many,
                runs=(RunRef(text, text, text),) * 50,
                similar=many,
                diagnosis={
                    **DIAGNOSIS,
                    "error_message": text,
                    "recommended_actions": [{"what": text, "why": text}] * 60,
                },
            )
        )
    )
    sound(digest_card(replace(DIGEST, failures=many, slower=many, at_risk=many, gaps=many, factories=many, cost=text)))
    sound(answer_message(replace(RUN, question=text, answer=f"{text}\n" * 60)))


def test_what_does_not_fit_is_told() -> None:
    wide = tuple("\U0001f680" * 400 for _ in range(60))
    message = digest_card(replace(DIGEST, failures=wide, slower=wide, at_risk=wide))
    assert "did not fit into this message" in message.text


@pytest.mark.parametrize("text", SMUGGLED)
def test_what_looks_like_markdown_stands_only_where_markdown_is_not_read(text: str) -> None:
    message = incident_card(replace(INCIDENT, title=text, summary=text, resource=text, similar=(text,)))
    blocks = [element["text"] for element in elements(message.card) if element.get("type") == "TextBlock"]
    assert set(blocks) <= OUR_WORDS
    assert "entities" not in message.card["msteams"]


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x00", "\x1b", "\x9b"])
def test_unseen_characters_are_taken_out(hidden: str) -> None:
    assert hidden not in parts.shown(f"Load{hidden}Sales")


def test_no_client_computes_a_date_in_text_from_outside() -> None:
    assert parts.shown("{{DATE(2017-02-14T06:08:39Z)}}").startswith("{ {DATE")


def test_a_secret_is_masked_before_it_is_cut() -> None:
    assert SECRET[:6] not in parts.shown("y" * 180 + LEAK, 205)
