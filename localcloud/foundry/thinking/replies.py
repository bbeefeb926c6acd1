"""Reading what tools answered: their summaries and errors, the calls they suggest, and the words for the asker."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import Any

from localcloud.foundry.records import Json
from localcloud.foundry.thinking.question import SUGGESTED
from localcloud.foundry.thinking.turns import Call, Outcome

MAX_SHOWN = 5  # entries of a list that has no summary
MAX_TEXT = 400  # characters of one such entry
SIGNATURE = "(Composed by the local deterministic planner, not by a language model.)"
VAGUE = ("…", "...", "<", ">", "{", "}")  # a hint with these in a value is a pattern, not a call


def parsed(output: str) -> Any:
    try:
        return json.loads(output)
    except ValueError:
        return output


def told(outcome: Outcome) -> str:
    """What the outcome says, in words for the asker."""
    body = parsed(outcome.output)
    if isinstance(body, dict):
        return said_by(body, outcome.call.name)
    if isinstance(body, list):
        return listed(body)
    return without_hints(str(body)).strip() or f"{outcome.call.name} answered nothing."


def said_by(body: Json, name: str) -> str:
    if text := body.get("summary") or body.get("answer") or body.get("text") or body.get("message"):
        return str(text)
    if error := body.get("error"):
        text = error.get("message", str(error)) if isinstance(error, dict) else str(error)
        return f"{name} could not answer: {text}" + (" Trying again later may help." if body.get("retryable") else "")
    for key in ("results", "items", "value", "data"):
        if isinstance(body.get(key), list):
            return listed(body[key])
    return described(body) or f"{name} answered nothing."


def listed(entries: list[Any]) -> str:
    lines = [f"- {described(e) if isinstance(e, dict) else str(e)[:MAX_TEXT]}" for e in entries[:MAX_SHOWN]]
    more = len(entries) - len(lines)
    return "\n".join([*lines, *([f"- and {more} more"] if more > 0 else [])]) or "Nothing was found."


def described(entry: Json) -> str:
    """A record in a line: its title and content when it has them, else its plain fields."""
    title, content = entry.get("title") or entry.get("name"), entry.get("content") or entry.get("description")
    if title and content:
        link = entry.get("url") or entry.get("contentUrl") or entry.get("link")
        return f"{title}: {str(content)[:MAX_TEXT]}" + (f" ({link})" if link else "")
    plain = {k: v for k, v in entry.items() if isinstance(v, str | int | float) and v != ""}
    return ", ".join(f"{key.replace('_', ' ')}: {value}" for key, value in plain.items())[: 2 * MAX_TEXT]


def hints_of(outcome: Outcome) -> list[Call]:
    """The calls a reply suggests: its `next`, or the line an agent ends its answer with."""
    body = parsed(outcome.output)
    if isinstance(body, dict):
        return calls_in(str(hint) for hint in body.get("next") or [])
    return suggested_in(outcome.output)


def suggested_in(text: str) -> list[Call]:
    lines = [line.partition(SUGGESTED)[2] for line in text.splitlines() if line.startswith(SUGGESTED)]
    return calls_in(hint for line in lines for hint in line.split(";"))


def calls_in(hints: Iterable[str]) -> list[Call]:
    found = [call for hint in hints if (call := call_in(hint))]
    return [call for number, call in enumerate(found) if call not in found[:number]]


def call_in(hint: str) -> Call | None:
    """'tool_name key=value other="two words"' as a call, or None when it is no complete one."""
    try:
        name, *pairs = shlex.split(hint)
    except ValueError:
        return None
    arguments = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    if len(arguments) != len(pairs) or any(mark in value for value in arguments.values() for mark in VAGUE):
        return None
    return Call(name, {key: parsed(value) if value.isdigit() else value for key, value in arguments.items()})


def hint_line(calls: Iterable[Call]) -> str:
    texts = [
        " ".join([call.name, *(f"{k}={shlex.quote(str(v))}" for k, v in call.arguments.items())]) for call in calls
    ]
    return f"{SUGGESTED} {'; '.join(texts)}" if texts else ""


def without_hints(text: str) -> str:
    kept = [line for line in text.splitlines() if not line.startswith(SUGGESTED)]
    return "\n".join(kept).replace(SIGNATURE, "").strip()


def composed(outcomes: Iterable[Outcome]) -> str:
    """The answers one after another, each once."""
    texts = dict.fromkeys(told(outcome) for outcome in outcomes)
    kept = [text for text in texts if not any(text != other and text in other for other in texts)]
    return "\n\n".join(kept)
