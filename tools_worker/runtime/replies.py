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
from tools_worker.datafactory.masking import mask_value
from tools_worker.runtime.tables import compact, is_table
from tools_worker.runtime.tools import Evidence, Reply

MAX_ERROR = 4000  # characters
MAX_EVIDENCE = 10  # an answer names fewer; ids in `data` are known to exist too
NOTHING_LEFT = "…"


def success(reply: Reply, seconds: float, fits: Callable[[str], bool]) -> str:
    """`seconds` is the time the tool took."""
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
    return _shrunk(masked | {"data": compact(masked["data"])}, fits)


def failure(error: AppError) -> str:
    """Always fits: what it names of a large call is cut."""
    told = str(error)
    words = told if len(told) <= MAX_ERROR else f"{told[:MAX_ERROR]}… ({len(told) - MAX_ERROR} more characters)"
    return dump(mask_value({"ok": False, "code": error.code, "error": words, "retryable": error.retryable}))


def dump(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":"), default=str)


def _most_telling(reply: Reply) -> list[Evidence]:
    """What the summary names comes first."""
    known = [evidence for evidence in reply.evidence if evidence.id]
    return sorted(known, key=lambda evidence: evidence.id not in reply.summary)[:MAX_EVIDENCE]


def _shrunk(answer: dict[str, Any], fits: Callable[[str], bool]) -> str:
    omitted: dict[str, int] = {}
    while not fits(text := dump(answer)) and answer["summary"] != NOTHING_LEFT:
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
