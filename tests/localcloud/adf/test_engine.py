"""From one cause to everything that follows from it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from localcloud.adf.behaviour import Cancellation, Mishap
from localcloud.adf.simulated import Failure, PipelineRun
from tests.localcloud.adf.building import START, Stage, a_pipeline, an_activity, breaks, calls, simulate, statuses


def child_of(run: PipelineRun) -> PipelineRun:
    return next(activity.child for activity in run.activities if activity.child is not None)


def test_a_run_without_trouble_succeeds_and_says_nothing() -> None:
    run = simulate(a_pipeline(an_activity("Copy"), an_activity("Merge", after={"Copy": "Succeeded"})))
    assert (run.status, run.message) == ("Succeeded", "")


def test_an_activity_begins_after_the_one_it_waits_for() -> None:
    run = simulate(a_pipeline(an_activity("Merge", after={"Copy": "Succeeded"}), an_activity("Copy")))
    copy, merge = run.activities
    assert copy.activity.name == "Copy"
    assert copy.end is not None
    assert merge.start > copy.end


def test_what_waits_for_a_failed_activity_never_runs() -> None:
    pipeline = a_pipeline(an_activity("Copy"), an_activity("Merge", after={"Copy": "Succeeded"}))
    run = simulate(pipeline, Stage(mishaps={"Copy": breaks()}))
    assert statuses(run) == {"Copy": ["Failed"]}
    assert run.status == "Failed"


def test_the_message_of_a_run_names_the_activity_it_failed_on() -> None:
    run = simulate(a_pipeline(an_activity("Copy")), Stage(mishaps={"Copy": breaks("no such table")}))
    assert run.message == "Operation on target Copy failed: no such table"


def test_a_handler_of_failure_that_succeeds_hides_the_failure() -> None:
    pipeline = a_pipeline(an_activity("Copy"), an_activity("Tell", after={"Copy": "Failed"}))
    run = simulate(pipeline, Stage(mishaps={"Copy": breaks()}))
    assert statuses(run) == {"Copy": ["Failed"], "Tell": ["Succeeded"]}
    assert run.status == "Succeeded"


def test_a_handler_does_not_hide_the_failure_when_work_on_the_good_path_was_skipped() -> None:
    pipeline = a_pipeline(
        an_activity("Copy"),
        an_activity("Tell", after={"Copy": "Failed"}),
        an_activity("Merge", after={"Copy": "Succeeded"}),
    )
    assert simulate(pipeline, Stage(mishaps={"Copy": breaks()})).status == "Failed"


def test_a_handler_that_is_not_needed_is_skipped_and_does_no_harm() -> None:
    run = simulate(a_pipeline(an_activity("Copy"), an_activity("Tell", after={"Copy": "Failed"})))
    assert statuses(run) == {"Copy": ["Succeeded"]}
    assert run.status == "Succeeded"


def test_retries_give_an_activity_run_each_until_one_succeeds() -> None:
    run = simulate(a_pipeline(an_activity("Copy", retry=2)), Stage(mishaps={"Copy": breaks(attempts=1)}))
    assert statuses(run) == {"Copy": ["Failed", "Succeeded"]}
    assert run.status == "Succeeded"
    assert [activity.attempt for activity in run.activities] == [0, 1]


def test_retries_used_up_fail_the_run() -> None:
    run = simulate(a_pipeline(an_activity("Copy", retry=2)), Stage(mishaps={"Copy": breaks()}))
    assert statuses(run) == {"Copy": ["Failed"] * 3}
    assert run.status == "Failed"


def test_a_retry_waits_for_the_interval_of_the_policy() -> None:
    pipeline = a_pipeline(an_activity("Copy", retry=1, retryIntervalInSeconds=90))
    first, second = simulate(pipeline, Stage(mishaps={"Copy": breaks()})).activities
    assert first.end is not None
    assert second.start - first.end == timedelta(seconds=90)


def test_one_failed_iteration_fails_the_loop_and_names_the_inner_activity() -> None:
    loop = an_activity("Each", "ForEach", activities=[an_activity("Copy")])
    run = simulate(a_pipeline(loop), Stage(mishaps={"Copy": breaks("no such table")}, at_round=1))
    assert sorted(statuses(run)["Copy"]) == ["Failed", "Succeeded", "Succeeded"]
    assert statuses(run)["Each"] == ["Failed"]
    wrapped = "Activity failed because an inner activity failed; Inner activity name: Copy, Error: no such table"
    assert run.message == f"Operation on target Each failed: {wrapped}"


def test_iterations_are_told_apart_by_their_hash() -> None:
    run = simulate(a_pipeline(an_activity("Each", "ForEach", activities=[an_activity("Copy")])))
    hashes = [activity.iteration_hash for activity in run.activities if activity.activity.name == "Copy"]
    assert len(set(hashes)) == 3
    assert "" not in hashes


def test_a_sequential_loop_does_one_item_after_the_other() -> None:
    loop = an_activity("Each", "ForEach", isSequential=True, activities=[an_activity("Copy")])
    copies = [a for a in simulate(a_pipeline(loop)).activities if a.activity.name == "Copy"]
    assert all(later.start >= (earlier.end or START) for earlier, later in pairwise(copies))


def test_a_parallel_loop_deals_items_to_as_many_lanes_as_it_may_use() -> None:
    loop = an_activity("Each", "ForEach", batchCount=2, activities=[an_activity("Copy")])
    copies = [a for a in simulate(a_pipeline(loop), Stage(items=4)).activities if a.activity.name == "Copy"]
    begun = sorted(copy.start for copy in copies)
    assert begun[0] == begun[1] < begun[2] == begun[3]


def test_only_the_taken_branch_runs() -> None:
    fork = an_activity("Fork", "IfCondition", ifTrueActivities=[an_activity("A")], ifFalseActivities=[an_activity("B")])
    run = simulate(a_pipeline(fork), Stage(branches={"Fork": "False"}))
    assert statuses(run) == {"B": ["Succeeded"], "Fork": ["Succeeded"]}


def test_a_switch_takes_its_default_when_no_case_fits() -> None:
    cases = [{"value": "a", "activities": [an_activity("A")]}]
    switch = an_activity("Pick", "Switch", cases=cases, defaultActivities=[an_activity("B")])
    run = simulate(a_pipeline(switch), Stage(branches={"Pick": "default"}))
    assert statuses(run) == {"B": ["Succeeded"], "Pick": ["Succeeded"]}


def test_an_until_loop_stops_at_the_first_failure() -> None:
    loop = an_activity("Wait", "Until", activities=[an_activity("Check")])
    run = simulate(a_pipeline(loop), Stage(mishaps={"Check": breaks()}, at_round=1))
    assert statuses(run) == {"Check": ["Succeeded", "Failed"], "Wait": ["Failed"]}


def test_a_failure_three_pipelines_deep_reaches_the_top_with_every_layer() -> None:
    leaf = a_pipeline(an_activity("Merge"), name="Leaf")
    middle = a_pipeline(calls("CallLeaf", "Leaf"), name="Middle")
    stage = Stage({"Leaf": leaf, "Middle": middle}, {"Merge": breaks("duplicate key")})
    run = simulate(a_pipeline(calls("CallMiddle", "Middle")), stage)
    layers = "Operation on target CallMiddle failed: Operation on target CallLeaf failed: "
    assert run.message == f"{layers}Operation on target Merge failed: duplicate key"
    assert [each.status for each in run.family()] == ["Failed"] * 3


def test_a_child_run_knows_its_parent() -> None:
    stage = Stage({"Leaf": a_pipeline(an_activity("Merge"), name="Leaf")})
    run = simulate(a_pipeline(calls("CallLeaf", "Leaf")), stage)
    invoker = child_of(run).order.invoker
    assert (invoker.type, invoker.pipeline, invoker.run_id) == ("PipelineActivity", "Main", run.id)


def test_a_parent_that_does_not_wait_does_not_fail_with_its_child() -> None:
    stage = Stage({"Leaf": a_pipeline(an_activity("Merge"), name="Leaf")}, {"Merge": breaks()})
    run = simulate(a_pipeline(calls("CallLeaf", "Leaf", waitOnCompletion=False)), stage)
    assert (run.status, child_of(run).status) == ("Succeeded", "Failed")


def test_pipelines_that_call_each_other_in_a_circle_come_to_an_end() -> None:
    main = a_pipeline(calls("Again", "Main"))
    assert simulate(main, Stage({"Main": main})).status == "Failed"


def test_an_activity_that_hangs_keeps_its_run_and_its_parents_in_progress() -> None:
    stage = Stage({"Leaf": a_pipeline(an_activity("Merge"), name="Leaf")}, {"Merge": Mishap(hangs=True)})
    run = simulate(a_pipeline(calls("CallLeaf", "Leaf"), an_activity("After", after={"CallLeaf": "Completed"})), stage)
    assert run.end is None
    assert [each.status_at(START + timedelta(days=30)) for each in run.family()] == ["InProgress"] * 2
    assert "After" not in statuses(run)


def test_a_cancelled_run_keeps_what_was_done_and_loses_what_was_to_come() -> None:
    pipeline = a_pipeline(
        an_activity("A"), an_activity("B", after={"A": "Succeeded"}), an_activity("C", after={"B": "Succeeded"})
    )
    stage = Stage(cancellations={"run-1": Cancellation(START + timedelta(seconds=15))})
    run = simulate(pipeline, stage)
    assert statuses(run) == {"A": ["Succeeded"], "B": ["Cancelled"]}
    assert (run.status, run.end) == ("Cancelled", START + timedelta(seconds=15))


def test_a_recursive_cancellation_stops_the_children_too() -> None:
    stage = Stage({"Leaf": a_pipeline(an_activity("Merge"), name="Leaf")})
    stage.cancellations["run-1"] = Cancellation(START + timedelta(seconds=5), recursive=True)
    run = simulate(a_pipeline(calls("CallLeaf", "Leaf")), stage)
    assert [each.status for each in run.family()] == ["Cancelled"] * 2


def test_a_plain_cancellation_lets_the_children_go_on() -> None:
    stage = Stage({"Leaf": a_pipeline(an_activity("Merge"), name="Leaf")})
    stage.cancellations["run-1"] = Cancellation(START + timedelta(seconds=5))
    run = simulate(a_pipeline(calls("CallLeaf", "Leaf")), stage)
    assert (run.status, child_of(run).status) == ("Cancelled", "Succeeded")


def test_a_cancelled_child_fails_its_parent() -> None:
    stage = Stage({"Leaf": a_pipeline(an_activity("Merge"), name="Leaf")})
    pipeline = a_pipeline(calls("CallLeaf", "Leaf"))
    child = child_of(simulate(pipeline, stage))
    stage.cancellations[child.id] = Cancellation(START + timedelta(seconds=5))
    run = simulate(pipeline, stage)
    assert run.status == "Failed"
    assert "was cancelled" in run.message


def test_an_inactive_activity_does_not_run_and_counts_as_it_is_marked() -> None:
    idle = {**an_activity("Copy"), "state": "Inactive", "onInactiveMarkAs": "Succeeded"}
    run = simulate(a_pipeline(idle, an_activity("Merge", after={"Copy": "Succeeded"})))
    assert statuses(run) == {"Copy": ["Inactive"], "Merge": ["Succeeded"]}


def test_a_fail_activity_fails_with_its_own_words() -> None:
    run = simulate(a_pipeline(an_activity("Stop", "Fail", message="counts differ", errorCode="500")))
    assert run.message == "Operation on target Stop failed: counts differ"
    assert run.activities[0].failure is not None
    assert run.activities[0].failure.code == "500"


def test_a_rerun_of_some_activities_leaves_the_others_out() -> None:
    pipeline = a_pipeline(an_activity("A"), an_activity("B", after={"A": "Succeeded"}))
    assert statuses(simulate(pipeline, only=frozenset({"B"}))) == {"B": ["Succeeded"]}


def test_the_past_of_a_run_does_not_change_with_the_moment_one_looks() -> None:
    run = simulate(a_pipeline(an_activity("A"), an_activity("B", after={"A": "Succeeded"})))
    moments = [START + timedelta(seconds=s) for s in (1, 12, 60)]
    assert [run.status_at(moment) for moment in moments] == ["InProgress", "InProgress", "Succeeded"]
    assert run.last_updated(moments[1]) <= moments[1]


def test_first_attempts_may_fail_of_something_else_than_the_last() -> None:
    mishap = Mishap(Failure("2200", "wrong column"), earlier=(Failure("2200", "too many requests"),), seconds=5)
    run = simulate(a_pipeline(an_activity("Copy", retry=2)), Stage(mishaps={"Copy": mishap}))
    told = [activity.failure.message for activity in run.activities if activity.failure]
    assert told == ["too many requests", "wrong column", "wrong column"]
    assert run.message == "Operation on target Copy failed: wrong column"


def test_an_activity_waits_for_a_place_on_its_runtime_before_it_works() -> None:
    (copy,) = simulate(a_pipeline(an_activity("Copy")), Stage(queued=600)).activities
    moments = [START + timedelta(seconds=s) for s in (300, 605, 700)]
    assert [copy.status_at(moment) for moment in moments] == ["Queued", "InProgress", "Succeeded"]
    assert copy.end is not None
    assert copy.end - copy.start == timedelta(seconds=610)


def test_an_activity_that_was_cancelled_in_the_queue_waited_no_longer_than_that() -> None:
    stage = Stage(queued=600, cancellations={"run-1": Cancellation(START + timedelta(seconds=60))})
    (copy,) = simulate(a_pipeline(an_activity("Copy")), stage).activities
    assert copy.end is not None
    assert copy.start + copy.queued == copy.end
