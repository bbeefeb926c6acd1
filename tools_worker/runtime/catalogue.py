"""Every tool of the app. Triggers, agent definitions and the queue list in infra/ follow from this list."""

from __future__ import annotations

from tools_worker.runtime.tools import ToolSpec
from tools_worker.tools import (
    adf_activity_runs,
    adf_cancel_run,
    adf_changes,
    adf_compare_runs,
    adf_cost,
    adf_diagnose_run,
    adf_explain_pipeline,
    adf_factories,
    adf_failures,
    adf_integration_runtimes,
    adf_lineage,
    adf_missed_runs,
    adf_pause_schedule,
    adf_pipeline_runs,
    adf_rerun,
    adf_rerun_window,
    adf_resume_schedule,
    adf_run_history,
    adf_run_performance,
    adf_run_pipeline,
    adf_start_trigger,
    adf_stop_trigger,
    adf_stuck_runs,
    adf_triggers,
)

TOOLS: tuple[ToolSpec, ...] = (
    adf_failures.TOOL,
    adf_pipeline_runs.TOOL,
    adf_activity_runs.TOOL,
    adf_diagnose_run.TOOL,
    adf_compare_runs.TOOL,
    adf_missed_runs.TOOL,
    adf_run_history.TOOL,
    adf_stuck_runs.TOOL,
    adf_triggers.TOOL,
    adf_cost.TOOL,
    adf_explain_pipeline.TOOL,
    adf_factories.TOOL,
    adf_integration_runtimes.TOOL,
    adf_lineage.TOOL,
    adf_run_performance.TOOL,
    adf_changes.TOOL,
    adf_rerun.TOOL,
    adf_cancel_run.TOOL,
    adf_start_trigger.TOOL,
    adf_stop_trigger.TOOL,
    adf_rerun_window.TOOL,
    adf_run_pipeline.TOOL,
    adf_pause_schedule.TOOL,
    adf_resume_schedule.TOOL,
)

BY_NAME = {tool.name: tool for tool in TOOLS}
