"""Which tables a SQL query reads, as far as its text tells: a list of names and not a parse."""

from __future__ import annotations

import re

from tools_worker.datafactory.places import UNKNOWN, plain_name

MAX_QUERY = 20_000  # characters; tables are looked for in these
_NOT_TABLES = (
    re.compile(r"/\*.{0,5000}?\*/", re.DOTALL),
    re.compile(r"--[^\r\n]{0,2000}"),
    re.compile(r"'[^']{0,5000}'"),
    re.compile(r"\b(?:extract|trim|substring|overlay)\s{0,5}\([^()]{0,300}\)", re.IGNORECASE),
    re.compile(r"\bis\s+(?:not\s+)?distinct\s+from\b", re.IGNORECASE),
)
_OPEN = "_decided_at_run_time_"
_PART = r"(?:\[[^\]\r\n]{1,128}\]|\"[^\"\r\n]{1,128}\"|`[^`\r\n]{1,128}`|[\w$#@-]{1,128})"
_FROM = re.compile(rf"\b(?:from|join)\s{{1,20}}({_PART}(?:\.{_PART}){{0,3}})(?![\w$#@.(-])", re.IGNORECASE)
_FUNCTIONS = frozenset(
    {"openrowset", "openquery", "opendatasource", "openjson", "openxml", "table", "lateral", "unnest"}
)
_NAMED_HERE = re.compile(r"(?:\bwith|,)\s{1,20}(\w{1,128})\s{1,20}as\s{0,5}\(", re.IGNORECASE)


def tables_of(query: str) -> list[str]:
    """`sales.Orders`, once each, in order; UNKNOWN where a name is decided at run time. Empty when none is named."""
    text = query[:MAX_QUERY].replace(UNKNOWN, _OPEN)
    for pattern in _NOT_TABLES:
        text = pattern.sub(" ", text)
    made = _FUNCTIONS | {name.casefold() for name in _NAMED_HERE.findall(text)}
    names = [plain_name(found) for found in _FROM.findall(text)]
    told = [UNKNOWN if _OPEN in name else name for name in names if name.casefold() not in made]
    return list(dict.fromkeys(told))
