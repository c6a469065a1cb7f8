"""What Deployments that are handed over at once share, and what a pod notes of the others."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Action, Nudge, Release, RemoveTouch, Touch, Withdraw
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.room import room_comes_free
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.withdrawal import evict_when_out
from kubectl_safe.model.marks import HANDOFF, TOUCH, Handoff
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    HASH,
    LABELS,
    a_budget,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    a_service,
    ago,
    an_intent,
    an_owner,
    arn,
    decide,
    health,
    in_words,
    told,
    uid,
)

RELEASED = a_pod(released=True)
GREEN = a_pod("green-1", of="green", labels={"app": "green", HASH: "1"}, released=True, in_service=0)
NEW_GREEN = a_pod("green-2", of="green", labels={"app": "green", HASH: "1"}, controller=an_owner(name="green-1"))
WAITING = a_pod("web-7", gates={GATE: False})
BOTH: dict[str, Any] = {"workloads": {d.uid: d for d in (a_deployment(), a_deployment("green", replicas=1))}}


def kinds(snapshot: Snapshot, intent: Intent) -> list[type[Action]]:
    return [type(action) for action in next_actions(snapshot, intent).actions]


@pytest.mark.parametrize(("cap", "count"), [(1, 1), (2, 2), (None, 2)])
def test_deployments_share_the_places_of_max_draining(cap: int | None, count: int) -> None:
    snapshot = a_cluster(RELEASED, GREEN, NEW_GREEN, a_pod("web-7"), services=(a_service(), a_service("green")), **BOTH)
    pods = an_intent(snapshot, "web-1", "green-1").pods
    plan = (pods[0], replace(pods[1], workload=reference_to(a_deployment("green"))))
    found = kinds(snapshot, Intent(pods=plan, settings=Settings(max_draining=cap)))
    assert found.count(Withdraw) == count


def test_a_pod_of_which_nobody_knows_whether_it_serves_is_not_released_however_many_others_do() -> None:
    assert told(decide(a_cluster(a_pod("web-7"), target_health={"web-1": None}), "web-1")) == "wait for cache"


def test_a_replica_set_of_another_namespace_adopts_nothing() -> None:
    greedy = a_replica_set("greedy-0", namespace="other", selector=LabelSelector(match_labels={"app": "web"}))
    snapshot = a_cluster(replica_sets={r.uid: r for r in (a_replica_set(), greedy)})
    assert told(decide(snapshot)) == "Release"


def test_pods_that_leave_at_once_are_not_noted_as_in_service_by_each_other() -> None:
    snapshot = a_cluster(workloads={uid("web"): a_deployment(max_surge=0)})
    withdrawn = [a for a in decide(snapshot, max_unavailable=2).actions if isinstance(a, Withdraw)]
    assert [action.in_service for action in withdrawn] == [5, 4]
    released = [a for a in decide(a_cluster(), max_surge=2).actions if isinstance(a, Release)]
    assert [action.in_service for action in released] == [6, 6]


def test_a_pod_that_may_be_back_at_any_moment_is_noted_once_and_not_while_it_leaves() -> None:
    fresh = a_cluster(a_pod("web-2", since=ago(5)))
    assert [a.in_service for a in decide(fresh).actions if isinstance(a, Release)] == [6]
    down = [a_pod(name, ready=False, since=ago(5)) for name in ("web-1", "web-2")]
    snapshot = a_cluster(*down, workloads={uid("web"): a_deployment(max_surge=0)})
    withdrawn = [a for a in decide(snapshot, max_unavailable=3).actions if isinstance(a, Withdraw)]
    assert [(action.pod.name, action.in_service) for action in withdrawn] == [("web-1", 5), ("web-2", 4), ("web-3", 3)]


def test_what_is_left_of_a_deployment_that_is_gone_waits_for_its_lease_too() -> None:
    snapshot = a_cluster(RELEASED, workloads={}, taken={uid("web"): "alice has it"})
    assert in_words(next_actions(snapshot, an_intent(a_cluster(), "web-1")).decisions[uid("web-1")]) == "wait for lease"


TOUCHED = a_pod("web-2", annotations={TOUCH: "1"})


def test_without_the_right_to_touch_nothing_is_touched_and_the_end_is_not_held_up() -> None:
    stale = a_cluster(a_pod("web-6", withdrawn=True), budgets=(a_budget(),))
    for touch, count in ((True, 1), (False, 0)):
        assert kinds(stale, an_intent(stale, "web-1", touch=touch)).count(Touch) == count
        over = next_actions(a_cluster(TOUCHED, without=["web-1"]), an_intent(a_cluster(), "web-1", touch=touch))
        assert [type(action) for action in over.chores] == [RemoveTouch] * count


NO_NUDGE = [
    pytest.param(a_cluster(WAITING, taken={uid("web"): "alice has it"}), id="for a Deployment that another run has"),
    pytest.param(
        a_cluster(a_pod("web-7", gates={GATE: False}, terminating=True), target_health={"web-7": health()}),
        id="for a pod that terminates",
    ),
    pytest.param(
        a_cluster(a_pod("web-7", gates={GATE: True, "example.com/other": False})),
        id="where its own gate is True, and the pod waits for another",
    ),
    pytest.param(a_cluster(WAITING, target_health={"web-7": None}), id="before anything is known of its target"),
    pytest.param(a_cluster(replace(WAITING, ips=())), id="before the pod is a target"),
]


@pytest.mark.parametrize("snapshot", NO_NUDGE)
def test_no_binding_is_nudged(snapshot: Snapshot) -> None:
    assert Nudge not in kinds(snapshot, an_intent(snapshot, "web-1"))


def test_room_in_a_quota_of_another_namespace_is_of_no_use() -> None:
    failing = a_replica_set(failure="exceeded quota: few")
    snapshot = a_cluster(replica_sets={failing.uid: failing})
    draining = a_pod("web-2", withdrawn=True)
    assert room_comes_free(a_deployment(), [draining], snapshot)
    assert not room_comes_free(a_deployment(), [replace(draining, namespace="other")], snapshot)


NOTED = Handoff(dropped={HASH: LABELS[HASH]}, in_service=6, targets=(f"{arn()}=8080",)).dumps()
FREE: dict[str, Any] = {"services": (), "endpoints": (), "bindings": ()}
BOUND = a_pod(released=True, annotations={HANDOFF: NOTED})


def test_a_pod_that_no_service_leads_to_any_more_leaves_its_target_groups_first() -> None:
    assert (
        told(decide(a_cluster(BOUND, a_pod("web-7"), target_health={"web-1": health("draining")}, **FREE)))
        == "Withdraw"
    )


@pytest.mark.parametrize("unseen", [frozenset[str](), frozenset({arn()})], ids=["asked", "not to be asked"])
def test_no_answer_and_no_wait_is_newer_than_a_withdrawal_that_was_not_seen(unseen: frozenset[str]) -> None:
    gone = {"web-1": health("unused", "Target.NotRegistered")}
    snapshot = a_cluster(BOUND, target_health=gone, unseen=unseen, began=ago(60), **FREE)
    decision = evict_when_out(BOUND, snapshot, Settings(drain_wait=ago(0) - ago(1)))
    assert in_words(decision) == "wait for targets"
