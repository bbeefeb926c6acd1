"""Health that looks deep: what the doctor finds decides the answer, and questions at once are one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from orchestrator.api import app as api
from orchestrator.doctor import examination
from orchestrator.doctor.findings import Check, Seen
from orchestrator.doctor.patient import Patient
from tests.orchestrator.api.doors import through

SOUND = {
    "STORAGE": "UseDevelopmentStorage=true",
    "FOUNDRY_PROJECT_ENDPOINT": "https://x.services.ai.azure.com/api/projects/p",
    "FOUNDRY_MODEL": "m",
    "ADF_SUBSCRIPTION_ID": "s",
}


class Doctor:
    """Looks once for each time it is asked, and says what it is told to."""

    def __init__(self) -> None:
        self.says: Sequence[Seen] = [Seen("ok", "All is well.")]
        self.looks = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def look(self, patient: Patient) -> Sequence[Seen]:
        self.looks += 1
        await self.may_end.wait()
        return self.says


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch) -> Doctor:
    made = Doctor()
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(examination.examine, "__defaults__", ((Check("queues_there", "It matters.", made.look),),))
    return made


@pytest.fixture
async def http(doctor: Doctor) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(through("api", api.build()))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:7071") as client:
        yield client


async def test_nobody_looks_unless_asked(http: httpx.AsyncClient, doctor: Doctor) -> None:
    answer = await http.get("/api/health")
    assert (answer.status_code, answer.json()["findings"], doctor.looks) == (200, [], 0)


async def test_what_fails_is_told_with_what_mends_it(http: httpx.AsyncClient, doctor: Doctor) -> None:
    doctor.says = [Seen("failed", "There is no queue: x.", "make it"), Seen("ok", "y is there.")]
    answer = await http.get("/api/health?deep=true")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")
    told = {"check": "queues_there", "result": "failed", "found": "There is no queue: x."}
    assert answer.json()["findings"][0] == {**told, "why": "It matters.", "mend": "make it"}
    assert answer.json()["findings"][1]["why"] == ""


@pytest.mark.parametrize("result", ["warning", "skipped", "ok"])
async def test_what_does_not_fail_leaves_the_app_well(http: httpx.AsyncClient, doctor: Doctor, result: str) -> None:
    doctor.says = [Seen(result, "Hm.", "do this")]  # type: ignore[arg-type]
    answer = await http.get("/api/health?deep=true")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


async def test_settings_that_are_missing_come_first(
    http: httpx.AsyncClient, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FOUNDRY_MODEL")
    doctor.says = [Seen("failed", "x", "y")]
    assert (await http.get("/api/health?deep=true")).json()["status"] == "misconfigured"


async def test_questions_at_once_are_one_and_the_next_is_another(http: httpx.AsyncClient, doctor: Doctor) -> None:
    doctor.may_end.clear()
    asking = [asyncio.create_task(http.get("/api/health?deep=true")) for _ in range(3)]
    while not doctor.looks:
        await asyncio.sleep(0)
    asking[0].cancel()  # whoever gives up takes nothing from the others
    doctor.may_end.set()
    answers = await asyncio.gather(*asking[1:])
    assert ([each.status_code for each in answers], doctor.looks) == ([200, 200], 1)
    await http.get("/api/health?deep=true")
    assert doctor.looks == 2
