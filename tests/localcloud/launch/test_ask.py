"""`ask`: an answer and exit code 0, or the reason and another one; nothing stays behind."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import psutil

from tests.localcloud.launch.conftest import Launch


def outcome(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    answer, progress = process.communicate(timeout=60)
    return process.returncode, answer, progress


def test_an_answer_is_printed_with_what_it_rests_on(launch: Launch) -> None:
    code, answer, progress = outcome(launch("ask", "Why did LoadSales fail?"))
    assert (code, answer) == (0, "You asked: Why did LoadSales fail?\n")
    assert "investigator        adf_failures        2 failed (0.1 s)" in progress
    assert "pipeline run p-77 in adf-prod" in progress
    assert "1,200 in, 34 out" in progress
    assert "Answered by  planner" in progress
    assert "\x1b" not in progress


def test_a_run_that_failed_gives_its_reason_and_no_answer(launch: Launch) -> None:
    code, answer, progress = outcome(launch("ask", "?", PLAY_RUN="failed"))
    assert (code, answer) == (1, "")
    assert "No answer: the run ended failed. The agent service is down." in progress


def test_an_empty_question_starts_nothing(launch: Launch, checkout: Path) -> None:
    code, _, progress = outcome(launch("ask", "  "))
    assert code == 2
    assert "The question is empty." in progress
    assert not (checkout / ".localcloud").exists()


def test_a_part_that_cannot_start_is_named_with_its_last_words(launch: Launch) -> None:
    code, _, progress = outcome(launch("ask", "?", PLAY_ADF="dies"))
    assert code == 1
    assert "adf ended with exit code 1." in progress
    assert "the disk is on fire" in progress


def test_the_app_is_told_of_the_local_services_only(launch: Launch, checkout: Path) -> None:
    """The developer's own settings of a real project do not leak in."""
    source = checkout / "localcloud" / "host" / "__main__.py"
    spying = "def main() -> None:\n    Path('seen.json').write_text(json.dumps(dict(os.environ)))\n"
    source.write_text(source.read_text().replace("def main() -> None:\n", spying))
    values = {"STORAGE__queueServiceUri": "https://real", "RUN_DEADLINE_SECONDS": "60"}
    (checkout / "local.settings.json").write_text(json.dumps({"Values": values}))
    real = {"FOUNDRY_PROJECT_ENDPOINT": "https://real", "TEAMS_WEBHOOK_URL": "https://real"}
    code, _, _ = outcome(launch("ask", "?", ADF_FACTORIES="adf-prod", **real))
    seen = json.loads((checkout / "seen.json").read_text())
    assert code == 0
    assert "ADF_FACTORIES" not in seen
    assert seen.get("TEAMS_WEBHOOK_URL") != "https://real"  # nobody's channel hears of a try at home
    assert seen["STORAGE__queueServiceUri"] == ""
    assert "RUN_DEADLINE_SECONDS" not in seen  # left to the file
    assert seen["FOUNDRY_PROJECT_ENDPOINT"].startswith("http://127.0.0.1:")
    assert seen["STORAGE"] == seen["AzureWebJobsStorage"]


def test_a_factory_folder_that_is_missing_is_told(launch: Launch) -> None:
    code, _, progress = outcome(launch("ask", "?", "--factory", "no/such/folder"))
    assert code == 1
    assert "No folder 'no/such/folder'." in progress


def test_a_factory_folder_reaches_the_data_factory(launch: Launch, checkout: Path, tmp_path: Path) -> None:
    folder = tmp_path / "my factory"
    folder.mkdir()
    outcome(launch("ask", "?", "--factory", str(folder)))
    told = (checkout / ".localcloud/logs/ask/adf.log").read_text().splitlines()[0]
    assert repr(str(folder)) in told


def test_nothing_stays_behind(launch: Launch, checkout: Path) -> None:
    outcome(launch("ask", "?"))
    left = [process for process in psutil.process_iter() if belongs_to(process, checkout)]
    assert left == []


def belongs_to(process: psutil.Process, checkout: Path) -> bool:
    try:
        return process.cwd() == str(checkout)
    except psutil.Error:
        return False
