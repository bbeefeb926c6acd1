"""Reading a request: its JSON, its service, the limits the service states."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from localcloud.foundry.errors import bad_request
from localcloud.foundry.records import Json
from localcloud.foundry.service import Service

MAX_METADATA, MAX_KEY, MAX_VALUE = 16, 64, 512
MAX_TEXT = 1_500_000


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def body_of(request: Request) -> Json:
    raw = await request.body()
    try:
        body = json.loads(raw) if raw.strip() else {}
    except ValueError:
        raise bad_request("We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict):
        raise bad_request("The body must be a JSON object.")
    metadata_of(body)
    return body


def required(body: Json, name: str) -> Any:
    if body.get(name) is None:
        raise bad_request(f"Missing required parameter: '{name}'.", param=name)
    return body[name]


def metadata_of(body: Json) -> Json:
    metadata = body.get("metadata") or {}
    if not isinstance(metadata, dict) or len(metadata) > MAX_METADATA:
        raise bad_request(f"'metadata' must be an object of at most {MAX_METADATA} pairs.", param="metadata")
    for key, value in metadata.items():
        if len(key) > MAX_KEY or not isinstance(value, str) or len(value) > MAX_VALUE:
            raise bad_request(
                f"Invalid 'metadata.{key}': keys have at most {MAX_KEY} characters, values are texts of at most "
                f"{MAX_VALUE}.",
                param="metadata",
            )
    return metadata


def content_of(value: Any) -> list[Json]:
    """A message's content as the service answers it, from a text or a list of blocks."""
    if isinstance(value, str):
        blocks: list[Json] = [{"type": "text", "text": value}]
    elif isinstance(value, list) and value and all(isinstance(block, dict) for block in value):
        blocks = value
    else:
        raise bad_request("'content' must be a text or a list of content blocks.", param="content")
    return [text_block(block) if block.get("type") == "text" else block for block in blocks]


def text_block(block: Json) -> Json:
    text = block["text"]["value"] if isinstance(block.get("text"), dict) else block.get("text")
    if not isinstance(text, str) or not text:
        raise bad_request("Message content must be non-empty.", param="content")
    if len(text) > MAX_TEXT:
        raise bad_request(f"content_size_exceeded: a text has at most {MAX_TEXT} characters.", param="content")
    return {"type": "text", "text": {"value": text, "annotations": []}}
