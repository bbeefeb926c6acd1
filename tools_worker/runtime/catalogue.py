"""Every tool of the app. Triggers, agent definitions and the queue list in infra/ follow from this list."""

from __future__ import annotations

from tools_worker.runtime.tools import ToolSpec
from tools_worker.tools import adf_activity_runs, adf_compare_runs, adf_diagnose_run, adf_failures, adf_pipeline_runs

TOOLS: tuple[ToolSpec, ...] = (
    adf_failures.TOOL,
    adf_pipeline_runs.TOOL,
    adf_activity_runs.TOOL,
    adf_diagnose_run.TOOL,
    adf_compare_runs.TOOL,
)

BY_NAME = {tool.name: tool for tool in TOOLS}
