"""Which pods a ReplicaSet counts when one is given back to it."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.undo import safe_undo
from kubectl_safe.model.pod import Pod
from tests.support.builders import HASH, LABELS, a_cluster, a_deployment, a_pod, a_replica_set, an_owner

RELEASED = a_pod(released=True)
COMING = a_pod("web-7", ready=False)
"""The one that goes, where no other is one too many."""

ROWS = [
    pytest.param(a_pod("web-8"), False, id="one of its own"),
    pytest.param(a_pod("web-8", owners=()), False, id="one that it is about to adopt"),
    pytest.param(a_pod("web-8", namespace="other"), True, id="not one of another namespace"),
    pytest.param(a_pod("web-8", controller=an_owner("StatefulSet", "db")), True, id="not one of another controller"),
    pytest.param(a_pod("web-8", terminating=True), True, id="not one that terminates"),
    pytest.param(a_pod("web-8", phase="Succeeded"), True, id="not one that ran to its end"),
    pytest.param(a_pod("web-8", labels={"app": "web", HASH: "1"}), True, id="not one of another revision"),
]


@pytest.mark.parametrize(("other", "is_safe"), ROWS)
def test_a_replica_set_counts(other: Pod, is_safe: bool) -> None:
    snapshot = a_cluster(RELEASED, COMING, other)
    assert (safe_undo(RELEASED, a_deployment(), snapshot, undone=set()) is not None) is is_safe


def test_a_pod_is_given_back_to_a_replica_set_of_its_own_deployment_only() -> None:
    other = a_replica_set(owner=replace(an_owner("Deployment", "green"), uid="green-uid"))
    for replica_set in (other, a_replica_set(owner=None)):
        snapshot = a_cluster(RELEASED, COMING, replica_sets={replica_set.uid: replica_set})
        assert not safe_undo(RELEASED, a_deployment(), snapshot, undone=set())


def test_a_pod_whose_label_a_policy_put_back_is_counted_once() -> None:
    pod = replace(RELEASED, labels=LABELS)
    assert safe_undo(pod, a_deployment(), a_cluster(pod, COMING), undone=set())


def test_a_pod_is_given_back_to_the_replica_set_that_it_came_from() -> None:
    older = a_replica_set("web-0", replicas=0)
    snapshot = a_cluster(RELEASED, COMING, replica_sets={r.uid: r for r in (older, a_replica_set())})
    assert safe_undo(RELEASED, a_deployment(), snapshot, undone=set())


def test_what_is_given_back_at_once_to_another_replica_set_is_none_too_many() -> None:
    other = a_pod("web-9", released=True, labels={"app": "web", HASH: "1"})
    snapshot = a_cluster(RELEASED, COMING, other)
    for undone in ({other.uid}, {RELEASED.uid}, {"gone-uid"}):
        assert safe_undo(RELEASED, a_deployment(), snapshot, undone=undone)
