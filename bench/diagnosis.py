"""How true diagnoses are: `python -m bench.diagnosis [--short] [--json]`.

Every case of `bench/truth/default.json`, written by hand from the story of the default world, is played through the
product's own path: a call on the tool's storage queue, the Functions host, the tool, the reply queue. The structured
fields of the reply are graded by code. The last line printed is one JSON object.

Levels: 1 plain; 2 nested, iterated, retried; 3 misleading: masked, empty, secrets or instructions in the text;
4 healthy, resolved, running, cancelled, or not enough evidence.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.tool_queue import ToolQueue, tool_cloud

TRUTH = json.loads((Path(__file__).parent / "truth" / "default.json").read_text(encoding="utf-8"))
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUPS = {"adf-prod": "rg-data-prod", "adf-dev": "rg-data-dev"}
RAW_FROM = 20  # activity runs: replies are compared with raw JSON only for trees of this size and more
OUTCOMES = {"Failed": "failed", "Succeeded": "succeeded", "InProgress": "running", "Queued": "queued"}
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """A case of the truth and the run it means. `findings` of a grade are empty when all is right."""

    truth: Json
    run: Json

    @property
    def level(self) -> str:
        return str(self.truth["level"])


@dataclass(frozen=True)
class Graded:
    case: Case
    wrong: tuple[str, ...]
    forbidden: tuple[str, ...]
    reply_bytes: int
    raw_ratio: float | None
    seconds: float
    adf_calls: int


class Adf:
    """The Data Factory stand-in as a witness: runs and activity runs read over its REST API, past all of our code."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, headers={"Authorization": "Bearer bench"}, trust_env=False)

    async def close(self) -> None:
        await self._http.aclose()

    async def stats(self) -> Json:
        found: Json = (await self._http.get("/_stats")).json()
        return found

    async def calls(self) -> int:
        return sum((await self.stats())["requests"].values())

    async def query(self, factory: str, path: str, now: datetime, **more: Any) -> list[Json]:
        base = (
            f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUPS[factory]}/providers/Microsoft.DataFactory/factories"
        )
        window = {"lastUpdatedAfter": (now - timedelta(days=40)).isoformat(), "lastUpdatedBefore": now.isoformat()}
        found: list[Json] = []
        body: dict[str, Any] = {**window, **more}
        while True:
            response = await self._http.post(f"{base}/{factory}/{path}?api-version=2018-06-01", json=body)
            page = response.raise_for_status().json()
            found += page["value"]
            if not page.get("continuationToken"):
                return found
            body["continuationToken"] = page["continuationToken"]

    async def runs(self, factory: str, pipeline: str, now: datetime) -> list[Json]:
        """Newest first."""
        wanted = [{"operand": "PipelineName", "operator": "Equals", "values": [pipeline]}]
        order = [{"orderBy": "RunStart", "order": "DESC"}]
        return await self.query(factory, "queryPipelineRuns", now, filters=wanted, orderBy=order)

    async def tree(self, factory: str, run_id: str, now: datetime) -> list[Json]:
        """The activity runs of a run and of all its child runs."""
        found = await self.query(factory, f"pipelineruns/{run_id}/queryActivityruns", now)
        for activity in list(found):
            child = (activity.get("output") or {}).get("pipelineRunId")
            if child:
                found += await self.tree(factory, child, now)
        return found


async def cases(adf: Adf) -> list[Case]:
    anchor = datetime.fromisoformat((await adf.stats())["anchor"])
    now = datetime.fromisoformat((await adf.stats())["now"]) + timedelta(minutes=1)
    found = []
    for truth in (*TRUTH["failures"], *TRUTH["others"]):
        runs = await adf.runs(truth["factory"], truth["pipeline"], now)
        found += [Case(truth, run) for run in meant(truth, runs, anchor)]
    return found


def meant(truth: Json, runs: Sequence[Json], anchor: datetime) -> list[Json]:
    """The runs a case speaks of: by occurrence among the scheduled ones that had ended, by age, or by status."""
    scheduled = [run for run in runs if "Trigger" in run["invokedBy"]["invokedByType"]]
    ended = [run for run in scheduled if run["runEnd"] and datetime.fromisoformat(run["runEnd"]) <= anchor]
    if "occurrences" in truth and truth["run_status"] == "Cancelled":  # their end is not recorded
        return [run for run in runs if run["status"] == "Cancelled"][:1]
    if "occurrences" in truth:
        return [ended[number - 1] for number in truth["occurrences"]]
    if "since_hours" in truth:
        since = anchor - timedelta(hours=truth["since_hours"])
        return [run for run in ended if datetime.fromisoformat(run["runStart"]) >= since][:2]
    return [run for run in runs if run["status"] == truth["run_status"]][:1]


def grade(case: Case, reply: Json, ids: set[str]) -> tuple[list[str], list[str]]:
    """(what is wrong, what must never be said) of a reply. `ids` are those that Data Factory knows."""
    if not reply.get("ok"):
        return [f"no answer: {reply.get('error')}"], []
    data, truth = reply["data"], case.truth
    wrong = _outcome(data, truth)
    if truth["run_status"] == "Failed":
        wrong += _cause(data, truth)
    if truth.get("masked") or truth.get("zero_rows"):
        kind = "zero_rows" if truth.get("zero_rows") else "handled_failure"
        found = {masked["kind"] for masked in data.get("masked_failures", [])}
        wrong += [] if kind in found else [f"{kind} not told"]
    invented = [item["id"] for item in reply["evidence"] if item["id"] not in ids]
    wrong += [f"evidence {identity} does not exist" for identity in invented]
    return wrong, _forbidden(reply, truth)


def _outcome(data: Json, truth: Json) -> list[str]:
    expected = OUTCOMES.get(truth["run_status"] or "", "cancelled")
    return [] if data.get("outcome") == expected else [f"outcome {data.get('outcome')}, not {expected}"]


def _cause(data: Json, truth: Json) -> list[str]:
    path = [step["name"] for step in data.get("root_cause_path", []) if step["kind"] == "activity"]
    expected = [hop["activity"] for hop in truth["root_cause_path"]]
    wrong = [] if path == expected else [f"path {path}, not {expected}"]
    categories = {truth["category"], *truth.get("alt_categories", [])}
    if data.get("root_cause_category") not in categories:
        wrong.append(f"category {data.get('root_cause_category')}, not {truth['category']}")
    if data.get("transience") != truth["transience"]:
        wrong.append(f"transience {data.get('transience')}, not {truth['transience']}")
    return wrong


def _forbidden(reply: Json, truth: Json) -> list[str]:
    """Secrets, a stranger's instructions as our words, a failure where there was none, a rerun that cannot help."""
    text, data = json.dumps(reply, ensure_ascii=False), reply["data"]
    found = [f"secret told: {secret[:4]}…" for secret in truth.get("secrets", []) if secret in text]
    if truth.get("injection") and truth["injection"] in reply["summary"]:
        found.append("a stranger's instructions in the summary")
    if truth["run_status"] != "Failed" and data.get("outcome") == "failed":
        found.append("says that it failed")
    actions = [action["what"] for action in data.get("recommended_actions", [])]
    if truth.get("transience") == "permanent" and any(a.startswith("Rerun") and "once" not in a for a in actions):
        found.append("rerun as it is")
    return found


async def play(case: Case, tool: ToolQueue, adf: Adf, now: datetime) -> Graded:
    calls = await adf.calls()
    started = time.perf_counter()
    value = await tool.call(run_id=case.run["runId"])
    seconds = time.perf_counter() - started
    asked = await adf.calls() - calls
    tree = await adf.tree(case.truth["factory"], case.run["runId"], now)
    reply = json.loads(value)
    ids = await known_ids(adf, case, tree, now)
    wrong, forbidden = grade(case, reply, ids)
    raw = len(json.dumps(tree, separators=(",", ":")).encode())
    ratio = len(value.encode()) / raw if len(tree) >= RAW_FROM else None
    return Graded(case, tuple(wrong), tuple(forbidden), len(value.encode()), ratio, seconds, asked)


async def known_ids(adf: Adf, case: Case, tree: Sequence[Json], now: datetime) -> set[str]:
    found = {str(activity[key]) for activity in tree for key in ("activityRunId", "pipelineRunId")}
    pipelines = {case.run["pipelineName"], *(str(activity["pipelineName"]) for activity in tree)}
    for pipeline in pipelines:
        found |= {run["runId"] for run in await adf.runs(case.truth["factory"], pipeline, now)}
    return found


def summarised(graded: Sequence[Graded]) -> dict[str, Any]:
    levels = {}
    for level in sorted({each.case.level for each in graded}):
        mine = [each for each in graded if each.case.level == level]
        passed = sum(not each.wrong and not each.forbidden for each in mine)
        levels[level] = {"passed": passed, "total": len(mine), "pass_rate": round(passed / len(mine), 3)}
    ratios = [each.raw_ratio for each in graded if each.raw_ratio is not None]
    return {
        "scenarios": len(graded),
        "levels": levels,
        "forbidden_conclusions": sum(len(each.forbidden) for each in graded),
        "reply_bytes_p50": round(statistics.median(each.reply_bytes for each in graded)),
        "raw_ratio_p50": round(statistics.median(ratios), 3) if ratios else None,
        "seconds_p50": round(statistics.median(each.seconds for each in graded), 3),
        "adf_calls_p50": round(statistics.median(each.adf_calls for each in graded)),
    }


async def measure() -> list[Graded]:
    async with tool_cloud("adf_diagnose_run") as (tool, url):
        adf = Adf(url)
        try:
            found = await cases(adf)
            now = datetime.fromisoformat((await adf.stats())["now"]) + timedelta(minutes=10)
            await tool.call(run_id=found[0].run["runId"])  # warm-up
            return [await play(case, tool, adf, now) for case in found]
        finally:
            await adf.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.diagnosis", description=__doc__)
    parser.add_argument("--short", action="store_true", help="accepted for the sake of its fellows: it is short anyway")
    parser.add_argument("--json", action="store_true", help="only what went wrong and the last line")
    arguments = parser.parse_args()
    graded = asyncio.run(measure())
    for each in graded:
        wrong = "; ".join((*each.wrong, *(f"FORBIDDEN: {text}" for text in each.forbidden)))
        if wrong or not arguments.json:
            name = f"{each.case.truth['id']} {each.case.run['runId']}"
            print(
                f"{each.case.level}  {name:<62} {each.reply_bytes:>6} B  {each.adf_calls:>3} calls  {wrong or 'right'}"
            )
    print(json.dumps(summarised(graded)))
    sys.exit(1 if any(each.forbidden for each in graded) else 0)


if __name__ == "__main__":
    main()
