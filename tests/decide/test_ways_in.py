"""Ways into pods that nobody can see closed are refused by name, and so are those that lead to one node's pods only."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_binding,
    a_cluster,
    a_pod,
    a_service,
    an_intent,
)

NEG = "cloud.google.com/load-balancer-neg-ready"
LATTICE = "application-networking.k8s.aws/pod-readiness-gate"
EXTERNAL, INTERNAL = "externalTrafficPolicy", "internalTrafficPolicy"


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return the reasons for which a plan of these pods is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent(snapshot, *names, **flags), snapshot)]


def behind(gate: str) -> Snapshot:
    """Return a cluster whose first pod has a readiness gate of another load balancer."""
    return a_cluster(a_pod("web-1", gates={GATE: True, gate: True}))


@pytest.mark.parametrize(
    ("gate", "balancer"),
    [
        pytest.param(NEG, "a Google Cloud network endpoint group", id="NEG"),
        pytest.param(LATTICE, "Amazon VPC Lattice", id="Lattice"),
    ],
)
def test_a_load_balancer_that_can_not_be_asked(gate: str, balancer: str) -> None:
    why = (
        f"unseen-load-balancer: {balancer} sends requests to the pods of deployment shop/web (readiness gate {gate}), "
        "and does not tell when it has stopped to: answer for it, with a time that it takes, by "
        "--allow unseen-load-balancer --settle 5m"
    )
    assert told(behind(gate), "web-1", "web-2") == [why]
    assert told(behind(gate), "web-1", allow=frozenset({"unseen-load-balancer"})) == []
    assert told(behind(gate), "web-2") == []
    assert told(behind("example.com/warm"), "web-1") == []


def local(*policies: str, bindings: tuple[Any, ...] = (), nodes: tuple[str, ...] = ("node-1", "node-2")) -> Snapshot:
    """Return a cluster with two pods of a Service, on these nodes, that asks the pods of a node only."""
    pods = [replace(a_pod(f"web-{number}"), node=node) for number, node in enumerate(nodes, 1)]
    service = a_service(local_policies=frozenset(policies))
    return a_cluster(*pods, without=[f"web-{n}" for n in range(3, 7)], services=(service,), bindings=bindings)


@pytest.mark.parametrize(
    ("policies", "are"),
    [
        pytest.param((INTERNAL,), f"{INTERNAL} is", id="from within the cluster"),
        pytest.param((EXTERNAL,), f"{EXTERNAL} is", id="from outside"),
        pytest.param((INTERNAL, EXTERNAL), f"{EXTERNAL} and {INTERNAL} are", id="both"),
    ],
)
def test_the_last_pod_of_a_node(policies: tuple[str, ...], are: str) -> None:
    snapshot = local(*policies)
    why = (
        f"local-traffic-policy: node node-1 would be left without a pod of service shop/web, whose {are} Local: what "
        "is sent to it there goes to pod web-1 or nowhere; set it to Cluster, or answer for it with "
        "--allow local-traffic-policy"
    )
    assert told(snapshot, "web-1") == [why]
    assert told(snapshot, "web-1", allow=frozenset({"local-traffic-policy"})) == []


BESIDE = local(INTERNAL, nodes=("node-1", "node-1"))


@pytest.mark.parametrize(
    ("snapshot", "planned", "is_refused"),
    [
        pytest.param(local(), ("web-1",), False, id="nodes ask the pods of others, too"),
        pytest.param(local(INTERNAL), ("web-1", "web-2"), True, id="told once a Service"),
        pytest.param(BESIDE, ("web-1",), False, id="another one stays there"),
        pytest.param(BESIDE, ("web-1", "web-2"), True, id="another one is there, and goes as well"),
        pytest.param(
            a_cluster(
                *(replace(pod, is_terminating=pod.name == "web-2") for pod in BESIDE.pods.values()),
                without=[f"web-{n}" for n in range(3, 7)],
                services=BESIDE.services,
            ),
            ("web-1",),
            True,
            id="another one is there, and stops",
        ),
        pytest.param(
            a_cluster(
                a_pod("web-2", ready=False),
                without=[f"web-{n}" for n in range(3, 7)],
                services=BESIDE.services,
            ),
            ("web-1",),
            True,
            id="another one is there, and is not ready",
        ),
        pytest.param(
            local(EXTERNAL, bindings=(a_binding(),)), ("web-1",), False, id="its balancer sends to pods, not to nodes"
        ),
        pytest.param(local(INTERNAL, bindings=(a_binding(),)), ("web-1",), True, id="its balancer does, others don't"),
        pytest.param(
            local(EXTERNAL, bindings=(a_binding("other"),)), ("web-1",), True, id="the balancer is of another Service"
        ),
    ],
)
def test_a_node_is_left_without_a_pod(snapshot: Snapshot, planned: tuple[str, ...], is_refused: bool) -> None:
    found = [its for its in told(snapshot, *planned) if its.startswith("local-traffic-policy")]
    assert len(found) == is_refused
