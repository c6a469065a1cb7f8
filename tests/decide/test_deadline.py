"""How long a wait may last before the run ends with it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kubectl_safe.decide.deadline import ORIGINS, deadline
from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_cluster, a_deployment, a_group, a_pod, an_intent, arn, uid

SNAPSHOT = a_cluster(
    workloads={uid("web"): a_deployment(progress_deadline=timedelta(minutes=7))}, groups={arn(): a_group(delay=100)}
)
PROGRESS, LEAVING = timedelta(minutes=7), timedelta(seconds=100 + 120)


@pytest.mark.parametrize(
    ("on", "limit"),
    [
        pytest.param(For.REPLACEMENT, PROGRESS, id="a replacement has progressDeadlineSeconds"),
        pytest.param(For.RELEASE, PROGRESS, id="so has a controller that is to let a pod go"),
        pytest.param(For.TARGETS, LEAVING, id="a target has its deregistration delay and two minutes"),
        pytest.param(For.ENDPOINTS, LEAVING, id="so has an endpoint"),
        pytest.param(For.STRAY, PROGRESS, id="so has a pod that a dead run left"),
        pytest.param(For.UNDO, timedelta(seconds=30), id="a pod that is given back has half a minute"),
        *(
            pytest.param(on, None, id=f"only --timeout ends a wait for {on.value}")
            for on in (For.CACHE, For.SURGE, For.ROOM, For.DRAINING_SLOT, For.BUDGET, For.SETTLE, For.LEASE)
        ),
    ],
)
def test_a_wait_has_the_deadline_of_what_it_is_for(on: For, limit: timedelta | None) -> None:
    planned = an_intent(SNAPSHOT, "web-1").pods[0]
    assert deadline(planned, Wait(on=on, why="because"), SNAPSHOT) == limit


@pytest.mark.parametrize(
    ("on", "seconds"),
    [(For.BUDGET, 30), (For.CACHE, 30), (For.LEASE, 30)],
    ids=["budget", "cache", "lease"],
)
def test_a_pod_that_is_given_up_is_in_no_wait_that_may_never_end(on: For, seconds: int) -> None:
    planned = an_intent(SNAPSHOT, "web-1").pods[0]
    found = deadline(planned, Wait(on=on, why="because"), SNAPSHOT, is_given_up=True)
    assert found == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("is_terminating", "is_given_up", "limit"),
    [
        pytest.param(False, False, timedelta(seconds=30), id="to begin with it, half a minute"),
        pytest.param(
            True, False, timedelta(seconds=30 + 120), id="its grace period and two minutes: its node may be dead"
        ),
        pytest.param(True, True, timedelta(seconds=30 + 30), id="given up: half a minute beyond its grace period"),
    ],
)
def test_a_pod_terminates_in_time(is_terminating: bool, is_given_up: bool, limit: timedelta | None) -> None:
    snapshot = a_cluster(a_pod(terminating=is_terminating))
    planned = an_intent(snapshot, "web-1").pods[0]
    wait = Wait(on=For.TERMINATION, why="because")
    assert deadline(planned, wait, snapshot, is_given_up=is_given_up) == limit


def test_a_pod_with_a_long_grace_period_has_all_of_it() -> None:
    snapshot = a_cluster(a_pod(terminating=True, grace_period_seconds=3600))
    planned = an_intent(snapshot, "web-1").pods[0]
    assert deadline(planned, Wait(on=For.TERMINATION, why="because"), snapshot) == timedelta(seconds=3600 + 120)


def test_a_group_that_was_bound_in_the_middle_of_a_run_is_taken_to_drain_as_long_as_most() -> None:
    snapshot = a_cluster(groups={})
    planned = an_intent(snapshot, "web-1").pods[0]
    assert deadline(planned, Wait(on=For.TARGETS, why="because"), snapshot) == timedelta(minutes=5 + 2)


WITHOUT_TARGETS = a_cluster(bindings=())
GONE = a_cluster(without=["web-1"])


@pytest.mark.parametrize("snapshot", [WITHOUT_TARGETS, GONE], ids=["in no group", "gone"])
def test_a_pod_that_has_no_targets_has_two_minutes_to_leave(snapshot: Snapshot) -> None:
    planned = an_intent(a_cluster(), "web-1").pods[0]
    assert deadline(planned, Wait(on=For.ENDPOINTS, why="because"), snapshot) == timedelta(minutes=2)


def test_a_pod_that_is_gone_is_limited_in_nothing_unless_it_is_given_up() -> None:
    planned, wait = an_intent(a_cluster(), "web-1").pods[0], Wait(on=For.TERMINATION, why="because")
    assert deadline(planned, wait, GONE) is None
    assert deadline(planned, wait, GONE, is_given_up=True) == timedelta(seconds=30)


def test_a_pod_without_a_workload_has_no_deadline_of_one() -> None:
    planned = replace(an_intent(SNAPSHOT, "web-1").pods[0], workload=None)
    assert deadline(planned, Wait(on=For.REPLACEMENT, why="because"), SNAPSHOT) is None


def test_deadlines_that_readers_can_change_say_where_they_come_from() -> None:
    of_progress = {For.REPLACEMENT, For.RELEASE, For.STRAY}
    assert {on: words for on, words in ORIGINS.items() if on in of_progress} == dict.fromkeys(
        of_progress, "progressDeadlineSeconds"
    )
    assert {on: words for on, words in ORIGINS.items() if on not in of_progress} == dict.fromkeys(
        (For.TARGETS, For.ENDPOINTS), "deregistration delay and 2m"
    )


def test_nothing_is_overdue_of_a_deployment_that_is_gone() -> None:
    snapshot = a_cluster(workloads={})
    planned = an_intent(snapshot, "web-1").pods[0]
    assert deadline(planned, Wait(on=For.REPLACEMENT, why="because"), snapshot) is None
