"""Fixtures every suite shares: Azurite started once per test process, on free ports."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from localcloud import azurite

# The same examples on every run: a red build must mean a change. Look further with HYPOTHESIS_PROFILE=search.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


@pytest.fixture(scope="session")
def storage() -> Iterator[str]:
    """A connection string to a fresh Azurite. Use names of your own per test: it is shared by the whole session."""
    with azurite.running() as emulator:
        yield emulator.connection_string
