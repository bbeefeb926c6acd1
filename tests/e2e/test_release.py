"""The smoke test of a release, at the whole app: passed where it is well, and told why where it is not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import httpx
import pytest

from core.version import VERSION
from localcloud.launch.cloud import ROOT, Cloud, Options, running

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("e2e")]


async def smoke(cloud: Cloud, *arguments: str, patience: float = 30) -> tuple[int | None, str]:
    """As a pipeline runs it: a Python in which nothing is installed."""
    words = ["-S", "-m", "infra.release", "--patience", str(patience), "smoke", "--url", cloud.url, *arguments]
    env = {"PATH": os.environ["PATH"], "APP_KEY": cloud.key}
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=ROOT, env=env, stdout=pipe, stderr=pipe)
    said, wrong = await process.communicate()
    return process.returncode, (said + wrong).decode()


async def test_it_passes_where_the_app_is_well_and_tells_what_is_not(tmp_path: Path) -> None:
    async with running(Options(logs=tmp_path, teams=True, storage_made=True)) as cloud:
        code, said = await smoke(cloud, "--version", VERSION)
        assert code == 0, said
        assert f"{VERSION} answers." in said
        assert "A question was answered: run " in said

        code, said = await smoke(cloud, "--version", f"{VERSION}-another", patience=1)
        assert (code, said) == (
            1,
            f"{VERSION}-another does not answer after 1 seconds: the last was version {VERSION}.\n",
        )

        fault = {"content_filter": {"count": 20}}
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.post(f"{cloud.foundry}/_faults", json=fault)).raise_for_status()
        code, said = await smoke(cloud, "--version", VERSION)
        assert code == 1, said
        assert "was not answered: run " in said
        assert cloud.key not in said


async def test_a_setting_that_is_missing_is_told(tmp_path: Path) -> None:
    broken = {"FOUNDRY_MODEL": ""}
    async with running(Options(logs=tmp_path, storage_made=True, settings=broken)) as cloud:
        code, said = await smoke(cloud, patience=1)
    assert code == 1
    assert "The app is not well: " in said
    assert "FOUNDRY_MODEL" in said
