"""A pod that terminates for longer than `--skip-wait-for-delete-timeout` is waited for no more, and nothing failed."""

from datetime import timedelta

import pytest

from kubectl_safe.decide.decision import Skipped
from kubectl_safe.decide.ending import ending_of
from tests.support.builders import a_cluster, a_pod, ago, an_intent, decide, told, uid

LONG = timedelta(seconds=30)
OLD = a_pod(withdrawn=True, terminating=True, deletion_timestamp=ago(31))


def test_it_is_skipped_in_the_words_of_kubectl() -> None:
    outcome = decide(a_cluster(OLD), "web-1", skip_wait_for_delete=LONG)
    assert outcome.decisions[uid("web-1")] == Skipped(
        why='pod "web-1" has DeletionTimestamp older than 30 seconds, skipping'
    )
    assert outcome.is_done


@pytest.mark.parametrize(
    ("seconds", "longest"),
    [pytest.param(30.9, LONG, id="not older yet"), pytest.param(9000, None, id="without the flag")],
)
def test_until_then_it_is_waited_for(seconds: float, longest: timedelta | None) -> None:
    pod = a_pod(withdrawn=True, terminating=True, deletion_timestamp=ago(seconds))
    assert told(decide(a_cluster(pod), "web-1", skip_wait_for_delete=longest)) == "wait for termination"


def test_so_is_one_without_a_workload() -> None:
    bare = a_pod(owners=(), terminating=True, deletion_timestamp=ago(31))
    assert told(decide(a_cluster(bare), "web-1", skip_wait_for_delete=LONG)) == "skipped"


def test_a_run_that_skipped_it_left_nothing() -> None:
    intent = an_intent(a_cluster(OLD), "web-1", skip_wait_for_delete=LONG)
    outcome = decide(a_cluster(OLD), "web-1", skip_wait_for_delete=LONG)
    assert ending_of(intent, outcome, given_back=frozenset(), stop="").left == ()


def test_it_holds_no_draining_slot() -> None:
    snapshot = a_cluster(OLD, a_pod("web-2", released=True), *(a_pod(f"web-{n}") for n in (7, 8)))
    waiting = decide(snapshot, "web-1", "web-2", max_draining=1)
    assert told(waiting, "web-2") == "wait for draining slot"
    skipping = decide(snapshot, "web-1", "web-2", max_draining=1, skip_wait_for_delete=LONG)
    assert told(skipping, "web-2") != "wait for draining slot"


def test_an_interrupted_watch_skips_nothing() -> None:
    snapshot = a_cluster(OLD, stale=frozenset({"pods"}))
    assert told(decide(snapshot, "web-1", skip_wait_for_delete=LONG)) == "wait for cache"
