"""The pages about callers: their commands run against the real app, their workflows by a small engine of our own."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import KEY, World, world  # noqa: F401  (the fixture)
from tests.e2e.test_doors import receiving, stranger

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e")]
PAGES = Path(__file__).resolve().parents[2] / "docs" / "integrations"
BLOCK = re.compile(r"^( *)```(sh|python)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
TOLD = {  # what each block of a page shows, as the page says
    "http.md": ("{", '"status":"done"', "LoadFactSales", "done ", '"incidents"'),
    "logic-apps.md": ("202 Accepted",),
    "power-automate.md": ('"status":"done"', '"swagger":"2.0"'),
    "azure-monitor.md": ('"known":1',),
    "event-grid.md": ('"validationResponse":"tried-by-hand"',),
}


def blocks(page: str) -> list[tuple[str, str]]:
    found = BLOCK.findall((PAGES / page).read_text(encoding="utf-8"))
    return [(kind, textwrap.dedent(indent + body)) for indent, kind, body in found]


async def run(kind: str, code: str, world: World) -> str:  # noqa: F811
    command = ("bash", "-euc") if kind == "sh" else (sys.executable, "-c")
    env = {**os.environ, "APP": world.app_url, "KEY": KEY, "no_proxy": "*"}
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*command, code, env=env, stdout=pipe, stderr=pipe)
    out, err = await child.communicate()
    assert child.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.parametrize("page", TOLD)
async def test_the_commands_of_a_page_do_what_it_says(world: World, page: str) -> None:  # noqa: F811
    found = blocks(page)
    assert len(found) == len(TOLD[page])
    for (kind, code), expected in zip(found, TOLD[page], strict=True):
        assert expected in await run(kind, code, world)


def action(sample: str, name: str) -> dict[str, Any]:
    definition = json.loads((PAGES / "samples" / sample).read_text(encoding="utf-8"))["definition"]
    inputs: dict[str, Any] = definition["actions"][name]["inputs"]
    return inputs


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """What the engine makes of the expressions of a workflow."""
    if isinstance(value, dict):
        return {name: filled(inner, values) for name, inner in value.items()}
    for expression, meant in values.items() if isinstance(value, str) else ():
        value = value.replace(expression, meant)
    return value


def values(world: World, callback_url: str = "") -> dict[str, str]:  # noqa: F811
    return {
        "@{parameters('appUrl')}": world.app_url,
        "@parameters('functionKey')": KEY,
        "@{workflow().run.name}": "08584-a-workflow-run",
        "@{listCallbackUrl()}": callback_url,
    }


async def send(engine: httpx.AsyncClient, request: dict[str, Any]) -> httpx.Response:
    return await engine.request(request["method"], request["uri"], headers=request["headers"], json=request["body"])


async def test_the_http_action_follows_the_answer_to_its_end_without_the_key(world: World) -> None:  # noqa: F811
    request = filled(action("logic-app-polling.json", "Ask"), values(world))
    async with stranger(world) as engine, asyncio.timeout(60):
        answer = await send(engine, request)
        assert answer.status_code == 202
        while answer.status_code == 202:
            await asyncio.sleep(min(int(answer.headers["retry-after"]), 1))
            answer = await engine.get(answer.headers["location"])
    assert (answer.status_code, answer.json()["status"]) == (200, "done")
    assert answer.json()["answer"]


async def test_the_http_webhook_action_is_called_back_once(world: World) -> None:  # noqa: F811
    async with receiving() as (url, got), stranger(world) as engine:
        inputs = filled(action("logic-app-webhook.json", "Ask_and_wait"), values(world, url))
        assert (await send(engine, inputs["subscribe"])).status_code == 201
        async with asyncio.timeout(60):
            while not got:
                await asyncio.sleep(0.1)
        assert (await send(engine, inputs["unsubscribe"])).status_code == 204
    ((_, body),) = got
    assert json.loads(body)["status"] == "done"


async def test_the_web_activity_of_a_pipeline_is_taken(world: World) -> None:  # noqa: F811
    activity = json.loads((PAGES / "samples" / "adf-web-activity.json").read_text(encoding="utf-8"))
    told = filled(
        activity["typeProperties"]["body"],
        {
            "@{pipeline().Pipeline}": "LoadSales",
            "@{pipeline().RunId}": "11111111-1111-4111-8111-111111111111",
            "@{pipeline().DataFactory}": "adf-prod",
        },
    )
    async with world.http() as http:
        taken = await http.post("/api/alerts/plain", json=told)
    assert (taken.status_code, taken.json()) == (202, {"new": 1, "known": 0})
