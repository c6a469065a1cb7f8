"""Who is given up with a pod that failed, and who is not."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Undo
from kubectl_safe.decide.giving_up import Limits, Look, Troubles, give_up
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    NOW,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    an_intent,
    told,
    uid,
)

RELEASED = a_pod(released=True)
GREEN = a_pod("green-1", of="green", labels={"app": "green", HASH: "1"}, controller=a_replica_set("green-1").owner)
DENIED: dict[str, Any] = {"refused": {RELEASED.uid: "denied"}}


def after(snapshot: Snapshot, intent: Intent, limits: Limits | None = None, **troubles: Any) -> Intent:
    """Return the intent after one look."""
    look = Look(
        intent=intent,
        outcome=next_actions(snapshot, intent),
        progress=Progress(intent=intent, began=NOW),
        snapshot=snapshot,
    )
    return give_up(look, limits or Limits(), Troubles(**troubles))


def test_a_pod_of_another_workload_goes_on() -> None:
    snapshot = a_cluster(RELEASED, GREEN)
    web, green = an_intent(snapshot, "web-1", "green-1").pods
    plan = Intent(pods=(web, replace(green, workload=reference_to(a_deployment("green")))))
    assert after(snapshot, plan, **DENIED).given_up == {RELEASED.uid: "denied"}


def test_a_pod_without_a_workload_goes_on() -> None:
    snapshot = a_cluster(RELEASED)
    web, bare = an_intent(snapshot, "web-1", "web-2").pods
    plan = Intent(pods=(web, replace(bare, workload=None)))
    assert after(snapshot, plan, **DENIED).given_up == {RELEASED.uid: "denied"}
    alone = Intent(pods=(replace(web, workload=None), bare))
    assert after(a_cluster(), alone, refused={uid("web-1"): "denied"}).given_up == {uid("web-1"): "denied"}


def test_a_pod_that_is_under_way_goes_on() -> None:
    snapshot = a_cluster(RELEASED, a_pod("web-2", released=True), a_pod("web-3", withdrawn=True))
    intent = an_intent(snapshot, "web-1", "web-2", "web-3", "web-4")
    assert after(snapshot, intent, **DENIED).given_up == dict.fromkeys((RELEASED.uid, uid("web-4")), "denied")


def test_a_pod_that_was_given_up_before_keeps_its_reason() -> None:
    snapshot = a_cluster(RELEASED)
    intent = replace(an_intent(snapshot, "web-1", "web-2"), given_up={uid("web-2"): "first"})
    assert after(snapshot, intent, **DENIED).given_up == {RELEASED.uid: "denied", uid("web-2"): "first"}


def test_with_fail_fast_all_go_on_while_none_failed() -> None:
    snapshot = a_cluster(RELEASED)
    assert not after(snapshot, an_intent(snapshot), Limits(is_fail_fast=True)).given_up


def test_with_fail_fast_all_stop_once_one_failed_and_say_why() -> None:
    snapshot = a_cluster(RELEASED, GREEN)
    web, green = an_intent(snapshot, "web-1", "green-1").pods
    plan = Intent(pods=(web, replace(green, workload=None)))
    assert after(snapshot, plan, Limits(is_fail_fast=True), **DENIED).given_up == {
        RELEASED.uid: "denied",
        GREEN.uid: "another pod failed, and --fail-fast was given",
    }
    both = after(snapshot, plan, Limits(is_fail_fast=True), stop="interrupted", **DENIED)
    assert both.given_up[GREEN.uid] == "interrupted"


def test_what_is_gone_or_left_is_not_given_up() -> None:
    intent = replace(an_intent(a_cluster(), "web-1", "web-2"), given_up={uid("web-2"): "left before"})
    stopped = after(a_cluster(without=["web-1"]), intent, stop="interrupted")
    assert stopped.given_up == {uid("web-2"): "left before"}


def test_two_pods_are_not_given_back_at_once_at_the_cost_of_one() -> None:
    pods = [RELEASED, a_pod("web-2", released=True), a_pod("web-7", ready=False), a_pod("web-8")]
    snapshot = a_cluster(*pods)
    intent = replace(an_intent(snapshot, "web-1", "web-2"), given_up=dict.fromkeys((uid("web-1"), uid("web-2")), "x"))
    outcome = next_actions(snapshot, intent)
    assert sum(isinstance(action, Undo) for action in outcome.actions) == 1


@pytest.mark.parametrize(
    ("snapshot", "workload", "expected"),
    [
        pytest.param(a_cluster(), False, "left", id="a pod without a handoff is not begun"),
        pytest.param(a_cluster(workloads={}), True, "left", id="nor is one whose Deployment is gone"),
        pytest.param(a_cluster(a_pod(withdrawn=True), workloads={}), True, "Evict", id="what is withdrawn is finished"),
        pytest.param(a_cluster(a_pod(terminating=True)), False, "wait for termination", id="what stops is waited for"),
    ],
)
def test_of_what_owes_nobody_a_replacement(snapshot: Snapshot, workload: bool, expected: str) -> None:
    (planned,) = an_intent(a_cluster(), "web-1").pods
    planned = planned if workload else replace(planned, workload=None)
    assert told(next_actions(snapshot, Intent(pods=(planned,), given_up={planned.uid: "stop"}))) == expected
