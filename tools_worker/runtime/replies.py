"""The text a tool call is answered with: JSON, masked, and small enough for a queue message.

A tool chooses its own detail. Should a reply still be too large, its longest lists are halved until it fits, and the
reply counts what was left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from core.errors import AppError
from core.telemetry import carrying
from tools_worker.datafactory.masking import mask_value
from tools_worker.runtime.tables import compact, is_table
from tools_worker.runtime.tools import Evidence, Reply

MAX_ERROR = 4000  # characters
MAX_EVIDENCE = 10  # an answer names fewer; ids in `data` are known to exist too
NOTHING_LEFT = "…"


def success(reply: Reply, seconds: float, fits: Callable[[str], bool], traceparent: str = "") -> str:
    """`seconds` is the time the tool took, `traceparent` where its trace is, for whoever follows the call."""
    answer: dict[str, Any] = {
        "ok": True,
        "summary": reply.summary,
        "data": dict(reply.data),
        "evidence": [asdict(evidence) for evidence in _most_telling(reply)],
        "truncated": reply.truncated,
        "next": list(reply.next),
        "seconds": round(seconds, 3),
    }
    masked = mask_value(answer)  # here too: the last gate before a reply leaves the worker
    return _shrunk(masked | {"data": compact(masked["data"])}, fits, carrying.in_reply(traceparent))


def failure(error: AppError, traceparent: str = "") -> str:
    """Always fits: what it names of a large call is cut."""
    told = str(error)
    words = told if len(told) <= MAX_ERROR else f"{told[:MAX_ERROR]}… ({len(told) - MAX_ERROR} more characters)"
    masked = mask_value({"ok": False, "code": error.code, "error": words, "retryable": error.retryable})
    return dump({**masked, **carrying.in_reply(traceparent)})


def dump(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=str)


def _most_telling(reply: Reply) -> list[Evidence]:
    """What the summary names comes first."""
    known = [evidence for evidence in reply.evidence if evidence.id]
    return sorted(known, key=lambda evidence: evidence.id not in reply.summary)[:MAX_EVIDENCE]


def _shrunk(answer: dict[str, Any], fits: Callable[[str], bool], last: Mapping[str, str]) -> str:
    omitted: dict[str, int] = {}
    while not fits(text := dump({**answer, **last})) and answer["summary"] != NOTHING_LEFT:
        answer["truncated"] = True
        _leave_out_some(answer, omitted)
        answer["omitted"] = omitted
    return text


def _leave_out_some(answer: dict[str, Any], omitted: dict[str, int]) -> None:
    """Halve the largest list or table; without one drop the largest value of `data`; at last cut the summary."""
    parts = (*answer["data"].items(), ("evidence", answer["evidence"]))
    lists = {name: found for name, part in parts if (found := _entries(part))}
    if lists:
        name = max(lists, key=lambda key: len(dump({"": lists[key]})))
        kept = lists[name][: len(lists[name]) // 2]
        omitted[name] = omitted.get(name, 0) + len(lists[name]) - len(kept)
        _put(answer, name, kept)
    elif answer["data"]:
        name = max(answer["data"], key=lambda key: len(dump({"": answer["data"][key]})))
        del answer["data"][name]
        omitted[name] = omitted.get(name, 0) + 1
    else:
        answer["next"] = []
        answer["summary"] = answer["summary"][: len(answer["summary"]) // 2].rstrip(NOTHING_LEFT) + NOTHING_LEFT


def _entries(part: Any) -> list[Any]:
    entries = part["rows"] if is_table(part) else part
    return entries if isinstance(entries, list) else []


def _put(answer: dict[str, Any], name: str, kept: list[Any]) -> None:
    if name == "evidence":
        answer[name] = kept
    elif is_table(answer["data"][name]):
        answer["data"][name] = answer["data"][name] | {"rows": kept}
    else:
        answer["data"][name] = kept
