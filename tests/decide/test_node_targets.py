"""Pods behind a target group that registers nodes: what their nodes are in it, and when these lead to them."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.native_rollout import Complete, Failed
from kubectl_safe.decide.node_targets import asked_for, lacks_nodes
from kubectl_safe.decide.rollout_status import rollout_status
from kubectl_safe.decide.status import TargetStatus, status_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from tests.decide.test_node_first import BINDING, PORT, a_node, a_node_target, excluded, with_nodes
from tests.support.builders import a_cluster, a_deployment, a_pod, a_service, an_endpoint, arn, health, uid

ON = {n: a_pod(f"web-{n}", node=f"node-{n}") for n in (1, 2, 3)}
"""Pods on nodes 1 to 3."""
LOCAL = a_service(
    ports=(replace(a_service().ports[0], node_port=PORT),), local_policies=frozenset({"externalTrafficPolicy"})
)
UNHEALTHY = health("unhealthy", "Target.Timeout")
BY_NAME = Target(group=arn("nodes"), ip="node-1", port=PORT)


def on_nodes(*pods: Pod, **changes: Any) -> Snapshot:
    """Return three pods in service on three nodes, with these in place of theirs."""
    known = {pod.uid: pod for pod in (*ON.values(), *pods)}
    its = {"pods": known, "endpoints": tuple(map(an_endpoint, known.values()))}
    web = a_deployment(replicas=3, updated_replicas=3, status_replicas=3, available_replicas=3)
    return with_nodes(**{**its, "workloads": {web.uid: web}, **changes})


def seen(snapshot: Snapshot, name: str = "web-1") -> list[TargetStatus]:
    """Return the targets that are shown of a pod."""
    [found] = status_of([snapshot.pods[uid(name)]], snapshot)
    return list(found.targets)


def told(snapshot: Snapshot) -> str:
    """Return how far the rollout is."""
    [web] = snapshot.workloads.values()
    match rollout_status(web, snapshot):
        case Complete():
            return "done"
        case Failed(why=why):
            return why
        case its:
            return its.lacks


def test_shows_what_the_node_of_a_pod_is_in_the_group() -> None:
    [its] = seen(on_nodes())
    assert (its.target, its.state, its.why, its.is_of_node) == (a_node_target(), "healthy", "", True)


def test_shows_why_a_node_is_unhealthy() -> None:
    [its] = seen(on_nodes(told={1: UNHEALTHY}))
    assert (its.state, its.why.startswith("Target.Timeout (")) == ("unhealthy", True)


def test_shows_a_node_that_drains_since_it_was_excluded() -> None:
    [its] = seen(
        with_nodes(excluded(), told={1: health("draining", "Target.DeregistrationInProgress")}, pods=on_nodes().pods)
    )
    assert its.state == "draining"


NO_TARGET = {
    "a withdrawn pod gets nothing by its node": on_nodes(a_pod("web-1", node="node-1", withdrawn=True)),
    "a pod without a node": on_nodes(a_pod("web-1", node=None)),
    "a node that the group does not register": on_nodes(
        bindings=(replace(BINDING, node_selector=LabelSelector(match_labels={"pool": "edge"})),)
    ),
    "a Service without a node port": on_nodes(services=(a_service(),)),
    "a binding that names no group": on_nodes(bindings=(replace(BINDING, group=""),)),
}


@pytest.mark.parametrize("snapshot", NO_TARGET.values(), ids=NO_TARGET)
def test_shows_no_target_where_there_is_none(snapshot: Snapshot) -> None:
    assert seen(snapshot) == []
    assert a_node_target() not in asked_for(snapshot.pods.values(), snapshot)


@pytest.mark.parametrize(
    ("snapshot", "target", "why"),
    [
        pytest.param(on_nodes(nodes={}), BY_NAME, "node node-1 is not seen", id="nodes may not be read"),
        pytest.param(
            on_nodes(nodes={"node-1": a_node(instance_id="")}),
            BY_NAME,
            "the providerID of node node-1 names no instance",
            id="a node that is no instance",
        ),
        pytest.param(
            on_nodes(unseen=frozenset({arn("nodes")})), a_node_target(), "its group can't be asked", id="no rights"
        ),
        pytest.param(on_nodes(told={1: None}), a_node_target(), "AWS has not answered yet", id="not asked yet"),
    ],
)
def test_shows_why_what_a_node_is_there_is_not_known(snapshot: Snapshot, target: Target, why: str) -> None:
    [its] = seen(snapshot)
    assert (its.target, its.state, its.why) == (target, "unknown", why)


def test_asks_for_the_nodes_of_the_pods_that_are_looked_at() -> None:
    snapshot = on_nodes()
    assert asked_for([ON[1], ON[2]], snapshot) == {a_node_target(1), a_node_target(2)}
    assert asked_for([ON[1]], on_nodes(nodes={})) == frozenset()
    assert asked_for([ON[1]], on_nodes(bindings=(replace(BINDING, group="nodes"),))) == frozenset()


def test_nodes_are_looked_at_only_where_they_are_targets() -> None:
    pods = [ON[1]]
    assert lacks_nodes(pods, on_nodes(nodes={}))
    assert not lacks_nodes(pods, on_nodes())
    assert not lacks_nodes(pods, a_cluster())
    assert not lacks_nodes([a_pod("far", labels={})], on_nodes(nodes={}))


CHECK = "see kubectl safe check deployment/web -n shop"
WAITS = 'Waiting for deployment "web" rollout to finish: '
ROWS = [
    pytest.param(on_nodes(), "done", id="every node is healthy"),
    pytest.param(on_nodes(told={1: UNHEALTHY}), "done", id="another node leads to the pod"),
    pytest.param(
        on_nodes(told=dict.fromkeys((1, 2, 3), UNHEALTHY)),
        f"{WAITS}0 of 3 pods are in service: target i-1:30080 in nodes (node node-1) is unhealthy: Target.Timeout "
        f"(HTTP got no answer in time) ({CHECK})...",
        id="no node is healthy",
    ),
    pytest.param(
        on_nodes(services=(LOCAL,), told={2: health("initial", "Elb.InitialHealthChecking")}),
        f"{WAITS}2 of 3 pods are in service: target i-2:30080 in nodes (node node-2) is initial: "
        f"Elb.InitialHealthChecking ({CHECK})...",
        id="a node that asks its own pods only",
    ),
    pytest.param(
        on_nodes(services=(LOCAL,), told={2: None}),
        f"{WAITS}2 of 3 pods are in service: target i-2:30080 in nodes (node node-2) has no fresh health yet...",
        id="and nobody knows whether it is healthy",
    ),
    pytest.param(
        on_nodes(services=(LOCAL,), told={2: None}, stale_health={arn("nodes"): "Throttling"}),
        f"{WAITS}2 of 3 pods are in service: target i-2:30080 in nodes (node node-2) has no fresh health: "
        "Throttling...",
        id="as AWS fails",
    ),
    pytest.param(
        on_nodes(services=(LOCAL,), told={2: UNHEALTHY}, unseen=frozenset({arn("nodes")})), "done", id="no rights"
    ),
    pytest.param(on_nodes(services=(LOCAL,), nodes={}), "done", id="nodes may not be read"),
]


@pytest.mark.parametrize(("snapshot", "line"), ROWS)
def test_a_rollout_waits_until_nodes_lead_to_its_pods(snapshot: Snapshot, line: str) -> None:
    assert told(snapshot) == line
