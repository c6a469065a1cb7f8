"""What is registered with target groups of nodes: what is found of it, and what isn't."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.targets import LIMIT
from kubectl_safe.model.target import Target, TargetHealth
from kubectl_safe.model.workload import Node
from tests.decide.check.scenes import a_good_cluster, a_good_group, facts, found, good_pods
from tests.support.builders import a_binding, a_service, arn, health

PORT = 30080
NODES = {f"node-{n}": Node(name=f"node-{n}", resource_version="1", instance_id=f"i-{n}") for n in range(1, 4)}
TIMEOUT = health("unhealthy", "Target.Timeout")


def a_node_port(number: int | None = PORT, **changes: Any) -> Any:
    service = a_service(**changes)
    return replace(service, ports=(replace(service.ports[0], node_port=number),))


def behind_nodes(*pods: Any, beside: dict[str, TargetHealth] | None = None, port: int = PORT, **changes: Any) -> Facts:
    """Return pods behind three nodes that are healthy, with others in their place or beside them."""
    known: dict[str, Any] = {
        "bindings": (a_binding(target_type="instance"),),
        "services": (a_node_port(),),
        "nodes": NODES,
    }
    seen = a_good_cluster(*pods, **known | changes)
    healths = {f"i-{n}": health("healthy") for n in range(1, 4)} | (beside or {})
    answers = {Target(group=arn(), ip=its, port=port): answer for its, answer in healths.items()}
    return facts(replace(seen, health=answers))


def told(code: str, seen: Facts) -> list[str]:
    return [its.fact for its in found(code, seen)]


CODES = ["target-unhealthy", "target-without-pod", "port-mismatch", "group-without-balancer", "group-at-limit"]


@pytest.mark.parametrize("code", CODES)
def test_of_nodes_that_lead_requests_to_pods_nothing_is_found(code: str) -> None:
    assert told(code, behind_nodes()) == []


UNREADY = good_pods(ready=False)
LOCAL = (a_node_port(local_policies=frozenset({"externalTrafficPolicy"})),)


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(behind_nodes(beside={"i-1": health("initial")}), "", id="just registered"),
        pytest.param(behind_nodes(*UNREADY, beside={"i-1": TIMEOUT}), "", id="no pod is ready either"),
        pytest.param(behind_nodes(beside={"i-1": TIMEOUT}, services=LOCAL), "", id="without a pod it is to be so"),
        pytest.param(
            behind_nodes(beside={"i-1": TIMEOUT}),
            "1 of 3 nodes in target group web is unhealthy, while containers are ready: i-1:30080: Target.Timeout "
            "(GET /healthz got no answer in time)",
            id="one",
        ),
        pytest.param(
            behind_nodes(beside={f"i-{n}": health("unhealthy") for n in range(1, 6)}),
            "5 of 5 nodes in target group web are unhealthy, while containers are ready: i-1:30080: unhealthy, "
            "i-2:30080: unhealthy, i-3:30080: unhealthy, and 2 more",
            id="many",
        ),
    ],
)
def test_nodes_that_their_load_balancer_finds_unhealthy(seen: Facts, fact: str) -> None:
    assert told("target-unhealthy", seen) == ([fact] if fact else [])


NAMELESS = {**NODES, "node-4": Node(name="node-4", resource_version="1")}


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(behind_nodes(beside={"i-9": health("draining")}), "", id="on its way out"),
        pytest.param(behind_nodes(beside={"i-9": health("healthy")}, nodes={}), "", id="nodes are not known"),
        pytest.param(behind_nodes(beside={"i-9": health("healthy")}, nodes=NAMELESS), "", id="one has no instance"),
        pytest.param(
            behind_nodes(beside={"i-9": health("healthy")}),
            "1 target of target group web belongs to no node: i-9:30080",
            id="another instance",
        ),
        pytest.param(
            behind_nodes(port=31000),
            "3 targets of target group web belong to no node: i-1:31000, i-2:31000, i-3:31000",
            id="another port",
        ),
    ],
)
def test_targets_that_are_no_nodes(seen: Facts, fact: str) -> None:
    assert told("target-without-pod", seen) == ([fact] if fact else [])


def test_a_service_without_a_node_port() -> None:
    [its] = found("port-mismatch", behind_nodes(services=(a_node_port(None),)))
    assert its.fact == (
        "target group web registers nodes, and port 80 of service web has no node port: no node is registered"
    )
    assert its.remedy == """kubectl patch service web -n shop -p '{"spec":{"type":"NodePort"}}'"""


def test_a_group_of_nodes_without_a_load_balancer() -> None:
    unused = {f"i-{n}": health("unused", "Target.NotInUse") for n in range(1, 4)}
    fact = "no load balancer sends requests to target group web"
    assert told("group-without-balancer", behind_nodes(beside=unused)) == [
        f"{fact}: its targets are unused (Target.NotInUse)"
    ]
    groups = {arn(): a_good_group(balancers=())}
    assert told("group-without-balancer", behind_nodes(groups=groups)) == [fact]


def test_a_group_without_room_for_another_node() -> None:
    full = {f"i-{n}": health("healthy") for n in range(1, LIMIT + 1)}
    [fact] = told("group-at-limit", behind_nodes(beside=full, nodes={}))
    assert fact.startswith("target group web has 1000 targets, and 1 more would come with another node")
