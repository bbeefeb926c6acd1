"""The synchronous client of the SDK, as plain scripts use it."""

from __future__ import annotations

import asyncio

from azure.ai.agents import AgentsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import AzureKeyCredentialPolicy

from tests.localcloud.foundry.conftest import Scripted, StartStandIn, ToolWorker, foo


async def test_a_question_is_asked_and_answered(stand_in: StartStandIn, worker: ToolWorker) -> None:
    one = await stand_in(Scripted([foo()], "Foo says Bar."), queues=(worker.connection,))

    def ask() -> list[str]:
        key = AzureKeyCredential("local")
        policy = AzureKeyCredentialPolicy(key, "Authorization", prefix="Bearer")
        with AgentsClient(one.project, key, authentication_policy=policy) as client:  # type: ignore[arg-type]
            agent = client.create_agent(model="m", tools=[worker.definition])
            thread = client.threads.create()
            client.messages.create(thread.id, role="user", content="What would foo say?")
            run = client.runs.create_and_process(thread.id, agent_id=agent.id, polling_interval=0)
            with client.runs.stream(thread.id, agent_id=agent.id) as stream:
                last = [str(event) for event, _, _ in stream][-1]
            return [str(run.status.value if hasattr(run.status, "value") else run.status), last]

    async with worker:
        assert await asyncio.to_thread(ask) == ["completed", "done"]
