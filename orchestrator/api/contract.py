"""The contract: the app's OpenAPI 3.1 document, with what FastAPI cannot tell of itself.

FastAPI knows paths, parameters and schemas. Added here are who may call an operation (of its guard), the problems that
it may answer with (of what it takes), and examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI

from orchestrator.api import callers, links, persons, problems, teams_signature, tokens
from orchestrator.api.examples import EXAMPLES

METHODS = ("get", "put", "post", "delete", "patch")
Document = dict[str, Any]

SCHEMES: Mapping[str, Document] = {
    "functionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "x-functions-key",
        "description": "A key of the function app.",
    },
    "functionKeyInQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "code",
        "description": "The same key, for callers that send no headers.",
    },
    "linkSignature": {"type": "apiKey", "in": "query", "name": "sig", "description": "Part of a signed link."},
    "linkExpiry": {"type": "apiKey", "in": "query", "name": "exp", "description": "Part of a signed link."},
    "teamsSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`HMAC <signature>` of the raw body, as Teams' outgoing webhook sends it.",
    },
    "webhookToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of Microsoft Entra ID, as secure webhooks of Azure Monitor and Event Grid send it.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "AppServiceAuthSession",
        "description": "Of a person who signed in through App Service authentication.",
    },
}
SECURITY: Mapping[type[callers.Guard], list[Document]] = {  # any one of the listed ways
    callers.FunctionKey: [{"functionKey": []}, {"functionKeyInQuery": []}],
    links.SignedLink: [{"linkSignature": [], "linkExpiry": []}],
    teams_signature.TeamsSignature: [{"teamsSignature": []}],
    tokens.WebhookToken: [{"webhookToken": []}],
    persons.Person: [{"session": []}],
}
PROBLEMS: Mapping[str, tuple[str, problems.Problem]] = {
    "400": (
        "The body is not JSON.",
        problems.problem(400, "invalid_json", "The body is not JSON.", hint="Send a JSON object as UTF-8."),
    ),
    "401": (
        "The caller is not known.",
        problems.problem(
            401,
            "unauthenticated",
            "This link is wrong or no longer valid.",
            hint="Make a new one.",
            kind="authentication",
        ),
    ),
    "403": (
        "The caller may not do this.",
        problems.problem(
            403, "not_permitted", "This is not the way in.", hint="Call it under /api/.", kind="permission"
        ),
    ),
    "404": (
        "There is no such thing.",
        problems.problem(404, "not_found", "There is no run 'run-1'.", hint="Look at the id that you were given."),
    ),
    "409": (
        "Something else was done before.",
        problems.problem(
            409,
            "conflict",
            "This Idempotency-Key was used for another question.",
            hint="Give every question a key of its own.",
        ),
    ),
    "413": (
        "The body is too large.",
        problems.problem(413, "payload_too_large", "The body is larger than 32 KiB.", hint="Send less at once."),
    ),
    "422": (
        "A field is missing or wrong.",
        problems.problem(422, "invalid_request", "question: Field required.", hint="See /api/openapi.json."),
    ),
    "503": (
        "Something that is needed does not answer, or is not configured. Repeat it where `retryable` is true.",
        problems.problem(
            503,
            "upstream_unavailable",
            "Storage does not answer.",
            hint="Try again in a minute.",
            kind="network",
            retryable=True,
        ),
    ),
}
KEY_REFUSED = {"description": "The key is missing or wrong: answered by the Functions host, without a body."}
UNNAMED = "Successful Response"  # what FastAPI writes where a route says nothing
WELL: Mapping[str, str] = {"200": "Done.", "201": "Made.", "204": "Done. There is nothing to tell."}
HEADERS: Mapping[str, Document] = {
    "Location": {"description": "Where to look next, an absolute address.", "schema": {"type": "string"}},
    "Retry-After": {"description": "When to look, in seconds.", "schema": {"type": "string"}},
}


class Described(FastAPI):
    """An app whose document is whole."""

    def openapi(self) -> Document:
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi(), callers.routes(self))
        return self.openapi_schema


def completed(document: Document, routes: Iterable[tuple[str, Any]]) -> Document:
    """The document with security, problems and examples. Raises KeyError for a guard of an unknown kind."""
    asked = {(path, method.lower()): callers.guards(route) for path, route in routes for method in route.methods or ()}
    for path, method, operation in operations(document):
        guard = type(asked[path, method][0])
        operation["security"] = SECURITY[guard]
        _add_answers(operation, guard)
        _add_examples(operation)
    document["components"]["securitySchemes"] = dict(SCHEMES)
    return document


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Path, method and operation of each."""
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _add_answers(operation: Document, guard: type[callers.Guard]) -> None:
    responses = operation["responses"]
    for status, response in responses.items():
        if response["description"] == UNNAMED:
            response["description"] = WELL[status]
    for status in _possible(operation):
        responses.setdefault(status, _problem(*PROBLEMS[status]))
    if guard is callers.FunctionKey:
        responses["401"] = KEY_REFUSED
    if "default" in responses:
        responses["default"]["content"] = {problems.MEDIA_TYPE: {"schema": _ref("Problem")}}
    for status in {"201", "202"} & responses.keys():
        if _schema_name(_json(responses[status]).get("schema", {})) == "RunView":
            responses[status]["headers"] = {n: h for n, h in HEADERS.items() if status == "202" or n == "Location"}


def _possible(operation: Document) -> Iterator[str]:
    yield from ("401", "403", "503")
    parameters, body = operation.get("parameters", []), operation.get("requestBody", {})
    named = bool(_schema_name(_json(body).get("schema", {})))  # what is read field by field may name other things
    if named or any(parameter["in"] == "path" for parameter in parameters):
        yield "404"
    if named:
        yield "409"
    if body:
        yield from ("400", "413")
    if parameters or body:
        yield "422"


def _problem(description: str, example: problems.Problem) -> Document:
    content = {problems.MEDIA_TYPE: {"schema": _ref("Problem"), "example": example.model_dump()}}
    return {"description": description, "content": content}


def _add_examples(operation: Document) -> None:
    bodies = [("", operation["requestBody"])] if "requestBody" in operation else []
    for status, part in (*bodies, *operation["responses"].items()):
        for media in part.get("content", {}).values():
            if not media.keys() & {"example", "examples"}:
                _add_example(media, operation["operationId"], status)


def _add_example(media: Document, operation_id: str, status: str) -> None:
    named = _schema_name(media.get("schema", {}))
    for key in (f"{named} {status}", named, operation_id):
        if key in EXAMPLES:
            media["example"] = EXAMPLES[key]
            return


def _schema_name(schema: Document) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _json(part: Document) -> Document:
    found: Document = part.get("content", {}).get("application/json", {})
    return found


def _ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}
