from __future__ import annotations

from tests.tools_worker.datafactory.build import make_activity
from tools_worker.datafactory.leaves import attempts, failed_leaves


def test_only_the_last_attempt_counts() -> None:
    tries = [make_activity(1, attempt=None), make_activity(2, minute=2, attempt=1, status="Succeeded")]
    assert failed_leaves(tries) == []


def test_attempts_of_one_activity_belong_together() -> None:
    tries = [make_activity(n, minute=2 * n, attempt=n or None) for n in range(3)]
    (group,) = attempts(tries)
    assert group.earlier_failures == 2


def test_iterations_are_no_retries() -> None:
    turns = [make_activity(n, iteration=f"h{n}", minute=n) for n in range(3)]
    assert len(attempts(turns)) == 3


def test_iterations_at_once_without_a_hash_are_no_retries() -> None:
    turns = [make_activity(n, minute=0, minutes=5) for n in range(3)]
    assert len(attempts(turns)) == 3


def test_a_container_is_no_leaf_when_something_in_it_failed() -> None:
    loop = make_activity(1, name="Loop", type="ForEach", minutes=9)
    inner = make_activity(2, name="Copy", minute=1)
    assert [leaf.name for leaf in failed_leaves([loop, inner])] == ["Copy"]


def test_a_container_is_a_leaf_when_nothing_in_it_failed() -> None:
    assert [leaf.name for leaf in failed_leaves([make_activity(1, name="Loop", type="ForEach")])] == ["Loop"]
