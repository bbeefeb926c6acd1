"""The part of docs/configuration.md that is made from the descriptions; the rest of that page is written by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from core.settings import DESCRIBED
from core.settings.setting import Setting

BEGIN = "<!-- Made by `python -m core.settings --write` of what core/settings says: not to be edited here. -->"
END = "<!-- Up to here. -->"
OUR_AREAS = {  # heading and what is to be known of all of them
    "storage": ("Storage", ""),
    "foundry": ("Agent service", ""),
    "adf": ("Data Factory", ""),
    "policy": ("Policy", ""),
    "limits": (
        "Limits",
        "`ADF_TIMEOUT_SECONDS` < `TOOL_DEADLINE_SECONDS` < `RUN_DEADLINE_SECONDS` must hold: whoever waits for another "
        "must not give up first.",
    ),
    "teams": ("Teams", ""),
    "digest": ("Digest", ""),
    "audit": ("Audit trail", ""),
    "callers": ("Callers", ""),
    "telemetry": ("Telemetry", ""),
}
OTHER_AREAS = {
    "platform": (
        "Read by the app, set by others",
        "By the platform, or for both apps by `azd up`; not for you to set, but for the proxies.",
    ),
    "outputs": (
        "Read by the doctor on your machine",
        "Outputs of the templates, as `azd up` keeps them; `make doctor` finds them by itself.",
    ),
    "host": (
        "Read by the host and by libraries, not by the app",
        "`azd up` sets what is needed of them in Azure. `GET /api/health` does not look at them.",
    ),
}
HEAD = ("| setting | default | meaning | example | without it |", "|---|---|---|---|---|")
SHORT_HEAD = ("| name | meaning |", "|---|---|")


def page(old: str) -> str:
    """`old` with its part between the two marks made anew. Raises ValueError where they are missing."""
    before, begin, rest = old.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page has lost its marks:\n" + "\n".join((BEGIN, END)))
    return f"{before}{BEGIN}\n\n{made()}\n{END}{after}"


def made() -> str:
    return "\n".join(line for part in (_ours(), _others()) for line in part)


def _ours() -> Iterator[str]:
    for area, (title, told) in OUR_AREAS.items():
        yield from (f"### {title}", "")
        yield from (told, "") if told else ()
        yield from (*HEAD, *map(_row, _of(area)), "")


def _others() -> Iterator[str]:
    for area, (title, told) in OTHER_AREAS.items():
        yield from (f"## {title}", "", told, "")
        yield from (*SHORT_HEAD, *_short_rows(area), "")


def _of(area: str) -> list[Setting]:
    return [each for each in DESCRIBED if each.area == area]


def _short_rows(area: str) -> Iterator[str]:
    """Names of one meaning are one row."""
    for meaning, several in groupby(_of(area), lambda each: each.meaning):
        yield f"| {', '.join(f'`{each.name}`' for each in several)} | {meaning} |"


def _row(each: Setting) -> str:
    secret = "<br>*a secret*" if each.secret else ""
    cells = (f"`{each.name}`{secret}", _default(each), _meaning(each), f"`{each.shown}`", _without(each))
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def _default(each: Setting) -> str:
    values = ", ".join(f"`{value}`" for value in each.default.split(",")) if each.default else ""
    return f"{values} ({each.otherwise})" if values and each.otherwise else values or each.otherwise


def _meaning(each: Setting) -> str:
    if each.bounds is None:
        return each.meaning
    smallest, largest = each.bounds
    return f"{each.meaning} ({smallest:g} to {largest:g} {each.unit})"


def _without(each: Setting) -> str:
    text = each.without.rstrip(".")
    if not each.needed:
        return text
    return f"**needed**{f' (or `{each.instead}`)' if each.instead else ''}: {text}"
