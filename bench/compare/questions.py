"""What all three systems are asked, and which runs an answer has to name to be right, by Data Factory itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from bench.compare.estate import BUSY
from bench.compare.systems import FACTORY_ID

API = "2018-06-01"


@dataclass(frozen=True)
class Question:
    """`filters` are Data Factory's own, of the runs that are meant; an answer names `least` of the newest `among`."""

    text: str
    pipeline: str
    status: str
    hours: int
    least: int = 1
    among: int = 1000


@dataclass(frozen=True)
class Truth:
    pipeline: str
    run_ids: tuple[str, ...]
    least: int

    def is_in(self, answer: str) -> bool:
        named = sum(run_id in answer for run_id in self.run_ids)
        return self.pipeline in answer and named >= min(self.least, len(self.run_ids)) > 0


QUESTIONS = (
    Question("Why did LoadSales fail last night?", "LoadSales", "Failed", 24, among=1),
    Question("What failed in the last 24 hours?", "", "Failed", 24, least=3),
    Question("Which runs did SyncCrm have in the last 48 hours?", "SyncCrm", "", 48, least=2, among=4),
    Question("Why did IngestTables fail last night?", "IngestTables", "Failed", 24, among=1),
    Question("What failed in the last 3 days?", "", "Failed", 72, least=3),
    Question(f"Which runs did {BUSY} have in the last 24 hours?", BUSY, "", 24, least=2, among=4),
)


async def truths(http: httpx.AsyncClient, adf: str) -> dict[str, Truth]:
    """By the question's text."""
    return {each.text: await truth(http, adf, each) for each in QUESTIONS}


async def truth(http: httpx.AsyncClient, adf: str, question: Question) -> Truth:
    now = datetime.now(UTC)
    wanted = {"PipelineName": question.pipeline, "Status": question.status}
    body = {
        "lastUpdatedAfter": (now - timedelta(hours=question.hours)).isoformat(),
        "lastUpdatedBefore": (now + timedelta(days=1)).isoformat(),
        "filters": [{"operand": k, "operator": "Equals", "values": [v]} for k, v in wanted.items() if v],
        "orderBy": [{"orderBy": "RunStart", "order": "DESC"}],
    }
    url = f"{adf}{FACTORY_ID}/queryPipelineRuns?api-version={API}"
    found = (await http.post(url, json=body, headers={"authorization": "Bearer bench"})).json()["value"]
    return Truth(question.pipeline, tuple(run["runId"] for run in found[: question.among]), question.least)
