"""The manners of Azure Resource Manager: error bodies, resource envelopes, etags, pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

API_VERSION = "2018-06-01"
PROVIDER = "Microsoft.DataFactory"


class ArmError(Exception):
    """Answered as `{"error": {"code", "message", "target", "details"}}`."""

    def __init__(self, status: int, code: str, message: str, target: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.target = status, code, message, target

    def response(self, headers: Mapping[str, str] | None = None) -> Response:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            error |= {"target": self.target, "details": None}
        return JSONResponse({"error": error}, self.status, headers=headers)


def bad_request(message: str, target: str | None = None, code: str = "BadRequest") -> ArmError:
    return ArmError(400, code, message, target)


def no_factory(group: str, name: str) -> ArmError:
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{PROVIDER}/factories/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def no_group(name: str) -> ArmError:
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def no_subscription(name: str) -> ArmError:
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{name}' could not be found.")


def read_json(body: bytes) -> Any:
    """None for an empty body. Raises ArmError."""
    if not body.strip():
        return None
    try:
        return json.loads(body)
    except ValueError as exc:
        raise bad_request(
            "The request content was invalid and could not be deserialized.", code="InvalidRequestContent"
        ) from exc


def read_object(body: bytes) -> dict[str, Any]:
    """Raises ArmError."""
    value = read_json(body)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_request("The request content must be a JSON object.", code="InvalidRequestContent")
    return value
