"""What is said in Teams is text, whatever a model or a pipeline put into it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.teams import replies
from tests.orchestrator.notify.samples import RUN
from tests.orchestrator.notify.test_cards_bad_input import HUGE, LEAK, SECRET, SMUGGLED

LINK = "https://func.example/hooks/runs/run-1?exp=1&sig=x"
LIMIT = 28_000
outside = st.one_of(st.sampled_from([*SMUGGLED, *HUGE, LEAK]), st.text(max_size=300))


@given(outside)
def test_no_tag_no_mention_and_no_link_comes_of_text(text: str) -> None:
    for told in (
        replies.answer(replace(RUN, answer=text or "x")),
        replies.answer(replace(RUN, answer="", error=text)),
        replies.acknowledgement(replace(RUN, question=text), posted=True),
        replies.trouble(text, text),
    ):
        assert "<" not in told
        assert "](" not in told.replace("\\](", "")
        assert SECRET not in told
        assert len(told.encode(errors="replace")) < LIMIT


def test_our_own_link_stands_at_the_end() -> None:
    assert replies.answer(RUN, LINK).endswith(f"\n\n[More about it]({LINK})")
    assert replies.acknowledgement(RUN, LINK).endswith(f"\n\n[Follow it here]({LINK})")


@pytest.mark.parametrize("link", ["", "http://func.example/", "javascript:alert(1)"])
def test_without_a_plain_https_link_there_is_none(link: str) -> None:
    assert "](" not in replies.answer(RUN, link)


def test_on_this_machine_a_link_may_be_plain_http() -> None:
    assert "(http://127.0.0.1:7071/hooks/runs/1?sig=x)" in replies.answer(
        RUN, "http://127.0.0.1:7071/hooks/runs/1?sig=x"
    )


def test_an_answer_keeps_its_emphasis_and_lists() -> None:
    assert "**LoadSales** failed" in replies.answer(RUN)
    assert "\n- Cause: " in replies.answer(RUN)


def test_an_acknowledgement_says_what_is_looked_into_and_where_the_answer_comes() -> None:
    told = replies.acknowledgement(RUN, posted=True)
    assert RUN.question in told
    assert "posted in this channel" in told
    assert "posted" not in replies.acknowledgement(RUN)


def test_a_failure_is_told_with_its_reason() -> None:
    run = replace(RUN, answer="", status="failed", error="The agent service does not answer.")
    assert "The agent service does not answer." in replies.answer(run)
    assert "took too long" in replies.answer(replace(run, error="", status="expired"))
