"""How the local cloud starts its parts."""

from __future__ import annotations

import pytest

from localcloud.host.__main__ import read_arguments
from localcloud.launch.cloud import Options, app_command, teams_settings
from localcloud.teams.say import TOKEN


def test_a_key_that_begins_with_a_dash_reaches_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", app_command(Options(), "-P0nzYu5JKlK8j3")[2:])
    assert read_arguments().key == "-P0nzYu5JKlK8j3"


def test_a_channel_of_teams_is_wanted_or_there_is_none() -> None:
    assert teams_settings("") == {}
    settings = teams_settings("http://127.0.0.1:9")
    assert settings["TEAMS_WEBHOOK_URL"] == "http://127.0.0.1:9/workflows/local/run?sig=local"
    assert settings["TEAMS_SECURITY_TOKEN"] == TOKEN
