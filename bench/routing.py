"""How often the deterministic planner picks the right tool: `python -m bench.routing [--json] [--misses]`.

Plays every `bench/questions/*.jsonl` against the tool set its lines name: `tools_<set>.json`, or the app's own tools
("adf") when they name none. Those are played twice, with all tools in one hand and through the agents: which specialist
the supervisor asks, and which tool that one calls. A line expects a tool by `expect_tool` (several: any of them; null:
none fits) or by `intent`, which the tool set maps to tools, and arguments by `expect_args` or by its further keys.
`checklist.jsonl` has paraphrases of what operators ask (`asks` counts the questions); the planner's tests use none of
them. The last line printed is one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.foundry.thinking.planner import Planner
from localcloud.foundry.thinking.turns import Call, Offer, Prompt, Said
from orchestrator.agents import roster
from orchestrator.foundry.port import AgentSpec, QueueTool, SubAgent

HERE = Path(__file__).parent / "questions"
INTENTS: dict[str, list[str | None]] = {
    "failures_overview": ["adf_failures"],
    "why_one": ["adf_diagnose_run"],
    "list_runs": ["adf_pipeline_runs", "adf_run_history"],
    "activities_of_run": ["adf_activity_runs"],
}
ONE_TEXT = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
OWN_KEYS = frozenset({"question", "tools", "expect_tool", "expect_args", "intent", "asks"})


@dataclass(frozen=True)
class ToolSet:
    offers: tuple[Offer, ...]
    intents: dict[str, list[str | None]]
    agents: dict[str, ToolSet] = field(default_factory=dict)  # which of the offers are agents, and what they have
    instructions: str = ""

    @classmethod
    def load(cls, path: Path) -> ToolSet:
        body = json.loads(path.read_text(encoding="utf-8"))
        offers = tuple(Offer(tool["name"], tool["description"], tool["parameters"]) for tool in body["tools"])
        return cls(offers, body.get("intents", {}))


@dataclass
class Score:
    asked: int = 0
    tool: int = 0
    with_arguments: int = 0  # questions that expect arguments
    arguments: int = 0  # of those, answered with the right tool and all of them
    misses: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        rate = round(self.tool / self.asked, 3) if self.asked else None
        filled = round(self.arguments / self.with_arguments, 3) if self.with_arguments else None
        return {"asked": self.asked, "tool_hit_rate": rate, "argument_hit_rate": filled}


def our_tools() -> ToolSet:
    """All tools of the app in one hand."""
    offers = {offer.name: offer for agent in our_agents().agents.values() for offer in agent.offers}
    return ToolSet(tuple(offers.values()), INTENTS)


def our_agents() -> ToolSet:
    """The app's supervisor: it has specialists, and they have the tools."""
    spec = roster.supervisor("local", "http://localhost", "")
    helpers = [tool for tool in spec.tools if isinstance(tool, SubAgent)]
    offers = tuple(Offer(helper.agent.name, helper.description, ONE_TEXT) for helper in helpers)
    agents = {helper.agent.name: specialist_of(helper.agent) for helper in helpers}
    return ToolSet(offers, INTENTS, agents, spec.instructions)


def specialist_of(agent: AgentSpec) -> ToolSet:
    return ToolSet(queue_offers(agent.tools), INTENTS, instructions=agent.instructions)


def queue_offers(tools: Iterable[object]) -> tuple[Offer, ...]:
    return tuple(
        Offer(tool.name, tool.description, dict(tool.parameters)) for tool in tools if isinstance(tool, QueueTool)
    )


def lines_of(path: Path) -> Iterable[dict[str, Any]]:
    return (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())


async def play(lines: Iterable[dict[str, Any]], sets: dict[str, ToolSet]) -> Score:
    score, planner = Score(), Planner()
    for line in lines:
        tools = sets.get(line.get("tools", "adf"))
        wanted = expected_tools(line, tools) if tools else None
        if tools is None or wanted is None:
            continue
        judge(score, line, wanted, await calls_for(planner, line["question"], tools))
    return score


async def calls_for(planner: Planner, question: str, tools: ToolSet) -> tuple[Call, ...]:
    """The first calls of tools; a call of an agent counts as what that agent calls."""
    calls = (await planner.think(Prompt("local", tools.instructions, (Said("user", question),), tools.offers))).calls
    found: list[Call] = []
    for call in calls:
        below = tools.agents.get(call.name)
        found += await calls_for(planner, str(call.arguments["query"]), below) if below else (call,)
    return tuple(found)


def expected_tools(line: dict[str, Any], tools: ToolSet) -> list[str | None] | None:
    if "expect_tool" in line:
        wanted = line["expect_tool"]
        return wanted if isinstance(wanted, list) else [wanted]
    return tools.intents.get(line.get("intent", ""))


def judge(score: Score, line: dict[str, Any], wanted: list[str | None], calls: tuple[Call, ...]) -> None:
    score.asked += 1
    hit = next((call for call in calls if call.name in wanted), None)
    score.tool += bool(hit) or (not calls and None in wanted)
    arguments = line.get("expect_args") or {key: value for key, value in line.items() if key not in OWN_KEYS}
    known = bool(hit) and all(same(hit.arguments.get(k), v) for k, v in arguments.items()) if hit else False
    score.with_arguments += bool(arguments)
    score.arguments += bool(arguments) and known
    if not (known if arguments else hit or (not calls and None in wanted)):
        called = "; ".join(f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}" for call in calls)
        score.misses.append(f"{line['question']} → {called or 'nothing'}")


def same(found: Any, wanted: Any) -> bool:
    return found == wanted or str(found).casefold() == str(wanted).casefold()


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.routing", description=__doc__)
    parser.add_argument("--json", action="store_true", help="only the last line")
    parser.add_argument("--short", action="store_true", help="accepted for the sake of its fellows: it is short anyway")
    parser.add_argument("--misses", action="store_true", help="show what went wrong")
    args = parser.parse_args()
    sets = {path.stem.removeprefix("tools_"): ToolSet.load(path) for path in sorted(HERE.glob("tools_*.json"))}
    scores = {
        path.stem: await play(lines_of(path), sets | {"adf": our_tools()}) for path in sorted(HERE.glob("*.jsonl"))
    }
    for name in ("operators", "checklist"):
        scores[f"{name}_through_agents"] = await play(lines_of(HERE / f"{name}.jsonl"), {"adf": our_agents()})
    for name, score in scores.items():
        if not args.json:
            print(f"{name}: {score.tool} of {score.asked} tools, {score.arguments} of {score.with_arguments} arguments")
        for miss in score.misses if args.misses else ():
            print(f"  {miss}")
    print(json.dumps({name: score.as_json() for name, score in scores.items()}))


if __name__ == "__main__":
    asyncio.run(main())
