"""Factories and the definitions in them: list, get, create or update, delete, with etags and references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from starlette.responses import JSONResponse, Response

from localcloud.adf.arm import PROVIDER, ArmError, bad_request
from localcloud.adf.calls import Call, Handler, Operation
from localcloud.adf.clock import stamp
from localcloud.adf.definitions import BadDefinition
from localcloud.adf.factory import Factory, Resource
from localcloud.adf.living import LivingFactory

LIST_PAGE = 50


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of resource: its segment of the path, the operations' prefix, and how others refer to it."""

    segment: str
    operations: str
    reference: str

    @property
    def key(self) -> str:
        return self.segment.lower()


KINDS = (
    Kind("pipelines", "pipelines", "PipelineReference"),
    Kind("datasets", "datasets", "DatasetReference"),
    Kind("linkedservices", "linked_services", "LinkedServiceReference"),
    Kind("dataflows", "data_flows", "DataFlowReference"),
    Kind("triggers", "triggers", "TriggerReference"),
    Kind("integrationRuntimes", "integration_runtimes", "IntegrationRuntimeReference"),
)


async def list_factories(call: Call) -> Response:
    call.check_subscription()
    group = call.names.get("group")
    wanted = [f for f in call.world.factories if group is None or f.factory.group.casefold() == group.casefold()]
    return JSONResponse({"value": [_factory_body(living) for living in wanted]})


async def get_factory(call: Call) -> Response:
    body = _factory_body(call.factory)
    return Response(status_code=304) if call.headers.get("if-none-match") == body["eTag"] else JSONResponse(body)


async def list_resources(kind: Kind, call: Call) -> Response:
    factory, skip = call.factory.factory, int(call.query.get("$skiptoken") or 0)
    items = factory.all(kind.key)
    page: dict[str, Any] = {"value": [body_of(factory, kind, item) for item in items[skip : skip + LIST_PAGE]]}
    if len(items) > skip + LIST_PAGE:
        path = f"{factory.path}/{kind.segment}"
        page["nextLink"] = call.link(path, **{"$skiptoken": str(skip + LIST_PAGE)})
    return JSONResponse(page)


async def get_resource(kind: Kind, call: Call) -> Response:
    resource = found(kind.key, call)
    if call.headers.get("if-none-match", "").strip('"') == resource.etag:
        return Response(status_code=304)
    return JSONResponse(body_of(call.factory.factory, kind, resource))


async def put_resource(kind: Kind, call: Call) -> Response:
    factory, name = call.factory.factory, call.names["name"]
    properties = call.body().get("properties")
    if not isinstance(properties, dict):
        raise bad_request("The 'properties' of the resource are missing.", code="InvalidRequestContent")
    old = factory.get(kind.key, name)
    _check_etag(call, old)
    if old is not None and old.properties.get("runtimeState") == "Started":
        raise bad_request(
            "Cannot update enabled Trigger; the trigger needs to be disabled first.", name, "TriggerEnabledCannotUpdate"
        )
    _check_references(factory, properties)
    if kind.key == "triggers":
        properties = {**properties, "runtimeState": "Stopped"}
    try:
        written = factory.put(kind.key, old.name if old else name, properties)
    except BadDefinition as exc:
        raise bad_request(str(exc), name) from exc
    call.record(f"{kind.segment}/write", f"{kind.segment}/{written.name}")
    return JSONResponse(body_of(factory, kind, written))


async def delete_resource(kind: Kind, call: Call) -> Response:
    factory = call.factory.factory
    resource = factory.get(kind.key, call.names["name"])
    if resource is None:
        return Response(status_code=204)
    if resource.properties.get("runtimeState") == "Started":
        raise bad_request(
            "Cannot delete enabled Trigger; the trigger needs to be disabled first.",
            resource.name,
            "TriggerEnabledCannotDelete",
        )
    holder = _holder(factory, kind, resource.name)
    if holder is not None:
        raise bad_request(f"The document cannot be deleted since it is referenced by {holder}.", resource.name)
    factory.delete(kind.key, resource.name)
    call.record(f"{kind.segment}/delete", f"{kind.segment}/{resource.name}")
    return Response(status_code=200)


def found(kind: str, call: Call) -> Resource:
    """Raises ArmError."""
    name = call.names["name"]
    resource = call.factory.factory.get(kind, name)
    if resource is None:
        target = f"{call.factory.factory.path}/{kind}/{name}"
        raise ArmError(404, "NotFound", "The document could not be retrieved because it does not exist.", target)
    return resource


def body_of(factory: Factory, kind: Kind, resource: Resource) -> dict[str, Any]:
    return {
        "id": f"{factory.path}/{kind.segment}/{quote(resource.name)}",
        "name": resource.name,
        "type": f"{PROVIDER}/factories/{kind.segment}",
        "properties": resource.properties,
        "etag": resource.etag,
    }


def _factory_body(living: LivingFactory) -> dict[str, Any]:
    factory = living.factory
    return {
        "name": factory.name,
        "id": factory.path,
        "type": f"{PROVIDER}/factories",
        "properties": {
            "provisioningState": "Succeeded",
            "createTime": stamp(living.anchor.replace(year=living.anchor.year - 2, day=1, hour=8, minute=0)),
            "version": "2018-06-01",
        },
        "eTag": f'"{factory.etag}"',
        "location": factory.location,
        "identity": {"type": "SystemAssigned", **factory.identity},
        "tags": factory.tags,
    }


def _check_etag(call: Call, old: Resource | None) -> None:
    wanted = call.headers.get("if-match", "*").strip('"')
    if wanted != "*" and (old is None or old.etag != wanted):
        raise ArmError(
            412, "PreconditionFailed", "The condition specified using HTTP conditional header(s) is not met."
        )


def _check_references(factory: Factory, properties: Any) -> None:
    for kind in KINDS:
        for name in references(properties, kind.reference):
            standing = kind.key == "integrationruntimes" and name == "AutoResolveIntegrationRuntime"
            if not standing and factory.get(kind.key, name) is None:
                raise bad_request(f"The document creation or update failed because of invalid reference '{name}'.")


def _holder(factory: Factory, kind: Kind, name: str) -> str | None:
    for other in KINDS:
        for resource in factory.all(other.key):
            if name in set(references(resource.properties, kind.reference)):
                return resource.name
    return None


def references(value: Any, kind: str) -> Iterator[str]:
    """Names that a definition refers to, by the type of reference."""
    if isinstance(value, dict):
        if value.get("type") == kind and isinstance(value.get("referenceName"), str):
            yield value["referenceName"]
        for inner in value.values():
            yield from references(inner, kind)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner, kind)


def _for(kind: Kind) -> Iterator[Operation]:
    one, prefix = f"~/{kind.segment}/{{name}}", kind.operations
    handlers: tuple[tuple[str, str, str, Any], ...] = (
        (f"{prefix}_list_by_factory", "GET", f"~/{kind.segment}", list_resources),
        (f"{prefix}_get", "GET", one, get_resource),
        (f"{prefix}_create_or_update", "PUT", one, put_resource),
        (f"{prefix}_delete", "DELETE", one, delete_resource),
    )
    for name, method, path, handler in handlers:
        bound: Handler = partial(handler, kind)
        yield Operation(name, method, path, bound)


OPERATIONS = (
    Operation(
        "factories_list", "GET", f"/subscriptions/{{subscription}}/providers/{PROVIDER}/factories", list_factories
    ),
    Operation(
        "factories_list_by_resource_group",
        "GET",
        f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}/factories",
        list_factories,
    ),
    Operation("factories_get", "GET", "~", get_factory),
    *(operation for kind in KINDS for operation in _for(kind)),
)
