"""The message that brings an answer to where its question was asked."""

from __future__ import annotations

import re

from orchestrator.notify.cards import parts
from orchestrator.notify.cards.parts import Part
from orchestrator.notify.port import Message
from orchestrator.runs.record import Run
from tools_worker.datafactory.wording import count, lasted

MAX_LINES = 40  # of an answer; the rest is counted
_HEADING = re.compile(r"#{1,6}\s+")
_ITEM = re.compile(r"[-*+]\s+")
_MARKED = re.compile(r"(\*\*|`{1,3})(?=\S)(.{1,300}?)(?<=\S)\1")  # underscores stay: names of pipelines hold them


def answer_message(run: Run, *, link: str = "") -> Message:
    """Of a run that has ended, however it ended."""
    answered = bool(run.answer)
    told: list[Part | None] = [
        parts.badge("Answer" if answered else "No answer", "accent" if answered else "attention"),
        parts.headline(run.question),
        *(_prose(run.answer) if answered else [parts.paragraph(run.error or _ended(run))]),
        _doubts(run),
        parts.paragraph(_origin(run), subtle=True),
    ]
    return parts.compose(f"{run.id}:answer", run.id, f"Answer to: {run.question}", told, link=link)


def plain(line: str) -> str:
    """A line without its markdown marks, which a text run would show."""
    line = line.strip()
    if _ITEM.match(line):
        line = "• " + _ITEM.sub("", line, count=1)
    return _MARKED.sub(r"\2", line)


def _line(line: str) -> Part:
    heading = _HEADING.match(line.strip())
    return parts.subheading(plain(line.strip()[heading.end() :])) if heading else parts.paragraph(plain(line))


def _prose(answer: str) -> list[Part]:
    lines = [line for line in answer.splitlines() if line.strip()]
    told = [_line(line) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        told.append(parts.paragraph(f"… {count(len(lines) - MAX_LINES, 'more line')}", subtle=True))
    return told


def _ended(run: Run) -> str:
    return {"cancelled": "It was cancelled.", "expired": "It took too long."}.get(run.status, "It failed.")


def _doubts(run: Run) -> Part | None:
    if not run.unsupported:
        return None
    return parts.paragraph(f"Do not trust what it says about {parts.names(run.unsupported, 3)}: no tool returned that.")


def _origin(run: Run) -> str:
    took = f" in {lasted(int(run.seconds * 1000))}" if run.seconds is not None else ""
    rests = f", rests on {count(len(run.evidence), 'id')}" if run.evidence else ""
    return f"{run.status.capitalize()}{took}{rests}. Run {run.id}."
