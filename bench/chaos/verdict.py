"""From the logs to the figures: what was lost, doubled, late or left over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.chaos.asker import Asked
from bench.chaos.witness import Witness

# How an answer that is an honest error says so: the tools' own words for what they could not find out.
TOLD = (
    "not answering",
    "does not answer",
    "did not answer",
    "could not",
    "cannot",
    "too many",
    "throttl",
    "try again",
    "ended as",  # a sub-agent that failed or expired, as the one above it tells
)


@dataclass
class Verdict:
    asked: int
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.late or self.orphans)

    def figures(self, seed: int, faults: Mapping[str, int]) -> dict[str, Any]:
        return {
            "seed": seed,
            "asked": self.asked,
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "late": len(self.late),
            "orphans": len(self.orphans),
            "ends": dict(sorted(self.ends.items())),
            "faults": dict(sorted(faults.items())),
        }


def judge(
    log: Iterable[Asked],
    right: Mapping[str, frozenset[str]],
    witness: Witness,
    agent_runs: Mapping[str, int],
    orphans: list[str],
) -> Verdict:
    """`right`: the evidence of each question in calm; `agent_runs`: how many the agent service had for each run."""
    asked = list(log)
    verdict = Verdict(len(asked), orphans=orphans)
    for each in asked:
        verdict.ends[end := kind_of_end(each, right[each.question])] += 1
        label = f"question {each.number} ({', '.join(sorted(each.run_ids)) or 'never accepted'})"
        if end in ("none", "wrong", "blank"):
            verdict.lost.append(f"{label}: {end}: {dict(each.end) or each.trouble[-3:]}")
        if each.late:
            verdict.late.append(label)
        if len(each.run_ids) > 1 or changed(each):
            verdict.doubled.append(f"{label}: two runs or two ends")
    verdict.doubled += [f"{run}: {count} agent runs" for run, count in agent_runs.items() if count > 1]
    verdict.lost += [f"call {each}: no reply" for each in witness.missing]
    verdict.doubled += [f"call {each}: replies {witness.put[each]}" for each in witness.doubled]
    return verdict


def kind_of_end(asked: Asked, right: frozenset[str]) -> str:
    """right, told (an error in words), or what counts as lost: none, wrong, blank."""
    if asked.ended is None:
        return "none"
    end = asked.end
    if end["status"] != "done":
        error = end.get("error") or {}
        return "told" if error.get("code") and error.get("message", "").strip() else "blank"
    evidence = {str(item["id"]) for item in end.get("evidence") or ()}
    if len(evidence & right) * 2 >= len(right):
        return "right"
    if not evidence and any(words in str(end.get("answer", "")).lower() for words in TOLD):
        return "told"
    return "wrong"


def changed(asked: Asked) -> bool:
    """Whether a run that had ended says something else later."""
    parts = ("status", "answer", "error")
    return bool(asked.again) and any(asked.end.get(part) != asked.again.get(part) for part in parts)
