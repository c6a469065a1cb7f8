"""Whether a pod is in service, and why not, in the words of whoever knows."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.verdict import verdict
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target, TargetHealth
from tests.support.builders import (
    GATE,
    LABELS,
    NOT_REGISTERED,
    NOW,
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    ago,
    an_endpoint,
    arn,
    health,
    uid,
)

SLOW = a_deployment(min_ready=timedelta(seconds=10))
OUT, IN, UNKNOWN = "OutOfService", "InService", "Unknown"


def slow(pod: Pod) -> Snapshot:
    return a_cluster(pod, workloads={uid("web"): SLOW})


def seen(state: str, reason: str = "", asked: float = 1) -> Snapshot:
    return a_cluster(target_health={"web-1": health(state, reason, asked=asked)})


def unseen(*pods: Pod, **overrides: Any) -> Snapshot:
    """Return a cluster whose target group can't be asked, and was never."""
    nobody_knows = {f"web-{n}": None for n in range(1, 7)}
    return a_cluster(*pods, target_health=nobody_knows, unseen=frozenset({arn()}), **overrides)


DUAL = a_service(ip_families=("IPv4", "IPv6"))


def dual(*families: str, ips: tuple[str, ...] = ("10.0.0.1", "fd00::1")) -> Snapshot:
    """Return a cluster whose Service has both families, with a pod in the slices of some."""
    pod = a_pod(ips=ips)
    places = tuple(an_endpoint(pod, family=family) for family in families)
    healthy = {
        Target(group=arn(), ip="10.0.0.1", port=8080): health(),
        Target(group=arn(), ip="fd00::1", port=8080): health(),
    }
    return a_cluster(pod, services=(DUAL,), endpoints=places, health=healthy)


ROWS = [
    pytest.param(a_cluster(), IN, id="ready, in its slices and healthy: in service"),
    pytest.param(a_cluster(a_pod(released=True)), IN, id="a released pod serves as before"),
    pytest.param(a_cluster(a_pod(withdrawn=True)), OUT, id="a withdrawn pod does not"),
    pytest.param(a_cluster(a_pod(terminating=True)), OUT, id="a terminating pod does not"),
    pytest.param(a_cluster(a_pod(phase="Failed")), OUT, id="a finished pod does not"),
    pytest.param(a_cluster(a_pod(ready=False)), OUT, id="containers not ready"),
    pytest.param(a_cluster(a_pod(gates={GATE: False})), OUT, id="a readiness gate not True"),
    pytest.param(a_cluster(a_pod(readiness_gates=("example.com/other",))), OUT, id="a gate that nobody has set"),
    pytest.param(a_cluster(a_pod(conditions={})), OUT, id="no conditions yet"),
    pytest.param(slow(a_pod(since=ago(9))), OUT, id="ready for less than minReadySeconds"),
    pytest.param(slow(a_pod(since=ago(10))), IN, id="ready for minReadySeconds"),
    pytest.param(a_cluster(endpoints=()), OUT, id="in no slice of its Service"),
    pytest.param(dual("IPv4", "IPv6"), IN, id="in slices of both families of its Service"),
    pytest.param(dual("IPv4"), OUT, id="in slices of IPv4 only, where it and its Service have IPv6 too"),
    pytest.param(dual("IPv6"), OUT, id="in slices of IPv6 only, where they have IPv4 too"),
    pytest.param(dual("IPv4", ips=("10.0.0.1",)), IN, id="in slices of the one family that it has an address of"),
    pytest.param(dual("IPv6", ips=("fd00::1",)), IN, id="whichever that is"),
    pytest.param(dual(ips=()), OUT, id="in no slice, and without an address"),
    pytest.param(
        a_cluster(endpoints=(an_endpoint(a_pod()), an_endpoint(a_pod(), ready=False))),
        OUT,
        id="not ready in one of two slices",
    ),
    pytest.param(
        a_cluster(services=(a_service(), a_service("api", selector={"app": "web"})), endpoints=(an_endpoint(a_pod()),)),
        OUT,
        id="in the slices of one Service of two",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), services=(a_service(selector=LABELS),)),
        OUT,
        id="a released pod of a Service that was changed to select what the release took off",
    ),
    pytest.param(a_cluster(services=(), endpoints=()), IN, id="a pod in no Service is in service when ready"),
    pytest.param(seen("initial", "Elb.RegistrationInProgress"), OUT, id="target initial"),
    pytest.param(seen("unhealthy", "Target.Timeout"), OUT, id="target unhealthy"),
    pytest.param(seen("unhealthy.draining"), OUT, id="target unhealthy.draining"),
    pytest.param(seen("draining"), OUT, id="target draining"),
    pytest.param(seen("unused", NOT_REGISTERED), OUT, id="target not registered"),
    pytest.param(seen("unavailable"), UNKNOWN, id="target unavailable: nobody checks its health"),
    pytest.param(a_cluster(target_health={"web-1": None}), UNKNOWN, id="target not asked for"),
    pytest.param(seen("healthy", asked=15), IN, id="an answer that is just fresh"),
    pytest.param(seen("healthy", asked=15.1), UNKNOWN, id="an old answer"),
    pytest.param(seen("unhealthy", asked=15.1), UNKNOWN, id="an old bad answer is no answer either"),
    pytest.param(unseen(), IN, id="an unseen group: its gate True"),
    pytest.param(unseen(a_pod(gates={GATE: False})), OUT, id="an unseen group: its gate False"),
    pytest.param(unseen(a_pod(gates={})), UNKNOWN, id="an unseen group: a pod without its gate can't be confirmed"),
    pytest.param(
        unseen(a_pod(gates={"target-health.elbv2.k8s.aws/other": True})),
        UNKNOWN,
        id="an unseen group: the gate of another binding confirms nothing",
    ),
    pytest.param(
        unseen(a_pod(gates={"target-health.eks.amazonaws.com/web": True})),
        IN,
        id="an unseen group: the gate of another controller for this binding",
    ),
    pytest.param(
        unseen(bindings=(a_binding(), a_binding("twin", group=arn(), service="web"))),
        UNKNOWN,
        id="an unseen group of two bindings: one gate of two is not enough",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None}, unseen=frozenset({arn("other")})),
        UNKNOWN,
        id="a seen group is asked, whichever other is not",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None}, stale_health={arn(): "AccessDenied"}),
        UNKNOWN,
        id="a group that is denied half-way is not unseen",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_is_in_service_only_by_every_way(snapshot: Snapshot, expected: str) -> None:
    (deployment,) = snapshot.workloads.values()
    assert type(verdict(snapshot.pods[uid("web-1")], deployment, snapshot)).__name__ == expected


NO_NODE = "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu."
UNSCHEDULED = {"PodScheduled": Condition(is_true=False, reason="Unschedulable", message=NO_NODE)}

MISMATCH = TargetHealth(
    state=State.UNHEALTHY,
    reason="Target.ResponseCodeMismatch",
    description="Health checks failed with these codes: [404]",
    asked_at=NOW,
)


def gated(**condition: Any) -> Pod:
    """Return a pod with a gate of its own whose condition says this, or is not there."""
    pod = a_pod(gates={"example.com/approved": False})
    conditions = {kind: it for kind, it in pod.conditions.items() if kind != "example.com/approved"}
    told = {"example.com/approved": Condition(is_true=False, **condition)} if condition else {}
    return replace(pod, conditions=conditions | told)


WORDS = [
    pytest.param(
        a_cluster(a_pod(ready=False, waiting_reason="CrashLoopBackOff")),
        "pod shop/web-1 is not ready: CrashLoopBackOff",
        id="its container's",
    ),
    pytest.param(
        a_cluster(a_pod(ready=False, waiting_reason="ErrImagePull", waiting_message="not found")),
        "pod shop/web-1 is not ready: ErrImagePull: not found",
        id="the kubelet's",
    ),
    pytest.param(
        a_cluster(a_pod(node=None, phase="Pending", conditions=UNSCHEDULED)),
        f"pod shop/web-1 is not ready: {NO_NODE}",
        id="the scheduler's",
    ),
    pytest.param(
        a_cluster(a_pod(ready=False, phase="Pending")), "pod shop/web-1 is not ready: Pending", id="its phase's"
    ),
    pytest.param(
        a_cluster(a_pod(gates={GATE: False})), f"pod shop/web-1 waits for its readiness gate {GATE}", id="its gate's"
    ),
    pytest.param(
        a_cluster(a_pod(gates={GATE: False}), target_health={"web-1": MISMATCH}),
        f"pod shop/web-1 waits for its readiness gate {GATE}: target 10.244.0.2:8080 in web is unhealthy: "
        "Target.ResponseCodeMismatch (HTTP got 404)",
        id="those of AWS, behind a gate",
    ),
    pytest.param(
        a_cluster(gated(reason="NotYet", message="it is too early")),
        "pod shop/web-1 waits for its readiness gate example.com/approved: NotYet: it is too early",
        id="of who keeps a gate False",
    ),
    pytest.param(
        a_cluster(gated()),
        "pod shop/web-1 waits for its readiness gate example.com/approved, which nobody has set yet",
        id="of a gate without a condition",
    ),
    pytest.param(
        slow(a_pod(since=ago(9))),
        "pod shop/web-1 is ready, but not for minReadySeconds (10s) yet",
        id="its Deployment's",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None}, stale_health={arn(): "ThrottlingException"}),
        "target 10.244.0.2:8080 in web has no fresh health: ThrottlingException",
        id="those of AWS",
    ),
    pytest.param(
        unseen(a_pod(gates={})),
        "target 10.244.0.2:8080 in web can't be asked, and pod shop/web-1 has no readiness gate of binding web",
        id="of a gate that is not there",
    ),
]


@pytest.mark.parametrize(("snapshot", "why"), WORDS)
def test_says_why_not_in_words_that_are(snapshot: Snapshot, why: str) -> None:
    (deployment,) = snapshot.workloads.values()
    assert getattr(verdict(snapshot.pods[uid("web-1")], deployment, snapshot), "why", "") == why
