"""Where a node asks its own pods only, one of them stays in service there: the floor of a (Service, node)."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.decision import Wait
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.marks import WITHDRAWN
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL
from kubectl_safe.model.workload import Node
from tests.support import builders
from tests.support.builders import (
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    an_endpoint,
    an_intent,
    decide,
    uid,
)

EXTERNAL, INTERNAL = "externalTrafficPolicy", "internalTrafficPolicy"
ALLOWED = frozenset({"local-traffic-policy"})
HERE = ("node-1",)
WHY = (
    "node node-1 would be left without a pod of service shop/web, whose {are} Local: what is sent to it there goes to "
    "pod web-1 or nowhere; set it to Cluster, or answer for it with --allow local-traffic-policy"
)


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return the reasons for which a plan of these pods is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent(snapshot, *names, **flags), snapshot)]


def spread(
    nodes: str, *changed: Pod, policies: tuple[str, ...] = (INTERNAL,), service: Any = None, **changes: Any
) -> Snapshot:
    """Return a cluster with a pod on each of these nodes (`112`), of a Service that asks the pods of a node only.

    A pod that is given takes the place of that with its name, on the same node.
    """
    pods = {f"web-{n}": replace(a_pod(f"web-{n}"), node=f"node-{node}") for n, node in enumerate(nodes, 1)}
    pods |= {pod.name: replace(pod, node=pods[pod.name].node) for pod in changed}
    services = (service or a_service(local_policies=frozenset(policies)),)
    without = [f"web-{n}" for n in range(1, 7) if f"web-{n}" not in pods]
    values = {"services": services, "bindings": (), "workloads": {uid("web"): a_deployment(replicas=len(pods))}}
    return a_cluster(*pods.values(), without=without, **values | changes)


@pytest.mark.parametrize(
    ("policies", "are"),
    [
        pytest.param((INTERNAL,), f"{INTERNAL} is", id="from within the cluster"),
        pytest.param((EXTERNAL,), f"{EXTERNAL} is", id="from outside"),
        pytest.param((INTERNAL, EXTERNAL), f"{EXTERNAL} and {INTERNAL} are", id="both"),
    ],
)
def test_a_drained_node_is_not_left_without_a_pod_of_it(policies: tuple[str, ...], are: str) -> None:
    snapshot = spread("12", policies=policies)
    assert told(snapshot, "web-1", nodes=HERE) == [f"local-traffic-policy: {WHY.format(are=are)}"]
    assert told(snapshot, "web-1", nodes=HERE, allow=ALLOWED) == []


STOPS = a_pod("web-2", terminating=True)
UNREADY = a_pod("web-2", ready=False)
STATEFUL = {uid("web"): a_deployment(kind="StatefulSet")}


@pytest.mark.parametrize(
    ("snapshot", "planned", "flags", "is_refused"),
    [
        pytest.param(spread("12", policies=()), ("web-1",), {"nodes": HERE}, False, id="nodes ask those of others"),
        pytest.param(spread("11"), ("web-1",), {"nodes": HERE}, False, id="drained: another one stays there"),
        pytest.param(spread("11"), (), {"nodes": HERE}, True, id="drained: all of them go, told once"),
        pytest.param(spread("11", STOPS), ("web-1",), {"nodes": HERE}, True, id="drained: the other one stops"),
        pytest.param(spread("11", UNREADY), ("web-1",), {"nodes": HERE}, True, id="drained: the other is not ready"),
        pytest.param(
            spread("12", a_pod("web-1", ready=False)), ("web-1",), {"nodes": HERE}, False, id="it gets nothing itself"
        ),
        pytest.param(spread("12"), ("web-2",), {"nodes": HERE}, False, id="drained: it is of another node"),
        pytest.param(spread("12"), (), {}, False, id="restarted: its replacement may come to the same node"),
        pytest.param(spread("11"), (), {"max_surge": 0}, False, id="withdrawn first: one after the other"),
        pytest.param(spread("12"), (), {"max_surge": 0}, True, id="withdrawn first: it is alone there"),
        pytest.param(
            spread("12", service=a_service(selector=builders.LABELS, local_policies=frozenset({INTERNAL}))),
            (),
            {"max_unavailable": 1},
            True,
            id="withdrawn first: no label separates it",
        ),
        pytest.param(
            spread("12", service=a_service(local_policies=frozenset({INTERNAL}), is_headless=True)),
            (),
            {"max_surge": 0},
            False,
            id="headless: no node stands in between",
        ),
        pytest.param(
            spread("12", policies=(EXTERNAL,), bindings=(a_binding(),)),
            ("web-1",),
            {"nodes": HERE},
            False,
            id="its balancer sends to pods, not to nodes",
        ),
        pytest.param(
            spread("12", policies=(INTERNAL,), bindings=(a_binding(),)),
            ("web-1",),
            {"nodes": HERE},
            True,
            id="its balancer does, others don't",
        ),
        pytest.param(
            spread("12", policies=(EXTERNAL,), bindings=(a_binding(target_type="instance"),)),
            ("web-1",),
            {"nodes": HERE},
            False,
            id="its balancer sends to nodes, and no more to this one",
        ),
        pytest.param(
            spread("12", policies=(INTERNAL, EXTERNAL), bindings=(a_binding(target_type="instance"),)),
            ("web-1",),
            {"nodes": HERE},
            True,
            id="its balancer sends no more to this node, others do",
        ),
        pytest.param(
            spread("12", policies=(EXTERNAL,), bindings=(a_binding(target_type="instance"),)),
            ("web-1",),
            {"max_surge": 0},
            True,
            id="its balancer sends to nodes, and to this one, too",
        ),
        pytest.param(
            spread("12", policies=(EXTERNAL,), bindings=(a_binding("other"),)),
            ("web-1",),
            {"nodes": HERE},
            True,
            id="the balancer is of another Service",
        ),
    ],
)
def test_what_is_certain_to_leave_a_node_without_a_pod(
    snapshot: Snapshot, planned: tuple[str, ...], flags: Any, is_refused: bool
) -> None:
    found = [its for its in told(snapshot, *planned, **flags) if its.startswith("local-traffic-policy")]
    assert len(found) == is_refused


def released(name: str = "web-1", **changes: Any) -> Pod:
    """Return a pod that was released."""
    return a_pod(name, released=True, in_service=2, **changes)


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(spread("122", released()), "wait for replacement", id="the replacement is on another node"),
        pytest.param(spread("112", released()), "Withdraw", id="the replacement is on its node"),
        pytest.param(spread("122", released(), policies=()), "Withdraw", id="nodes ask those of others"),
        pytest.param(
            spread("112", released(), a_pod("web-2", ready=False), a_pod("web-3")),
            "wait for replacement",
            id="the other one there is not ready",
        ),
    ],
)
def test_a_pod_leaves_a_node_while_another_one_is_in_service_there(snapshot: Snapshot, expected: str) -> None:
    found = decide(replace(snapshot, workloads={uid("web"): a_deployment(replicas=2)}), "web-1")
    assert builders.told(found) == expected
    if expected != "Withdraw":
        decision = found.decisions[uid("web-1")]
        assert isinstance(decision, Wait)


def test_the_wait_for_another_pod_on_the_node_says_so() -> None:
    snapshot = replace(spread("122", released()), workloads={uid("web"): a_deployment(replicas=2)})
    decision = decide(snapshot, "web-1").decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert decision.why == WHY.format(are=f"{INTERNAL} is")
    assert builders.told(decide(snapshot, "web-1", allow=ALLOWED)) == "Withdraw"


AGAIN = replace(a_pod("web-2", withdrawn=True), labels={"app": "web", WITHDRAWN: ""})
OTHER = {"app": "other", builders.HASH: "5d4f8c7b9"}


@pytest.mark.parametrize(
    ("other", "listed"),
    [
        pytest.param(a_pod("web-2", withdrawn=True), {}, id="it was withdrawn a moment ago"),
        pytest.param(AGAIN, {}, id="it is withdrawn, and the Service was changed to select it again"),
        pytest.param(a_pod("web-2", terminating=True), {}, id="it stops since a moment ago"),
        pytest.param(a_pod("web-2", labels=OTHER), {}, id="its Service does not select it any more"),
        pytest.param(a_pod("web-2"), {"is_ready": False}, id="it is not ready"),
        pytest.param(a_pod("web-2"), {"service": "other"}, id="it is in a slice of another Service only"),
    ],
)
def test_a_pod_that_is_listed_on_the_node_may_not_be_asked_all_the_same(other: Pod, listed: dict[str, Any]) -> None:
    snapshot = spread("112", a_pod(released=True, in_service=1), other)
    places = [an_endpoint(pod) for pod in snapshot.pods.values() if pod.name != "web-2"]
    snapshot = replace(snapshot, endpoints=(*places, an_endpoint(other, **listed)))
    assert builders.told(decide(snapshot, "web-1")) == "wait for replacement"


@pytest.mark.parametrize(("label", "expected"), [(EXCLUDE_LABEL, "Withdraw"), ("other", "wait for replacement")])
def test_a_node_that_has_left_its_target_groups_gets_nothing_from_outside(label: str, expected: str) -> None:
    nodes = {"node-1": Node(name="node-1", resource_version="1", labels={label: ""})}
    binding = a_binding(target_type="instance")
    snapshot = spread("122", released(), policies=(EXTERNAL,), bindings=(binding,))
    snapshot = replace(snapshot, nodes=nodes, workloads={uid("web"): a_deployment(replicas=2)})
    assert builders.told(decide(snapshot, "web-1")) == expected


def test_two_pods_of_a_node_do_not_leave_it_at_once() -> None:
    snapshot = spread("112233", released("web-1"), released("web-2"))
    snapshot = replace(snapshot, workloads={uid("web"): a_deployment(max_surge=2)})
    found = decide(snapshot, "web-1", "web-2")
    assert sorted(builders.told(found, name) for name in ("web-1", "web-2")) == ["Withdraw", "wait for replacement"]


def test_of_a_workload_that_was_scaled_to_nothing_no_node_is_owed_a_pod() -> None:
    snapshot = replace(spread("1", released()), workloads={uid("web"): a_deployment(replicas=0)})
    assert builders.told(decide(snapshot, "web-1")) == "Withdraw"


def test_a_load_balancer_that_registers_nodes_sends_to_all_of_them_while_the_policy_is_cluster() -> None:
    assert told(spread("12", policies=()), nodes=HERE) == []


def test_a_pod_that_nobody_replaces_owes_its_node_nothing() -> None:
    bare = replace(a_pod("web-1"), owners=())
    assert told(spread("1", bare, replica_sets={}), "web-1", nodes=HERE) == []
