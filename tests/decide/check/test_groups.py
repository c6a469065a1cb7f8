"""Target groups: what is found of their settings, and what isn't."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.container import Hook
from kubectl_safe.model.group_details import HealthCheck
from tests.decide.check.scenes import a_container, a_good_cluster, a_good_group, facts, found, good_pods
from tests.support.builders import a_binding, arn

BALANCED = "targetgroupbinding.elbv2.k8s.aws/web", "shop"
BARE = a_container(pre_stop=None)
SHORT = a_container(pre_stop=Hook(duration=timedelta(seconds=9), is_pause=True))
UNTOLD = a_container(pre_stop=Hook(duration=None))


def of(*containers: Any, cluster: Any = None, pod: Any = None, **group: Any) -> Facts:
    its = a_good_group(**group)
    return facts(a_good_cluster(*good_pods(*containers, **pod or {}), **{"groups": {arn(): its}} | (cluster or {})))


def told(code: str, seen: Facts) -> list[str]:
    findings = found(code, seen)
    assert {(str(its.subject), its.subject.namespace) for its in findings} <= {BALANCED}
    assert all(arn() in its.remedy for its in findings)
    return [its.fact for its in findings]


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="some"),
        pytest.param(of(delay=0, cluster={"bindings": ()}), False, id="a group without pods"),
        pytest.param(of(delay=0, cluster={"groups": {}}), False, id="a group that may not be asked"),
        pytest.param(of(delay=0), True, id="none"),
    ],
)
def test_no_deregistration_delay(seen: Facts, is_found: bool) -> None:
    assert told("deregistration-delay-zero", seen) == (
        ["the deregistration delay of target group web is 0s"] if is_found else []
    )


@pytest.mark.parametrize(
    ("seen", "value"),
    [
        pytest.param(of(), None, id="shorter"),
        pytest.param(of(delay=60), None, id="as long as the grace period"),
        pytest.param(of(BARE, delay=300), None, id="pods that stop at once are another fault"),
        pytest.param(of(delay=300), 30, id="longer, and as long as they pause would do"),
        pytest.param(of(SHORT, delay=300), 50, id="longer, and they pause too short"),
        pytest.param(of(UNTOLD, delay=300), 50, id="longer, and nobody knows how long they pause"),
        pytest.param(of(delay=300, pod={"grace_period_seconds": 10}), 5, id="longer than a short one"),
    ],
)
def test_a_deregistration_delay_longer_than_pods_have_to_stop(seen: Facts, value: int | None) -> None:
    findings = found("deregistration-delay-long", seen)
    assert len(findings) == (value is not None)
    for its in findings:
        grace = "10s" if value == 5 else "1m"
        assert its.fact == (
            f"target group web lets targets drain for up to 5m, and its pods are killed {grace} after their deletion"
        )
        assert f"Value={value}\n" in its.remedy


CHECK = HealthCheck(path="/healthz", unhealthy_threshold=2)


@pytest.mark.parametrize(
    ("interval", "threshold", "is_found"),
    [
        pytest.param(5, 2, False, id="fast"),
        pytest.param(15, 4, False, id="what the load balancer controller sets"),
        pytest.param(15.5, 2, True, id="slow to fail"),
        pytest.param(15, 5, True, id="slow to pass"),
        pytest.param(5, 13, True, id="a little slow to pass"),
    ],
)
def test_a_slow_health_check(interval: float, threshold: int, is_found: bool) -> None:
    seen = of(check=CHECK, health_check_interval=seconds(interval), healthy_threshold=threshold)
    assert len(told("health-check-slow", seen)) == is_found


@pytest.mark.parametrize(
    ("code", "changes", "remedy"),
    [
        ("deregistration-delay-zero", {"delay": 0}, "deregistration_delay.timeout_seconds,Value=30\n"),
        ("deregistration-delay-long", {"delay": 300}, "deregistration_delay.timeout_seconds,Value=30\n"),
        ("slow-start", {"slow_start": timedelta(seconds=60)}, "slow_start.duration_seconds,Value=0\n"),
        ("health-check-slow", {"healthy_threshold": 20}, " --health-check-interval-seconds 10 "),
        ("connection-termination-off", {"protocol": "TCP", "keeps_flows": True}, "termination.enabled,Value=true\n"),
    ],
)
def test_a_group_that_is_fine_hides_no_other(code: str, changes: Any, remedy: str) -> None:
    both = (a_binding(), a_binding("other", service="web"))
    groups = {arn(): a_good_group(**changes), arn("other"): a_good_group("other")}
    seen = facts(a_good_cluster(bindings=both, groups=groups))
    assert len(told(code, seen)) == 1
    assert remedy in found(code, seen)[0].remedy


def test_a_slow_health_check_with_its_figures() -> None:
    assert told("health-check-slow", of(health_check_interval=seconds(30), healthy_threshold=5)) == [
        (
            "target group web is asked every 30s: a target that fails is left after 1m (2 checks), one that comes is "
            "healthy after up to 2m30s (5 checks)"
        )
    ]


@pytest.mark.parametrize("duration", [0, 60])
def test_slow_start(duration: int) -> None:
    assert told("slow-start", of(slow_start=seconds(duration))) == (
        ["a new target of target group web gets fewer requests than others for 1m"] if duration else []
    )


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="an application load balancer's"),
        pytest.param(of(protocol="TCP"), False, id="with termination"),
        pytest.param(of(protocol="UDP", keeps_flows=True), False, id="without connections"),
        pytest.param(of(protocol="TLS", keeps_flows=True), True, id="without termination"),
    ],
)
def test_connections_that_a_network_load_balancer_does_not_end(seen: Facts, is_found: bool) -> None:
    fact = "connections through target group web (TLS) outlive its deregistration delay of 20s"
    assert told("connection-termination-off", seen) == ([fact] if is_found else [])
    for its in found("connection-termination-off", seen):
        assert "service.beta.kubernetes.io/aws-load-balancer-target-group-attributes of its Service" in its.remedy


OF_NODES = {"bindings": (a_binding(target_type="instance"),)}


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("slow-start", {"slow_start": seconds(60)}),
        ("deregistration-delay-zero", {"delay": 0}),
        ("health-check-slow", {"health_check_interval": seconds(60)}),
        ("connection-termination-off", {"protocol": "TLS", "keeps_flows": True}),
    ],
)
def test_the_settings_of_a_group_of_nodes_are_looked_at_too(code: str, changes: Any) -> None:
    assert told(code, of(cluster=OF_NODES)) == []
    assert len(told(code, of(cluster=OF_NODES, **changes))) == 1


@pytest.mark.parametrize("code", ["prestop-short", "prestop-missing", "deregistration-delay-long", "stickiness"])
def test_how_pods_stop_is_nothing_to_a_group_of_nodes(code: str) -> None:
    assert found(code, of(SHORT, cluster=OF_NODES, delay=300, stickiness="lb_cookie")) == []
    assert found(code, of(BARE, cluster=OF_NODES, delay=300, stickiness="lb_cookie")) == []
