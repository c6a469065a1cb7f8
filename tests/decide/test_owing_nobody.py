"""Pods to which no replacement is owed, and who owns a pod."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Evict, Withdraw
from kubectl_safe.decide.decision import Act, Blocked, For, Gone, Wait
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to, without_handoff, workload_of
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetHealth
from tests.support.builders import (
    HASH,
    a_cluster,
    a_deployment,
    a_pod,
    a_target,
    an_intent,
    an_owner,
    arn,
    health,
    told,
    uid,
)

DYING: dict[str, Any] = {"workloads": {uid("web"): a_deployment(is_terminating=True)}}
GONE: dict[str, Any] = {"workloads": {}}


def decided(snapshot: Snapshot, *, workload: bool = True, **changes: Any) -> Any:
    """Return the decision on `web-1`, of a Deployment or of none."""
    (planned,) = an_intent(a_cluster(), "web-1").pods
    planned = planned if workload else replace(planned, workload=None)
    return next_actions(snapshot, Intent(pods=(planned,), **changes)).decisions[planned.uid]


def test_a_pod_without_a_handoff_is_evicted_whatever_changed_of_it_since() -> None:
    evict = Act(action=Evict(pod=a_pod(), pins_resource_version=False))
    assert decided(a_cluster(answers={}, services=(), bindings=()), workload=False) == evict


def test_an_overdue_pod_that_is_gone_is_gone() -> None:
    assert decided(a_cluster(without=["web-1"]), overdue={uid("web-1"): "late"}) == Gone()


def test_a_bare_pod_that_was_released_and_set_free_keeps_nothing_from_going_on() -> None:
    snapshot = a_cluster(a_pod("web-2", released=True, owners=()), answers={}, services=(), bindings=())
    web, bare = an_intent(snapshot, "web-1", "web-2").pods
    outcome = next_actions(snapshot, Intent(pods=(web, replace(bare, workload=None))))
    assert (told(outcome, "web-1"), told(outcome, "web-2")) == ("Release", "Evict")


@pytest.mark.parametrize(("overrides", "state"), [(DYING, "being deleted"), (GONE, "gone")])
def test_a_pod_that_goes_with_its_deployment_says_so(overrides: dict[str, Any], state: str) -> None:
    why = f"deployment web is {state}; pod shop/web-1 is to be garbage collected"
    assert decided(a_cluster(**overrides)) == Wait(on=For.TERMINATION, why=why)


def test_a_pod_that_was_left_behind_says_what_to_do() -> None:
    why = (
        "deployment shop/web was deleted without its pods (--cascade=orphan): nobody can tell when they are replaced; "
        "delete them once others serve in their place"
    )
    assert decided(a_cluster(a_pod(released=True, owners=()), **GONE)) == Blocked(reason="unknown-owner", why=why)


def test_what_is_withdrawn_of_a_deployment_that_is_gone_notes_that_none_are_owed() -> None:
    decision = decided(a_cluster(a_pod(released=True), **GONE))
    assert isinstance(decision, Act)
    assert isinstance(decision.action, Withdraw)
    assert (decision.action.in_service, decision.action.owner) == (0, reference_to(a_deployment()))


def test_every_interrupted_watch_is_named() -> None:
    why = "the watch on pods, services is interrupted; what is known may be over"
    assert decided(a_cluster(stale=frozenset({"services", "pods"}))) == Wait(on=For.CACHE, why=why)


OWNERS = [
    pytest.param((an_owner("StatefulSet", "db"),), "StatefulSet db", id="its controller"),
    pytest.param((an_owner(), an_owner("X", "y")), "ReplicaSet web-5d4f8c7b9", id="the first of several"),
    pytest.param(
        (replace(an_owner("Other", "x"), is_controller=False), an_owner("StatefulSet", "db")),
        "StatefulSet db",
        id="its controller before another owner",
    ),
    pytest.param(
        (replace(an_owner("Other", "x"), is_controller=False),), "Other x", id="an owner without a controller"
    ),
]


@pytest.mark.parametrize(("owners", "named"), OWNERS)
def test_the_owner_that_can_not_be_told_to_replace_a_pod_is_named(
    owners: tuple[OwnerReference, ...], named: str
) -> None:
    pod = a_pod(owners=owners)
    blocked = workload_of(pod, a_cluster(pod, replica_sets={}))
    assert isinstance(blocked, Blocked)
    assert blocked.reason == "unknown-owner"
    assert blocked.why.startswith(f"pod shop/web-1 is owned by {named}, of which is not known how it replaces its pods")


def test_a_pod_that_was_cut_off_says_what_to_do_with_it() -> None:
    why = (
        "pod shop/web-1 was cut off from a Deployment that was deleted without its pods (--cascade=orphan); "
        "once nobody needs it: kubectl delete pod web-1 -n shop"
    )
    assert workload_of(a_pod(owners=()), a_cluster()) == Blocked(reason="unknown-owner", why=why)


def test_the_target_of_a_withdrawn_pod_is_asked_for_also_where_its_deployment_is_gone() -> None:
    known = {"web-1": health("draining"), "web-2": health("draining")}
    snapshot = a_cluster(a_pod(withdrawn=True, owners=()), target_health=known, **GONE)
    planned = an_intent(a_cluster(), "web-1", "web-2")
    assert next_actions(snapshot, planned).wishes[arn()].targets == {a_target("web-1")}


def test_a_deployment_is_referred_to_as_a_plain_owner() -> None:
    plain = OwnerReference(api_version="apps/v1", kind="Deployment", name="web", uid=uid("web"), is_controller=False)
    assert workload_of(a_pod(), a_cluster()) == reference_to(a_deployment()) == plain


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(a_pod(), False, id="of a ReplicaSet"),
        pytest.param(a_pod(phase="Succeeded"), True, id="finished"),
        pytest.param(a_pod(owners=()), True, id="bare"),
        pytest.param(a_pod(released=True), False, id="released"),
        pytest.param(a_pod(controller=an_owner("Job", "j", "batch/v1")), True, id="of a Job"),
        pytest.param(a_pod(controller=an_owner("DaemonSet", "d")), True, id="of a DaemonSet"),
        pytest.param(a_pod(controller=an_owner("Job", "j", "apps/v1")), False, id="of another's Job"),
    ],
)
def test_a_pod_needs_no_handoff(pod: Pod, expected: bool) -> None:
    assert without_handoff(pod) is expected


@pytest.mark.parametrize("known", [health("draining"), None], ids=["the first one", "the other one"])
def test_two_deployments_in_one_group_are_asked_about_at_once_and_as_soon_as_one_needs_it(
    known: TargetHealth | None,
) -> None:
    """One of them has pods to confirm, the other only waits for its own to leave."""
    green = a_deployment("green")
    leaving = a_pod("web-9", of="green", labels={"app": "web", HASH: "2"}, withdrawn=True)
    both = {d.uid: d for d in (a_deployment(), green)}
    snapshot = a_cluster(leaving, workloads=both, target_health={"web-9": known})
    web, other = an_intent(snapshot, "web-1", "web-9").pods
    other = replace(other, workload=reference_to(green))
    together = next_actions(snapshot, Intent(pods=(web, other))).wishes[arn()]
    alone = [next_actions(snapshot, Intent(pods=(planned,))).wishes[arn()] for planned in (web, other)]
    assert together.targets == {a_target(f"web-{n}") for n in (1, 2, 3, 4, 5, 6, 9)}
    assert together.targets == alone[0].targets | alone[1].targets
    assert together.not_before == alone[0 if known else 1].not_before
    assert alone[0].not_before != alone[1].not_before
