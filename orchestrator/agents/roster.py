"""The agents: one supervisor, few specialists, each with a handful of tools.

A new specialist is one file in `instructions/` and one entry in SPECIALISTS.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.foundry.port import AgentSpec, McpServer, QueueTool, SubAgent
from tools_worker.runtime.arguments import schema
from tools_worker.runtime.catalogue import BY_NAME
from tools_worker.runtime.tools import ToolSpec

INSTRUCTIONS = Path(__file__).parent / "instructions"
SUPERVISOR = "ops_supervisor"
LEARN = "microsoft_learn"


@dataclass(frozen=True)
class Specialist:
    """`description` begins what the supervisor's model is told; what its tools do follows by itself.

    Names are letters and underscores only.
    """

    name: str
    description: str
    tools: tuple[str, ...]


SPECIALISTS = (
    Specialist(
        name="run_investigator",
        description=(
            "Explains why one pipeline or one run failed, is stuck or was cancelled: the root cause, the activity that "
            "really failed, and what to do. Give it the pipeline name or the run id."
        ),
        tools=("adf_diagnose_run", "adf_activity_runs", "adf_compare_runs", "adf_run_performance"),
    ),
    Specialist(
        name="pipeline_status",
        description=(
            "Says what failed, is failing, ran and is running, for all pipelines or for one, in the last hours or "
            "days. Give it the period and, if known, the pipeline name."
        ),
        tools=("adf_failures", "adf_pipeline_runs", "adf_run_history", "adf_factories"),
    ),
    Specialist(
        name="schedule_watch",
        description=("Watches schedules: what should have run and did not, what is late, what hangs or waits."),
        tools=("adf_missed_runs", "adf_stuck_runs", "adf_triggers"),
    ),
    Specialist(
        name="factory_analyst",
        description=(
            "Knows how factories are built, who changed what in them, and what they cost. Give it the pipeline, table, "
            "trigger, person or runtime."
        ),
        tools=("adf_explain_pipeline", "adf_lineage", "adf_changes", "adf_integration_runtimes", "adf_cost"),
    ),
    Specialist(
        name="repair",
        description=(
            "Proposes changes when a person orders one; it changes nothing itself. Give it the order word for word, "
            "with the pipeline name, run id or trigger."
        ),
        tools=(
            "adf_rerun",
            "adf_cancel_run",
            "adf_start_trigger",
            "adf_stop_trigger",
            "adf_rerun_window",
            "adf_run_pipeline",
            "adf_pause_schedule",
            "adf_resume_schedule",
            "adf_diagnose_run",
        ),
    ),
)


def supervisor(model: str, queue_endpoint: str, learn_url: str) -> AgentSpec:
    """The whole roster as one specification. `learn_url` is the documentation server, or empty for none."""
    helpers = tuple(SubAgent(told_to_supervisor(each), specialist(each, model, queue_endpoint)) for each in SPECIALISTS)
    learn = (McpServer(LEARN, learn_url),) if learn_url else ()
    return AgentSpec(SUPERVISOR, model, instructions(SUPERVISOR), (*helpers, *learn))


def told_to_supervisor(who: Specialist) -> str:
    """What it is for, and what its tools do: the supervisor sees nothing else of it. A tool that several have is told
    of the first, so that no two of them seem to be for the same."""
    earlier = {name for other in SPECIALISTS[: SPECIALISTS.index(who)] for name in other.tools}
    return " ".join([who.description, *(BY_NAME[name].description for name in who.tools if name not in earlier)])


def specialist(who: Specialist, model: str, queue_endpoint: str) -> AgentSpec:
    tools = tuple(queue_tool(BY_NAME[name], queue_endpoint) for name in who.tools)
    return AgentSpec(who.name, model, instructions(who.name), tools)


def queue_tool(tool: ToolSpec, queue_endpoint: str) -> QueueTool:
    return QueueTool(
        name=tool.name,
        description=tool.description,
        parameters=schema(tool.arguments),
        input_queue=tool.input_queue,
        output_queue=tool.output_queue,
        queue_endpoint=queue_endpoint,
    )


def instructions(name: str) -> str:
    return (INSTRUCTIONS / f"{name}.md").read_text(encoding="utf-8").strip()
