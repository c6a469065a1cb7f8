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

APART = unscheduled("3 node(s) didn't match pod anti-affinity rules.")
UNEVEN = unscheduled("1 node(s) were unschedulable, 2 node(s) didn't match pod topology spread constraints.")
ROOM = "with --max-surge 0 a pod makes room for its replacement first"
WITHOUT = "with --max-surge 0 it goes first, and its replacement comes once a node has room for it"
HONOR = (
    "its topology spread constraints count the cordoned node, where no pod may come: with nodeTaintsPolicy: Honor in "
    "the template of deployment shop/web they do not"
)

ROWS = [
    pytest.param(a_cluster(OLD, FULL), MISSING, ROOM, id="nodes that are full"),
    pytest.param(a_cluster(OLD, unscheduled("3 Too many pods.")), MISSING, ROOM, id="nodes with as many pods as go"),
    pytest.param(
        a_cluster(OLD, unscheduled("3 node(s) exceed max volume count.")), MISSING, ROOM, id="with as many volumes"
    ),
    pytest.param(a_cluster(OLD, APART), MISSING, ROOM, id="nodes with a pod beside which it may not be"),
    pytest.param(
        a_cluster(OLD, unscheduled("3 node(s) didn't satisfy existing pods anti-affinity rules.")),
        MISSING,
        ROOM,
        id="or with one that may not be beside it",
    ),
    pytest.param(
        a_cluster(OLD, unscheduled("3 node(s) didn't have free ports for the requested pod ports.")),
        MISSING,
        ROOM,
        id="nodes whose port is taken",
    ),
    pytest.param(a_cluster(OLD, **over_quota()), MISSING, ROOM, id="a quota that is used up"),
    pytest.param(a_cluster(OLD, **over_quota(), **CORDONED), MISSING, ROOM, id="on a drain too"),
    pytest.param(
        a_cluster(OLD, FULL, **CORDONED), MISSING, WITHOUT, id="room on a node that is drained is of no use to it"
    ),
    pytest.param(a_cluster(OLD, APART, **CORDONED), MISSING, WITHOUT, id="nor is that a pod has left it"),
    pytest.param(
        a_cluster(OLD, FULL, **CORDONED, **ALONE), MISSING, "", id="the only pod can't go without its replacement"
    ),
    pytest.param(a_cluster(OLD, UNEVEN, **CORDONED), MISSING, HONOR, id="pods that are to be spread over nodes"),
    pytest.param(a_cluster(OLD, UNEVEN), MISSING, "", id="whether one that goes makes them even can't be told"),
    pytest.param(
        a_cluster(
            OLD,
            unscheduled("1 Insufficient cpu, 1 node(s) didn't match pod topology spread constraints."),
            **CORDONED,
        ),
        MISSING,
        WITHOUT,
        id="to count another node as empty is no use where that is full",
    ),
    pytest.param(
        a_cluster(OLD, unscheduled("3 node(s) were unschedulable.")), MISSING, "", id="nodes that are cordoned"
    ),
    pytest.param(
        a_cluster(OLD, unscheduled("3 node(s) were unschedulable."), **CORDONED), MISSING, "", id="all of them"
    ),
    pytest.param(a_cluster(OLD, a_pod("web-7", ready=False)), MISSING, "", id="a replacement that runs"),
    pytest.param(a_cluster(OLD, FULL, **ALONE), MISSING, "", id="the only pod can't go first"),
    pytest.param(a_cluster(OLD, FULL), Wait(on=For.BUDGET, why=""), "", id="another wait"),
    pytest.param(a_cluster(OLD, FULL, **TWO), MISSING, ROOM, id="one of two can go first"),
    pytest.param(a_cluster(OLD, FULL, **USABLE), MISSING, ROOM, id="room on a node that is not cordoned"),
    pytest.param(a_cluster(OLD, replace(FULL, conditions=SCHEDULED)), MISSING, "", id="a node took it since"),
    pytest.param(a_cluster(OLD, FULL, workloads={}), MISSING, "", id="its Deployment is gone"),
    pytest.param(a_cluster(FULL), MISSING, "", id="a pod that can't be released goes first already"),
]


@pytest.mark.parametrize(("snapshot", "wait", "remedy"), ROWS)
def test_what_helps_is_told(snapshot: Snapshot, wait: Wait, remedy: str) -> None:
    intent = an_intent(snapshot, "web-1")
    assert remedy_for_room(intent.pods[0], wait, snapshot, intent) == remedy


def test_as_many_pods_are_missing_as_go_without_a_replacement() -> None:
    snapshot = a_cluster(OLD, FULL, **CORDONED)
    intent = an_intent(snapshot, "web-1", "web-2", "web-3")
    without = WITHOUT.replace("--max-surge 0", "--max-surge 0 --max-unavailable 3")
    assert remedy_for_room(intent.pods[0], MISSING, snapshot, intent) == without


def test_who_is_gone_is_not_missing_any_more() -> None:
    intent = an_intent(a_cluster(), "web-1", "web-2")
    snapshot = a_cluster(OLD, FULL, without=["web-2"], **CORDONED)
    assert remedy_for_room(intent.pods[0], MISSING, snapshot, intent) == WITHOUT


def test_pods_of_another_workload_are_not_missing_from_this_one() -> None:
    snapshot = a_cluster(OLD, FULL, **CORDONED)
    intent = an_intent(snapshot, "web-1", "web-2")
    intent = replace(intent, pods=(intent.pods[0], replace(intent.pods[1], workload=None)))
    assert remedy_for_room(intent.pods[0], MISSING, snapshot, intent) == WITHOUT


def test_a_pod_that_is_gone_needs_nothing() -> None:
    intent, snapshot = an_intent(a_cluster(OLD), "web-1"), a_cluster(FULL, without=["web-1"])
    assert remedy_for_room(intent.pods[0], MISSING, snapshot, intent) == ""


def test_not_all_pods_can_go_without_replacements() -> None:
    snapshot = a_cluster(OLD, FULL, **CORDONED)
    intent = an_intent(snapshot)
    assert remedy_for_room(intent.pods[0], MISSING, snapshot, intent) == ""


def test_no_other_way_of_a_pod_without_a_workload_is_known() -> None:
    snapshot = a_cluster(OLD, FULL)
    intent = an_intent(snapshot, "web-1")
    assert remedy_for_room(replace(intent.pods[0], workload=None), MISSING, snapshot, intent) == ""


@pytest.mark.parametrize("nodes", [{}, CORDONED], ids=["a restart", "a drain"])
def test_where_pods_go_first_already_there_is_no_such_remedy(nodes: dict[str, Any]) -> None:
    snapshot = a_cluster(OLD, FULL, **nodes)
    intent = an_intent(snapshot, "web-1", settings=Settings(max_surge=0))
    assert remedy_for_room(intent.pods[0], MISSING, snapshot, intent) == ""


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
    pytest.param(a_cluster(DRAINING, OLD, APART), "wait for room", id="and its place beside no other"),
    pytest.param(a_cluster(DRAINING, OLD, UNEVEN), "wait for room", id="and there are fewer of them where it was"),
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
