"""The audit trail, searched and exported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from core.errors import InvalidArguments
from orchestrator.audit import search, services
from orchestrator.audit.lines import Line
from orchestrator.audit.record import ActorKind, Kind
from orchestrator.stores.audit import AuditStore, Wanted
from tools_worker.runtime.worker import utc_now

router = APIRouter(prefix="/api/audit", tags=["audit"])
Text = Annotated[str, StringConstraints(min_length=1, max_length=300)]
USUAL, LONGEST = timedelta(days=7), timedelta(days=366)
SHOWN, MAX_ENTRIES = 100, 10_000
YEARS = range(1970, 9999)  # on the clocks of all time zones
# What a spreadsheet takes for a formula, white space before it or not; also the signs of full width.
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
COLUMNS = (
    "at", "kind", "actor_kind", "actor", "actor_id", "channel", "subject", "factory", "what", "arguments", "why",
    "outcome", "chain", "seq", "hash", "intact",
)  # fmt: skip
EXAMPLE = '"at","kind","actor_kind"\r\n"2026-11-21T06:20:00.000000Z","approval","person"\r\n'


class ActorView(BaseModel):
    kind: ActorKind = Field(description="What sort of caller it was; only a `person` is one.")
    name: str = Field(description="For people; empty where nobody was named.")
    id: str = Field(description="Stays the same: a person's object id, a session.")


class AuditEntryView(BaseModel):
    at: AwareDatetime = Field(description="When it happened.")
    kind: Kind = Field(description="What sort of entry it is.")
    actor: ActorView = Field(description="Who did it.")
    channel: str = Field(description="The way it came in.")
    subject: str = Field(description="The id of the run, action or incident it belongs to.")
    factory: str = Field(description="Which factory; empty where it is about none.")
    what: str = Field(description="What was done: a question, a tool, a change; secrets masked, cut where it is long.")
    arguments: dict[str, Any] = Field(description="With what, secrets masked.")
    why: str = Field(description="The rule or the diagnosis it rests on.")
    outcome: str = Field(description="What came of it.")
    chain: str = Field(description="Of the process that recorded it.")
    seq: int = Field(ge=1, description="Its number in this chain.")
    hash: str = Field(description="SHA-256 of the entry, which the next one of its chain holds.")
    intact: bool = Field(description="Whether that is still the hash of the entry.")

    @classmethod
    def of(cls, line: Line) -> AuditEntryView:
        told = {name: line.entry[name] for name in cls.model_fields if name in line.entry}
        return cls(**{**told, "hash": line.hash, "intact": line.sound})


class AuditView(BaseModel):
    entries: list[AuditEntryView] = Field(description="Oldest first, by the days on which they were recorded.")
    next: str = Field(description="`cursor` of the next page; empty on the last one.")
    unreadable: int = Field(description="Entries that were tampered with so that they cannot be shown.")


@router.get(
    "",
    operation_id="audit_list",
    summary="Search or export the audit trail",
    response_model=AuditView,
    responses={
        200: {
            "content": {"text/csv": {"schema": {"type": "string"}, "example": EXAMPLE}},
            "headers": {"X-Next-Cursor": {"description": "As `next`.", "schema": {"type": "string"}}},
        }
    },
)
async def audit_list(
    store: Annotated[AuditStore, Depends(services.provided)],
    since: Annotated[AwareDatetime | None, Query(alias="from", description="Since then; seven days.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before then; now.")] = None,
    kind: Annotated[Kind | None, Query(description="Of this sort.")] = None,
    actor: Annotated[Text | None, Query(description="Done by who has this name or id.")] = None,
    subject: Annotated[Text | None, Query(description="Of this run, action or incident.")] = None,
    factory: Annotated[Text | None, Query(description="Of this factory.")] = None,
    format: Annotated[Literal["json", "csv"], Query(description="`csv` for spreadsheets.")] = "json",
    limit: Annotated[
        int | None, Query(ge=1, le=MAX_ENTRIES, description="At most so many; 100, as CSV 10,000.")
    ] = None,
    cursor: Annotated[Text | None, Query(description="`next` of the page before.")] = None,
) -> Response:
    """Who did what, why, and what came of it. `python -m orchestrator.audit verify` shows if anybody touched it."""
    end = until or utc_now()
    begin = since or (end - USUAL if end.year in YEARS else end)
    check(begin, end)
    equal = {
        "kind": kind or "",
        "subject": subject or "",
        "factory": (factory or "").casefold(),
    }
    wanted = Wanted(equal={name: value for name, value in equal.items() if value}, actor=(actor or "").casefold())
    most = limit or (SHOWN if format == "json" else MAX_ENTRIES)
    found = await search.page(store, wanted, begin, end, most, cursor or "")
    headers = {"Cache-Control": "no-store", "X-Next-Cursor": found.next}
    if format == "csv":
        name = f'attachment; filename="audit-{begin:%Y%m%d}-{end:%Y%m%d}.csv"'
        headers |= {"Content-Disposition": name, "X-Content-Type-Options": "nosniff"}
        return Response(table(found.lines), media_type="text/csv", headers=headers)
    entries = list(viewed(found.lines))
    unreadable = found.unreadable + len(found.lines) - len(entries)
    view = AuditView(entries=entries, next=found.next, unreadable=unreadable)
    return JSONResponse(view.model_dump(mode="json"), headers=headers)


def viewed(lines: Iterable[Line]) -> Iterator[AuditEntryView]:
    for line in lines:
        with suppress(ValidationError):  # only what was tampered with has another kind or no time
            yield AuditEntryView.of(line)


def check(begin: datetime, end: datetime) -> None:
    """Raises InvalidArguments."""
    if begin.year not in YEARS or end.year not in YEARS:
        raise InvalidArguments(f"The year must be from {YEARS[0]} to {YEARS[-1]}.", hint="Mend `from` or `until`.")
    if begin >= end:
        raise InvalidArguments("The period ends before it begins.", hint="Swap `from` and `until`.")
    if end - begin > LONGEST:
        raise InvalidArguments(f"The period is longer than {LONGEST.days} days.", hint="Ask for a year at a time.")


def table(lines: Iterable[Line]) -> str:
    """As CSV in which no cell is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    writer.writerows([defused(cell) for cell in _cells(line)] for line in lines)
    return text.getvalue()


def defused(cell: str) -> str:
    """With an apostrophe in front, a spreadsheet shows what else it would compute."""
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) or cell[:1] in ("\t", "\r", "\n") else cell


def _cells(line: Line) -> list[str]:
    entry = line.entry
    actor = entry["actor"]
    of_actor = {"actor_kind": actor["kind"], "actor": actor["name"], "actor_id": actor["id"]}
    own = {"hash": line.hash, "intact": str(line.sound).lower(), "arguments": _json(entry["arguments"])}
    return [str({**entry, **of_actor, **own}[name]) for name in COLUMNS]


def _json(arguments: Any) -> str:
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True) if arguments else ""
