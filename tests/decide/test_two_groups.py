"""A pod in two target groups, on two ports, in two accounts and regions: each has its say."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.group_floor import group_below_floor
from kubectl_safe.decide.verdict import InService, OutOfService, Unknown, verdict
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import ServicePort
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Role, Target, TargetHealth
from tests.support.builders import (
    NOT_REGISTERED,
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    arn,
    decide,
    health,
    ip_of,
    told,
    uid,
)

ROLE = Role(arn="arn:aws:iam::210987654321:role/targets")
THEIRS = arn("admin").replace("123456789012", "210987654321").replace("eu-west-1", "eu-central-1")
PORTS = (ServicePort(name="http", port=80, target_port=8080), ServicePort(name="admin", port=81, target_port=8081))
ONE_SERVICE = (a_service(ports=PORTS),)
TWO_SERVICES = (a_service(), a_service("admin", selector={"app": "web"}, ports=PORTS[1:]))
GONE = health("unused", NOT_REGISTERED)


def behind_two(pod: Pod, first: TargetHealth, second: TargetHealth | None, **changes: Any) -> Snapshot:
    """Return a cluster of one pod that is so healthy in each of its two groups."""
    known = {Target(group=arn(), ip=ip_of(pod.name), port=8080): first}
    if second:
        known[Target(group=THEIRS, ip=ip_of(pod.name), port=8081)] = second
    services = changes.get("services", ONE_SERVICE)
    binding = a_binding("admin", service=services[-1].name, service_port="admin", group=THEIRS, role=ROLE)
    return a_cluster(
        pod,
        without=[f"web-{n}" for n in range(2, 7)],
        **{"bindings": (a_binding(), binding), "health": known, "services": services} | changes,
    )


@pytest.mark.parametrize("services", [ONE_SERVICE, TWO_SERVICES], ids=["one Service", "two Services"])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(health(), InService, id="healthy in both"),
        pytest.param(health("initial"), OutOfService, id="healthy in one"),
        pytest.param(None, Unknown, id="not known in one"),
    ],
)
def test_a_pod_is_in_service_that_is_healthy_in_both(
    services: tuple[Any, ...], second: TargetHealth | None, expected: type[Any]
) -> None:
    snapshot = behind_two(a_pod(), health(), second, services=services)
    assert isinstance(verdict(snapshot.pods[uid("web-1")], a_deployment(), snapshot), expected)


@pytest.mark.parametrize("services", [ONE_SERVICE, TWO_SERVICES], ids=["one Service", "two Services"])
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param(GONE, "Evict", id="gone from both"),
        pytest.param(health("draining"), "wait for targets", id="gone from one"),
        pytest.param(None, "wait for targets", id="not known in one"),
    ],
)
def test_a_pod_is_evicted_that_is_gone_from_both(
    services: tuple[Any, ...], second: TargetHealth | None, expected: str
) -> None:
    snapshot = behind_two(a_pod(withdrawn=True), GONE, second, services=services)
    assert told(decide(snapshot, "web-1")) == expected


def test_each_group_keeps_a_healthy_target() -> None:
    snapshot = behind_two(a_pod(released=True), health("unhealthy"), health())
    missing = group_below_floor(snapshot.pods[uid("web-1")], leaving=set(), snapshot=snapshot)
    assert missing == "target group admin would be left without a healthy target"


def test_each_group_is_asked_with_its_own_role_about_its_own_port() -> None:
    snapshot = behind_two(a_pod(released=True), health(asked=14), health(asked=14))
    wishes = decide(replace(snapshot, answers={}), "web-1").wishes
    assert {group: (wish.role, {t.port for t in wish.targets}) for group, wish in wishes.items()} == {
        arn(): (None, {8080}),
        THEIRS: (ROLE, {8081}),
    }
