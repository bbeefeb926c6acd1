"""One world for all tests of the doctor; each test leaves it whole."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.orchestrator.doctor.world import World, opened


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(Path(tmp_path_factory.mktemp("doctor"))) as made:
        yield made
