"""What is registered with target groups: what is found of it, and what isn't."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.targets import LIMIT
from kubectl_safe.decide.target_words import reason_of
from kubectl_safe.model.group_details import HealthCheck
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.target import Target, TargetHealth
from tests.decide.check.scenes import (
    a_container,
    a_controller,
    a_good_cluster,
    a_good_deployment,
    a_good_group,
    a_good_pod,
    a_setup,
    facts,
    found,
    good_pods,
)
from tests.support.builders import a_binding, a_service, arn, health, ip_of, uid

BALANCED = "targetgroupbinding.elbv2.k8s.aws/web"


def of(*pods: Any, beside: Any = None, **changes: Any) -> Facts:
    seen = a_good_cluster(*pods, **changes)
    return facts(replace(seen, health={**seen.health, **(beside or {})}))


def told(code: str, seen: Facts) -> list[str]:
    findings = found(code, seen)
    assert all(str(its.subject) == BALANCED for its in findings)
    return [its.fact for its in findings]


def a_health(state: str, reason: str = "", description: str = "") -> TargetHealth:
    return replace(health(state, reason), description=description)


MISMATCH = a_health("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")


@pytest.mark.parametrize(
    ("its", "words"),
    [
        (MISMATCH, "Target.ResponseCodeMismatch (GET /healthz got 404)"),
        (a_health("unhealthy", "Target.Timeout", "late"), "Target.Timeout (GET /healthz got no answer in time)"),
        (a_health("unhealthy", "Target.FailedHealthChecks", "cut"), "Target.FailedHealthChecks (cut)"),
        (a_health("unhealthy", "Target.ResponseCodeMismatch"), "Target.ResponseCodeMismatch"),
        (
            a_health("unhealthy", "Elb.InternalError", "internal error [500]"),
            "Elb.InternalError (internal error [500])",
        ),
        (a_health("unhealthy", "", "nobody knows"), "nobody knows"),
        (a_health("unhealthy"), "unhealthy"),
    ],
)
def test_what_aws_says_in_words(its: TargetHealth, words: str) -> None:
    assert reason_of(its, a_good_group()) == words


def test_what_aws_says_of_a_group_that_may_not_be_asked_and_of_one_that_only_connects() -> None:
    assert reason_of(MISMATCH, None) == "Target.ResponseCodeMismatch (its health check got 404)"
    timeout, connects = a_health("unhealthy", "Target.Timeout"), a_good_group(check=HealthCheck(protocol="TCP"))
    assert reason_of(timeout, connects) == "Target.Timeout (TCP got no answer in time)"


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="healthy"),
        pytest.param(of(target_health={"web-1": health("initial")}), "", id="not healthy yet"),
        pytest.param(of(target_health={"web-1": None}), "", id="not asked"),
        pytest.param(
            of(a_good_pod("web-1", ready=False), target_health={"web-1": MISMATCH}), "", id="not ready either"
        ),
        pytest.param(
            of(target_health={"web-1": MISMATCH}),
            "1 of 6 targets of checked pods in target group web is unhealthy, while containers are ready: "
            "10.244.0.2:8080 of "
            "web-1: Target.ResponseCodeMismatch (GET /healthz got 404)",
            id="one",
        ),
        pytest.param(
            of(target_health={f"web-{n}": health("unhealthy", "Target.Timeout") for n in range(1, 6)}),
            "5 of 6 targets of checked pods in target group web are unhealthy, while containers are ready: "
            + ", ".join(
                f"{ip_of(f'web-{n}')}:8080 of web-{n}: Target.Timeout (GET /healthz got no answer in time)"
                for n in range(1, 4)
            )
            + ", and 2 more",
            id="many",
        ),
    ],
)
def test_pods_that_their_load_balancer_finds_unhealthy(seen: Facts, fact: str) -> None:
    assert told("target-unhealthy", seen) == ([fact] if fact else [])


def strange(n: int = 1, state: str = "healthy", *, reason: str = "", port: int = 8080) -> dict[Target, TargetHealth]:
    targets = (Target(group=arn(), ip=f"10.9.0.{i}", port=port) for i in range(1, n + 1))
    return dict.fromkeys(targets, health(state, reason))


SHARED = (a_binding(is_shared=True),)


@pytest.mark.parametrize(
    ("seen", "which"),
    [
        pytest.param(of(), "", id="each has its pod"),
        pytest.param(of(beside=strange(1, "draining")), "", id="on its way out"),
        pytest.param(of(beside=strange(1, "initial")), "", id="just registered"),
        pytest.param(of(beside=strange(1, "unused", reason="Target.NotRegistered")), "", id="not registered"),
        pytest.param(of(beside=strange(), bindings=SHARED), "", id="of another cluster"),
        pytest.param(
            replace(of(beside=strange()), unseen=frozenset({"10.9.0.1"})), "", id="of a pod that went meanwhile"
        ),
        pytest.param(of(beside=strange()), "1 target of target group web belongs to no pod: 10.9.0.1:8080", id="one"),
        pytest.param(
            of(beside=strange(4, "unhealthy")),
            "4 targets of target group web belong to no pod: 10.9.0.1:8080, 10.9.0.2:8080, 10.9.0.3:8080 and 1 more",
            id="many",
        ),
        pytest.param(
            of(beside=strange(3)),
            "3 targets of target group web belong to no pod: 10.9.0.1:8080, 10.9.0.2:8080, 10.9.0.3:8080",
            id="as many as are named",
        ),
        pytest.param(
            of(beside={Target(group=arn(), ip=ip_of("web-1"), port=9090): health()}),
            "1 target of target group web belongs to no pod: 10.244.0.2:9090",
            id="another port of a pod",
        ),
    ],
)
def test_targets_that_belong_to_no_pod(seen: Facts, which: str) -> None:
    assert told("target-without-pod", seen) == ([which] if which else [])
    for its in found("target-without-pod", seen):
        assert its.remedy.startswith(f"aws elbv2 deregister-targets --target-group-arn {arn()} --targets Id=10.")


UNUSED = {f"web-{n}": health("unused", "Target.NotInUse") for n in range(1, 7)}


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="one"),
        pytest.param(of(groups={arn(): a_good_group(balancers=None)}), "", id="not told"),
        pytest.param(of(target_health={"web-1": health("unused", "Target.NotInUse")}), "", id="of one target only"),
        pytest.param(of(target_health=dict.fromkeys(UNUSED)), "", id="targets were not asked"),
        pytest.param(
            of(groups={arn(): a_good_group(balancers=())}),
            "no load balancer sends requests to target group web",
            id="none",
        ),
        pytest.param(
            of(target_health=UNUSED),
            "no load balancer sends requests to target group web: its targets are unused (Target.NotInUse)",
            id="none by what its targets are",
        ),
    ],
)
def test_a_group_without_a_load_balancer(seen: Facts, fact: str) -> None:
    assert told("group-without-balancer", seen) == ([fact] if fact else [])


UNHEALTHY = {f"web-{n}": health("unhealthy", "Target.Timeout") for n in range(1, 7)}
ADMIN = {arn(): a_good_group(check=HealthCheck(path="/up", port="9000"))}
OTHER_PORT = (replace(a_service(), ports=(replace(a_service().ports[0], target_port=9090),)),)
BOTH = a_container(ports=(ContainerPort(name="http", number=8080), ContainerPort(name="admin", number=9000)))


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="as declared"),
        pytest.param(of(*good_pods(BOTH), groups=ADMIN), "", id="a port of its own, as declared"),
        pytest.param(of(*good_pods(a_container(ports=())), groups=ADMIN), "", id="none is declared"),
        pytest.param(of(groups=ADMIN), "", id="somebody answers there all the same"),
        pytest.param(
            of(groups=ADMIN, target_health=UNHEALTHY),
            "health checks of target group web go to port 9000, and containers of deployment.apps/web have 8080 only",
            id="health checks go elsewhere",
        ),
        pytest.param(
            of(services=OTHER_PORT, target_health=UNHEALTHY),
            "requests of target group web go to port 9090, and containers of deployment.apps/web have 8080 only",
            id="requests go elsewhere",
        ),
    ],
)
def test_a_port_that_no_container_has(seen: Facts, fact: str) -> None:
    assert told("port-mismatch", seen) == ([fact] if fact else [])


@pytest.mark.parametrize(
    ("beside", "is_found"),
    [
        pytest.param(strange(LIMIT - 7, "draining"), False, id="room for one more"),
        pytest.param(strange(LIMIT - 6, "draining"), True, id="what drains counts"),
        pytest.param(strange(LIMIT, "unused", reason="Target.NotRegistered"), False, id="what is gone doesn't"),
    ],
)
def test_a_group_without_room_for_new_targets(beside: Any, is_found: bool) -> None:
    fact = (
        "target group web has 1000 targets, and 1 more would come in a rollout; AWS takes 1000, where nobody had it "
        "raised"
    )
    assert told("group-at-limit", of(beside=beside)) == ([fact] if is_found else [])


@pytest.mark.parametrize(("surge", "room"), [(3, 3), ("50%", 3), (0, 1)])
def test_the_room_that_a_rollout_takes(surge: Any, room: int) -> None:
    workloads = {uid("web"): a_good_deployment(max_surge=surge)}
    assert told("group-at-limit", of(beside=strange(LIMIT - 6 - room, "draining"), workloads=workloads)) == []
    [fact] = told("group-at-limit", of(beside=strange(LIMIT - 5 - room, "draining"), workloads=workloads))
    assert f"and {room} more would come in a rollout" in fact


def test_pods_of_no_workload_take_room_for_one() -> None:
    bare = [replace(pod, owners=()) for pod in good_pods()]
    [fact] = told("group-at-limit", of(*bare, beside=strange(LIMIT - 6, "draining")))
    assert "and 1 more would come" in fact


def test_a_shared_group_hides_no_other() -> None:
    both = (a_binding(), a_binding("other", service="web", is_shared=True))
    groups = {arn(): a_good_group(), arn("other"): a_good_group("other")}
    assert len(told("target-without-pod", of(beside=strange(), bindings=both, groups=groups))) == 1


def test_what_mends_a_wrong_port() -> None:
    [its] = found("port-mismatch", of(groups=ADMIN, target_health=UNHEALTHY))
    assert its.remedy == (
        f"aws elbv2 modify-target-group --target-group-arn {arn()} --health-check-port traffic-port\n"
        "# where the load balancer controller made the group: so in the annotations "
        "alb.ingress.kubernetes.io/healthcheck-* of its Ingress"
    )
    [its] = found("port-mismatch", of(services=OTHER_PORT, target_health=UNHEALTHY))
    assert its.remedy == "kubectl edit service web -n shop  # targetPort is 9090, not 8080"


def test_pods_without_an_address_yet_are_no_targets() -> None:
    seen = of(*(replace(pod, ips=()) for pod in good_pods()))
    codes = ("target-unhealthy", "group-without-balancer", "port-mismatch")
    assert [found(code, seen) for code in codes] == [[], [], []]


@pytest.mark.parametrize(
    ("most", "changes", "is_found"),
    [
        pytest.param(0, {}, False, id="none"),
        pytest.param(7, {}, False, id="room for one more"),
        pytest.param(6, {}, True, id="no room"),
        pytest.param(6, {"bindings": (a_binding(api="eks.amazonaws.com"),)}, False, id="not of this controller"),
    ],
)
def test_a_limit_that_the_controller_has_been_given(most: int, changes: Any, is_found: bool) -> None:
    seen = facts(a_good_cluster(**changes), setup=a_setup(controllers=(a_controller(most_targets=most),)))
    findings = found("group-at-limit", seen)
    rest = "the load balancer controller registers 6 (--max-targets-per-target-group)"
    fact = f"target group web has 6 targets, and 1 more would come in a rollout; {rest}"
    assert [its.fact for its in findings] == [fact] * is_found
    edit = "kubectl edit deployment/aws-load-balancer-controller -n kube-system  # --max-targets-per-target-group"
    assert all(its.remedy == edit for its in findings)
