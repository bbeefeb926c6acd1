"""A served sample app, its queues and its notes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.localcloud.host.running import Notes, Queues, RunningHost, host

KEY = "test-key"


@pytest.fixture
def queues(storage: str) -> Iterator[Queues]:
    own = Queues(storage, f"t{uuid.uuid4().hex[:10]}")
    yield own
    own.close()


@pytest.fixture
def notes(tmp_path: Path) -> Notes:
    return Notes(tmp_path / "notes.txt")


@pytest.fixture
def environment(storage: str, queues: Queues, notes: Notes) -> dict[str, str]:
    return environment_for(storage, queues.prefix, notes)


def environment_for(storage: str, prefix: str, notes: Notes) -> dict[str, str]:
    return {
        "STORAGE": storage,
        "PREFIX": prefix,
        "NOTES": str(notes.path),
        "SCHEDULE": "0 0 0 1 1 *",
        "LOCAL_FUNCTION_KEY": KEY,
    }


@pytest.fixture(scope="session")
def shared_notes(tmp_path_factory: pytest.TempPathFactory) -> Notes:
    return Notes(tmp_path_factory.mktemp("shared") / "notes.txt")


@pytest.fixture(scope="session")
def shared_queues(storage: str) -> Iterator[Queues]:
    own = Queues(storage, f"s{uuid.uuid4().hex[:10]}")
    yield own
    own.close()


@pytest.fixture(scope="session")
def served(
    storage: str, shared_queues: Queues, shared_notes: Notes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningHost]:
    """One host for all tests that leave it as it was."""
    environment = environment_for(storage, shared_queues.prefix, shared_notes)
    with host("everything:app", environment, tmp_path_factory.mktemp("host")) as running:
        yield running
