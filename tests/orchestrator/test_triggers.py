"""The functions as the host indexes them: which doors there are, and who checks keys at which."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.api.callers import DOORS

PROBE = """
import json
import function_app
print(json.dumps({
    function.get_function_name(): [binding.get_dict_repr()["authLevel"].name, binding.get_dict_repr()["route"]]
    for function in function_app.app.get_functions()
    for binding in function.get_bindings()
    if binding.type == "httpTrigger"
}))
"""


@pytest.fixture(scope="module")
def heard() -> dict[str, list[str]]:
    """Level and route of every function that hears HTTP. An app can be indexed only once in a process."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", PROBE], cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def test_the_doors_are_the_only_functions_that_hear_http(heard: dict[str, list[str]]) -> None:
    assert set(heard) == DOORS


def test_the_host_checks_the_key_at_one_door_and_lets_the_app_check_at_the_others(heard: dict[str, list[str]]) -> None:
    levels = {name: level for name, (level, _) in heard.items()}
    assert levels == {"api": "FUNCTION", "hooks": "ANONYMOUS", "ui": "ANONYMOUS"}


def test_each_door_has_a_prefix_of_its_own_and_none_is_wide(heard: dict[str, list[str]]) -> None:
    assert {name: route for name, (_, route) in heard.items()} == {door: f"{door}/{{*path}}" for door in DOORS}
