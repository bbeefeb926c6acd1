"""The command line, and the asynchronous client."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.mgmt.datafactory.aio import DataFactoryManagementClient

from localcloud.adf.__main__ import arguments, main
from tests.localcloud.adf.asking import PROD, where, window
from tests.localcloud.adf.conftest import ROOT, SUBSCRIPTION, AllowHttp


class SomeAsyncToken:
    async def get_token(self, *scopes: str, **kwargs: object) -> AccessToken:
        return AccessToken("token", 2**31)

    async def close(self) -> None: ...

    async def __aenter__(self) -> SomeAsyncToken:
        return self

    async def __aexit__(self, *exc: object) -> None: ...


async def test_the_asynchronous_client_works_too(stand_in: str) -> None:
    token: Any = SomeAsyncToken()
    async with DataFactoryManagementClient(
        token, SUBSCRIPTION, base_url=stand_in, per_call_policies=[AllowHttp()]
    ) as sdk:
        body = window(filters=[where("PipelineName", "LoadSales")])
        found = (await sdk.pipeline_runs.query_by_factory(*PROD, body)).value
        listed = [factory.name async for factory in sdk.factories.list()]
    assert [run.status for run in found] == ["Failed"]
    assert listed == ["adf-prod", "adf-dev"]


def test_a_folder_is_served_and_what_was_left_out_is_told(tmp_path: Path) -> None:
    copy = {"name": "Copy", "type": "Copy"}
    (tmp_path / "Load.json").write_text(json.dumps({"name": "Load", "properties": {"activities": [copy]}}))
    (tmp_path / "broken.json").write_text("{")
    command = [sys.executable, "-m", "localcloud.adf", "--factory", str(tmp_path), "--exit-with-stdin"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        _, told = process.communicate(timeout=10)
    assert ready["ready"] is True
    assert "skipped broken.json" in told
    assert process.returncode == 0


@pytest.mark.parametrize("how", [["--scenario", "none"], ["--factory", "none"]])
def test_what_is_not_there_is_told_and_not_served(how: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(how) == 2
    assert "'none'" in capsys.readouterr().err


def test_a_time_without_a_zone_is_utc() -> None:
    assert arguments(["--now", "2026-03-18T09:30:00"]).now.isoformat() == "2026-03-18T09:30:00+00:00"


def test_a_scenario_and_a_folder_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(["--scenario", "other", "--factory", "x"])
