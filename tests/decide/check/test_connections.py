"""What no handoff can move: what is found of connections and sessions, and what isn't."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.port import ContainerPort
from tests.decide.check.scenes import a_container, a_good_cluster, a_good_group, facts, found, good_pods
from tests.support.builders import a_service, arn


def of(*pods: Any, **changes: Any) -> Facts:
    return facts(a_good_cluster(*pods, **changes))


def served(**port: Any) -> Facts:
    service = a_service()
    return of(services=(replace(service, ports=(replace(service.ports[0], **port),)),))


def named(name: str) -> Facts:
    return of(*good_pods(a_container(ports=(ContainerPort(name=name, number=8080),))))


@pytest.mark.parametrize(
    ("seen", "hint"),
    [
        pytest.param(of(), "", id="HTTP"),
        pytest.param(served(app_protocol="http"), "", id="said to be HTTP"),
        pytest.param(served(name="news"), "", id="a name with such letters in it"),
        pytest.param(replace(served(name="grpc"), pods=()), "", id="of no pod that is checked"),
        pytest.param(
            served(app_protocol="kubernetes.io/ws"),
            "WebSocket (by appProtocol kubernetes.io/ws of port 80 of service web)",
            id="WebSocket by the protocol",
        ),
        pytest.param(
            served(app_protocol="kubernetes.io/h2c"),
            "HTTP/2 (by appProtocol kubernetes.io/h2c of port 80 of service web)",
            id="HTTP/2 by the protocol",
        ),
        pytest.param(named("h2"), "HTTP/2 (by the name h2 of container port 8080)", id="HTTP/2 by a container's port"),
        pytest.param(
            served(name="grpc-api"), "gRPC (by the name grpc-api of port 80 of service web)", id="gRPC by a name"
        ),
        pytest.param(
            named("ws"), "WebSocket (by the name ws of container port 8080)", id="WebSocket by a container's port"
        ),
        pytest.param(
            of(groups={arn(): a_good_group(version="GRPC")}),
            "gRPC (by protocol version GRPC of target group web)",
            id="gRPC by the target group",
        ),
        pytest.param(
            served(name="grpc", app_protocol="grpc"), "gRPC (by appProtocol grpc of port 80 of service web)", id="once"
        ),
    ],
)
def test_connections_that_last_long(seen: Facts, hint: str) -> None:
    fact = f"it seems to serve {hint}, and has 1m from SIGTERM until it is killed"
    assert [f"{its.subject}: {its.fact}" for its in found("long-lived-connections", seen)] == (
        [f"deployment.apps/web: {fact}"] if hint else []
    )


@pytest.mark.parametrize("kind", ["", "lb_cookie", "source_ip"])
def test_clients_that_a_load_balancer_keeps_with_one_pod(kind: str) -> None:
    findings = found("stickiness", of(groups={arn(): a_good_group(stickiness=kind)}))
    assert [its.fact for its in findings] == (
        [f"target group web sends all requests of a client to one target (stickiness {kind})"] if kind else []
    )


@pytest.mark.parametrize("keeps_clients", [True, False])
def test_clients_that_a_service_keeps_with_one_pod(keeps_clients: bool) -> None:
    findings = found("session-affinity", of(services=(a_service(keeps_clients=keeps_clients),)))
    assert [f"{its.subject}: {its.fact}" for its in findings] == [
        "service/web: it sends all requests of a client to one pod of deployment.apps/web (sessionAffinity ClientIP)"
    ] * keeps_clients
