"""What dead runs left, and what the living are at."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.leftovers import is_readable
from kubectl_safe.model.lease import Lease, LeaseName, lease_of_node, lease_of_workload
from kubectl_safe.model.marks import CORDONED, EXCLUDED, HANDOFF, OPERATION, TOUCH, WAKE, Operation
from kubectl_safe.model.target import EXCLUDE_LABEL
from kubectl_safe.model.workload import Node
from tests.decide.check.scenes import a_setup, facts, found
from tests.support.builders import (
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    ago,
    an_owner,
    uid,
)

WORKLOAD = lease_of_workload("Deployment", "shop", "web")
NODE = lease_of_node("node-1")


def a_lease(name: LeaseName = WORKLOAD, *, renewed: float = 5, holder: str = "eve@laptop pid 7 0123abcd") -> Lease:
    return Lease(
        name=name,
        uid="lease-uid",
        resource_version="1",
        holder=holder,
        about="drain node-1",
        since=ago(600).isoformat(),
        renewed=ago(renewed).isoformat(),
        duration=timedelta(seconds=30),
    )


def a_node(**changes: Any) -> Node:
    known = {"name": "node-1", "resource_version": "1"}
    return Node(**known | changes)


CORDON = a_node(is_unschedulable=True, annotations={CORDONED: ""})


def of(*leases: Lease, known: bool = True, nodes: tuple[str, ...] = (), **changes: Any) -> Facts:
    pods = changes.pop("changed", (a_pod("web-1", released=True), a_pod("web-2", withdrawn=True)))
    setup = a_setup(leases=leases if known else None)
    return facts(a_cluster(*pods, **changes), setup=setup, nodes=nodes)


@pytest.mark.parametrize(
    ("seen", "remedy"),
    [
        pytest.param(of(changed=()), "", id="nothing was begun"),
        pytest.param(of(known=False), "", id="nobody can tell whether a run is alive"),
        pytest.param(of(a_lease()), "", id="a restart is under way"),
        pytest.param(of(a_lease(NODE)), "", id="a drain is under way"),
        pytest.param(
            of(changed=(a_pod("web-1", released=True, terminating=True),)), "", id="the end of it is under way"
        ),
        pytest.param(of(), "kubectl safe abort deployment/web -n shop", id="no Lease"),
        pytest.param(of(a_lease(renewed=61)), "kubectl safe abort deployment/web -n shop", id="its Lease ran out"),
        pytest.param(of(a_lease(holder="")), "kubectl safe abort deployment/web -n shop", id="its Lease was given up"),
        pytest.param(
            of(replace(a_lease(), renewed="")), "kubectl safe abort deployment/web -n shop", id="its Lease says nothing"
        ),
    ],
)
def test_pods_in_the_middle_of_a_handoff(seen: Facts, remedy: str) -> None:
    findings = found("leftover-handoff", seen)
    assert [its.remedy for its in findings] == ([remedy] if remedy else [])
    for its in findings:
        assert str(its.subject) == "deployment.apps/web"
        assert its.fact == (
            "2 pods in the middle of a handoff that nobody goes on with, 1 released and 1 withdrawn: web-1, web-2"
        )


def test_where_the_cordon_of_a_drain_is_there_the_drain_is_ended() -> None:
    snapshot = a_cluster(a_pod("web-1", released=True), nodes={"node-1": CORDON})
    [its] = found("leftover-handoff", facts(snapshot))
    assert its.remedy == "kubectl safe abort node/node-1"


RESTART = Operation(id="ab", started="2026-11-23T11:00:00+00:00", options="--max-surge=2", pods=frozenset({"web-1-ui"}))


def recorded(*leases: Lease, text: str = RESTART.dumps()) -> Facts:
    bearer = a_replica_set(annotations={OPERATION: text})
    return facts(a_cluster(replica_sets={bearer.uid: bearer}), setup=a_setup(leases=leases))


@pytest.mark.parametrize(
    ("seen", "count"),
    [
        pytest.param(facts(), 0, id="no record"),
        pytest.param(recorded(a_lease()), 0, id="a run that is alive"),
        pytest.param(recorded(text="{}"), 0, id="a record that can't be read is another fault"),
        pytest.param(recorded(a_lease(renewed=90)), 1, id="a run that died"),
        pytest.param(recorded(), 1, id="a run that left no Lease"),
    ],
)
def test_a_record_of_a_restart_without_a_run(seen: Facts, count: int) -> None:
    findings = found("leftover-record", seen)
    assert len(findings) == count
    for its in findings:
        assert its.fact == (
            "a restart that began at 2026-11-23T11:00:00+00:00 has no run any more, and 1 pod of its 1 left to replace"
        )
        assert its.remedy.splitlines() == [
            "kubectl safe rollout restart deployment/web -n shop --max-surge=2  # goes on with it",
            "kubectl safe abort deployment/web -n shop  # ends it",
        ]


@pytest.mark.parametrize(
    ("node", "leases", "words"),
    [
        pytest.param(a_node(), (), "", id="no cordon"),
        pytest.param(a_node(is_unschedulable=True), (), "", id="somebody else's cordon"),
        pytest.param(CORDON, (a_lease(NODE),), "", id="a drain that is under way"),
        pytest.param(CORDON, (), "cordoned", id="a cordon of ours"),
        pytest.param(
            replace(CORDON, labels={EXCLUDE_LABEL: ""}, annotations={CORDONED: "", EXCLUDED: ""}),
            (a_lease(NODE, renewed=90),),
            "cordoned and excluded from load balancers",
            id="all marks of ours, and a Lease that ran out",
        ),
    ],
)
def test_a_node_that_a_drain_left_cordoned(node: Node, leases: tuple[Lease, ...], words: str) -> None:
    seen = facts(a_cluster(nodes={"node-1": node}), setup=a_setup(leases=leases), nodes=("node-1",))
    findings = found("leftover-cordon", seen)
    assert len(findings) == bool(words)
    for its in findings:
        assert its.fact == f"it is {words} by kubectl safe drain, and no drain of it is under way"
        assert its.remedy == "kubectl safe uncordon node-1"


@pytest.mark.parametrize(
    ("lease", "fact"),
    [
        pytest.param(a_lease(), "", id="alive"),
        pytest.param(a_lease(holder=""), "", id="nobody's"),
        pytest.param(
            a_lease(renewed=3600),
            "it is held by eve@laptop (pid 7): drain node-1, renewed 1h ago: that run is over, or cut off",
            id="ran out",
        ),
    ],
)
def test_a_lease_that_ran_out(lease: Lease, fact: str) -> None:
    assert [its.fact for its in found("leftover-lease", of(lease))] == ([fact] if fact else [])


NUDGED = (a_binding(is_nudged=True),)
TOUCHED = (a_pod("web-1", annotations={TOUCH: "1"}),)
WOKEN = {uid("web"): a_deployment(kind="StatefulSet", annotations={WAKE: "1"})}


@pytest.mark.parametrize(
    ("seen", "remedy"),
    [
        pytest.param(of(changed=()), "", id="nothing"),
        pytest.param(of(a_lease(), changed=(), bindings=NUDGED), "", id="some run is alive"),
        pytest.param(
            of(changed=(), bindings=NUDGED),
            "kubectl annotate targetgroupbinding.elbv2.k8s.aws web -n shop kubectl-safe/nudge-",
            id="a nudge",
        ),
        pytest.param(of(changed=TOUCHED), "kubectl annotate pod web-1 -n shop kubectl-safe/touch-", id="a touch"),
        pytest.param(
            of(changed=(), workloads=WOKEN),
            "kubectl annotate statefulset.apps web -n shop kubectl-safe/wake-",
            id="a wake-up",
        ),
    ],
)
def test_annotations_that_wake_others_up(seen: Facts, remedy: str) -> None:
    assert [its.remedy for its in found("leftover-annotation", seen)] == ([remedy] if remedy else [])


def test_marks_that_somebody_else_wrote_are_told_with_the_command_that_takes_them_off() -> None:
    strange = a_pod("web-1", annotations={HANDOFF: "soon"})
    assert not is_readable(strange)
    assert is_readable(a_pod("web-1", released=True))
    seen = replace(recorded(text="{}"), unreadable=(strange,))
    assert [(str(its.subject), its.remedy) for its in found("mark-unreadable", seen)] == [
        ("pod/web-1", "kubectl annotate pod web-1 -n shop kubectl-safe/handoff-"),
        (
            "deployment.apps/web",
            "kubectl annotate replicaset web-5d4f8c7b9 -n shop kubectl-safe/operation-",
        ),
    ]


def test_the_handoff_of_a_pod_that_no_restart_takes_is_ended_with_its_node() -> None:
    alone = a_replica_set(owner=None)
    owner = an_owner(name=alone.name)
    workload = replace(a_deployment(), kind="ReplicaSet", name=alone.name, uid=alone.uid)
    pod = replace(a_pod("web-1", released=True), owners=(replace(owner, is_controller=False),))
    snapshot = a_cluster(pod, replica_sets={alone.uid: alone}, workloads={alone.uid: workload})
    [its] = found("leftover-handoff", facts(snapshot))
    assert (str(its.subject), its.remedy) == (f"replicaset.apps/{alone.name}", "kubectl safe abort node/node-1")
