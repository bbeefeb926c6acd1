"""The official description of the API, made into JSON schemas, and its examples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.localcloud.adf.conftest import SHARED

DESCRIPTION = SHARED / "swagger_spec/datafactory.json"
EXAMPLES = SHARED / "swagger_examples"


@dataclass(frozen=True)
class Published:
    id: str
    method: str
    path: str
    parameters: tuple[Mapping[str, Any], ...]
    responses: Mapping[str, Any]
    example: Path


@cache
def description() -> Any:
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


@cache
def operations() -> dict[str, Published]:
    """By id in lower case without underscores, as both sides spell them differently."""
    if not DESCRIPTION.is_file():
        return {}
    found = {}
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            if "operationId" in operation:
                published = _published(path, method, operation)
                found[plain(published.id)] = published
    return found


def plain(name: str) -> str:
    return name.replace("_", "").lower()


def faults(operation: Published, status: int, body: Any) -> list[str]:
    """Where a body does not follow the published schema of that answer."""
    response = operation.responses.get(str(status)) or operation.responses["default"]
    schema = response.get("schema")
    if schema is None:
        return []
    definitions = {name: _loosened(value) for name, value in description()["definitions"].items()}
    validator = Draft202012Validator({**_loosened(schema), "definitions": definitions})
    return [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(body)
    ]


def _published(path: str, method: str, operation: Mapping[str, Any]) -> Published:
    shared = description()["parameters"]
    parameters = [shared[p["$ref"].rsplit("/", 1)[-1]] if "$ref" in p else p for p in operation["parameters"]]
    reference = next(iter(operation["x-ms-examples"].values()))["$ref"]
    example = EXAMPLES / str(reference).rsplit("/", 1)[-1]
    return Published(operation["operationId"], method.upper(), path, tuple(parameters), operation["responses"], example)


def _loosened(schema: Any) -> Any:
    """What the description leaves open: definitions in other files, objects of any kind.

    Fields of answers may be null, and lists: the service's own examples and error bodies show both.
    """
    if isinstance(schema, list):
        return [_loosened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if str(schema.get("$ref", "")).startswith("./"):
        return {}
    if schema.get("type") == "object" and not schema.keys() & {"properties", "allOf", "additionalProperties"}:
        return {}
    loosened = {key: _loosened(value) for key, value in schema.items() if key not in ("readOnly", "x-ms-enum", "enum")}
    if isinstance(schema.get("type"), str) and (schema.get("readOnly") or schema["type"] == "array"):
        loosened["type"] = [schema["type"], "null"]
    return loosened
