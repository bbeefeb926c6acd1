"""Tool arguments: the JSON schema a model is shown, and the sentence it gets when they are wrong."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from core.errors import InvalidArguments
from tools_worker.runtime.tools import Arguments, ToolSpec

MAX_WRONG = 5  # arguments named in one answer
DROPPED = {"title", "$defs", "additionalProperties"}


def schema(arguments: type[Arguments]) -> dict[str, Any]:
    """JSON schema of the arguments: references resolved and noise dropped, since a model pays for every word."""
    full = arguments.model_json_schema()
    plain: dict[str, Any] = _plain(full, full.get("$defs", {}))
    known = plain.setdefault("properties", {})
    plain["properties"] = {name: known[name] for name in _own_first(arguments) if name in known}
    return plain


def _own_first(arguments: type[Arguments]) -> list[str]:
    """What a tool is about before what it shares with others: models read the first names as the important ones."""
    own = [name for name in arguments.model_fields if name in arguments.__annotations__]
    return [*own, *(name for name in arguments.model_fields if name not in own)]


def _plain(node: Any, definitions: Mapping[str, Any], *, names: bool = False) -> Any:
    """`names` says that the keys of this node are property names, which must all stay."""
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    optional = _without_null(node)
    return {
        key: _plain(value, definitions, names=key == "properties" and not names)
        for key, value in optional.items()
        if names or key not in DROPPED
    }


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """`str | None` is an optional string to a model: {"anyOf": [X, null]} becomes X, and a null default is dropped."""
    rest = [option for option in node.get("anyOf", []) if option != {"type": "null"}]
    if "anyOf" in node and len(rest) == 1:
        node = {**{k: v for k, v in node.items() if k != "anyOf"}, **rest[0]}
    return {k: v for k, v in node.items() if not (k == "default" and v is None)}


def parse(tool: ToolSpec, given: Mapping[str, Any]) -> Arguments:
    """Validated arguments. Raises InvalidArguments naming each wrong one and what the tool takes."""
    # Models send explicit nulls and empty strings for what they leave out.
    present = {key: value for key, value in given.items() if value is not None and value != ""}
    try:
        return tool.arguments.model_validate(present)
    except ValidationError as exc:
        found = exc.errors(include_url=False)
        wrong = " ".join(_sentence(error, tool) for error in found[:MAX_WRONG])
        wrong += f" And {len(found) - MAX_WRONG} more are wrong." if len(found) > MAX_WRONG else ""
        raise InvalidArguments(wrong, hint=f"{tool.name} takes: {takes(tool)}.") from None


def takes(tool: ToolSpec) -> str:
    """The arguments in words: `hours (integer, default 24), pipeline (string)`."""
    shape = schema(tool.arguments)
    required = shape.get("required", [])
    parts = []
    for name, field in shape["properties"].items():
        notes = [str(field.get("type", "value"))]
        notes += ["required"] if name in required else []
        notes += [f"default {field['default']}"] if "default" in field else []
        notes += ["one of " + ", ".join(map(str, field["enum"]))] if "enum" in field else []
        parts.append(f"{name} ({', '.join(notes)})")
    return ", ".join(parts) or "no arguments"


def _sentence(error: ErrorDetails, tool: ToolSpec) -> str:
    name = ".".join(str(part) for part in error["loc"]) or "arguments"
    if error["type"] == "missing":
        return f"Argument {name!r} is missing."
    if error["type"] == "extra_forbidden":
        close = get_close_matches(name, tool.arguments.model_fields, n=1)
        return f"There is no argument {name!r}." + (f" Closest: {close[0]!r}." if close else "")
    if error["loc"]:
        return f"Argument {name!r}: {error['msg']} (got {str(error['input'])[:80]!r})."
    return f"{error['msg'].removeprefix('Value error, ').rstrip('.').capitalize()}."
