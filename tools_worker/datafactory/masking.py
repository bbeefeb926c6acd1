"""Secrets and personal addresses taken out of text that came from ADF, before it leaves the worker.

Each placeholder says what stood there: `[masked password]`. Masking twice changes nothing. Linear in the length of the
text: patterns are bounded, and one is only run where a word it needs occurs at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools_worker.datafactory.fields import sound

MAX_DEPTH = 40  # of a JSON value; Python's own stack ends a value of some hundred levels
MIN_SECRET_NAME = 20  # an access key has 20 characters
_IGNORE = re.IGNORECASE
_QUOTE = r"(?:\\{0,4}[\"'])"  # also as it looks inside JSON in JSON
_NOT_MASKED = r"(?!\s{0,5}\[masked)"
_BARE = r"[^\s;&\"'<>\\{}()]"  # where an unquoted value ends


@dataclass(frozen=True, slots=True)
class _Rule:
    needles: tuple[str, ...]  # lower case; one of them must occur
    pattern: re.Pattern[str]
    replacement: str


def _named(what: str, names: str, *needles: str) -> list[_Rule]:
    """`name=value`, `"name": "value"`, `name: value`: the name stays, the value goes."""
    head = rf"({names}){_QUOTE}?\s{{0,5}}"
    quoted = rf"({head}[=:]\s{{0,5}}(?P<q>{_QUOTE})){_NOT_MASKED}(?:(?!(?P=q)).){{1,4000}}"
    assigned = rf"({head}=\s{{0,5}}){_NOT_MASKED}{_BARE}{{1,4000}}"
    # After a colon prose may follow ("wrong password: check it"): the value must have a digit or a symbol in it.
    told = rf"({head}:\s{{0,5}}){_NOT_MASKED}(?=[A-Za-z.,-]{{0,100}}[0-9!#$%*+/=@^_~]){_BARE}{{4,4000}}"
    replacement = rf"\1[masked {what}]"
    return [
        _Rule(needles, re.compile(pattern, _IGNORE | re.DOTALL), replacement) for pattern in (quoted, assigned, told)
    ]


def _plain(what: str, pattern: str, *needles: str, flags: int = _IGNORE) -> _Rule:
    return _Rule(needles, re.compile(pattern, flags), rf"[masked {what}]")


def _value(needle: str, before: str, after: str) -> _Rule:
    """A row's own data between two phrases of the store that refused it. An empty value stays: it is the finding."""
    pattern = rf"({before})(?!\[masked)(?!{after})[^\r\n]{{1,400}}?(?={after})"
    return _Rule((needle,), re.compile(pattern, _IGNORE), r"\1[masked value]")


_RULES: tuple[_Rule, ...] = (
    _plain(
        "private key",
        r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----"
        r".*?(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
        "private key",
        flags=re.DOTALL,
    ),
    _plain("token", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?", "eyj", flags=0),
    _Rule(
        ("bearer",),
        re.compile(r"(\bbearer\s{1,5})(?=[A-Za-z._~+/=-]{0,200}[0-9])[A-Za-z0-9._~+/=-]{12,}", _IGNORE),
        r"\1[masked token]",
    ),
    _Rule(
        ("authorization",),
        re.compile(r"(\bauthorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic\s{1,3})[A-Za-z0-9+/=_-]{4,}", _IGNORE),
        r"\1[masked credentials]",
    ),
    _plain("integration runtime key", r"\bIR@[0-9a-f-]{36}@[^\s'\"<>]{4,400}", "ir@"),
    # abfss://container@account is an address, not a user: Hadoop's file systems write it so.
    _Rule(
        ("://",),
        re.compile(r"(?<!abfs)(?<!abfss)(?<!wasb)(?<!wasbs)://(?!\[masked)[^\s/'\"<>?#]{1,512}@", _IGNORE),
        "://[masked credentials]@",
    ),
    # A connection string's password may hold spaces and commas: it ends at the semicolon.
    _Rule(
        ("password", "pwd"),
        re.compile(
            rf"((?:password|pwd)\s{{0,5}}=\s{{0,5}}){_NOT_MASKED}(?![\"'])[^;\"'\r\n<>&=]{{1,128}}(?=;)", _IGNORE
        ),
        r"\1[masked password]",
    ),
    *_named(
        "SAS signature", r"(?<![A-Za-z0-9])sig|SharedAccessSignature", "sig=", 'sig"', "sig'", "sharedaccesssignature"
    ),
    *_named(
        "account key", r"AccountKey|account_key|storage_?key", "accountkey", "account_key", "storagekey", "storage_key"
    ),
    *_named(
        "shared access key", r"SharedAccessKey|SharedKey|secret_?access_?key", "sharedaccesskey", "sharedkey", "access"
    ),
    *_named("password", r"password|passwd|passphrase|pwd", "passw", "passphrase", "pwd"),
    *_named(
        "client secret",
        r"client[_-]?secret|servicePrincipalKey|app[_-]?secret|(?<![A-Za-z])secret",
        "secret",
        "serviceprincipalkey",
    ),
    *_named("key", r"api[_-]?key|subscription[_-]key|functions?[_-]?key|auth[_-]?key|private[_-]?key", "key"),
    *_named("token", r"(?:access|refresh|id|sas|auth|bearer)[_-]?token|(?<=[?&])token", "token"),
    *_named("credential", r"encryptedCredential", "encryptedcredential"),
    _Rule(("code=",), re.compile(r"([?&]code=)[A-Za-z0-9_/+%=-]{20,400}", _IGNORE), r"\1[masked key]"),
    _plain("client secret", r"(?<![\w~.-])[\w~.-]{3}[78]Q~[\w~.-]{31,34}(?![\w~.-])", "q~", flags=re.ASCII),
    _plain("account key", r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==", "==", flags=0),
    _plain("access key", r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])", "akia", "asia", flags=0),
    _plain(
        "token", r"(?<![A-Za-z0-9])(?:dapi[0-9a-f]{32}(?:-\d)?|gh[pousr]_[A-Za-z0-9]{36,255})", "dapi", "gh", flags=0
    ),
    _plain(
        "e-mail address",
        r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@"
        r"(?![A-Za-z0-9-]{1,63}\.(?:dfs|blob|file|queue|table)\.)"  # container@account of abfss
        r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}",
        "@",
    ),
    # The row's own data, quoted by the store that refused it.
    _Rule(
        ("offending value",),
        re.compile(r"(offending value(?!:?\s{0,5}\[masked):?\s{0,3})[^\r\n(]{1,400}", _IGNORE),
        r"\1[masked value] ",
    ),
    _Rule(
        ("duplicate key value is",),
        re.compile(r"(duplicate key value is \()(?!\[masked)[^)\r\n]{1,400}\)", _IGNORE),
        r"\1[masked value])",
    ),
    _value("converting value", r"converting value '", r"' for column"),
    _value("truncated value", r"truncated value: ?'", r"'(?:[\s.,;)]|$)"),
    _value("value '", r"converting the \w{1,20} value '", r"' to data type"),
    _value("value '", r"(?:invalid|numeric) value '", r"'(?:\.| is not recogni[sz]ed)"),
    _value("not recogni", r"\b(?:timestamp|date|time|boolean|number|string) '", r"' (?:is|was) not recogni[sz]ed"),
    _value("duplicate entry", r"duplicate entry '", r"' for key"),
    _value("value:", r"incorrect \w{1,20} value: '", r"' for column"),
    _value("cannot convert", r"cannot convert (?:value )?'", r"' to "),
    _value("input syntax", r"invalid input syntax for (?:type )?[\w ]{1,40}: \"", r"\"(?:[\s.,;)']|$)"),
    _value("for input string", r"for input string: \"", r"\"(?:[\s.,;)']|$)"),
    _value("key (", r"\bkey \([^()\r\n]{1,200}\)=\(", r"\) (?:already exists|is not present|is still)"),
    _value("failing row", r"failing row contains \(", r"\)\.?(?:[\s'\",;]|$)"),
    _value("dup key", r"dup key: \{", r"\}(?:[\s'\",;]|$)"),
)

_NEEDLES = tuple(dict.fromkeys(needle for rule in _RULES for needle in rule.needles))

_SECRET_FIELD = re.compile(
    r"password|passwd|pwd|secret(?!name|version|reference)|accountkey|sharedaccesskey|apikey|token$|encryptedcredential|connectionstring|sasuri|authkey",
    _IGNORE,
)


def mask(text: str) -> str:
    text = sound(text)
    lowered = text.lower()
    for needle in _NEEDLES:  # most texts hold none: a seventh of the time of asking each rule
        if needle in lowered:
            break
    else:
        return text
    for rule in _RULES:
        if any(needle in lowered for needle in rule.needles):
            text = rule.pattern.sub(rule.replacement, text)
    return text


def mask_value(value: Any, depth: int = 0) -> Any:
    """The same for a whole JSON value, which it leaves fit to be sent: no NaN, no bottomless nesting. A string under a
    secret's name is masked whatever it looks like."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None  # NaN and Infinity are no JSON
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth >= MAX_DEPTH:
        return f"[more than {MAX_DEPTH} levels deep]"
    if isinstance(value, Mapping):
        return {_mask_name(str(key)): _mask_field(str(key), entry, depth + 1) for key, entry in value.items()}
    return [mask_value(entry, depth + 1) for entry in value]


def _mask_name(name: str) -> str:
    """Names may come from ADF too (activities, parameters). Our own fields are short words, which hold no secret."""
    return name if len(name) < MIN_SECRET_NAME and name.isidentifier() else mask(name)


def _mask_field(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, str) and value and _SECRET_FIELD.search(name):
        return f"[masked {mask(name)}]"
    return mask_value(value, depth)
