"""How pods stop: what is found of hooks and grace periods, and what isn't."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.container import Container, Hook
from kubectl_safe.model.port import ContainerPort
from tests.decide.check.scenes import a_container, a_good_cluster, a_good_group, a_good_pod, facts, found, good_pods
from tests.support.builders import GATE, a_binding, a_service, arn

SIX = "6 pods: web-1, web-2, web-3 and 3 more"
STOPS = Hook(duration=timedelta(seconds=9), command=("sh", "-c", "nginx -s quit; sleep 9"))
BARE = a_container(pre_stop=None)
REQUEST = a_container(pre_stop=Hook(duration=None))


def pausing(seconds: float, *command: str, name: str = "app") -> Container:
    return a_container(name, pre_stop=Hook(duration=timedelta(seconds=seconds), command=tuple(command), is_pause=True))


def of(*containers: Container, delay: float = 20, grace: int = 60, pod: Any = None, **changes: Any) -> Facts:
    pods = good_pods(*containers, grace_period_seconds=grace, **pod or {})
    return facts(a_good_cluster(*pods, **{"groups": {arn(): a_good_group(delay=delay)}} | changes))


def told(code: str, seen: Facts) -> list[str]:
    return [f"{its.subject}: {its.fact}" for its in found(code, seen)]


UNSERVED: dict[str, Any] = {"services": (), "bindings": ()}
NODES_ONLY: dict[str, Any] = {"bindings": (a_binding(target_type="instance"),)}


@pytest.mark.parametrize(
    ("seen", "lasts"),
    [
        pytest.param(of(), None, id="with one"),
        pytest.param(of(REQUEST), None, id="one that nobody can tell the length of"),
        pytest.param(of(BARE, bindings=()), None, id="behind no target group"),
        pytest.param(of(BARE, **NODES_ONLY), None, id="nodes are the targets"),
        pytest.param(of(BARE, **UNSERVED), None, id="that get no requests"),
        pytest.param(of(BARE, pod={"is_terminating": True}), None, id="that are on their way out"),
        pytest.param(of(BARE, pod={"is_mirror": True}), None, id="static pods"),
        pytest.param(of(BARE, pod={"containers": ()}), None, id="of containers nothing is known"),
        pytest.param(of(BARE), " for up to 20s", id="without"),
        pytest.param(
            of(BARE, pod={"readiness_gates": ()}),
            " for up to 20s and its successor is healthy after up to 10s",
            id="without a gate either",
        ),
        pytest.param(of(BARE, groups={}), "", id="of a group that may not be asked"),
    ],
)
def test_pods_behind_a_target_group_without_a_hook(seen: Facts, lasts: str | None) -> None:
    fact = "container app has no preStop hook and stops at once where others delete or evict it, while its targets in"
    expected = [] if lasts is None else [f"deployment.apps/web: {fact} web drain{lasts}; {SIX}"]
    assert told("prestop-missing", seen) == expected


def test_a_hook_is_told_with_the_time_that_it_needs() -> None:
    [its] = found("prestop-missing", of(BARE, grace=30))
    assert its.remedy.splitlines() == [
        "# kubectl edit deployment.apps/web -n shop, in spec.template.spec:",
        "terminationGracePeriodSeconds: 35",
        "containers:",
        "- name: app",
        "  lifecycle:",
        "    preStop:",
        "      sleep: {seconds: 20}",
    ]


def test_rather_than_a_long_hook_a_shorter_delay_is_told() -> None:
    [its] = found("prestop-missing", of(BARE, delay=300))
    assert "terminationGracePeriodSeconds: 60" in its.remedy
    assert "sleep: {seconds: 30}" in its.remedy
    assert its.remedy.splitlines()[-2:] == [
        (
            f"aws elbv2 modify-target-group-attributes --target-group-arn {arn()} --attributes "
            "Key=deregistration_delay.timeout_seconds,Value=30"
        ),
        (
            "# where the load balancer controller made the group: deregistration_delay.timeout_seconds=30 in "
            "annotation alb.ingress.kubernetes.io/target-group-attributes of its Ingress"
        ),
    ]


HEADLESS: dict[str, Any] = {"services": (a_service(is_headless=True),), "bindings": ()}


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(bindings=()), False, id="with one"),
        pytest.param(of(BARE), False, id="behind a target group it is another fault"),
        pytest.param(of(BARE, **UNSERVED), False, id="that get no requests"),
        pytest.param(of(BARE, **HEADLESS), False, id="whose clients choose them by themselves"),
        pytest.param(of(BARE, bindings=()), True, id="without"),
        pytest.param(of(BARE, **NODES_ONLY), True, id="nodes are the targets"),
    ],
)
def test_pods_behind_a_service_without_a_hook(seen: Facts, is_found: bool) -> None:
    fact = (
        "container app has no preStop hook, and service web leads requests to it for a moment longer once others "
        f"delete or evict it; {SIX}"
    )
    assert told("endpoints-lag", seen) == ([f"deployment.apps/web: {fact}"] if is_found else [])


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="longer"),
        pytest.param(of(pausing(20)), "", id="as long"),
        pytest.param(of(pausing(5), bindings=()), "", id="behind no target group"),
        pytest.param(of(REQUEST), "", id="nobody can tell"),
        pytest.param(of(pausing(5), groups={}), "", id="of a group that may not be asked"),
        pytest.param(of(pausing(5), delay=300), "", id="a delay that no grace period has is another fault"),
        pytest.param(
            of(pausing(5)),
            "container app pauses for 5s before it stops, while its targets in web drain for up to 20s",
            id="shorter than the delay",
        ),
        pytest.param(
            of(pausing(25), pod={"readiness_gates": ()}),
            "container app pauses for 25s before it stops, while its targets in web drain for up to 20s and its "
            "successor is healthy after up to 10s",
            id="shorter than delay and health checks, without a gate",
        ),
        pytest.param(of(pausing(30), pod={"readiness_gates": ()}), "", id="as long as both"),
    ],
)
def test_a_hook_shorter_than_the_deregistration_of_targets(seen: Facts, fact: str) -> None:
    assert told("prestop-short", seen) == ([f"deployment.apps/web: {fact}; {SIX}"] if fact else [])


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="shorter"),
        pytest.param(of(pausing(55)), "", id="some seconds shorter"),
        pytest.param(of(pausing(15), grace=30), "", id="an ordinary set-up"),
        pytest.param(of(a_container(pre_stop=replace(STOPS, duration=timedelta(seconds=58)))), "", id="it stops it"),
        pytest.param(of(REQUEST, grace=1), "", id="nobody can tell"),
        pytest.param(of(pausing(60), **UNSERVED), "", id="that get no requests"),
        pytest.param(of(pausing(60)), "container app pauses for 1m", id="as long as the grace period"),
        pytest.param(
            of(a_container(), pausing(90, name="other")), "container other pauses for 1m30s", id="another container"
        ),
    ],
)
def test_a_grace_period_that_a_hook_uses_up(seen: Facts, fact: str) -> None:
    rest = f" before it stops, of a grace period of 1m: it is killed 2s after SIGTERM; {SIX}"
    assert told("grace-period-short", seen) == ([f"deployment.apps/web: {fact}{rest}"] if fact else [])


def test_a_grace_period_that_a_hook_leaves_next_to_nothing_of() -> None:
    [its] = found("grace-period-short", of(pausing(28), grace=30))
    assert its.fact == (
        "container app pauses for 28s before it stops, of a grace period of 30s: 2s are left for the requests that it "
        f"is answering, and then it is killed; {SIX}"
    )
    assert its.remedy.splitlines()[-1] == "terminationGracePeriodSeconds: 43"


def test_the_grace_period_that_a_hook_needs() -> None:
    [its] = found("grace-period-short", of(pausing(60)))
    assert its.remedy.splitlines()[-1] == "terminationGracePeriodSeconds: 75"


@pytest.mark.parametrize(
    ("seen", "binary"),
    [
        pytest.param(of(), "", id="the sleep action"),
        pytest.param(of(REQUEST), "", id="a request"),
        pytest.param(of(pausing(30, "sleep", "30")), "sleep", id="sleep"),
        pytest.param(of(pausing(30, "/bin/sh", "-c", "sleep 30")), "/bin/sh or sleep", id="a shell that sleeps"),
    ],
)
def test_a_hook_that_needs_a_program_of_the_image(seen: Facts, binary: str) -> None:
    findings = found("prestop-needs-binary", seen)
    assert len(findings) == bool(binary)
    for its in findings:
        assert f"which fails where its image has no {binary}; {SIX}" in its.fact
        assert its.remedy.splitlines()[-1] == "      sleep: {seconds: 30}"


def runs(*command: str) -> Facts:
    return of(a_container(pre_stop=Hook(duration=None, command=command)))


@pytest.mark.parametrize(
    ("seen", "programs", "remedy"),
    [
        pytest.param(
            of(a_container(pre_stop=STOPS)),
            "sh, nginx or sleep",
            ["kubectl exec web-1 -n shop -c app -- sh -c 'command -v nginx && command -v sleep'"],
            id="a script",
        ),
        pytest.param(
            runs("nginx", "-s", "quit"), "nginx", ["kubectl exec web-1 -n shop -c app -- which nginx"], id="a program"
        ),
        pytest.param(
            runs("/bin/sh", "-c", "if true; then quit; fi"),
            "/bin/sh",
            ["kubectl exec web-1 -n shop -c app -- /bin/sh -c true"],
            id="a script of branches",
        ),
        pytest.param(
            runs("curl", "-s", "http://localhost:8080/quit"),
            "curl",
            [
                "# kubectl edit deployment.apps/web -n shop, in spec.template.spec (it is asked at the pod's own IP):",
                "containers:",
                "- name: app",
                "  lifecycle:",
                "    preStop:",
                "      httpGet: {port: 8080, path: '/quit'}",
            ],
            id="a request",
        ),
        pytest.param(
            runs("curl", "-XPOST", "http://localhost:8080/quit"),
            "curl",
            ["kubectl exec web-1 -n shop -c app -- which curl"],
            id="a request that is no GET",
        ),
        pytest.param(
            runs("wget", "http://hooks.example/quit"),
            "wget",
            ["kubectl exec web-1 -n shop -c app -- which wget"],
            id="a request to somebody else",
        ),
    ],
)
def test_a_hook_that_does_more_than_sleep(seen: Facts, programs: str, remedy: list[str]) -> None:
    [its] = found("prestop-needs-binary", seen)
    assert f"which fails where its image has no {programs}; {SIX}" in its.fact
    assert its.remedy.splitlines() == remedy


PROXY = a_container("envoy", ports=(ContainerPort(name="in", number=15006),), pre_stop=None)


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="no other"),
        pytest.param(of(a_container(), replace(PROXY, is_sidecar=True)), False, id="a native sidecar"),
        pytest.param(of(a_container(), replace(PROXY, name="logs")), False, id="no proxy"),
        pytest.param(of(a_container(), pausing(5, name="envoy")), False, id="a proxy with a hook"),
        pytest.param(of(BARE, PROXY), False, id="beside an application without one"),
        pytest.param(of(REQUEST, PROXY), False, id="nobody can tell for how long"),
        pytest.param(of(a_container(), PROXY), True, id="a proxy without one"),
    ],
)
def test_a_proxy_that_stops_before_the_application(seen: Facts, is_found: bool) -> None:
    fact = f"container envoy stops at once, while app pauses for 30s and still serves; {SIX}"
    assert told("sidecar-ends-first", seen) == ([f"deployment.apps/web: {fact}"] if is_found else [])


def test_what_answers_requests_is_the_container_that_a_service_leads_to() -> None:
    helper = a_container("helper", ports=(), pre_stop=None, readiness=None)
    assert told("prestop-missing", of(helper, a_container())) == []
    [its] = told("prestop-missing", of(a_container("helper", ports=()), BARE))
    assert "container app has" in its


def test_pods_that_are_set_up_in_another_way_are_told_of_by_themselves() -> None:
    odd = (a_good_pod("web-1", pausing(5)), a_good_pod("web-2", BARE))
    seen = facts(a_good_cluster(*odd))
    [short] = told("prestop-short", seen)
    assert short.startswith("deployment.apps/web: container app pauses for 5s")
    assert short.endswith("; 1 pod: web-1")
    assert "; 1 pod: web-2" in told("prestop-missing", seen)[0]


def test_a_pod_of_nobody_is_told_of_by_its_name() -> None:
    bare = a_good_pod("web-1", pausing(60), owners=(), readiness_gates=(GATE,))
    [its] = found("grace-period-short", facts(a_good_cluster(bare)))
    assert str(its.subject) == "pod/web-1"
    assert its.remedy.splitlines()[0] == "# kubectl edit pod/web-1 -n shop, in spec:"


@pytest.mark.parametrize(
    ("code", "fine", "bad"),
    [
        ("prestop-missing", a_container(), BARE),
        ("prestop-short", REQUEST, pausing(5)),
        ("grace-period-short", BARE, pausing(60)),
        ("prestop-needs-binary", BARE, pausing(30, "sleep", "30")),
    ],
)
def test_pods_that_are_fine_hide_no_others(code: str, fine: Container, bad: Container) -> None:
    [its] = found(code, facts(a_good_cluster(a_good_pod("web-1", fine), *good_pods(bad)[1:])))
    assert its.fact.endswith("; 5 pods: web-2, web-3, web-4 and 2 more")


def test_static_pods_hide_no_others() -> None:
    static = a_good_pod("web-1", BARE, is_mirror=True)
    [its] = found("prestop-missing", facts(a_good_cluster(static, *good_pods(BARE)[1:])))
    assert "; 5 pods: web-2" in its.fact


def test_of_several_hooks_all_have_to_be_known() -> None:
    assert found("prestop-short", of(pausing(5), a_container("other", pre_stop=Hook(duration=None)))) == []


def test_of_several_groups_the_longest_delay_counts() -> None:
    groups = {arn(): a_good_group(), arn("other"): a_good_group("other", delay=40)}
    both = (a_binding(), a_binding("other", service="web"))
    [its] = found("prestop-short", of(groups=groups, bindings=both))
    assert "its targets in other, web drain for up to 40s" in its.fact


def test_a_proxy_among_several_containers() -> None:
    helper = a_container("logs", ports=(), pre_stop=None)
    assert len(found("sidecar-ends-first", of(a_container(), helper, PROXY))) == 1
    fine = a_good_pod("web-1", BARE)
    [its] = found("sidecar-ends-first", facts(a_good_cluster(fine, *good_pods(a_container(), PROXY)[1:])))
    assert its.remedy.splitlines()[-1] == ("# or have envoy among the initContainers, with restartPolicy: Always")
