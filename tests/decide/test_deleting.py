"""With `--disable-eviction` pods are deleted, and their budgets not asked; nothing else comes any earlier for that."""

from typing import Any

import pytest

from kubectl_safe.decide.actions import AskEviction, Evict
from kubectl_safe.decide.budgets import bypassed
from kubectl_safe.decide.decision import Act
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.rehearsal import rehearsals
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_budget,
    a_cluster,
    a_pod,
    a_service,
    an_answer,
    an_intent,
    decide,
    health,
    in_words,
    told,
    uid,
)

CLOSED = a_budget(disruptions_allowed=0)
"""A budget that never lets a pod go."""
RELEASED, REPLACEMENT = a_pod(released=True), a_pod("web-7")
OUT = a_pod(withdrawn=True)


def deciding(snapshot: Snapshot) -> str:
    """Return what is decided on web-1."""
    return told(decide(snapshot, "web-1", disable_eviction=True))


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(a_cluster(budgets=(CLOSED,)), "Release", id="it is released first"),
        pytest.param(
            a_cluster(RELEASED, a_pod("web-7", gates={GATE: False}), budgets=(CLOSED,)),
            "wait for replacement",
            id="the floor holds",
        ),
        pytest.param(
            a_cluster(RELEASED, REPLACEMENT, budgets=(CLOSED,), answers={}),
            "Withdraw",
            id="then it is withdrawn, and no budget is asked",
        ),
        pytest.param(
            a_cluster(RELEASED, REPLACEMENT, a_pod("web-6", withdrawn=True), budgets=(a_budget(healthy=8),)),
            "wait for replacement",
            id="the floor holds beside another that was withdrawn",
        ),
        pytest.param(a_cluster(OUT, absent_since={}, answers={}), "wait for endpoints", id="it leaves its slices"),
        pytest.param(
            a_cluster(OUT, target_health={"web-1": health("draining")}, answers={}),
            "wait for targets",
            id="its targets drain",
        ),
        pytest.param(
            a_cluster(OUT, answers={"web-1": an_answer(allowed=False, seconds=1)}),
            "wait for budget",
            id="what refused its deletion is not asked at once",
        ),
    ],
)
def test_all_that_an_eviction_waits_for_is_waited_for(snapshot: Snapshot, expected: str) -> None:
    assert deciding(snapshot) == expected


@pytest.mark.parametrize("budgets", [(), (CLOSED,)], ids=["no budget", "under a budget"])
def test_a_pod_that_is_out_is_deleted_as_it_was_decided_on(budgets: tuple[Any, ...]) -> None:
    decision = decide(a_cluster(OUT, budgets=budgets, answers={}), "web-1", disable_eviction=True).decisions
    assert decision[uid("web-1")] == Act(action=Evict(pod=OUT, pins_resource_version=True, is_deletion=True))


def test_without_the_flag_it_is_evicted() -> None:
    decision = decide(a_cluster(OUT, answers={}), "web-1").decisions[uid("web-1")]
    assert decision == Act(action=Evict(pod=OUT, pins_resource_version=True, is_deletion=False))


def alone(pod: Pod, **over: Any) -> Act:
    """Return what is decided on a pod without a workload."""
    planned = Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node="node-1", workload=None)
    intent = Intent(pods=(planned,), settings=Settings(disable_eviction=True))
    snapshot = a_cluster(pod, **{"services": (), "bindings": (), "answers": {}} | over)
    decision = next_actions(snapshot, intent).decisions[pod.uid]
    assert isinstance(decision, Act)
    return decision


def test_a_bare_pod_leaves_its_services_without_a_budget_being_asked() -> None:
    pod = a_pod(owners=(), labels={"app": "bare"}, gates={})
    service = a_service("bare", selector={"app": "bare"})
    assert in_words(alone(pod, services=(service,), budgets=(a_budget("bare", disruptions_allowed=0),))) == "Withdraw"


def test_a_bare_pod_that_nothing_leads_to_is_deleted() -> None:
    pod = a_pod(owners=(), labels={"app": "bare"}, gates={})
    deleted = Act(action=Evict(pod=pod, pins_resource_version=True, is_deletion=True))
    assert alone(pod) == deleted
    assert alone(pod, budgets=(a_budget("bare", disruptions_allowed=0),)) == deleted


def test_two_budgets_forbid_no_deletion() -> None:
    snapshot = a_cluster(budgets=(a_budget("a", selector={"app": "web"}), a_budget("b", selector={"app": "web"})))
    reasons = [
        [its.reason for its in blockers(an_intent(snapshot, "web-1", disable_eviction=deletes), snapshot)]
        for deletes in (False, True)
    ]
    assert reasons == [["two-budgets"], []]


def test_the_deletion_is_tried_before_the_first_write() -> None:
    asked = [
        action
        for action in rehearsals(an_intent(a_cluster(), "web-1", disable_eviction=True), a_cluster())
        if isinstance(action, AskEviction)
    ]
    assert [(action.pod.name, action.is_deletion) for action in asked] == [("web-1", True)]


def test_the_budgets_that_are_bypassed_are_those_of_the_planned_pods() -> None:
    snapshot = a_cluster(
        a_pod("web-2", phase="Succeeded", labels={"app": "done"}),
        budgets=(a_budget("web", selector={"app": "web"}), a_budget("done"), a_budget("api")),
    )
    intent = an_intent(snapshot, "web-1", "web-2", disable_eviction=True)
    assert bypassed(intent, snapshot) == ("shop/web",)
    assert bypassed(an_intent(snapshot, "web-1"), snapshot) == ()


def test_one_that_was_withdrawn_already_was_under_its_budget() -> None:
    snapshot = a_cluster(OUT, budgets=(CLOSED,))
    assert bypassed(an_intent(snapshot, "web-1", disable_eviction=True), snapshot) == ("shop/web",)
