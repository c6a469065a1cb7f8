"""When a pod that goes first would make room for its replacement, and when others make it."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.room import remedy_for_room
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from tests.support.builders import a_cluster, a_deployment, a_pod, a_replica_set, an_intent, decide, told, uid

OLD = a_pod(released=True)
MISSING = Wait(on=For.REPLACEMENT, why="")


def unscheduled(words: str) -> Pod:
    told = Condition(is_true=False, reason="Unschedulable", message=f"0/3 nodes are available: {words}")
    return a_pod("web-7", node=None, phase="Pending", gates={}, conditions={"PodScheduled": told})


def over_quota() -> dict[str, Any]:
    replica_set = a_replica_set(failure='pods "web-x" is forbidden: exceeded quota: few')
    return {"replica_sets": {replica_set.uid: replica_set}}


FULL = unscheduled("3 Insufficient cpu.")
CORDONED: dict[str, Any] = {"nodes": {"node-1": Node(name="node-1", resource_version="1", is_unschedulable=True)}}
USABLE: dict[str, Any] = {"nodes": {"node-1": Node(name="node-1", resource_version="1")}}
SCHEDULED = {"PodScheduled": Condition(is_true=True, message="0/3 nodes are available: 3 Insufficient cpu.")}
TWO: dict[str, Any] = {"workloads": {uid("web"): a_deployment(replicas=2)}}
ALONE: dict[str, Any] = {"workloads": {uid("web"): a_deployment(replicas=1)}}

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
    pytest.param(a_cluster(OLD, FULL, **TWO), MISSING, True, id="one of two can go first"),
    pytest.param(a_cluster(OLD, FULL, **USABLE), MISSING, True, id="room on a node that is not cordoned"),
    pytest.param(a_cluster(OLD, replace(FULL, conditions=SCHEDULED)), MISSING, False, id="a node took it since"),
    pytest.param(a_cluster(OLD, FULL, workloads={}), MISSING, False, id="its Deployment is gone"),
]


@pytest.mark.parametrize(("snapshot", "wait", "helps"), ROWS)
def test_to_go_first_is_a_remedy(snapshot: Snapshot, wait: Wait, helps: bool) -> None:
    (planned,) = an_intent(snapshot, "web-1").pods
    remedy = "; with --max-surge 0 a pod makes room for its replacement first" if helps else ""
    assert remedy_for_room(planned, wait, snapshot, Settings()) == remedy


def test_no_other_way_of_a_pod_without_a_workload_is_known() -> None:
    snapshot = a_cluster(OLD, FULL)
    (planned,) = an_intent(snapshot, "web-1").pods
    assert remedy_for_room(replace(planned, workload=None), MISSING, snapshot, Settings()) == ""


def test_where_pods_go_first_already_there_is_no_such_remedy() -> None:
    snapshot = a_cluster(OLD, FULL)
    (planned,) = an_intent(snapshot, "web-1").pods
    assert remedy_for_room(planned, MISSING, snapshot, Settings(max_surge=0)) == ""


DRAINING = a_pod("web-2", withdrawn=True, in_service=6)
FAILED_PULL = a_pod("web-7", ready=False, waiting_reason="ErrImagePull")
COMING = [
    pytest.param(a_cluster(DRAINING, OLD, FULL), "wait for room", id="the room of a pod that drains comes free"),
    pytest.param(
        a_cluster(DRAINING, OLD, FULL, **USABLE), "wait for room", id="on a node that is known not to be cordoned"
    ),
    pytest.param(a_cluster(DRAINING, OLD, **over_quota()), "wait for room", id="and its part of a quota"),
    pytest.param(
        a_cluster(DRAINING, OLD, FULL, **CORDONED),
        "wait for replacement",
        id="but not where its node is cordoned, as on a drain",
    ),
    pytest.param(
        a_cluster(DRAINING, OLD, **over_quota(), **CORDONED),
        "wait for room",
        id="where its part of a quota comes free all the same",
    ),
    pytest.param(a_cluster(DRAINING, OLD, FAILED_PULL), "wait for replacement", id="a replacement has room, and fails"),
    pytest.param(a_cluster(OLD, FULL), "wait for replacement", id="nothing drains"),
]


@pytest.mark.parametrize(("snapshot", "expected"), COMING)
def test_no_deadline_runs_while_the_room_that_lacks_comes_free(snapshot: Snapshot, expected: str) -> None:
    assert told(decide(snapshot, "web-1", "web-2")) == expected


def test_a_pod_that_drains_for_ever_does_not_keep_others_from_their_deadline() -> None:
    snapshot = a_cluster(DRAINING, OLD, FULL)
    intent = replace(an_intent(snapshot, "web-1", "web-2"), overdue={DRAINING.uid: "its target stays"})
    assert told(next_actions(snapshot, intent)) == "wait for replacement"


def test_what_others_withdrew_is_not_counted_on() -> None:
    assert told(decide(a_cluster(DRAINING, OLD, FULL), "web-1")) == "wait for replacement"
