"""A release is taken back only where no pod that is Ready pays for it."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.undo import safe_undo
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetHealth
from tests.support.builders import (
    GATE,
    HASH,
    LABELS,
    NOT_REGISTERED,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    an_owner,
    arn,
    health,
    uid,
)

RELEASED = a_pod(released=True)
OTHER_RELEASED = a_pod("web-2", released=True)
COMING = a_pod("web-7", ready=False)

ROWS = [
    pytest.param(a_cluster(RELEASED, COMING), True, id="its replacement is not Ready: that goes"),
    pytest.param(a_cluster(RELEASED), True, id="no replacement was created: nothing goes"),
    pytest.param(a_cluster(RELEASED, a_pod("web-7")), False, id="its replacement is Ready: any pod might go"),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7"), a_pod("web-2", ready=False)),
        True,
        id="its replacement is Ready, and another pod is not: that goes",
    ),
    pytest.param(
        a_cluster(RELEASED, COMING, replica_sets={uid("web-5d4f8c7b9"): a_replica_set(replicas=5)}),
        False,
        id="scaled down meanwhile: two go, and only one of them is not Ready",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7"), replica_sets={uid("web-5d4f8c7b9"): a_replica_set(replicas=7)}),
        True,
        id="scaled up meanwhile: there is room for it",
    ),
    pytest.param(
        a_cluster(RELEASED, COMING, replica_sets={uid("web-5d4f8c7b9"): a_replica_set(replicas=0)}),
        False,
        id="another rollout scaled its ReplicaSet to nothing",
    ),
    pytest.param(a_cluster(RELEASED, COMING, replica_sets={}), False, id="its ReplicaSet is gone: nobody adopts it"),
    pytest.param(
        a_cluster(RELEASED, replace(COMING, is_terminating=True), a_pod("web-8")),
        False,
        id="a pod on its way out is not deleted again",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7", terminating=True)),
        True,
        id="a replacement on its way out is not one too many",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7"), a_pod("stray", ready=False, labels={"app": "other", HASH: "1"})),
        False,
        id="a pod of another workload that is not Ready does not count",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7"), a_pod("web-8", ready=False, controller=an_owner("StatefulSet", "db"))),
        False,
        id="nor does one that another controller has",
    ),
    pytest.param(
        a_cluster(RELEASED, COMING, replace(a_pod("web-9"), owners=())),
        False,
        id="a pod that was given back and is not adopted yet counts already",
    ),
]

GATED = a_pod("web-7", gates={GATE: False})


def told(target: TargetHealth | None) -> Snapshot:
    """Return a cluster whose replacement waits for its gate, and what AWS said of its target."""
    return a_cluster(RELEASED, GATED, target_health={"web-7": target})


ROWS += [
    pytest.param(told(health("unhealthy", asked=1)), True, id="its target just failed its health checks"),
    pytest.param(told(health("unused", NOT_REGISTERED, asked=0.9)), True, id="it was registered nowhere just now"),
    pytest.param(told(health("unused", NOT_REGISTERED, asked=1.1)), False, id="it may be registered since"),
    pytest.param(told(health("unhealthy", asked=1.1)), False, id="it may have passed its health checks since"),
    pytest.param(told(health("healthy", asked=0)), False, id="its target gets requests before its gate is True"),
    pytest.param(told(health("initial", asked=0)), False, id="its target may get requests the next moment"),
    pytest.param(told(health("draining", asked=0)), False, id="its target answers what it got"),
    pytest.param(told(health("unavailable", asked=0)), False, id="nobody checks its target"),
    pytest.param(told(None), False, id="nobody has asked about its target yet"),
    pytest.param(
        a_cluster(RELEASED, COMING, target_health={"web-7": health("initial", asked=0)}),
        True,
        id="its containers are not ready: no controller registers it",
    ),
    pytest.param(
        a_cluster(RELEASED, GATED, unseen=frozenset({arn()})), True, id="its group can't be asked: its gate stands"
    ),
    pytest.param(
        a_cluster(RELEASED, GATED, a_pod("web-2", ready=False)),
        False,
        id="either of two that are not Ready may go, and one of them gets requests",
    ),
    pytest.param(
        a_cluster(RELEASED, GATED, replica_sets={uid("web-5d4f8c7b9"): a_replica_set(replicas=7)}),
        True,
        id="scaled up meanwhile: none goes",
    ),
    pytest.param(a_cluster(RELEASED, GATED, bindings=()), True, id="no load balancer: a pod that is not Ready idles"),
]


@pytest.mark.parametrize(("snapshot", "is_safe"), ROWS)
def test_a_release_is_taken_back_only_at_the_cost_of_a_pod_that_is_not_ready(snapshot: Snapshot, is_safe: bool) -> None:
    assert (safe_undo(snapshot.pods[RELEASED.uid], a_deployment(), snapshot, undone=set()) is not None) is is_safe


@pytest.mark.parametrize("others", [(), (a_pod("web-2", ready=False),)], ids=["the only one", "one of two"])
def test_who_gives_it_back_is_told_of_as_many_pods_as_go_for_it(others: tuple[Pod, ...]) -> None:
    undo = safe_undo(RELEASED, a_deployment(), a_cluster(RELEASED, COMING, *others), undone=set())
    assert undo is not None
    assert len(undo.idle) == 1
    assert undo.idle[0] in (COMING, *others)


def test_two_pods_are_not_given_back_at_the_cost_of_one() -> None:
    snapshot = a_cluster(RELEASED, OTHER_RELEASED, COMING, a_pod("web-8"))
    pod = snapshot.pods[RELEASED.uid]
    assert safe_undo(pod, a_deployment(), snapshot, undone=set())
    assert not safe_undo(pod, a_deployment(), snapshot, undone={OTHER_RELEASED.uid})


def test_it_would_be_adopted_by_its_old_labels() -> None:
    assert RELEASED.original_labels == LABELS
