"""An agent used as a tool: a run of its own on a thread of its own, both readable; the parent stays in_progress."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from localcloud.foundry.errors import RunFailed
from localcloud.foundry.records import Run, ToolCall
from localcloud.foundry.tools.toolbox import Tool

if TYPE_CHECKING:
    from localcloud.foundry.execution import Execution

DEPTH_ERROR = "Assistant Tool Call Depth Error"


async def work(execution: Execution, call: ToolCall, tool: Tool) -> str:
    assistant = execution.service.store.assistants.get(tool.definition["id"])
    if assistant is None:
        return f"Error: the connected agent '{call.name}' no longer exists."
    if execution.run.depth:
        raise RunFailed("server_error", DEPTH_ERROR)
    child = execution.spawn(assistant, str(json.loads(call.arguments).get("query", "")))
    ids = {"run_id": child.run.id, "thread_id": child.run.thread_id, "assistant_id": assistant.id}
    if execution.service.settings.early_child_ids:
        call.extra = ids
    assert child.task
    await asyncio.wait([child.task])
    call.extra = ids
    return answer_of(execution, child.run, call.name)


def answer_of(execution: Execution, run: Run, name: str) -> str:
    """The child's last words, or how it ended. What the real service tells its model then is not known."""
    if run.status == "completed":
        said = execution.service.store.messages.get(run.thread_id, {}).values()
        return next((m.text for m in reversed(list(said)) if m.run_id == run.id), "")
    error = run.last_error or {}
    if error.get("message") == DEPTH_ERROR:
        raise RunFailed("server_error", DEPTH_ERROR)
    reason = error.get("message") or (run.incomplete_details or {}).get("reason") or run.status
    return f"Error: the agent '{name}' ended as {run.status}: {reason}"
