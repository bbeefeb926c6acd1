"""What is told below an answer."""

from __future__ import annotations

from typing import Any

from localcloud.launch.ask import MOST_EVIDENCE, evidence, facts, failure, thinker
from localcloud.launch.cloud import thinker as chosen_thinker


def make_run(**changes: Any) -> dict[str, Any]:
    return {"run_id": "run-1", "status": "done", "answer": "Yes.", **changes}


def make_evidence(run_id: str, factory: str = "adf-prod") -> dict[str, str]:
    return {"kind": "pipeline_run", "id": run_id, "factory": factory}


def test_a_run_cited_twice_is_told_once() -> None:
    run = make_run(evidence=[make_evidence("a"), make_evidence("a"), make_evidence("b", "")])
    assert evidence(run) == ["pipeline run a in adf-prod", "pipeline run b"]


def test_much_evidence_is_cut_and_counted() -> None:
    run = make_run(evidence=[make_evidence(str(n)) for n in range(MOST_EVIDENCE + 3)])
    assert evidence(run)[MOST_EVIDENCE:] == ["and 3 more"]


def test_an_answer_that_rests_on_nothing_says_so() -> None:
    assert ("Rests on", "no run: nothing was cited") in facts(make_run(), 1.0)


def test_an_id_that_no_tool_returned_is_told() -> None:
    assert ("Do not trust", "r-9: no tool returned it") in facts(make_run(unsupported=["r-9"]), 1.0)


def test_a_run_without_an_error_record_still_gives_its_state() -> None:
    assert failure(make_run(status="expired", answer=None)) == "No answer: the run ended expired."


def test_the_planner_is_called_what_it_is() -> None:
    assert thinker(make_run(answered_by="local-planner")).startswith("local-planner: rules, no model")


def test_a_model_is_called_by_its_name() -> None:
    env = {"LOCAL_MODEL_URL": "http://127.0.0.1:1/v1", "LOCAL_MODEL_NAME": "small-model"}
    assert thinker(make_run(answered_by=chosen_thinker(env))) == "small-model"


def test_a_model_name_without_its_address_is_not_used() -> None:
    assert chosen_thinker({"LOCAL_MODEL_NAME": "small-model"}) == "local-planner"
