"""Fixtures every suite shares: Azurite started once per test process, on free ports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from localcloud import azurite


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """A connection string to a fresh Azurite. Use names of your own per test: it is shared by the whole session."""
    with azurite.running() as emulator:
        yield emulator.connection_string
