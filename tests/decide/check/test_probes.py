"""How pods tell that they serve: what is found of probes, and what isn't."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.container import Container, Probe
from kubectl_safe.model.port import ContainerPort
from tests.decide.check.scenes import a_container, a_good_cluster, a_good_pod, facts, found, good_pods
from tests.support.builders import a_service

SIX = "6 pods: web-1, web-2, web-3 and 3 more"
READY = Probe(asks="GET http/healthz", period=timedelta(seconds=5))
HELPER = a_container("helper", ports=(), readiness=None)


def of(*containers: Container, **changes: Any) -> Facts:
    return facts(a_good_cluster(*good_pods(*containers), **changes))


def told(code: str, seen: Facts) -> list[str]:
    return [f"{its.subject}: {its.fact}" for its in found(code, seen)]


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="with one"),
        pytest.param(of(a_container(), HELPER), False, id="what answers no requests needs none"),
        pytest.param(of(a_container(readiness=None), services=(), bindings=()), False, id="no pod that gets requests"),
        pytest.param(facts(a_good_cluster(*good_pods(containers=()))), False, id="of containers nothing is known"),
        pytest.param(of(a_container(readiness=None)), True, id="without"),
        pytest.param(
            of(a_container(readiness=None), a_container("logs", ports=())), True, id="another one's is not it"
        ),
        pytest.param(of(a_container(readiness=None, ports=())), True, id="without, and without ports"),
    ],
)
def test_pods_without_a_readiness_probe(seen: Facts, is_found: bool) -> None:
    fact = f"container app has no readinessProbe, so it counts as ready as soon as it runs; {SIX}"
    assert told("readiness-missing", seen) == ([f"deployment.apps/web: {fact}"] if is_found else [])


def test_a_readiness_probe_that_asks_what_the_load_balancer_asks() -> None:
    [its] = found("readiness-missing", of(a_container(readiness=None)))
    assert its.remedy.splitlines()[-3:] == [
        "  readinessProbe:",
        "    httpGet: {path: /healthz, port: 8080}",
        "    periodSeconds: 5",
    ]


@pytest.mark.parametrize(
    ("period", "failures", "told_so"),
    [
        (5, 3, ""),
        (10, 3, ""),
        (31, 1, "31s after it answers no more (1 times 31s)"),
        (10, 4, "40s after it answers no more (4 times 10s)"),
        (60, 1, "1m after it answers no more (1 times 1m)"),
    ],
)
def test_a_readiness_probe_that_takes_long_to_fail(period: int, failures: int, told_so: str) -> None:
    probe = Probe(asks="GET http/healthz", period=timedelta(seconds=period), failures=failures)
    fact = f"readinessProbe of container app fails {told_so}; {SIX}"
    assert told("readiness-slow", of(a_container(readiness=probe))) == (
        [f"deployment.apps/web: {fact}"] if told_so else []
    )


@pytest.mark.parametrize(
    ("liveness", "is_found"),
    [
        pytest.param(None, False, id="none"),
        pytest.param(Probe(asks="GET http/livez", failures=1), False, id="it asks something else"),
        pytest.param(replace(READY, failures=6), False, id="it takes longer"),
        pytest.param(READY, True, id="it takes as long"),
        pytest.param(replace(READY, failures=1), True, id="it is faster"),
    ],
)
def test_a_container_that_is_killed_no_later_than_it_is_taken_out(liveness: Probe | None, is_found: bool) -> None:
    findings = found("liveness-first", of(a_container(readiness=READY, liveness=liveness)))
    assert len(findings) == is_found
    for its in findings:
        assert its.fact.startswith(
            "livenessProbe and readinessProbe of container app ask the same (GET http/healthz), and it is killed after "
        )
        assert its.fact.endswith(f"while it is taken out after 15s; {SIX}")
        assert its.remedy.splitlines()[-2:] == ["  livenessProbe:", "    failureThreshold: 6"]


@pytest.mark.parametrize(
    ("code", "fine", "bad"),
    [
        ("readiness-missing", a_container(), a_container(readiness=None)),
        ("readiness-slow", a_container(readiness=None), a_container(readiness=replace(READY, failures=20))),
        ("liveness-first", a_container(readiness=None), a_container(readiness=READY, liveness=READY)),
    ],
)
def test_pods_that_are_fine_hide_no_others(code: str, fine: Container, bad: Container) -> None:
    [its] = found(code, facts(a_good_cluster(a_good_pod("web-1", fine), *good_pods(bad)[1:])))
    assert its.fact.endswith("; 5 pods: web-2, web-3, web-4 and 2 more")


def test_each_container_that_answers_requests_is_looked_at() -> None:
    first, slow = a_container("first", readiness=None, liveness=None), replace(READY, failures=20)
    assert len(found("readiness-slow", of(first, a_container(readiness=slow)))) == 1
    assert len(found("liveness-first", of(first, a_container(readiness=READY, liveness=READY)))) == 1


def test_a_readiness_probe_where_nothing_is_known_of_the_port_or_the_path() -> None:
    seen = of(a_container(readiness=None, ports=()), bindings=())
    [its] = found("readiness-missing", seen)
    assert "    httpGet: {path: /, port: 8080}" in its.remedy.splitlines()
    seen = of(a_container(readiness=None, ports=(ContainerPort(name="http", number=9090),)), bindings=())
    [its] = found("readiness-missing", seen)
    assert "    httpGet: {path: /, port: 9090}" in its.remedy.splitlines()


def test_a_readiness_probe_that_fails_sooner() -> None:
    [its] = found("readiness-slow", of(a_container(readiness=replace(READY, failures=20))))
    assert its.remedy.splitlines()[-3:] == ["  readinessProbe:", "    periodSeconds: 5", "    failureThreshold: 3"]


@pytest.mark.parametrize(
    ("name", "number", "probe"),
    [
        ("postgres", 5432, "tcpSocket: {port: 5432}"),
        ("grpc-api", 9000, "grpc: {port: 9000}  # where it serves grpc.health.v1.Health; else tcpSocket"),
        ("http-api", 9000, "httpGet: {path: /, port: 9000}"),
    ],
)
def test_a_readiness_probe_asks_as_the_port_of_the_service_is_spoken_to(name: str, number: int, probe: str) -> None:
    ports = (ContainerPort(name="metrics", number=9100), ContainerPort(name="main", number=number))
    service = a_service()
    services = (replace(service, ports=(replace(service.ports[0], name=name, target_port=number),)),)
    [its] = found("readiness-missing", of(a_container(readiness=None, ports=ports), services=services, bindings=()))
    assert its.remedy.splitlines()[-2].strip() == probe
