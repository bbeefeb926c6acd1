"""The flow behind a Workflows webhook: takes what a real one takes, and keeps the cards for whoever looks.

`POST /workflows/<id>/run?sig=local` is the flow. `/_cards` lists what it took, `/` shows it to people, `/_faults` makes
it answer otherwise for a while.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

SIGNATURE = "local"
CARD_TYPE = "application/vnd.microsoft.card.adaptive"
MAX_BYTES = 28 * 1024
MAX_KEPT = 2000
PAGE = """<!doctype html><meta charset="utf-8"><title>Channel</title><meta http-equiv="refresh" content="5">
<style>body{{font:15px/1.4 sans-serif;max-width:46em;margin:2em auto;background:#f5f5f5}}
article{{background:#fff;border-radius:6px;padding:.8em 1.2em;margin:1em 0;box-shadow:0 1px 3px #0003}}
time{{color:#666;font-size:80%}}p{{margin:.25em 0}}</style><h1>Channel</h1>{cards}"""


@dataclass
class Channel:
    """What was posted, in order, and how the next calls are answered instead."""

    cards: list[dict[str, Any]] = field(default_factory=list)
    posted: int = 0
    faults: list[Response] = field(default_factory=list)

    def post(self, card: dict[str, Any]) -> None:
        self.posted += 1
        self.cards.append({"seq": self.posted, "at": datetime.now(UTC).isoformat(), "card": card})
        del self.cards[:-MAX_KEPT]


def create_app() -> Starlette:
    channel = Channel()

    async def run(request: Request) -> Response:
        body = await request.body()
        if channel.faults:
            return channel.faults.pop(0)
        if request.query_params.get("sig") != SIGNATURE:
            return refused(401, "The signature in the address is wrong.")
        if len(body) > MAX_BYTES:
            return refused(413, f"{len(body)} bytes are more than a message may have.")
        try:
            found = list(cards(json.loads(body)))
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            return refused(400, f"The flow's template cannot read the body: {exc}")
        for card in found:
            channel.post(card)
        return Response(status_code=202)

    async def listed(request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        kept = [each for each in channel.cards if each["seq"] > after]
        return JSONResponse({"cards": kept, "posted": channel.posted})

    async def emptied(request: Request) -> Response:
        channel.cards.clear()
        channel.posted = 0
        return Response(status_code=204)

    async def faulty(request: Request) -> Response:
        """{"status": 429, "times": 3, "retry_after": 2}"""
        told = await request.json()
        headers = {"Retry-After": str(told["retry_after"])} if "retry_after" in told else None
        channel.faults = [Response(status_code=told["status"], headers=headers) for _ in range(told.get("times", 1))]
        return Response(status_code=204)

    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE.format(cards="".join(map(shown, reversed(channel.cards))) or "<p>Nothing yet.</p>"))

    return Starlette(
        routes=[
            Route("/workflows/{flow}/run", run, methods=["POST"]),
            Route("/_cards", listed, methods=["GET"]),
            Route("/_cards", emptied, methods=["DELETE"]),
            Route("/_faults", faulty, methods=["POST"]),
            Route("/", page),
        ]
    )


def refused(status: int, why: str) -> Response:
    return JSONResponse({"error": {"message": why}}, status)


def cards(body: Any) -> Iterator[dict[str, Any]]:
    """The cards of a message. Raises what the template would fail with."""
    if body["type"] != "message" or not body["attachments"]:
        raise ValueError("no message with attachments")
    for attachment in body["attachments"]:
        card = attachment["content"]
        if attachment["contentType"] != CARD_TYPE or card["type"] != "AdaptiveCard":
            raise ValueError("an attachment that is no card")
        if tuple(int(part) for part in card["version"].split(".")) > (1, 5):
            raise ValueError(f"version {card['version']} is not shown by Teams")
        yield card


def shown(posted: dict[str, Any]) -> str:
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in words(posted["card"]))
    return f"<article><time>{html.escape(posted['at'])}</time>{lines}</article>"


def words(element: Any) -> Iterator[str]:
    """The texts of a card, and where its buttons lead."""
    if isinstance(element, dict):
        if isinstance(element.get("text"), str):
            yield element["text"]
        if element.get("type") == "Action.OpenUrl":
            yield f"[{element.get('title', '')}] {element.get('url', '')}"
    inside = element.values() if isinstance(element, dict) else element if isinstance(element, list) else ()
    for child in inside:
        yield from words(child)
