"""Which policy was in force is in the trail, in front of what was done under it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from orchestrator.audit.configuration import PolicyNote
from orchestrator.audit.lines import read
from orchestrator.audit.trail import Audit
from tests.orchestrator.audit.build import NOW, TroubledFiles, TroubledStore, make_write

SOUND = "importance: []\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text(SOUND)
    return path


def test_it_is_told_once_for_each_change(policy: Path) -> None:
    note = PolicyNote(policy)
    (first,) = note(NOW)
    assert note(NOW) == []
    policy.write_text(SOUND + "# changed\n")
    (second,) = note(NOW)
    assert first.arguments == {"sha256": hashlib.sha256(SOUND.encode()).hexdigest(), "before": ""}
    assert second.arguments["before"] == first.arguments["sha256"] != second.arguments["sha256"]
    assert (first.kind, first.subject, first.outcome) == ("configuration", "policy.yaml", "It is in force.")


def test_a_file_that_was_only_touched_is_not_told(policy: Path) -> None:
    note = PolicyNote(policy)
    note(NOW)
    policy.write_text(SOUND)
    assert note(NOW) == []


@pytest.mark.parametrize("text", ["importance: 7\n", "\ud800".encode("utf-8", "surrogatepass")])
def test_a_file_that_is_not_sound_is_told_as_such(policy: Path, text: str | bytes) -> None:
    policy.write_bytes(text if isinstance(text, bytes) else text.encode())
    (told,) = PolicyNote(policy)(NOW)
    assert told.outcome.startswith("It is not sound")


def test_a_file_that_goes_and_comes_back_is_told_both_times(policy: Path) -> None:
    note = PolicyNote(policy)
    note(NOW)
    policy.unlink()
    assert [told.arguments["sha256"] for told in note(NOW)] == ["gone"]
    assert note(NOW) == []
    policy.write_text(SOUND)
    assert [told.arguments["before"] for told in note(NOW)] == ["gone"]


async def test_it_stands_in_front_of_what_is_done_under_it_and_is_anchored(policy: Path) -> None:
    store, sealed = TroubledStore(), TroubledFiles()
    audit = Audit(store, sealed, lambda: NOW, PolicyNote(policy))
    for what in ("one", "two"):
        await audit.record(make_write(what=what))
    policy.write_text(SOUND + "# changed\n")
    await audit.record(make_write(what="three"))
    kinds = [read(line).entry["kind"] for line in await store.lines()]
    assert kinds == ["configuration", "write", "write", "configuration", "write"]
    assert audit.standing.unanchored == 0


def test_the_file_is_the_one_that_policy_is_read_from(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SOUND)
    assert [told.subject for told in PolicyNote.of({"POLICY_FILE": str(path)})(NOW)] == ["mine.yaml"]
