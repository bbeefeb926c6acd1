"""What the stand-in counts, and how it is started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from localcloud.foundry.__main__ import parser, settings_from
from localcloud.foundry.edge import route_of
from tests.localcloud.foundry.conftest import Scripted, StartStandIn, ToolWorker, foo

CHECKOUT = Path(__file__).resolve().parents[3]


async def test_requests_messages_and_runs_are_counted(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Scripted([foo()], "Foo says Bar."), queues=(worker.connection,))
    agent = await one.client.create_agent(model="m", tools=[worker.definition])
    async with worker:
        await one.run("?", agent.id)
    stats = await one.stats()
    assert stats["requests"]["POST /threads/{thread}/runs"] == 1
    assert (stats["queues"], stats["runs"], stats["turns"]) == ({"sent": 1, "received": 1}, {"completed": 1}, 2)
    assert stats["tool_output_bytes"] == len("Bar")
    assert stats["live"] == {"agents": 1, "threads": 1, "runs": 0}


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/projects/local/assistants", "/assistants"),
        ("/api/projects/p/threads/thread_1/runs/run_2/steps/step_3", "/threads/{thread}/runs/{run}/steps/{step}"),
        ("/api/projects/p/threads/runs", "/threads/runs"),
    ],
)
def test_routes_are_counted_without_their_ids(path: str, route: str) -> None:
    assert route_of(path) == route


def test_every_setting_can_be_given_on_the_command_line() -> None:
    args = parser().parse_args(
        ["--queues", "A", "--queues", "B", "--turn-ms", "5", "--planner", "gullible", "--faults", '{"no_reply": 1}']
    )
    settings = settings_from(args)
    assert (settings.queues, settings.turn_ms, settings.planner) == (("A", "B"), 5, "gullible")
    assert settings.faults == {"no_reply": 1}


@pytest.mark.parametrize("module", ["localcloud.foundry", "localcloud.learn"])
def test_a_process_says_where_it_is_and_ends_with_its_parent(module: str) -> None:
    command = [sys.executable, "-m", module, "--exit-with-stdin"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        ready = json.loads(process.stdout.readline())
        process.stdin.close()
        assert process.wait(20) == 0
    assert ready["ready"] is True
    assert ready["url"].startswith("http://127.0.0.1:")
