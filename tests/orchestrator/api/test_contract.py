"""The contract in both versions: whole, valid, and true to what routes there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV2SpecValidator, OpenAPIV31SpecValidator

from orchestrator.api import app as api
from orchestrator.api import callers, contract, problems
from orchestrator.api.swagger import CONNECTED, swagger
from tests.orchestrator.api.doors import through

MAX_SUMMARY = 80  # what the designer of Power Automate shows
MAX_BYTES = 1024 * 1024  # a custom connector takes no larger definition
OPERATION_ID = re.compile(r"[a-z]+(_[a-z]+)+")
ORIGIN = "https://func-contoso.azurewebsites.net"
APP = api.build()
DOCUMENT = APP.openapi()
CONNECTOR = swagger(DOCUMENT, ORIGIN)


def faults(app: FastAPI) -> Iterator[str]:
    """What the routes of an app leave unsaid."""
    described = {(path, method): op for path, method, op in contract.operations(app.openapi())}
    for path, route in callers.routes(app):
        for method in route.methods if route.include_in_schema else ():
            operation = described[path, method.lower()]
            yield from (f"{method} {path}: {fault}" for fault in _unsaid(route, operation, app.openapi()))


def _unsaid(route: Any, operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    if not OPERATION_ID.fullmatch(route.operation_id or ""):
        yield "operationId"
    summary = route.summary or ""
    if not 0 < len(summary) <= MAX_SUMMARY or summary.endswith("."):
        yield "summary"
    if not operation.get("description"):
        yield "description"
    yield from (f"description of {p['name']}" for p in operation.get("parameters", ()) if not p.get("description"))
    yield from (
        f"meaning of {s}" for s, r in operation["responses"].items() if r["description"] == "Successful Response"
    )
    yield from (f"example of {where}" for where, media in contents(operation) if "example" not in media)


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is taken or given, but for the problems that have no status of their own."""
    bodies = {"the request": operation.get("requestBody", {}), **operation["responses"]}
    for where, part in bodies.items():
        for media in part.get("content", {}).values() if where != "default" else ():
            yield where, media


def test_every_route_says_what_it_is_and_gives_examples() -> None:
    assert list(faults(APP)) == []


def test_a_route_that_says_nothing_is_found() -> None:
    app = contract.Described(openapi_url=None, docs_url=None, redoc_url=None, responses=problems.RESPONSES)

    @app.post("/api/bare/{thing}", dependencies=[Depends(api.KEY)])
    async def bare(thing: str, body: dict[str, str]) -> dict[str, str]:
        return body

    found = {fault.rpartition(": ")[2] for fault in faults(app)}
    unsaid = {"operationId", "summary", "description", "description of thing"}
    assert found == unsaid | {"example of the request", "example of 200"}


def test_a_guard_that_the_contract_does_not_know_is_found() -> None:
    class Stranger(callers.Guard):
        door = "api"

    app = contract.Described(openapi_url=None, docs_url=None, redoc_url=None)
    app.get("/api/strange", dependencies=[Depends(Stranger())])(lambda: None)
    with pytest.raises(KeyError):
        app.openapi()


def test_the_document_is_valid() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_operation_ids_are_unique() -> None:
    named = [operation["operationId"] for _, _, operation in contract.operations(DOCUMENT)]
    assert len(set(named)) == len(named)


def test_every_field_is_described() -> None:
    schemas = DOCUMENT["components"]["schemas"].items()
    fields = [(name, field, said) for name, schema in schemas for field, said in schema.get("properties", {}).items()]
    assert [(name, field) for name, field, said in fields if not said.get("description")] == []


@pytest.mark.parametrize(
    ("where", "media"),
    [
        pytest.param(where, media, id=f"{operation['operationId']} {where}")
        for _, _, operation in contract.operations(DOCUMENT)
        for where, media in contents(operation)
    ],
)
def test_an_example_is_what_its_schema_says(where: str, media: dict[str, Any]) -> None:
    schema = {"components": DOCUMENT["components"], **media.get("schema", {})}
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(media["example"])


@pytest.mark.parametrize(("path", "method", "operation"), list(contract.operations(DOCUMENT)))
def test_an_operation_says_who_may_call_it(path: str, method: str, operation: dict[str, Any]) -> None:
    schemes = {scheme for way in operation["security"] for scheme in way}
    assert schemes
    assert schemes <= DOCUMENT["components"]["securitySchemes"].keys()
    assert ("functionKey" in schemes) is path.startswith("/api/")


@pytest.mark.parametrize(("path", "method", "operation"), list(contract.operations(DOCUMENT)))
def test_an_operation_tells_its_problems_as_problem_details(path: str, method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    assert responses.keys() & {"200", "201", "204"}
    assert {"401", "403", "503", "default"} <= responses.keys()
    assert ("413" in responses) is ("requestBody" in operation)
    assert list(responses["403"]["content"]) == [problems.MEDIA_TYPE]
    assert list(responses["default"]["content"]) == [problems.MEDIA_TYPE]


def test_whoever_is_told_to_wait_is_told_where_and_how_long() -> None:
    asked = DOCUMENT["paths"]["/api/ask"]["post"]["responses"]
    assert asked["202"]["headers"].keys() == {"Location", "Retry-After"}


# the custom connector


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of a document, but for examples and defaults."""
    if isinstance(value, dict):
        yield value
        for key, each in value.items():
            is_value = key in ("example", "examples") or (key == "default" and "type" in value)
            yield from nodes(each) if not is_value else ()
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


def operations() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for item in CONNECTOR["paths"].values():
        for method in item.keys() & set(contract.METHODS):
            yield item, item[method]


def test_the_connector_is_valid() -> None:
    OpenAPIV2SpecValidator(CONNECTOR).validate()
    assert len(json.dumps(CONNECTOR)) < MAX_BYTES


def test_the_connector_has_what_people_ask_for_and_nothing_else() -> None:
    there = {operation["operationId"] for _, _, operation in contract.operations(DOCUMENT)}
    assert {operation["operationId"] for _, operation in operations()} == CONNECTED.keys() & there
    assert {"runs_ask", "runs_get", "diagnosis_make", "incidents_list", "subscriptions_create"} <= there


def test_the_first_way_into_the_connector_is_the_key() -> None:
    first = next(iter(CONNECTOR["securityDefinitions"].values()))
    assert (first["type"], first["in"], first["name"]) == ("apiKey", "header", "x-functions-key")


def test_the_connector_calls_the_apps_own_address() -> None:
    assert (CONNECTOR["host"], CONNECTOR["schemes"], CONNECTOR["basePath"]) == (ORIGIN[8:], ["https"], "/api")


def test_without_an_own_address_the_host_is_the_one_that_was_asked() -> None:
    made = swagger(DOCUMENT, "")
    assert "host" not in made
    OpenAPIV2SpecValidator(made).validate()


def test_nothing_that_only_newer_versions_know() -> None:
    newer = {"anyOf", "oneOf", "const", "nullable", "prefixItems", "$defs", "content", "requestBody"}
    for node in nodes(CONNECTOR):
        assert not newer & node.keys(), node
        assert node.get("type") != "null"
        assert not isinstance(node.get("type"), list), node
        assert not isinstance(node.get("exclusiveMinimum"), int | float) or node["exclusiveMinimum"] is True


def test_nothing_stands_beside_a_reference_that_it_would_hide() -> None:
    assert [node for node in nodes(CONNECTOR) if "$ref" in node and len(node) > 1] == []


def test_every_reference_leads_somewhere() -> None:
    named = {node["$ref"].rpartition("/")[2] for node in nodes(CONNECTOR) if "$ref" in node}
    assert named == CONNECTOR["definitions"].keys()


@pytest.mark.parametrize(("item", "operation"), list(operations()))
def test_an_operation_of_the_connector_can_be_shown(item: dict[str, Any], operation: dict[str, Any]) -> None:
    assert 0 < len(operation["summary"]) <= MAX_SUMMARY
    assert operation["description"]
    assert operation["x-ms-visibility"] in ("important", "advanced", "internal")
    for parameter in operation["parameters"]:
        if parameter["in"] != "body":
            assert parameter["x-ms-summary"]
            assert parameter["description"]
            assert parameter["x-ms-visibility"] == ("important" if parameter["required"] else "advanced")
            assert parameter.get("x-ms-url-encoding") == ("single" if parameter["in"] == "path" else None)


def test_every_field_of_the_connector_has_a_label_and_a_description() -> None:
    fields = [field for node in nodes(CONNECTOR["definitions"]) for field in _fields(node)]
    assert fields
    assert [field for field in fields if not (field.get("x-ms-summary") and field.get("description"))] == []


def _fields(node: dict[str, Any]) -> list[dict[str, Any]]:
    fields = node.get("properties", {})
    return list(fields.values()) if node.get("type") == "object" else []


def test_what_must_be_given_is_shown_first() -> None:
    fields = CONNECTOR["definitions"]["AskBody"]["properties"]
    shown = {name: field["x-ms-visibility"] for name, field in fields.items()}
    assert shown["question"] == "important"
    assert (shown["wait_seconds"], shown["factory"]) == ("advanced", "advanced")
    assert shown["callback_url"] == "internal"


def test_a_workflow_can_wait_for_an_answer_as_a_trigger() -> None:
    item = CONNECTOR["paths"]["/subscriptions"]
    address = CONNECTOR["definitions"]["SubscribeBody"]["properties"]["callback_url"]
    assert item["post"]["x-ms-trigger"] == "single"
    assert item["x-ms-notification-content"]["schema"] == {"$ref": "#/definitions/RunView"}
    assert (address["x-ms-notification-url"], address["x-ms-visibility"]) == (True, "internal")
    assert "callback_url" in CONNECTOR["definitions"]["SubscribeBody"]["required"]
    assert "Location" in item["post"]["responses"]["201"]["headers"]


def test_a_choice_of_schemas_is_refused_where_the_connector_is_made() -> None:
    document = json.loads(json.dumps(DOCUMENT))
    choice = {"anyOf": [{"type": "string"}, {"type": "integer"}]}
    document["components"]["schemas"]["AskBody"]["properties"]["question"] = choice
    with pytest.raises(ValueError, match="no choice"):
        swagger(document, ORIGIN)


@pytest.mark.parametrize(("own", "host"), [(ORIGIN, ORIGIN[8:]), ("", None)])
async def test_the_connector_is_served(own: str, host: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WEBSITE_HOSTNAME", raising=False)
    monkeypatch.setenv("PUBLIC_URL", own)
    transport = httpx.ASGITransport(through("api", APP))
    async with httpx.AsyncClient(transport=transport, base_url="https://stranger.example") as http:
        made = (await http.get("/api/swagger.json")).json()
    assert (made["swagger"], made.get("host")) == ("2.0", host)
