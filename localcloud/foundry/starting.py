"""From a request to a run: the agent's definition, overridden for this run."""

from __future__ import annotations

from localcloud.foundry.ids import unix_now
from localcloud.foundry.records import Assistant, Json, Run, Thread
from localcloud.foundry.settings import Settings

ECHOED = (
    "temperature",
    "top_p",
    "max_completion_tokens",
    "max_prompt_tokens",
    "truncation_strategy",
    "response_format",
    "tool_choice",
    "parallel_tool_calls",
)
REDACTED = "REDACTED"


def make_run(settings: Settings, thread: Thread, assistant: Assistant, body: Json, *, depth: int = 0) -> Run:
    resources = body.get("tool_resources") or assistant.tool_resources or thread.tool_resources
    masked, headers = mask_headers(resources)
    options = {"temperature": assistant.temperature, "top_p": assistant.top_p}
    options |= {"response_format": assistant.response_format}
    options |= {key: body[key] for key in ECHOED if body.get(key) is not None}
    return Run(
        thread_id=thread.id,
        assistant_id=assistant.id,
        model=body.get("model") or assistant.model,
        instructions=instructions_of(assistant, body),
        tools=body["tools"] if body.get("tools") is not None else assistant.tools,
        tool_resources=masked,
        metadata=body.get("metadata") or {},
        options=options,
        expires_at=int(unix_now() + settings.expires_seconds),
        depth=depth,
        secret_headers=headers,
    )


def instructions_of(assistant: Assistant, body: Json) -> str:
    """Those of the run replace the agent's; additional ones are appended."""
    own = body.get("instructions") or assistant.instructions or ""
    added = body.get("additional_instructions")
    return f"{own}\n{added}".strip() if added else own


def mask_headers(resources: Json) -> tuple[Json, Json]:
    """The resources as they may be told, and the header values apart, by server label."""
    if "mcp" not in resources:
        return resources, {}
    headers = {server["server_label"]: server.get("headers") or {} for server in resources["mcp"]}
    masked = [
        {**server, **({"headers": dict.fromkeys(server["headers"], REDACTED)} if server.get("headers") else {})}
        for server in resources["mcp"]
    ]
    return {**resources, "mcp": masked}, headers
