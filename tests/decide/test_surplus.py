"""What a ReplicaSet is about to delete counts for no floor: nobody knows which pods it takes."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.surplus import surplus
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    LABELS,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    an_owner,
    decide,
    health,
    told,
    uid,
)

WITHDRAW_FIRST = {"max_surge": 0, "max_unavailable": 1}


OTHER = a_replica_set("web-6c8b9", replicas=1)
"""The ReplicaSet of another revision of the same Deployment."""


def scaled(to: int, *pods: Pod, kept: int = 6) -> Snapshot:
    """Return a Deployment of six pods that was scaled, and whose ReplicaSet is to keep so many; `web-7` serves not."""
    replica_set = a_replica_set(replicas=kept)
    workloads = {uid("web"): a_deployment(replicas=to)}
    return a_cluster(
        *pods,
        workloads=workloads,
        replica_sets={its.uid: its for its in (replica_set, OTHER)},
        target_health={pod.name: health("unhealthy") for pod in pods if pod.name == "web-7"},
    )


def withdrawn(*, is_let_go: bool) -> Pod:
    """Return a second pod that was withdrawn; its ReplicaSet has let go of it or not."""
    pod = a_pod("web-2", withdrawn=True)
    return pod if is_let_go else replace(pod, owners=(an_owner(),))


GOES = withdrawn(is_let_go=True)
ROWS = [
    pytest.param(scaled(5), "wait for replacement", id="one is to be deleted"),
    pytest.param(scaled(6), "Withdraw", id="none is"),
    pytest.param(
        scaled(5, withdrawn(is_let_go=False)),
        "wait for replacement",
        id="its ReplicaSet may not know yet that another was withdrawn, and delete one for it",
    ),
    pytest.param(scaled(5, GOES), "Withdraw", id="it does, and has none too many"),
    pytest.param(
        scaled(5, a_pod("web-2", ready=False)),
        "wait for replacement",
        id="one that is not Ready would go, but may be Ready at the next moment",
    ),
    pytest.param(
        scaled(5, replace(withdrawn(is_let_go=False), is_terminating=True)),
        "Withdraw",
        id="the one that was deleted is seen to be",
    ),
    pytest.param(
        scaled(5, replace(withdrawn(is_let_go=False), phase="Succeeded")),
        "Withdraw",
        id="one that ended is none of its",
    ),
    pytest.param(
        scaled(6, kept=4), "wait for replacement", id="a ReplicaSet that is to keep fewer than its Deployment"
    ),
    pytest.param(
        scaled(5, GOES, a_pod("web-7", controller=an_owner(name=OTHER.name))),
        "Withdraw",
        id="another ReplicaSet's pod is none of its",
    ),
    pytest.param(
        scaled(5, GOES, a_pod("web-7", labels={**LABELS, HASH: "other"}, owners=())),
        "Withdraw",
        id="nor is one that nobody owns and its selector does not match",
    ),
    pytest.param(
        scaled(5, replace(a_pod("web-7"), owners=()), GOES),
        "wait for replacement",
        id="one that it is about to adopt is",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_a_pod_leaves_only_where_enough_are_kept(snapshot: Snapshot, expected: str) -> None:
    assert told(decide(snapshot, "web-1", **WITHDRAW_FIRST)) == expected


def test_says_what_is_waited_for() -> None:
    decision: Any = decide(scaled(5, withdrawn(is_let_go=False)), "web-1", **WITHDRAW_FIRST).decisions[uid("web-1")]
    assert decision.why == ("replicaset web-5d4f8c7b9 has 6 pods and is to keep 5; which of them it deletes shows then")


def test_says_which_kind_of_controller_it_is() -> None:
    controller = a_replica_set(kind="ReplicationController", replicas=5)
    snapshot = replace(scaled(5), replica_sets={controller.uid: controller})
    assert surplus(snapshot.workloads[uid("web")], snapshot).startswith(
        "replicationcontroller web-5d4f8c7b9 has 6 pods"
    )


def test_of_a_workload_that_was_scaled_to_nothing_nothing_is_owed() -> None:
    assert told(decide(scaled(0), "web-1", **WITHDRAW_FIRST)) == "Withdraw"
