"""What a wait of a handoff says, and until when it is one for time."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.handoff import Handoffs
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.step import release_label
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    a_budget,
    a_cluster,
    a_deployment,
    a_pod,
    ago,
    an_answer,
    an_intent,
    an_owner,
    told,
    uid,
)

RELEASED, REPLACEMENT = a_pod(released=True), a_pod("web-7")
LEFT = a_pod("web-6", withdrawn=True)
REFUSED = "Cannot evict pod."
UNTIL = ago(1) + timedelta(seconds=5)
HELD = a_cluster(RELEASED, REPLACEMENT, answers={"web-1": an_answer(allowed=False, message=REFUSED)})
BEYOND = "1 of 1 pods of deployment shop/web serve beyond the wanted number"
STRAY = "pod shop/web-2 was released by another run, which did not end it"
ABORT = "run that again, or kubectl safe abort "
DELETE = "once nobody needs it: kubectl delete pod web-1 -n shop"
CHECK = "see kubectl safe check deployment/web -n shop"

ROWS = [
    pytest.param(
        a_cluster(a_pod(terminating=True)),
        For.TERMINATION,
        "pod shop/web-1 is stopping (grace period 30s)",
        "",
        id="stops",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, owners=(an_owner(),)), REPLACEMENT),
        For.RELEASE,
        "pod shop/web-1 is still controlled by replicaset web-5d4f8c7b9",
        "it is let go at once where kube-controller-manager works",
        id="is still controlled",
    ),
    pytest.param(
        a_cluster(replica_sets={}),
        For.RELEASE,
        "pod shop/web-1 is of no ReplicaSet that deployment shop/web is known to have",
        "see kubectl describe pod web-1 -n shop",
        id="is of no ReplicaSet",
    ),
    pytest.param(
        a_cluster(a_pod(labels={"app": "web"})),
        For.RELEASE,
        "pod shop/web-1 bears no mark of a handoff, and replicaset web-5d4f8c7b9 does not select it any more",
        f"put its labels back, or {DELETE}",
        id="is not selected any more",
    ),
    pytest.param(
        a_cluster(a_pod(owners=())),
        For.RELEASE,
        "pod shop/web-1 is controlled by nothing, and bears no mark of a handoff",
        DELETE,
        id="is controlled by nothing",
    ),
    pytest.param(
        a_cluster(a_pod("web-2", released=True)), For.STRAY, STRAY, f"{ABORT}node/node-1", id="a stray on a node"
    ),
    pytest.param(
        a_cluster(a_pod("web-2", released=True, node=None)),
        For.STRAY,
        STRAY,
        f"{ABORT}deployment/web -n shop",
        id="a stray that no node has",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, LEFT, a_pod("web-8"), budgets=(a_budget(healthy=8),)),
        For.BUDGET,
        "budget shop/web counts a pod that has left it; its next count is awaited",
        "",
        id="a budget whose count is over",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, budgets=(a_budget(disruptions_allowed=0),)),
        For.BUDGET,
        "budget shop/web allows no disruption now, by its status",
        CHECK,
        id="a budget that is exhausted",
    ),
    pytest.param(
        a_cluster(
            RELEASED,
            REPLACEMENT,
            budgets=(a_budget(disruptions_allowed=0),),
            answers={"web-1": replace(an_answer(message="no dry run"), is_untried=True)},
        ),
        For.BUDGET,
        "budget shop/web allows no disruption now, by its status; asking is no use: no dry run",
        CHECK,
        id="a budget that is exhausted and can't be asked",
    ),
    pytest.param(
        a_cluster(a_pod(withdrawn=True), absent_since={}),
        For.ENDPOINTS,
        "pod shop/web-1 was not yet seen absent from every EndpointSlice",
        "",
        id="not seen absent",
    ),
]


@pytest.mark.parametrize(("snapshot", "on", "why", "remedy"), ROWS)
def test_a_wait_names_its_object_the_fact_and_what_helps(snapshot: Snapshot, on: For, why: str, remedy: str) -> None:
    decision = next_actions(snapshot, an_intent(a_cluster(), "web-1")).decisions[uid("web-1")]
    assert decision == Wait(on=on, why=why, remedy=remedy)


def test_a_queued_pod_waits_for_a_place_that_another_of_the_plan_has() -> None:
    snapshot = a_cluster(RELEASED)
    assert next_actions(snapshot, an_intent(snapshot)).decisions[uid("web-2")] == Wait(on=For.SURGE, why=BEYOND)
    strays = a_cluster(RELEASED, a_pod("web-2", released=True))
    decision = next_actions(strays, an_intent(strays, "web-1", "web-3", max_surge=2)).decisions[uid("web-3")]
    assert isinstance(decision, Wait)
    assert decision.on is For.SURGE, "one of two places is held by a dead run, and the other one comes free"


@pytest.mark.parametrize(
    "answers",
    [{}, {"web-1": an_answer(allowed=False, seconds=5)}],
    ids=["nobody was asked yet", "it may be asked again after a refusal"],
)
def test_a_budget_that_is_exhausted_by_its_status_is_asked_all_the_same(answers: Any) -> None:
    snapshot = a_cluster(RELEASED, REPLACEMENT, budgets=(a_budget(disruptions_allowed=0),), answers=answers)
    assert told(next_actions(snapshot, an_intent(snapshot))) == "AskEviction"


def test_max_draining_is_named() -> None:
    snapshot = a_cluster(RELEASED, REPLACEMENT, LEFT, a_pod("web-8"))
    decision = next_actions(snapshot, an_intent(snapshot, max_draining=1)).decisions[uid("web-1")]
    assert decision == Wait(on=For.DRAINING_SLOT, why="as many pods are draining as --max-draining 1 allows")


def test_two_that_leave_at_once_under_one_budget_name_it() -> None:
    snapshot = a_cluster(
        RELEASED, a_pod("web-2", released=True), REPLACEMENT, a_pod("web-8"), budgets=(a_budget(healthy=8),)
    )
    decision = next_actions(snapshot, an_intent(snapshot)).decisions[uid("web-2")]
    assert decision == Wait(on=For.BUDGET, why="budget shop/web allows no more pods to leave before its next count")


def given_up(snapshot: Snapshot) -> Any:
    intent = replace(an_intent(snapshot, "web-1"), given_up={uid("web-1"): "stop"})
    return next_actions(snapshot, intent).decisions[uid("web-1")]


def test_a_pod_that_can_not_be_given_back_says_what_it_waits_for_and_until_when() -> None:
    why = (
        "pod shop/web-1 can't be given back while its controller would delete a pod for it that gets requests, or may "
        "at any moment: "
    )
    assert given_up(HELD) == Wait(on=For.UNDO, why=why + REFUSED, until=UNTIL, remedy=CHECK)
    orphan = "pod shop/web-1 was given back, and its controller has not adopted it yet"
    remedy = f"if it never does, {DELETE}"
    assert given_up(a_cluster(a_pod(owners=()))) == Wait(on=For.UNDO, why=orphan, remedy=remedy)


def test_a_refusal_is_waited_out_until_it_may_be_asked_again() -> None:
    decision = next_actions(HELD, an_intent(HELD)).decisions[uid("web-1")]
    assert decision == Wait(on=For.BUDGET, why=REFUSED, until=UNTIL, remedy=CHECK)


def test_a_pod_without_a_known_replica_set_has_no_label_to_release_it_by() -> None:
    assert release_label(a_pod(owners=()), a_cluster()) is None
    assert release_label(a_pod(), a_cluster(replica_sets={})) is None


def test_one_deployment_can_be_decided_on_alone() -> None:
    snapshot = a_cluster(RELEASED, REPLACEMENT)
    handoffs = Handoffs(workload=a_deployment(), snapshot=snapshot, settings=Settings(), draining_slots=None)
    assert handoffs.decide([RELEASED]).keys() == {RELEASED.uid}
    assert handoffs.leaving == {RELEASED.uid}
    assert Handoffs(workload=a_deployment(), snapshot=snapshot, settings=Settings(), draining_slots=1).leaving == set()
