"""The parts that cards are made of, and how they become one message that fits.

Every part is an element of a card and the same as lines of plain text, so that both always tell the same. Text from
outside stands in text runs only: these know no markdown, so no link, mention or emphasis can be smuggled in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from core.settings import is_loopback_http
from orchestrator.notify.port import Message
from tools_worker.datafactory.masking import mask
from tools_worker.datafactory.wording import listed

Style = Literal["attention", "warning", "accent", "good", "emphasis"]
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"
MAX_BYTES = 24 * 1024  # Teams takes 28 KB with the envelope around the card
MAX_TITLE, MAX_LINE, MAX_PARAGRAPH, MAX_NAME = 200, 400, 1800, 160  # characters
MAX_URL = 2000
MAX_SECRET = 6000  # characters: what is masked is no longer, so none is cut in two before it is seen
MAX_ACTIONS = 4
SEVERITIES = {0: "critical", 1: "error", 2: "warning", 3: "information", 4: "detail"}
# Controls, and marks that reorder text or hide in it.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]"
)


@dataclass(frozen=True, slots=True)
class Part:
    element: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    title: str
    url: str


def shown(text: object, most: int = MAX_LINE) -> str:
    """Text from outside as people may see it: masked, on one line, without unseen characters, cut. The two braces by
    which a card would compute a date are parted."""
    told = str(text)
    read = told[: most + MAX_SECRET]  # megabytes are not masked to show their first words
    clean = mask(" ".join(_UNSEEN.sub("", read).split())).replace("{{", "{ {")
    whole = len(clean) <= most and len(read) == len(told)
    return clean if whole else f"{clean[:most].rstrip()}…"


def names(told: Sequence[str], most: int = 5) -> str:
    """`a, b and 7 more`."""
    return listed([*(shown(name, MAX_NAME) for name in told[:most]), *told[most:]], most)


def badge(words: str, style: Style) -> Part:
    """The first line: what this is about, in our own words."""
    title = {
        "type": "TextBlock",
        "text": words,
        "size": "Default",
        "weight": "Bolder",
        "style": "heading",
        "wrap": True,
    }
    if style != "emphasis":
        title["color"] = style.capitalize()
    return Part({"type": "Container", "style": style, "bleed": True, "items": [title]}, words)


def severity_style(severity: int) -> Style:
    return "attention" if severity <= 1 else "warning" if severity == 2 else "accent" if severity == 3 else "emphasis"


def severity_words(severity: int) -> str:
    return f"severity {severity} ({SEVERITIES[severity]})" if severity in SEVERITIES else f"severity {severity}"


def headline(text: object) -> Part:
    told = shown(text, MAX_TITLE)
    return Part(_runs(told, size="Large", weight="Bolder"), told)


def subheading(text: object) -> Part:
    told = shown(text, MAX_TITLE)
    return Part({**_runs(told, weight="Bolder"), "spacing": "Medium"}, told)


def paragraph(text: object, *, subtle: bool = False, most: int = MAX_PARAGRAPH) -> Part:
    told = shown(text, most)
    return Part(_runs(told, isSubtle=True) if subtle else _runs(told), told)


def quoted(text: object) -> Part:
    """What a program said, as it said it."""
    told = shown(text, MAX_LINE)
    return Part({"type": "Container", "style": "emphasis", "items": [_runs(told, fontType="Monospace")]}, f"> {told}")


def facts(told: Iterable[tuple[str, object]]) -> Part | None:
    """Names, in our own words, and their values; empty values are left out. None without any."""
    rows = [(name, shown(value)) for name, value in told if value not in ("", None)]
    if not rows:
        return None
    text = "\n".join(f"{name}: {value}" for name, value in rows)
    return Part({"type": "Container", "spacing": "Medium", "items": [_row(*row) for row in rows]}, text)


def _row(name: str, value: str) -> dict[str, Any]:
    label = {"type": "TextBlock", "text": name, "isSubtle": True, "wrap": True}
    columns = [
        {"type": "Column", "width": "110px", "items": [label]},
        {"type": "Column", "width": "stretch", "items": [_runs(value)]},
    ]
    return {"type": "ColumnSet", "spacing": "Small", "columns": columns}


def lines(title: str, told: Sequence[object], most: int = 5) -> Part | None:
    """A list under a title of our own; what is beyond `most` is counted. None without any line."""
    if len(told) == most + 1:
        most += 1  # a line instead of the word that there is one
    rows = [shown(line) for line in told[:most]]
    if not rows:
        return None
    if len(told) > most:
        rows.append(f"and {len(told) - most} more")
    heading = {"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True}
    items = [heading, *({**_runs(f"• {row}"), "spacing": "Small"} for row in rows)]
    text = "\n".join([f"{title}:", *(f"- {row}" for row in rows)])
    return Part({"type": "Container", "spacing": "Medium", "items": items}, text)


def _runs(text: str, **looks: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **looks}]}


def https(url: str) -> str:
    """The address as a card may open it, else nothing."""
    parts = _split(url)
    return url if parts and parts.scheme == "https" and parts.hostname and not parts.username else ""


def readable(url: str) -> str:
    """The address as a text may show it: a card's, or one of this machine while the app runs here."""
    return https(url) or (url if _split(url) and is_loopback_http(url) else "")


def _split(url: str) -> Any:
    if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None


def portal_run(factory: str, run_id: str) -> str:
    """The page of a run in Data Factory Studio. Nothing where the factory is not known by its resource id."""
    if not factory.lower().startswith("/subscriptions/") or not run_id or len(factory) > MAX_LINE:
        return ""
    return (
        f"https://adf.azure.com/en/monitoring/pipelineruns/{quote(run_id, safe='')}?factory={quote(factory, safe='')}"
    )


def compose(
    key: str,
    about: str,
    title: str,
    parts: Iterable[Part | None],
    *,
    link: str = "",
    opens: str = "Open",
    links: Sequence[Link] = (),
) -> Message:
    """One message of these parts, the most important first: what does not fit any more is left out, and that is said.
    `link` is our own page about it, which the button `opens` opens; `links` are buttons besides."""
    told = [part for part in parts if part]
    actions = _actions([Link(opens, link), *links])
    kept = _fitting(told, actions)
    if len(kept) < len(told):
        kept = [*kept, paragraph(f"{len(told) - len(kept)} more parts did not fit into this message.", subtle=True)]
    own = readable(link)
    text = "\n".join(part.text for part in kept) + (f"\n{own}" if own else "")
    return Message(
        key, about, shown(title, MAX_TITLE), text, _card([part.element for part in kept], actions, title), own
    )


def _actions(links: Sequence[Link]) -> list[dict[str, Any]]:
    usable = [link for link in links if https(link.url)]
    return [{"type": "Action.OpenUrl", "title": link.title, "url": link.url} for link in usable[:MAX_ACTIONS]]


def _fitting(parts: Sequence[Part], actions: Sequence[Mapping[str, Any]]) -> list[Part]:
    room = MAX_BYTES - size(list(actions)) - 2 * 1024  # for the card itself, its title, and the word about the rest
    kept: list[Part] = []
    for part in parts:
        room -= size(part.element) + 1
        if room < 0:
            break
        kept.append(part)
    return kept


def _card(body: list[Mapping[str, Any]], actions: list[dict[str, Any]], title: str) -> dict[str, Any]:
    card = {
        "type": "AdaptiveCard",
        "$schema": SCHEMA,
        "version": "1.5",
        "fallbackText": shown(title, MAX_TITLE),
        "body": body,
        "msteams": {"width": "Full"},
    }
    return {**card, "actions": actions} if actions else card


def size(value: object) -> int:
    """Bytes as JSON, as it is sent."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
