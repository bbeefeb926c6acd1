"""The page about the digest tells what it costs as it is."""

from __future__ import annotations

from pathlib import Path

from orchestrator.digest.asking import LOOKED_INTO, MAX_RUNS, QUERIES_A_DAY, QUERIES_A_WEEK
from orchestrator.digest.costs import BILLED
from orchestrator.digest.durations import COMPARED

PAGE = " ".join((Path(__file__).resolve().parents[3] / "docs" / "integrations" / "teams.md").read_text("utf-8").split())


def test_the_figures_on_the_page_are_those_of_the_code() -> None:
    assert f"at most {QUERIES_A_DAY} queries for a day and {QUERIES_A_WEEK} for a week" in PAGE
    assert f"why {LOOKED_INTO} failures" in PAGE
    assert f"the {COMPARED} pipelines" in PAGE
    assert f"the costs of {BILLED} runs" in PAGE
    assert f"read up to {MAX_RUNS:,}," in PAGE
