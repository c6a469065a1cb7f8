"""When a pod that goes first would make room for its replacement."""

from typing import Any

import pytest

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.room import remedy_for_room
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from tests.support.builders import a_cluster, a_deployment, a_pod, a_replica_set, an_intent, uid

OLD = a_pod(released=True)
MISSING = Wait(on=For.REPLACEMENT, why="")


def unscheduled(words: str) -> Pod:
    told = Condition(is_true=False, reason="Unschedulable", message=f"0/3 nodes are available: {words}")
    return a_pod("web-7", node=None, phase="Pending", gates={}, conditions={"PodScheduled": told})


def over_quota() -> dict[str, Any]:
    replica_set = a_replica_set(failure='pods "web-x" is forbidden: exceeded quota: few')
    return {"replica_sets": {replica_set.uid: replica_set}}


FULL = unscheduled("3 Insufficient cpu.")
CORDONED = {"nodes": {"node-1": Node(name="node-1", resource_version="1", is_unschedulable=True)}}
ALONE = {"deployments": {uid("web"): a_deployment(replicas=1)}}

ROWS = [
    pytest.param(a_cluster(OLD, FULL), MISSING, True, id="nodes that are full"),
    pytest.param(a_cluster(OLD, unscheduled("3 Too many pods.")), MISSING, True, id="nodes with as many pods as go"),
    pytest.param(a_cluster(OLD, **over_quota()), MISSING, True, id="a quota that is used up"),
    pytest.param(a_cluster(OLD, **over_quota(), **CORDONED), MISSING, True, id="on a drain too"),
    pytest.param(a_cluster(OLD, FULL, **CORDONED), MISSING, False, id="room on a node that is drained is of no use"),
    pytest.param(
        a_cluster(OLD, unscheduled("3 node(s) were unschedulable.")), MISSING, False, id="nodes that are cordoned"
    ),
    pytest.param(a_cluster(OLD, a_pod("web-7", ready=False)), MISSING, False, id="a replacement that runs"),
    pytest.param(a_cluster(OLD, FULL, **ALONE), MISSING, False, id="the only pod can't go first"),
    pytest.param(a_cluster(OLD, FULL), Wait(on=For.BUDGET, why=""), False, id="another wait"),
]


@pytest.mark.parametrize(("snapshot", "wait", "helps"), ROWS)
def test_to_go_first_is_a_remedy(snapshot: Snapshot, wait: Wait, helps: bool) -> None:
    (planned,) = an_intent(snapshot, "web-1").pods
    assert ("--max-surge 0" in remedy_for_room(planned, wait, snapshot)) == helps
