"""One stand-in for the whole suite, in a process of its own with a fixed clock, and the real SDK client to it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.datafactory import DataFactoryManagementClient

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT / "../shared" / "adf"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
NOW = datetime(2026, 3, 18, 9, 30, tzinfo=UTC)


class AllowHttp(SansIOHTTPPolicy):  # type: ignore[type-arg]
    """The token travels over plain http: on loopback only."""

    def on_request(self, request: PipelineRequest) -> None:  # type: ignore[type-arg]
        request.context.options.setdefault("enforce_https", False)


class SomeToken:
    def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        return AccessToken("token", 2**31)


@pytest.fixture(scope="session")
def stand_in() -> Iterator[str]:
    """The address of a stand-in at NOW."""
    command = [sys.executable, "-m", "localcloud.adf", "--now", NOW.isoformat(), "--exit-with-stdin"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield json.loads(process.stdout.readline())["url"]
        process.stdin.close()
        process.wait(10)


@pytest.fixture
def door(stand_in: str) -> Iterator[httpx.Client]:
    """To ask without the SDK and to order trouble, which is over after the test. The world is left as it is."""
    with httpx.Client(base_url=stand_in) as client:
        yield client
        client.delete("/_faults").raise_for_status()


@pytest.fixture
def steer(stand_in: str) -> Iterator[httpx.Client]:
    """For tests that change the world or its clock; it is brought back to its beginning after the test."""
    with httpx.Client(base_url=stand_in) as client:
        yield client
        client.post("/_reset").raise_for_status()


@pytest.fixture(scope="session")
def sdk(stand_in: str) -> Iterator[DataFactoryManagementClient]:
    with DataFactoryManagementClient(
        SomeToken(),
        SUBSCRIPTION,
        base_url=stand_in,
        per_call_policies=[AllowHttp()],
        retry_total=0,
        polling_interval=0,
    ) as client:
        yield client
