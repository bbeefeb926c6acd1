"""Preparing a checkout: what is already there is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud import azurite, setup

LOCK: dict[str, Any] = {
    "packages": {
        "": {"name": "us"},
        "node_modules/azurite": {"version": "3.35.0"},
        "node_modules/fsevents": {"version": "2.0.0", "optional": True},
    }
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / ".package-lock.json"
    monkeypatch.setattr(setup, "INSTALLED", path)
    return path


def test_an_install_of_the_locked_versions_is_enough(installed: Path) -> None:
    installed.write_text(json.dumps({"packages": {"node_modules/azurite": {"version": "3.35.0"}}}))
    assert setup.installed_is(LOCK)


@pytest.mark.parametrize(
    "content", [None, "", "{}", '{"packages": {"node_modules/azurite": {"version": "3.34.0"}}}', '{"packages": {}}']
)
def test_anything_else_is_installed_anew(installed: Path, content: str | None) -> None:
    if content is not None:
        installed.write_text(content)
    assert not setup.installed_is(LOCK)


def test_an_old_node_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azurite, "node_major", lambda node: 16)
    assert setup.machine_npm() is None


def test_the_lock_file_names_no_registry() -> None:
    assert "resolved" not in setup.LOCK.read_text()


def test_pip_is_retold_in_few_lines() -> None:
    lines = [
        "Collecting attrs==26.1.0 (from -r x.txt (line 9))",
        "  Using cached attrs.whl",
        "Installing collected packages: a, b",
    ]
    assert [setup.pip_progress(line) for line in lines] == ["collecting attrs==26.1.0", "", "unpacking …"]


def test_a_step_that_fails_is_told_with_its_command() -> None:
    with pytest.raises(setup.SetupFailed, match="`false` ended with exit code 1"):
        setup.run(["false"], {})
