"""Every message: a sound card, and the same as text."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orchestrator.notify.cards import parts
from orchestrator.notify.cards.answer import answer_message, plain
from orchestrator.notify.cards.approval import Decision, decision_card
from orchestrator.notify.cards.diagnosis import diagnosis_card
from orchestrator.notify.cards.digest import Digest, digest_card
from orchestrator.notify.cards.incident import incident_card
from orchestrator.notify.port import Message
from tests.orchestrator.notify.official import faults
from tests.orchestrator.notify.samples import (
    DIAGNOSIS,
    DIGEST,
    INCIDENT,
    NOW,
    PAGE,
    PROPOSAL,
    RESOLVED,
    RUN,
    RUN_ID,
    messages,
)

ALL = messages()


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(child)


@pytest.mark.parametrize("message", ALL.values(), ids=ALL)
def test_a_card_is_one_by_the_official_schema(message: Message) -> None:
    assert faults(message.card) == []
    assert message.card["version"] == "1.5"


def without_text(card: dict[str, Any]) -> None:
    del next(node for node in nodes(card) if node.get("type") == "TextBlock")["text"]


def unknown_property(card: dict[str, Any]) -> None:
    next(node for node in nodes(card) if node.get("type") == "RichTextBlock")["markdown"] = True


def unknown_style(card: dict[str, Any]) -> None:
    card["body"][0]["style"] = "loud"


def without_address(card: dict[str, Any]) -> None:
    del card["actions"][0]["url"]


def unknown_element(card: dict[str, Any]) -> None:
    card["body"][1]["type"] = "Video"


@pytest.mark.parametrize("spoil", [without_text, unknown_property, unknown_style, without_address, unknown_element])
def test_the_schema_tells_a_spoilt_card(spoil: Callable[[dict[str, Any]], None]) -> None:
    card = copy.deepcopy(dict(ALL["incident"].card))
    spoil(card)
    assert faults(card)


@pytest.mark.parametrize("message", ALL.values(), ids=ALL)
def test_the_text_tells_all_that_the_card_tells(message: Message) -> None:
    told = [node["text"].removeprefix("• ") for node in nodes(message.card["body"]) if "text" in node]
    assert len(told) >= 4
    assert [words for words in told if words not in message.text] == []
    assert message.link in message.text


@pytest.mark.parametrize("message", ALL.values(), ids=ALL)
def test_a_card_only_opens_addresses(message: Message) -> None:
    assert {node["type"] for node in nodes(message.card.get("actions", []))} <= {"Action.OpenUrl"}
    assert all(node["url"].startswith("https://") for node in message.card.get("actions", []))


def test_every_message_has_its_own_key() -> None:
    assert len({message.key for message in ALL.values()}) == len(ALL)


def test_an_incident_is_opened_once_however_far_its_diagnosis_is() -> None:
    assert incident_card(INCIDENT).key == incident_card(replace(INCIDENT, status="open", summary="")).key


def test_every_step_of_an_escalation_is_a_message_of_its_own() -> None:
    keys = {incident_card(replace(INCIDENT, escalated=step), "escalated").key for step in (1, 2)}
    assert len(keys) == 2


def test_an_incident_without_diagnosis_says_so() -> None:
    text = incident_card(replace(INCIDENT, status="open", summary="", diagnosis={}, category="")).text
    assert "Not diagnosed yet" in text
    assert "Cause" not in text.replace("Cause: permanent", "")


def test_a_resolved_incident_tells_what_mended_it_and_how_long_it_took() -> None:
    text = ALL["incident-resolved"].text
    assert RESOLVED.resolution in text
    assert "2026-11-21 06:53 UTC by the watcher, after 41 min 0 s" in text
    assert "What to do" not in text


def test_an_escalated_incident_says_that_nobody_acknowledged_it() -> None:
    assert "Acknowledged: by nobody yet" in ALL["incident-escalated"].text
    assert "Still open: failure · severity 1 (error)" in ALL["incident-escalated"].text


def test_a_diagnosis_names_the_run_its_cause_and_the_way_out() -> None:
    text = ALL["diagnosis"].text
    for words in (
        RUN_ID,
        "network connectivity",
        "- Rerun LoadSales from CopyOrders. What ran before it is done.",
    ):
        assert words in text


def test_a_known_cause_stands_for_the_summary_whose_rest_the_lists_tell() -> None:
    for text in (ALL["diagnosis"].text, ALL["incident"].text):
        assert DIAGNOSIS["summary"] not in text
        for words in (DIAGNOSIS["cause"], *DIAGNOSIS["notes"], *DIAGNOSIS["contributing"], *DIAGNOSIS["impact"]):
            assert words in text


def test_without_a_known_cause_the_summary_is_told() -> None:
    unexplained = {**DIAGNOSIS, "cause": ""}
    assert DIAGNOSIS["summary"] in diagnosis_card(unexplained).text
    assert INCIDENT.summary in incident_card(replace(INCIDENT, diagnosis=unexplained)).text


def test_a_step_tells_its_risk_where_there_is_one_and_never_the_cause_again() -> None:
    step = {"what": "Rerun it", "why": DIAGNOSIS["cause"], "risk": "high"}
    assert "- Rerun it (high risk).\n" in diagnosis_card({**DIAGNOSIS, "recommended_actions": [step]}).text


def test_what_else_failed_and_what_was_hidden_is_told() -> None:
    told = {"other_failures": [{"path": "LoadSales → Notify"}], "masked_failures": [{"what": "CopyX moved no rows"}]}
    text = diagnosis_card({**DIAGNOSIS, **told, "contributing": []}).text
    assert "- LoadSales → Notify failed, too.\n- CopyX moved no rows." in text


def test_a_run_can_be_opened_in_data_factory() -> None:
    urls = [action["url"] for action in ALL["diagnosis"].card["actions"]]
    assert urls[1].startswith(f"https://adf.azure.com/en/monitoring/pipelineruns/{RUN_ID}?factory=%2Fsubscriptions%2F")


def test_where_the_factory_is_only_a_name_there_is_no_link_to_its_run() -> None:
    run = {**DIAGNOSIS["run"], "factory": "adf-contoso-prod"}
    assert "adf.azure.com" not in str(diagnosis_card({**DIAGNOSIS, "run": run}).card)


@pytest.mark.parametrize("diagnosis", [{}, {"run": None, "evidence": 3, "recommended_actions": ["x", {"why": 1}]}])
def test_a_diagnosis_with_fields_missing_or_of_another_type_is_still_a_message(diagnosis: dict[str, Any]) -> None:
    message = diagnosis_card(diagnosis)
    assert faults(message.card) == []
    assert "Diagnosis" in message.text


def test_who_acknowledged_an_incident_is_named_once() -> None:
    acknowledged = "Acknowledged: 2026-11-21 06:24 UTC by Dana Weber"
    assert f"{acknowledged}\n" in ALL["incident-resolved"].text
    other = incident_card(replace(RESOLVED, assigned_to="Kim Larsen")).text
    assert f"{acknowledged}, assigned to Kim Larsen\n" in other


def test_the_newest_run_is_named_whole() -> None:
    assert f"Newest run: {RUN_ID}\n" in ALL["incident"].text


def test_a_digest_of_a_good_day_says_so() -> None:
    quiet = Digest("daily", NOW - timedelta(days=1), NOW, runs=40, failed=0)
    message = digest_card(quiet)
    assert "All 40 runs went well." in message.text
    assert message.card["body"][0]["style"] == "good"


def test_a_digest_says_what_it_does_not_know() -> None:
    message = digest_card(replace(DIGEST, runs=None, failed=None, gaps=("adf-contoso-dev did not answer.",)))
    assert "How many runs failed is not known." in message.text
    assert "adf-contoso-dev did not answer." in message.text
    assert message.card["body"][0]["style"] != "good"


def test_a_digest_is_not_good_where_somebody_gave_no_answer() -> None:
    message = digest_card(Digest("daily", NOW - timedelta(days=1), NOW, silent=("adf-contoso-dev",), runs=40, failed=0))
    assert "No answer from: adf-contoso-dev\n" in message.text
    assert message.card["body"][0]["style"] == "warning"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"runs": 412, "failed": 17}, "17 of 412 runs failed."),
        ({"runs": 5000, "failed": 17, "exact": False}, "17 of at least 5000 runs failed."),
        ({"runs": 5000, "failed": 0, "exact": False}, "None of at least 5000 runs failed."),
        ({"runs": 40, "failed": 0, "cancelled": 2}, "None of 40 runs failed, 2 were cancelled."),
        ({"runs": 1, "failed": 0}, "The only run went well."),
        ({"runs": 0, "failed": 0}, "Nothing ran."),
    ],
)
def test_the_headline_of_a_digest_claims_no_more_than_is_known(changes: dict[str, Any], sentence: str) -> None:
    assert f"\n{sentence}\n" in digest_card(replace(DIGEST, **changes)).text


def test_a_week_stands_beside_the_week_before() -> None:
    week = replace(DIGEST, period="weekly", runs_before=3010, failed_before=40)
    assert "The week before: 40 of 3010 runs failed\n" in digest_card(week).text
    assert "The week before" not in digest_card(DIGEST).text


def test_a_list_that_is_too_long_is_counted() -> None:
    assert "and 4 more" in digest_card(replace(DIGEST, failures=tuple(f"Pipeline {n} failed." for n in range(10)))).text


def test_one_line_more_is_shown_rather_than_counted() -> None:
    text = digest_card(replace(DIGEST, failures=tuple(f"Pipeline {n} failed." for n in range(7)))).text
    assert "Pipeline 6 failed." in text
    assert "more" not in text.split("At risk")[0].split("What failed")[1]


def test_an_approval_is_decided_on_our_page() -> None:
    action = ALL["approval"].card["actions"][0]
    assert (action["title"], action["url"]) == ("Review and decide", f"{PAGE}approvals/approval-01")
    assert "2026-11-21 07:12 UTC; after that the answer is no" in ALL["approval"].text


def test_nobody_needs_to_have_let_an_approval_expire() -> None:
    text = decision_card(PROPOSAL, Decision("expired", NOW)).text
    assert text.startswith("Expired\n")
    assert "Decided: 2026-11-21 06:12 UTC\n" in text


def test_an_answer_comes_without_the_marks_of_markdown() -> None:
    text = ALL["answer"].text
    assert "LoadSales failed in CopyOrders.\n• Cause: the firewall" in text
    assert "\nWhat to do\n" in text


@pytest.mark.parametrize("name", ["pl__daily__sales", "data/**/*.csv", "2 * 3 * 4", "__init__"])
def test_marks_in_names_stay(name: str) -> None:
    assert plain(f"see {name} there") == f"see {name} there"


def test_a_question_that_failed_tells_why() -> None:
    run = replace(RUN, status="failed", answer="", error_code="x", error="The agent service does not answer.")
    assert "No answer\n" in answer_message(run).text
    assert "The agent service does not answer." in answer_message(run).text


def test_an_answer_that_no_tool_supports_is_doubted() -> None:
    assert "Do not trust what it says about run-x: no tool" in answer_message(replace(RUN, unsupported=("run-x",))).text


@pytest.mark.parametrize(
    "url",
    [
        "http://func.example/ui",
        "javascript:alert(1)",
        "https://user:secret@func.example/",
        "https://func.example/ a",
        "https://func.example/\u202egpj",
        "https://[func",
        "https://",
        "https://func.example/" + "x" * 5000,
        "",
    ],
)
def test_a_button_never_opens_anything_but_a_plain_https_address(url: str) -> None:
    card = incident_card(replace(INCIDENT, runs=(), diagnosis={"docs": url}), link=url).card
    assert "actions" not in card
    assert faults(card) == []


def test_on_this_machine_the_link_stands_in_the_text() -> None:
    message = incident_card(INCIDENT, link="http://127.0.0.1:7071/ui#/incidents/1")
    assert message.link in message.text.splitlines()
    assert all(action["url"].startswith("https://") for action in message.card["actions"])


def test_severities_stand_out_by_their_style() -> None:
    assert [parts.severity_style(severity) for severity in range(5)] == [
        "attention",
        "attention",
        "warning",
        "accent",
        "emphasis",
    ]
