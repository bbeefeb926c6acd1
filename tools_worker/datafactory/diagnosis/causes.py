"""Which activity really failed: the leaves of the failing branches, causes apart from consequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tools_worker.datafactory import fields
from tools_worker.datafactory.definitions import steps
from tools_worker.datafactory.diagnosis.record import MaskedFailure, Step, path_text
from tools_worker.datafactory.diagnosis.roles import FAIL, roles
from tools_worker.datafactory.diagnosis.tree import Node
from tools_worker.datafactory.failures import Failure, classify, peel, signature_of
from tools_worker.datafactory.leaves import CONTAINERS, EXECUTE_PIPELINE, Attempts
from tools_worker.datafactory.models import CANCELLED, SUCCEEDED, ActivityRun, PipelineRun
from tools_worker.datafactory.wording import count, safe, spoken

Definitions = Mapping[str, Mapping[str, Any]]  # pipeline name → its definition


@dataclass(frozen=True, slots=True)
class Cause:
    """A failure that nothing below it explains. `alike` counts the iterations that failed in the same way."""

    path: tuple[Step, ...]
    run: PipelineRun  # the run it happened in
    activity: ActivityRun | None  # None: the run failed and no activity says why
    failure: Failure
    earlier_attempts: int = 0
    earlier_errors: tuple[str, ...] = ()  # of the attempts before, where they failed in another way
    alike: int = 1

    @property
    def text(self) -> str:
        return path_text(self.path)


def causes(root: Node, definitions: Definitions) -> list[Cause]:
    """Of a failed run, the most telling first: what ADF blames, else what failed first."""
    found: list[Cause] = []
    waiting: list[tuple[Node, tuple[Step, ...]]] = [(root, ())]
    while waiting:
        node, above = waiting.pop(0)
        path = (*above, Step("pipeline", node.run.pipeline, node.run.run_id))
        leaves = roles(node, definitions.get(node.run.pipeline)).causes
        if not leaves:
            found.append(_without_activity(node, path))
        for group, alike in _alike(leaves):
            step = _steps(node, group, definitions.get(node.run.pipeline))
            child = node.children.get(group.last.id)
            if child is not None and (child.run.failed or _any_failed(child)):
                waiting.append((child, (*path, *step)))
            else:
                cause = _at_activity(node, (*path, *step, *_cancelled(child)), group)
                found.append(replace(cause, alike=alike))
    return _merged(found)


def _alike(leaves: Iterable[Attempts]) -> list[tuple[Attempts, int]]:
    """Of thousands of iterations that failed alike one is looked at, and the others are counted. A child is looked at
    in any case: the call's own error only repeats what happened in it."""
    first: dict[tuple[str, str], Attempts] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for group in leaves:
        run = group.last
        key = (run.name, run.id if run.type == EXECUTE_PIPELINE else signature_of(run.error.message, run.error.code))
        first.setdefault(key, group)
        counts[key] += 1
    return [(group, counts[key]) for key, group in first.items()]


def _cancelled(child: Node | None) -> tuple[Step, ...]:
    """Nothing failed in a child that was cancelled: the way ends with it."""
    if child is None or child.run.status not in CANCELLED:
        return ()
    return (Step("pipeline", child.run.pipeline, child.run.run_id),)


def handled_failures(root: Node, definitions: Definitions) -> list[MaskedFailure]:
    """What failed for good below a run that succeeded: an on-failure path swallowed it, or nobody waited for it."""
    found = []
    for node in root.walk():
        failed = roles(node, definitions.get(node.run.pipeline)).causes if node.run.failed else _ended_badly(node)
        unseen = f"the run above it does not show that run {node.run.run_id} of {node.run.pipeline} failed"
        how = unseen if node.run.failed else "an on-failure path hid it"
        found += [_handled(node, group.last, how) for group in failed if group.last.id not in node.children]
    return found


def _ended_badly(node: Node) -> list[Attempts]:
    return [group for group in node.groups if group.last.failed and group.last.type not in CONTAINERS]


def passed_over(root: Node, definitions: Definitions) -> list[MaskedFailure]:
    """Activities of failed runs that failed too, but not the run: it went on in any case."""
    return [
        _handled(node, group.last, "the run went on regardless")
        for node in root.walk()
        if node.run.failed
        for group in roles(node, definitions.get(node.run.pipeline)).passed
    ]


def followed(root: Node, definitions: Definitions) -> tuple[str, ...]:
    """Handlers of a failure that failed themselves, in sentences: nobody was told, nothing was cleaned up."""
    return tuple(
        f"{group.last.name} of {node.run.pipeline}, which runs after a failure, failed too "
        f"({spoken(classify(group.last.error.message, group.last.error.code, group.last.type).category)})."
        for node in root.walk()
        if node.run.failed
        for group in roles(node, definitions.get(node.run.pipeline)).followers
        if group.last.type != FAIL
    )


def _handled(node: Node, leaf: ActivityRun, how: str) -> MaskedFailure:
    failure = classify(leaf.error.message, leaf.error.code, leaf.type)
    return MaskedFailure(
        kind="handled_failure",
        activity=leaf.name,
        pipeline=node.run.pipeline or leaf.pipeline,
        what=f"{leaf.name} failed ({spoken(failure.category)}) and {how}",
        activity_run_id=leaf.id,
        error=safe(failure.message, 200),
    )


def lossy_copies(root: Node) -> list[MaskedFailure]:
    """Copies that succeeded and moved nothing, or skipped rows. The first is right for a delta load with nothing new,
    the second is what the copy was told to do: both are told, not judged."""
    found = []
    for node in root.walk():
        for run in (group.last for group in node.groups):
            if run.type == "Copy" and run.status == SUCCEEDED:
                found += [*_nothing_moved(node, run), *_rows_skipped(node, run)]
    return found


def _nothing_moved(node: Node, run: ActivityRun) -> list[MaskedFailure]:
    read = _moved_nothing(run.output)
    if read is None:
        return []
    return [_lost(node, run, "zero_rows", f"copy {run.name} succeeded and moved nothing ({read} rows read)")]


def _rows_skipped(node: Node, run: ActivityRun) -> list[MaskedFailure]:
    """Fault tolerance lets a copy go on without the rows that do not fit."""
    skipped = fields.whole(run.output, "rowsSkipped") or 0
    if skipped <= 0:
        return []
    read = fields.whole(run.output, "rowsRead")
    of = f" of {read:,}" if read else ""
    return [_lost(node, run, "skipped_rows", f"copy {run.name} succeeded and skipped {skipped:,}{of} rows")]


def _lost(node: Node, run: ActivityRun, kind: str, what: str) -> MaskedFailure:
    return MaskedFailure(kind, run.name, node.run.pipeline or run.pipeline, what, run.id)


def _moved_nothing(output: Mapping[str, Any]) -> int | None:
    """Rows read, of a copy that wrote none; None when it wrote something or does not say."""
    copied = fields.whole(output, "rowsCopied")
    if copied is None:
        files, written = fields.whole(output, "filesWritten"), fields.whole(output, "dataWritten")
        return 0 if written == 0 and files in (0, None) and "dataWritten" in output else None
    return (fields.whole(output, "rowsRead") or 0) if copied == 0 else None


def _steps(node: Node, group: Attempts, definition: Mapping[str, Any] | None) -> tuple[Step, ...]:
    """The containers around the activity, then the activity."""
    activity = group.last
    around = _around(node, activity, definition)
    own = Step("activity", activity.name, activity.id, _iteration(node, group))
    return (*(Step("activity", run.name, run.id) for run in around), own)


def _around(node: Node, activity: ActivityRun, definition: Mapping[str, Any] | None) -> list[ActivityRun]:
    containers = {run.name: run for run in _failed(node) if run.type in CONTAINERS and run.id != activity.id}
    if definition is not None:
        inside = {step.name: step.inside for step in steps(definition)}
        if activity.name in inside:
            return [containers[name] for name in _chain(activity.name, inside) if name in containers]
    chain, name = list[ActivityRun](), activity.name
    while (outer := _naming(containers, name)) is not None and outer not in chain:
        chain.insert(0, outer)
        name = outer.name
    return chain or [run for run in containers.values() if _spans(run, activity)]


def _chain(name: str, inside: Mapping[str, str]) -> list[str]:
    """The containers around an activity, outermost first."""
    found: list[str] = []
    while (name := inside.get(name, "")) and name not in found:
        found.insert(0, name)
    return found


def _naming(containers: Mapping[str, ActivityRun], name: str) -> ActivityRun | None:
    """The container whose error says that this activity failed inside it."""
    for container in containers.values():
        if container.name != name and name in peel(container.error.message).path:
            return container
    return None


def _spans(outer: ActivityRun, inner: ActivityRun) -> bool:
    if outer.start is None or inner.start is None or outer.start > inner.start:
        return False
    return outer.end is None or inner.end is None or outer.end >= inner.end


def _iteration(node: Node, group: Attempts) -> str:
    if not group.last.iteration:
        return ""
    turns = [other.last for other in node.groups if other.last.name == group.last.name]
    failed = sum(turn.failed for turn in turns)
    return f"{failed} of {count(len(turns), 'iteration')} failed" if len(turns) > 1 else ""


def _at_activity(node: Node, path: tuple[Step, ...], group: Attempts) -> Cause:
    error = group.last.error
    message = error.message or _said_by_run(node, group.last.name)
    failure = classify(message, error.code, group.last.type)
    if group.last.type == EXECUTE_PIPELINE:  # the child could not be read: its activities are known by name only
        path = (*path, *(Step("activity", name, "") for name in failure.path))
    return Cause(path, node.run, group.last, failure, group.earlier_failures, _other_errors(group, failure))


def _other_errors(group: Attempts, last: Failure) -> tuple[str, ...]:
    """`throttling quota (HTTP 429)`, once each. The last attempt decides, but what it got past may explain it."""
    earlier = [classify(run.error.message, run.error.code, run.type) for run in group.runs[:-1] if run.failed]
    kinds = [
        f"{spoken(f.category)}{f' ({f.numbers})' if f.numbers else ''}" for f in earlier if f.category != last.category
    ]
    return tuple(dict.fromkeys(kinds))


def _said_by_run(node: Node, activity: str) -> str:
    """An activity may have lost its text; the run's message then may still have it, if it speaks of this activity."""
    return node.run.message if activity in peel(node.run.message).path else ""


def _without_activity(node: Node, path: tuple[Step, ...]) -> Cause:
    """The run failed before or beside its activities, or they could not be read: its own message is all there is."""
    failure = classify(node.run.message)
    named = tuple(Step("activity", name, "") for name in failure.path)
    return Cause((*path, *named), node.run, None, failure)


def _merged(found: Sequence[Cause]) -> list[Cause]:
    """Iterations that failed alike become one cause."""
    merged: dict[tuple[tuple[str, ...], str], Cause] = {}
    for cause in found:
        key = (tuple(step.name for step in cause.path), cause.failure.signature)
        known = merged.get(key)
        if known is None:
            merged[key] = cause
        else:
            merged[key] = replace(known, alike=known.alike + cause.alike)
    return list(merged.values())


def _failed(node: Node) -> list[ActivityRun]:
    return [group.last for group in node.groups if group.last.failed]


def _any_failed(node: Node) -> bool:
    return bool(_failed(node))
