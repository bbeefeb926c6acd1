"""Cutting a simulated run off: what was going on becomes Cancelled, what had not begun never happens."""

from __future__ import annotations

from dataclasses import replace

from localcloud.adf.behaviour import Cancellation
from localcloud.adf.simulated import ActivityRun, PipelineRun

CANCELLED = "Cancelled"


def cut(run: PipelineRun, by: Cancellation) -> PipelineRun:
    """The run as it looks when it was cancelled at that moment. Children go on unless the cancellation is recursive."""
    kept = tuple(_cut_activity(a, by) for a in run.activities if a.start <= by.moment)
    started = run.start if run.start is not None and run.start <= by.moment else None
    return replace(
        run,
        start=started or by.moment,
        end=by.moment,
        status=CANCELLED,
        message="",
        activities=kept,
        end_unrecorded=by.end_unrecorded,
    )


def _cut_activity(run: ActivityRun, by: Cancellation) -> ActivityRun:
    if run.end is not None and run.end <= by.moment:
        return run
    child = run.child
    if child is not None and by.recursive and (child.end is None or child.end > by.moment):
        child = cut(child, by)
    queued = min(run.queued, by.moment - run.start)
    return replace(run, end=by.moment, status=CANCELLED, failure=None, child=child, queued=queued)
