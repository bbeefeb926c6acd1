from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import failures


def make_row(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": "1",
        "status": "documented",
        "raw": "Login failed for user 'x'.",
        "outer_error_code": "2200",
    }
    row |= {"activity_type": "Copy", "side": None, "category": "authentication", "alt_categories": []}
    return row | {"retry_may_help": False} | changes


def saved(tmp_path: Path, *rows: dict[str, Any]) -> str:
    path = tmp_path / "labelled.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return str(path)


def test_counts_an_alternative_apart_from_the_first_choice() -> None:
    rows = [make_row(), make_row(category="network", alt_categories=["authentication"]), make_row(category="trigger")]
    result = failures.report(rows)
    assert (result["n"], result["top1"], result["top1_or_alternative"]) == (3, 0.3333, 0.6667)


def test_no_verdict_counts_as_no_advice_to_retry() -> None:
    row = make_row(raw="Zxcvb qwerty.", category="unknown")
    assert failures.report([row])["retry_accuracy"] == 1.0


def test_tells_statuses_categories_and_baselines_apart() -> None:
    result = failures.report(
        [make_row(), make_row(status="user-posted", raw="throttling", category="throttling_quota")]
    )
    assert result["by_status"]["user-posted"]["n"] == 1
    assert set(result["by_category"]) == {"authentication", "throttling_quota"}
    assert set(result["baselines"]) == {"keywords", "outer_code"}


def test_the_outer_code_is_also_read_from_the_text() -> None:
    found = failures.by_outer_code(make_row(outer_error_code=None, raw='{"errorCode": "2108", "message": "no"}'))
    assert found.category == "network"


def test_the_last_line_is_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failures.main([saved(tmp_path, make_row()), "--misses"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["top1"] == 1.0


def test_says_why_it_is_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "DEFAULT", tmp_path / "absent.jsonl")
    assert failures.main(["--json", "--short"]) == 0
    assert "absent.jsonl" in json.loads(capsys.readouterr().out)["skipped"]


def test_a_line_without_a_label_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2"):
        failures.load(Path(saved(tmp_path, make_row(), {"raw": "x"})))
