"""ADF wraps an error in layers, one per container, pipeline and connector: peeled here to the one that tells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

MAX_LAYERS = 40
REMEMBERED, LARGEST_REMEMBERED = 300, 16_000  # messages, characters: a night has the same errors again and again
MAX_READ = 16_000  # characters of a message; beyond it only its head and tail are read, where the layers are

_TARGET = re.compile(r"\s*Operation on target (?P<name>.{1,260}?) failed: ?", re.DOTALL)
_OLD_TARGET = re.compile(r"\s*Activity (?P<name>.{1,260}?) failed: ", re.DOTALL)
_INNER = re.compile(
    r"\s*Activity failed because an inner activity failed"
    r"(?:; ?Inner activity name: (?P<name>.{1,260}?), Error: ?|\.?\s*$)",
    re.DOTALL,
)
_SIDE = re.compile(r"Failure happened on (?:the )?'(?P<side>Source|Sink)' side\s*\.?\s*", re.IGNORECASE)
_ERROR_CODE = re.compile(r"Error ?Code ?[=:] ?'?(?P<code>[A-Za-z][\w-]{2,80})")
_DATA_FLOW_CODE = re.compile(r"\bDF-[A-Za-z]\w{1,30}-\w{3,60}")
_CHAIN_MESSAGE = re.compile(r"Message=(?P<message>.*?)(?=,\s?Source=|,\},|,'{1,8}\s?Type=|,?'{1,8}$|$)", re.DOTALL)
_SAYS_NOTHING = re.compile(
    r"(?:Operation returned an invalid status code|One or more errors occurred|Exception of type"
    r"|Exception has been thrown by the target|A database operation failed\. Please search"
    r"|The remote server returned an error: \(\d{3}\) [\w ]{0,40}\.?$)",
    re.IGNORECASE,
)
_SQL = re.compile(
    r"(?:SqlErrorNumber=|SQL error number:? ?|\(?Msg |Error number:? ?)(?P<n>-2|\d{2,6})\b",
    re.IGNORECASE,
)
_SQLSTATE = re.compile(
    r"ERROR \[(?P<odbc>[0-9A-Z]{5})\]|SQLSTATE[=: ]{1,3}['\"(]?(?P<named>[0-9A-Z]{5})\b"
    r"|(?:Message=|PostgresException[^:]{0,20}:|ErrorCode=[^,]{0,60},|\.\.\.|^)\s?(?P<led>[0-9][0-9A-Z]{4}): "
)
_ORACLE = re.compile(r"\b(?:ORA|TNS)-\d{4,5}\b")
_HTTP = re.compile(
    r"(?:status ?code|StatusCode|HttpStatusCode|HTTP Status Code|HTTP error code|returned an error:|\bError|code)"
    r"[\s:='\"(-]{1,6}(?P<n>[45]\d\d)\b|\((?P<m>[45]\d\d)\) [A-Z]",
    re.IGNORECASE,
)
_CUT_JSON = re.compile(
    r'"(?:error)?code"\s*:\s*"(?P<code>[^"]{0,100})"\s*,\s*"message"\s*:\s*"?(?P<message>.*)', re.DOTALL | re.IGNORECASE
)
_CODE_KEYS = ("errorCode", "ErrorCode", "code", "StatusCode", "error_code")
_MESSAGE_KEYS = ("message", "Message", "ErrorMessage", "errorMessage")


@dataclass(frozen=True, slots=True)
class Peeled:
    """`message` is the innermost text, `text` everything (for patterns); `path` the activities named on the way in."""

    message: str
    text: str
    lowered: str = ""  # the same in lower case
    outer_code: str = ""
    inner_code: str = ""
    side: str = ""  # source or sink, where a copy says which
    path: tuple[str, ...] = ()
    sql_number: int | None = None
    http_status: int | None = None
    oracle_code: str = ""
    sqlstate: str = ""  # five characters, of ODBC and most databases
    codes: frozenset[str] = frozenset()  # every code that was named, in lower case
    empty_wrapper: bool = False  # only says that something inside failed


def peel(message: str, code: str = "") -> Peeled:
    """Never raises; a message without layers comes back as it is."""
    return _remembered(message, code) if len(message) <= LARGEST_REMEMBERED else _peeled(message, code)


def _peeled(message: str, code: str) -> Peeled:
    text = _readable(message)
    state = Peeled(message=text, text=text, outer_code=code)
    for _ in range(MAX_LAYERS):
        inner = _peel_one(state)
        if inner is None:
            break
        state = inner
    return _finish(state)


_remembered = lru_cache(REMEMBERED)(_peeled)


def _peel_one(state: Peeled) -> Peeled | None:
    text = state.message.strip()
    for pattern in (_INNER, _TARGET, _OLD_TARGET):
        match = pattern.match(text)
        if match:
            name = match["name"]
            rest = text[match.end() :]
            return replace(
                state,
                message=rest,
                path=(*state.path, name) if name else state.path,
                empty_wrapper=not rest.strip() and pattern is _INNER,
            )
    match = _SIDE.match(text)
    if match:
        return replace(state, message=text[match.end() :], side=match["side"].lower())
    return _peel_json(state, text)


def _peel_json(state: Peeled, text: str) -> Peeled | None:
    if not text.startswith(("{", '"')):
        return None
    found = _object_in(text)
    if found is None:
        return None
    code, message = found
    return replace(state, message=message, outer_code=state.outer_code or code, inner_code=code or state.inner_code)


def _object_in(text: str) -> tuple[str, str] | None:
    try:
        raw: Any = json.loads(text)
    except (ValueError, RecursionError):  # cut short by a client, or nested absurdly deep
        match = _CUT_JSON.search(text)
        return (match["code"], match["message"].rstrip('"} \n')) if match else None
    if isinstance(raw, str):
        return "", raw
    if not isinstance(raw, Mapping):
        return None
    inner = raw.get("error")
    return _code_and_message(inner if isinstance(inner, Mapping) else raw)


def _code_and_message(raw: Mapping[str, Any]) -> tuple[str, str] | None:
    code = next((str(raw[key]) for key in _CODE_KEYS if raw.get(key)), "")
    message = next((raw[key] for key in _MESSAGE_KEYS if isinstance(raw.get(key), str)), None)
    if message is None:
        return (code, "") if code else None
    return code, message


def _finish(state: Peeled) -> Peeled:
    text = state.message
    side = _SIDE.search(text)
    named = [m["code"] for m in _ERROR_CODE.finditer(text)]
    inner_code = named[0] if named else state.inner_code
    told = (*named, *_DATA_FLOW_CODE.findall(state.text), state.outer_code, state.inner_code)
    return replace(
        state,
        message=_innermost(text).strip(),
        inner_code=inner_code,
        lowered=state.text.lower(),
        codes=frozenset(code.lower() for code in told if code),
        side=state.side or (side["side"].lower() if side else ""),
        sql_number=_number(_SQL.search(text)),
        http_status=_number(_HTTP.search(text)),
        sqlstate=_group(_SQLSTATE.search(text)),
        oracle_code=found[0] if (found := _ORACLE.search(text)) else "",
    )


def _innermost(text: str) -> str:
    """Of a chain `…,Message=A,Source=…,''Type=…,Message=B,…` the last message that says something."""
    messages = [found for m in _CHAIN_MESSAGE.finditer(text) if (found := m["message"].strip())]
    telling = [message for message in messages if not _SAYS_NOTHING.match(message)]
    return (telling or messages or [text])[-1]


def _number(match: re.Match[str] | None) -> int | None:
    digits = _group(match)
    return int(digits) if digits else None


def _group(match: re.Match[str] | None) -> str:
    return next((group for group in match.groups() if group), "") if match else ""


def _readable(message: str) -> str:
    if len(message) > MAX_READ:
        half = MAX_READ // 2
        message = f"{message[:half]} … {message[-half:]}"
    return message.replace("&#44;", ",").replace("&#39;", "'")
