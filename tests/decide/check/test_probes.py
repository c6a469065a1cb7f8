"""How pods tell that they serve: what is found of probes, and what isn't."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.container import Container, Probe
from tests.decide.check.scenes import a_container, a_good_cluster, facts, found, good_pods

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
