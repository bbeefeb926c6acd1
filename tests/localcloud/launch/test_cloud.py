"""How the local cloud starts its parts."""

from __future__ import annotations

import pytest

from localcloud.host.__main__ import read_arguments
from localcloud.launch.cloud import Options, app_command


def test_a_key_that_begins_with_a_dash_reaches_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", app_command(Options(), "-P0nzYu5JKlK8j3")[2:])
    assert read_arguments().key == "-P0nzYu5JKlK8j3"
