"""The contract as OpenAPI 2.0, as custom connectors of Power Automate and Logic Apps take it: what people ask for and
do, without what machines send.

Pure: made from the OpenAPI 3.1 document. A connector takes no other version, no `anyOf` and no null; it shows
`x-ms-summary` beside every field, and takes the first way to sign in that is defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from orchestrator.api.contract import SCHEMES, Document, operations

Visibility = Literal["important", "advanced", "internal"]
BASE = "/api"
DEFINITIONS = "#/definitions/"
CONNECTED: Mapping[str, Visibility] = {  # those that the document has are taken
    "runs_ask": "important",
    "runs_get": "important",
    "diagnosis_make": "important",
    "incidents_list": "important",
    "incidents_get": "important",
    "incidents_acknowledge": "important",
    "incidents_resolve": "important",
    "digest_get": "important",
    "subscriptions_create": "important",
    "subscriptions_delete": "internal",  # called by the connector itself, at the trigger's Location
}
TRIGGERS: Mapping[str, str] = {"subscriptions_create": "RunView"}  # what each sends to the address it was given
NOTIFIED = "callback_url"
KEPT = (
    "type",
    "format",
    "description",
    "default",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "pattern",
    "required",
    "additionalProperties",
)


def swagger(document: Document, origin: str) -> Document:
    """`origin` is the app's address, "" where it is unknown: then the host is the one that serves the document."""
    found: Document = {
        "swagger": "2.0",
        "info": {key: document["info"][key] for key in ("title", "description", "version")},
        **_place(origin),
        "basePath": BASE,
        "consumes": ["application/json"],
        "produces": ["application/json"],
        "securityDefinitions": {"functionKey": SCHEMES["functionKey"]},
        "security": [{"functionKey": []}],
        "paths": dict(_paths(document)),
    }
    found["definitions"] = _definitions(document, found["paths"])
    return found


def _place(origin: str) -> Document:
    if not origin:
        return {"schemes": ["https"]}
    parts = urlsplit(origin)
    return {"host": parts.netloc, "schemes": [parts.scheme]}


def _paths(document: Document) -> Iterator[tuple[str, Document]]:
    items: dict[str, Document] = {}
    for path, method, operation in operations(document):
        name = operation["operationId"]
        if name in CONNECTED:
            item = items.setdefault(path.removeprefix(BASE), {})
            item[method] = _operation(operation, document)
            if name in TRIGGERS:
                item[method]["x-ms-trigger"] = "single"
                content = {"description": "The run, when it has ended.", "schema": _ref(TRIGGERS[name])}
                item["x-ms-notification-content"] = content
    yield from items.items()


def _operation(operation: Document, document: Document) -> Document:
    parameters = [_parameter(parameter, document) for parameter in operation.get("parameters", [])]
    if body := operation.get("requestBody"):
        parameters.append(_body(body, document))
    return {
        "operationId": operation["operationId"],
        "summary": operation["summary"],
        "description": operation["description"],
        "x-ms-visibility": CONNECTED[operation["operationId"]],
        "parameters": parameters,
        "responses": {
            status: _response(response, document)
            for status, response in operation["responses"].items()
            if status.startswith("2") or status == "default"
        },
    }


def _parameter(parameter: Document, document: Document) -> Document:
    required = bool(parameter.get("required", False))
    made = {
        **_schema(parameter["schema"], document),
        "name": parameter["name"],
        "in": parameter["in"],
        "required": required,
        "description": parameter.get("description", ""),
        "x-ms-summary": _label(parameter["schema"].get("title", parameter["name"])),
        "x-ms-visibility": "important" if required else "advanced",
    }
    for unknown in ("x-nullable", "example"):  # a parameter has neither in 2.0
        made.pop(unknown, None)
    return {**made, "x-ms-url-encoding": "single"} if parameter["in"] == "path" else made


def _body(body: Document, document: Document) -> Document:
    return {
        "name": "body",
        "in": "body",
        "required": True,
        "schema": _schema(body["content"]["application/json"]["schema"], document),
    }


def _response(response: Document, document: Document) -> Document:
    made: Document = {"description": response["description"]}
    for kind, media in response.get("content", {}).items():
        made["schema"] = _schema(media.get("schema", {}), document)
        if "example" in media:
            made["examples"] = {kind: media["example"]}
    if "headers" in response:
        made["headers"] = {
            name: {"type": "string", "description": header["description"]}
            for name, header in response["headers"].items()
        }
    return made


def _definitions(document: Document, paths: Document) -> Document:
    """The schemas that these paths mention, and those that they mention."""
    made: Document = {}
    bodies = set(_bodies(paths))
    waiting = sorted(_mentioned(paths))
    while waiting:
        name = waiting.pop()
        if name not in made:
            made[name] = _schema(document["components"]["schemas"][name], document)
            if name in bodies:
                _show(made[name])
            waiting += sorted(_mentioned(made[name]))
    return dict(sorted(made.items()))


def _bodies(paths: Document) -> Iterator[str]:
    for item in paths.values():
        for operation in item.values():
            yield from (_name(each["schema"]) for each in operation.get("parameters", ()) if each["in"] == "body")


def _show(body: Document) -> None:
    """What must be given is shown at once, the rest on demand; the address to notify is filled in by the connector."""
    for name, field in body["properties"].items():
        required = name in body.get("required", ())
        field["x-ms-visibility"] = "important" if required else "advanced"
        if name == NOTIFIED:
            field["x-ms-visibility"] = "internal"
            if required:
                field["x-ms-notification-url"] = True


def _mentioned(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_mentioned, value))
    if not isinstance(value, dict):
        return set()
    here = {_name(value)} if isinstance(value.get("$ref"), str) else set()
    return here.union(*map(_mentioned, value.values()))


def _schema(schema: Document, document: Document) -> Document:
    """A schema of 3.1 in the words of 2.0."""
    schema, nullable = _not_null(schema)
    if "$ref" in schema:
        if len(schema) == 1 and not nullable:
            return _ref(_name(schema))
        # Beside a reference nothing counts in 2.0: what is said of the field needs the schema itself.
        schema = {
            **document["components"]["schemas"][_name(schema)],
            **{k: v for k, v in schema.items() if k != "$ref"},
        }
    made = {key: schema[key] for key in KEPT if key in schema}
    if "const" in schema:
        made["enum"] = [schema["const"]]
    if "properties" in schema:
        made["properties"] = {name: _field(name, each, document) for name, each in schema["properties"].items()}
    if "items" in schema:
        made["items"] = _schema(schema["items"], document)
    if isinstance(made.get("additionalProperties"), dict):
        made["additionalProperties"] = _schema(made["additionalProperties"], document)
    if schema.get("examples"):
        made["example"] = schema["examples"][0]
    return {**made, "x-nullable": True} if nullable else made


def _field(name: str, schema: Document, document: Document) -> Document:
    made = _schema({"description": "", **schema}, document)
    return {**made, "x-ms-summary": _label(schema.get("title", name))}


def _not_null(schema: Document) -> tuple[Document, bool]:
    """The schema without null, and whether null was in it."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if not choices:
        return schema, False
    if len(choices) > 1:
        raise ValueError(f"A connector knows no choice of schemas: {schema!r}.")
    rest = {key: value for key, value in schema.items() if key != "anyOf" and not (key == "default" and value is None)}
    return {**choices[0], **rest}, len(choices) < len(schema["anyOf"])


def _label(title: str) -> str:
    """`Run Id` and `run_id` → `Run id`."""
    return title.replace("_", " ").replace("-", " ").capitalize()


def _ref(name: str) -> Document:
    return {"$ref": f"{DEFINITIONS}{name}"}


def _name(schema: Document) -> str:
    return str(schema["$ref"]).rpartition("/")[2]
