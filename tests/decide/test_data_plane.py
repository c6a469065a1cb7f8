"""Withdrawals that cut connections are refused by name: flows of UDP and SCTP, and everything through Cilium."""

from typing import Any

import pytest

from kubectl_safe.decide.data_plane import cautions
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.network import Network
from kubectl_safe.model.service import ServicePort
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_binding, a_cluster, a_pod, a_service, an_intent

ALLOWED = frozenset({"data-plane"})
KUBE_PROXY, CILIUM = Network(), Network(has_cilium=True)


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return the reasons for which a plan of these pods is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent(snapshot, *names, **flags), snapshot)]


def warned(snapshot: Snapshot, *names: str) -> list[str]:
    """Return what is told of a plan of these pods that is let pass."""
    return list(cautions(an_intent(snapshot, *names), snapshot))


def a_port(number: int = 8125, protocol: str = "UDP", name: str = "") -> ServicePort:
    """Return a port of a Service."""
    return ServicePort(name=name, port=number, target_port=number, protocol=protocol)


HTTP = a_port(80, "TCP", "http")


def serving(
    *ports: ServicePort, bound: tuple[int | str, ...] = (), network: Network = KUBE_PROXY, **its: Any
) -> Snapshot:
    """Return a cluster whose Service has these ports, some of them bound to target groups of type `ip`."""
    bindings = tuple(a_binding(f"web-{port}", service="web", service_port=port) for port in bound)
    pods = [a_pod(f"web-{n}", gates={}) for n in range(1, 7)]
    return a_cluster(*pods, services=(a_service(ports=ports, **its),), bindings=bindings, network=network)


@pytest.mark.parametrize("protocol", ["UDP", "SCTP"])
def test_flows_that_are_forgotten_with_their_endpoint(protocol: str) -> None:
    snapshot = serving(HTTP, a_port(protocol=protocol), a_port(9, protocol))
    [refused] = told(snapshot)
    assert refused == (
        f"data-plane: pod shop/web-1 is in service shop/web, port 8125/{protocol}: kube-proxy forgets the flows of "
        f"{protocol} to an endpoint that is removed, so what it has not answered yet may be lost; answer for it with "
        "--allow data-plane"
    )
    assert told(snapshot, allow=ALLOWED) == []
    assert warned(snapshot) == []


def test_connections_through_cilium() -> None:
    [refused] = told(serving(HTTP, network=CILIUM), "web-2")
    assert refused == (
        "data-plane: pod shop/web-2 is in service shop/web, port 80/TCP: Cilium cuts the connections to an endpoint "
        "that is removed, so what it has not answered yet may be lost; answer for it with --allow data-plane"
    )
    assert told(serving(HTTP, network=CILIUM), allow=ALLOWED) == []


@pytest.mark.parametrize(
    ("snapshot", "is_refused"),
    [
        pytest.param(serving(HTTP), False, id="TCP through kube-proxy lives on"),
        pytest.param(serving(a_port(), bound=(8125,)), False, id="UDP by ip targets only"),
        pytest.param(serving(a_port(name="stats"), bound=("stats",)), False, id="a port that is bound by its name"),
        pytest.param(serving(HTTP, a_port(), bound=(80,)), True, id="UDP beside a port with ip targets"),
        pytest.param(serving(a_port(), is_headless=True), False, id="UDP to pods themselves, of a headless Service"),
        pytest.param(serving(HTTP, network=CILIUM, bound=(80,)), False, id="Cilium, and ip targets only"),
        pytest.param(serving(HTTP, a_port(81, "TCP"), network=CILIUM, bound=(80,)), True, id="Cilium, and more"),
        pytest.param(serving(HTTP, network=CILIUM, is_headless=True), False, id="Cilium, and a headless Service"),
        pytest.param(serving(a_port(53), network=CILIUM), True, id="DNS through Cilium"),
        pytest.param(serving(a_port(53)), False, id="DNS"),
        pytest.param(serving(a_port(5353, name="dns-udp")), False, id="DNS by the name of its port"),
        pytest.param(serving(a_port(53, "SCTP")), True, id="no DNS that anybody knows"),
    ],
)
def test_what_a_withdrawal_cuts(snapshot: Snapshot, is_refused: bool) -> None:
    assert len(told(snapshot)) == is_refused


def test_a_binding_of_another_service_does_not_bind_its_port() -> None:
    services = (a_service(ports=(a_port(),)), a_service("also", selector={"app": "web"}, ports=(a_port(),)))
    pods = [a_pod(f"web-{n}", gates={}) for n in range(1, 7)]
    snapshot = a_cluster(*pods, services=services, bindings=(a_binding("also", service_port=8125),))
    [refused] = told(snapshot)
    assert "service shop/web," in refused


def test_an_instance_binding_leads_through_nodes() -> None:
    snapshot = serving(a_port())
    bindings = (a_binding(service_port=8125, target_type="instance"),)
    pods = {pod.uid: pod for pod in snapshot.pods.values()}
    found = told(a_cluster(pods=pods, services=snapshot.services, bindings=bindings), "web-1")
    assert any(its.startswith("data-plane") for its in found)


def test_dns_is_let_pass_with_a_word() -> None:
    dns = (a_port(53, "UDP", "dns"), a_port(53, "TCP", "dns-tcp"))
    why = (
        "a question to service shop/web (port 53/UDP) may get no answer when a pod of it is withdrawn: clients of DNS "
        "ask again"
    )
    assert warned(serving(*dns)) == [why]
    assert warned(serving(HTTP)) == []
    assert warned(serving(*dns), "web-9") == []
