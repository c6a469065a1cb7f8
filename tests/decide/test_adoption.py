"""Pods that another controller would adopt on their way are not handed over, unless the reader answers for it."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.labels import label_to_release
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload, alone
from tests.support.builders import HASH, a_cluster, a_deployment, a_pod, a_replica_set, an_intent, decide, told, uid

OWN = a_replica_set()
APP = LabelSelector(match_labels={"app": "web"})
GREEDY = a_replica_set("greedy", selector=APP, owner=None)
BY_HASH = a_replica_set("by-hash", selector=LabelSelector(match_labels={HASH: "5d4f8c7b9"}), owner=None)
ELSEWHERE = replace(GREEDY, namespace="other")
RELEASED = (
    "replicaset greedy would adopt pod shop/web-1 without its label pod-template-hash, and delete a pod for it: let "
    "its selector match its own pods only, or answer for it with --allow adoption"
)


def a_cluster_with(*others: Any, **over: Any) -> Snapshot:
    """Return the cluster with further ReplicaSets, or DaemonSets."""
    known = {its.uid: its for its in (OWN, *others)}
    sets = {key: its for key, its in known.items() if not isinstance(its, Workload)}
    workloads = {key: its for key, its in known.items() if isinstance(its, Workload)}
    return a_cluster(replica_sets=sets, workloads={uid("web"): a_deployment(), **workloads}, **over)


A_DAEMON_SET = Workload(kind="DaemonSet", namespace="shop", name="edge", uid=uid("edge"), selector=APP, replicas=3)
A_STATEFUL_SET = replace(A_DAEMON_SET, kind="StatefulSet")


@pytest.mark.parametrize(
    ("snapshot", "flags", "expected"),
    [
        pytest.param(a_cluster_with(), {}, "", id="nobody else selects it"),
        pytest.param(a_cluster_with(GREEDY), {}, RELEASED, id="a ReplicaSet that needs fewer labels"),
        pytest.param(a_cluster_with(ELSEWHERE), {}, "", id="one of another namespace"),
        pytest.param(
            a_cluster_with(A_DAEMON_SET),
            {},
            RELEASED.replace("replicaset greedy", "daemonset edge"),
            id="a DaemonSet that needs fewer labels",
        ),
        pytest.param(a_cluster_with(A_STATEFUL_SET), {}, "", id="a StatefulSet adopts by names, too"),
        pytest.param(a_cluster_with(GREEDY), {"max_surge": 0}, "", id="withdrawn first, it has lost what that needs"),
        pytest.param(
            a_cluster_with(BY_HASH),
            {"max_surge": 0},
            "replicaset by-hash would adopt pod shop/web-1 without its label app, and delete a pod for it: let its "
            "selector match its own pods only, or answer for it with --allow adoption",
            id="withdrawn first, by a label that it doesn't need",
        ),
        pytest.param(a_cluster_with(GREEDY), {"allow": frozenset({"adoption"})}, "", id="allowed"),
    ],
)
def test_is_refused(snapshot: Snapshot, flags: dict[str, Any], expected: str) -> None:
    intent = an_intent(snapshot, "web-1", **flags)
    assert "; ".join(blocked.why for blocked in blockers(intent, snapshot)) == expected


def test_where_another_label_has_no_adopter_that_is_dropped() -> None:
    pod = a_pod(labels={"app": "web", "tier": "front", HASH: "5d4f8c7b9"})
    selector = LabelSelector(match_labels=pod.labels)
    greedy = replace(GREEDY, selector=LabelSelector(match_labels={"app": "web", "tier": "front"}))
    snapshot = a_cluster(pod, replica_sets={greedy.uid: greedy})
    assert label_to_release(pod, selector, snapshot) == "tier"


def test_one_that_comes_in_the_middle_stops_what_is_not_begun() -> None:
    assert told(decide(a_cluster_with(GREEDY)), "web-1") == "blocked by adoption"


def test_where_it_is_allowed_no_pod_is_released_to_it() -> None:
    assert told(decide(a_cluster_with(GREEDY), allow=frozenset({"adoption"})), "web-1") == "Withdraw"


def test_the_only_pod_is_not_withdrawn_first_for_it() -> None:
    only = a_deployment(replicas=1)
    snapshot = a_cluster(
        replica_sets={its.uid: its for its in (replace(OWN, replicas=1), GREEDY)},
        workloads={only.uid: only},
        without=[f"web-{number}" for number in range(2, 7)],
    )
    (blocked,) = blockers(an_intent(snapshot, "web-1", allow=frozenset({"adoption"})), snapshot)
    assert blocked.reason == "downtime"


def test_a_replica_set_of_its_own_is_a_workload() -> None:
    its = alone(replace(GREEDY, kind="ReplicationController", min_ready=a_deployment().min_ready, is_terminating=True))
    assert its is not None
    assert (its.kind, its.name, its.replicas, its.is_terminating) == ("ReplicationController", "greedy", 6, True)
    assert (its.selector, its.names_its_pods, its.replaces_in_place) == (APP, False, False)
    assert alone(OWN) is None
    rollout = replace(OWN, owner=replace(OWN.owner, kind="Rollout", api_version="argoproj.io/v1alpha1"))  # type: ignore[type-var]  # it has an owner
    assert alone(rollout) is not None
