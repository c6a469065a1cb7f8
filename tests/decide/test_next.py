"""What one look at the cluster leads to, beyond the handoff of each pod."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Nudge, RemoveNudge, RemoveTouch, Withdraw
from kubectl_safe.decide.decision import For, Step, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.marks import TOUCH
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    ago,
    an_answer,
    an_intent,
    decide,
    health,
    in_words,
    told,
    uid,
)

REPLACEMENTS = [a_pod("web-7"), a_pod("web-8"), a_pod("web-9")]
RELEASED = [a_pod(f"web-{n}", released=True) for n in (1, 2, 3)]
EVERYTHING = a_cluster(*RELEASED, *REPLACEMENTS)


@pytest.mark.parametrize("kind", ["pods", "endpointslices", "services", "targetgroupbindings"])
def test_an_interrupted_watch_holds_everything(kind: str) -> None:
    snapshot = a_cluster(a_pod(withdrawn=True), *RELEASED[1:], *REPLACEMENTS, stale=frozenset({kind}))
    outcome = decide(snapshot)
    assert not outcome.actions
    assert {in_words(d) for d in outcome.decisions.values()} == {"wait for cache"}


def test_an_interrupted_watch_ends_nothing() -> None:
    plan = an_intent(a_cluster(), "web-1")
    assert not next_actions(a_cluster(without=["web-1"], stale=frozenset({"pods"})), plan).is_done


DRAINING_ROWS = [
    pytest.param(EVERYTHING, {}, 3, id="without a cap all go at once"),
    pytest.param(EVERYTHING, {"max_draining": 2}, 2, id="--max-draining caps those that leave"),
    pytest.param(
        a_cluster(a_pod(withdrawn=True), *RELEASED[1:], *REPLACEMENTS),
        {"max_draining": 2},
        1,
        id="--max-draining counts what drains already",
    ),
    pytest.param(
        a_cluster(a_pod(terminating=True), *RELEASED[1:], *REPLACEMENTS),
        {"max_draining": 1},
        0,
        id="--max-draining counts what stops",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "count"), DRAINING_ROWS)
def test_no_more_pods_drain_than_allowed(snapshot: Snapshot, flags: dict[str, Any], count: int) -> None:
    assert sum(isinstance(action, Withdraw) for action in decide(snapshot, **flags).actions) == count


DYING = {uid("web"): a_deployment(is_terminating=True)}

OWNER_ROWS = [
    pytest.param(a_cluster(a_pod(released=True), workloads={}), "Withdraw", id="no replacement is owed any more"),
    pytest.param(a_cluster(a_pod(withdrawn=True), workloads={}), "Evict", id="a withdrawn pod goes on"),
    pytest.param(
        a_cluster(a_pod(withdrawn=True), workloads={}, target_health={"web-1": health("draining")}),
        "wait for targets",
        id="its targets are waited for all the same",
    ),
    pytest.param(a_cluster(workloads={}), "wait for termination", id="a pod not begun with is garbage collected"),
    pytest.param(
        a_cluster(workloads={}, replica_sets={uid("web-5d4f8c7b9"): a_replica_set(owner=None)}),
        "blocked by unknown-owner",
        id="unless its ReplicaSet was left behind with it",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, owners=()), workloads={}),
        "blocked by unknown-owner",
        id="a released pod that was left behind is not withdrawn, for nobody can tell who serves in its place",
    ),
    pytest.param(
        a_cluster(workloads=DYING), "wait for termination", id="nothing is released to one that is being deleted"
    ),
    pytest.param(
        a_cluster(a_pod(released=True), a_pod("web-7"), workloads=DYING),
        "wait for termination",
        id="nor withdrawn before it is seen whether its pods go with it",
    ),
    pytest.param(a_cluster(a_pod(withdrawn=True), workloads=DYING), "Evict", id="what is withdrawn goes on then too"),
    pytest.param(a_cluster(a_pod(terminating=True), workloads={}), "wait for termination", id="one stops"),
    pytest.param(a_cluster(workloads={}, without=["web-1"]), "gone", id="one that is gone is done"),
]


def test_nothing_is_released_to_a_deployment_whose_released_pod_was_set_free() -> None:
    outcome = decide(a_cluster(a_pod("web-2", released=True, owners=())))
    assert told(outcome, "web-1") == "wait for termination"
    assert told(outcome, "web-2") == "blocked by unknown-owner"


@pytest.mark.parametrize(("snapshot", "expected"), OWNER_ROWS)
def test_a_deployment_that_is_gone_owes_nothing(snapshot: Snapshot, expected: str) -> None:
    plan = an_intent(a_cluster(), "web-1")
    assert in_words(next_actions(snapshot, plan).decisions[uid("web-1")]) == expected


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(a_cluster(answers={}, services=()), "Evict", id="evicted at once"),
        pytest.param(
            a_cluster(answers={"web-1": an_answer(allowed=False)}, services=()),
            "wait for budget",
            id="refused: 5 s later",
        ),
        pytest.param(a_cluster(a_pod(terminating=True)), "wait for termination", id="never while it terminates"),
    ],
)
def test_a_pod_without_a_handoff_goes_as_kubectl_has_it(snapshot: Snapshot, expected: str) -> None:
    planned = Planned(uid=uid("web-1"), namespace="shop", name="web-1", node="node-1", workload=None)
    assert told(next_actions(snapshot, Intent(pods=(planned,)))) == expected


WAITING = a_pod("web-7", gates={GATE: False})
KEY = a_binding().key
OWNERS = [reference_to(a_deployment()), reference_to(a_deployment("green"))]

NUDGE_ROWS = [
    pytest.param(a_cluster(WAITING), {}, 1, id="healthy and the gate not True: one nudge"),
    pytest.param(a_cluster(WAITING, a_pod("web-8", gates={GATE: False})), {}, 1, id="one for all pods of a binding"),
    pytest.param(a_cluster(), {}, 0, id="none where every gate is True"),
    pytest.param(a_cluster(WAITING, target_health={"web-7": health("initial")}), {}, 0, id="none before it is healthy"),
    pytest.param(a_cluster(WAITING, target_health={"web-7": health(asked=16)}), {}, 0, id="none on an old answer"),
    pytest.param(a_cluster(WAITING, nudged_at={KEY: ago(4.9)}), {}, 0, id="at most one in 5 s a binding"),
    pytest.param(a_cluster(WAITING, nudged_at={KEY: ago(5)}), {}, 1, id="again after 5 s"),
    pytest.param(a_cluster(WAITING), {"nudge": False}, 0, id="--no-nudge"),
    pytest.param(
        a_cluster(a_pod(withdrawn=True, gates={GATE: False}), target_health={"web-1": health()}),
        {},
        0,
        id="none for a pod that leaves",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "count"), NUDGE_ROWS)
def test_nudges_a_binding_whose_controller_looks_late(snapshot: Snapshot, flags: dict[str, Any], count: int) -> None:
    assert sum(isinstance(action, Nudge) for action in decide(snapshot, **flags).chores) == count


def test_bindings_of_one_name_in_both_apis_are_nudged_each_by_its_own_gate() -> None:
    of_auto_mode = a_binding(api="eks.amazonaws.com")
    waiting = a_pod("web-7", gates={GATE: True, "target-health.eks.amazonaws.com/web": False})
    bindings = (a_binding(), of_auto_mode)
    chores = decide(a_cluster(waiting, bindings=bindings)).chores
    assert chores == (Nudge(binding=of_auto_mode),)
    assert not decide(a_cluster(waiting, bindings=bindings, nudged_at={of_auto_mode.key: ago(1)})).chores
    assert decide(a_cluster(waiting, bindings=bindings, nudged_at={KEY: ago(1)})).chores == chores


def test_two_deployments_on_one_binding_share_its_nudges() -> None:
    green, pods = a_deployment("green"), [WAITING, a_pod("web-8", released=True, of="green", gates={GATE: False})]
    snapshot = a_cluster(*pods, workloads={d.uid: d for d in (a_deployment(), green)})
    plan = tuple(
        replace(p, workload=w) for p, w in zip(an_intent(snapshot, "web-1", "web-8").pods, OWNERS, strict=True)
    )
    assert sum(isinstance(action, Nudge) for action in next_actions(snapshot, Intent(pods=plan)).chores) == 1


def test_what_is_ours_is_taken_away_in_the_end() -> None:
    touched = a_pod("web-2", annotations={TOUCH: "1"})
    snapshot = a_cluster(touched, without=["web-1"], bindings=(a_binding(is_nudged=True),))
    outcome = next_actions(snapshot, an_intent(a_cluster(), "web-1"))
    assert [type(action) for action in outcome.chores] == [RemoveNudge, RemoveTouch]
    assert not outcome.is_done


def test_nothing_is_taken_away_before_the_end() -> None:
    snapshot = a_cluster(bindings=(a_binding(is_nudged=True),))
    assert not decide(snapshot).chores


def test_without_the_right_to_nudge_the_end_is_not_held_up() -> None:
    snapshot = a_cluster(without=["web-1"], bindings=(a_binding(is_nudged=True),))
    assert next_actions(snapshot, an_intent(a_cluster(), "web-1", nudge=False)).is_done


def test_what_this_run_nudged_is_taken_away_though_it_may_nudge_no_more() -> None:
    binding = a_binding(is_nudged=True)
    snapshot = a_cluster(without=["web-1"], bindings=(binding,), nudged_at={binding.key: ago(1)})
    outcome = next_actions(snapshot, an_intent(a_cluster(), "web-1", nudge=False))
    assert [type(action) for action in outcome.chores] == [RemoveNudge]


def test_what_this_run_touched_is_taken_away_though_it_may_touch_no_more() -> None:
    touched = a_pod("web-2", annotations={TOUCH: "1"})
    snapshot = a_cluster(touched, without=["web-1"], touched_at={("shop", "web"): ago(1)})
    outcome = next_actions(snapshot, an_intent(a_cluster(), "web-1", touch=False))
    assert [type(action) for action in outcome.chores] == [RemoveTouch]


def test_tells_each_step_and_how_many_are_in_service() -> None:
    pods = [a_pod(), a_pod("web-2", released=True), a_pod("web-3", withdrawn=True), a_pod("web-4", terminating=True)]
    outcome = next_actions(a_cluster(*pods, without=["web-5"]), an_intent(a_cluster()))
    assert list(outcome.steps.values()) == [
        Step.QUEUED,
        Step.RELEASED,
        Step.WITHDRAWN,
        Step.TERMINATING,
        Step.GONE,
        Step.QUEUED,
    ]
    assert outcome.in_service == {uid("web"): 3}


def test_does_not_tell_how_many_are_in_service_where_one_is_unknown() -> None:
    assert not decide(a_cluster(target_health={"web-1": None})).in_service


def test_what_a_run_left_that_died_is_taken_away_also_where_no_pod_is_left_to_move() -> None:
    touched = replace(a_pod("web-2"), namespace="other", annotations={TOUCH: "now"})
    nudged = replace(a_binding(is_nudged=True), namespace="other")
    outcome = next_actions(a_cluster(touched, bindings=(nudged,)), Intent(pods=()))
    assert [type(action) for action in outcome.chores] == [RemoveNudge, RemoveTouch]


def test_a_pod_that_was_given_back_is_left_once_its_controller_has_it() -> None:
    intent = replace(an_intent(a_cluster(), "web-1"), given_up={uid("web-1"): "stopped"})
    orphan = next_actions(a_cluster(a_pod(owners=())), intent)
    assert in_words(orphan.decisions[uid("web-1")]) == "wait for undo"
    assert in_words(next_actions(a_cluster(), intent).decisions[uid("web-1")]) == "left"


def test_a_pod_that_is_overdue_is_left_unless_it_can_be_evicted_now() -> None:
    intent = replace(an_intent(a_cluster(), "web-1"), overdue={uid("web-1"): "late"})
    draining = a_cluster(a_pod(withdrawn=True), target_health={"web-1": health("draining")})
    assert in_words(next_actions(draining, intent).decisions[uid("web-1")]) == "left"
    assert in_words(next_actions(a_cluster(a_pod(withdrawn=True)), intent).decisions[uid("web-1")]) == "Evict"
    assert in_words(next_actions(a_cluster(), intent).decisions[uid("web-1")]) == "left"


def test_the_pods_of_a_workload_that_another_run_has_are_waited_for() -> None:
    for pod in (a_pod(), a_pod(released=True), a_pod(withdrawn=True)):
        snapshot = a_cluster(pod, a_pod("web-7"), taken={uid("web"): "deployment shop/web is in the hands of alice"})
        assert told(decide(snapshot)) == "wait for lease"


def test_what_a_dead_run_released_is_named_where_it_holds_every_place() -> None:
    snapshot = a_cluster(a_pod("web-2", released=True, node="node-2"))
    decision = next_actions(snapshot, an_intent(snapshot, "web-1")).decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert decision.on is For.STRAY
    assert "kubectl safe abort node/node-2" in decision.remedy
