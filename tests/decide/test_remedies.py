"""Every wait names the object, the fact and, where somebody has to do something, what helps."""

import re
from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.next import next_actions
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_budget,
    a_cluster,
    a_pod,
    a_replica_set,
    ago,
    an_answer,
    an_intent,
    health,
    uid,
)

CHECK = "see kubectl safe check deployment/web -n shop"
STATUS = "see kubectl safe status deployment/web -n shop"
EVENTS = "see kubectl events -n shop --for pod/web-7"
OLD, LEAVING = a_pod(released=True), a_pod(withdrawn=True)
MISMATCH = replace(
    health("unhealthy", "Target.ResponseCodeMismatch"), description="Health checks failed with these codes: [404]"
)


def new(*, seconds: float = 5, **changes: Any) -> Pod:
    return a_pod("web-7", since=ago(seconds), **changes)


def scheduled(*, is_true: bool, message: str = "") -> dict[str, Any]:
    told = {"PodScheduled": Condition(is_true=is_true, since=ago(5), message=message)}
    return {"ready": False, "gates": {}, "conditions": told, "node": None}


def with_health(pod: Pod, told: Any, **changes: Any) -> Snapshot:
    return a_cluster(OLD, pod, target_health={"web-7": told}, **changes)


def leaving(seconds: float, told: Any) -> Snapshot:
    since = {LEAVING.uid: ago(seconds)}
    return a_cluster(LEAVING, withdrawn_since=since, absent_since=since, target_health={"web-1": told})


def limited(failure: str) -> Snapshot:
    replica_set = a_replica_set(failure=failure)
    return a_cluster(OLD, replica_sets={replica_set.uid: replica_set})


UNMET = {GATE: False}

ROWS = [
    pytest.param(
        with_health(new(seconds=60), MISMATCH),
        For.REPLACEMENT,
        "pod shop/web-7 is Ready, but its target 10.244.0.8:8080 in web is unhealthy: Target.ResponseCodeMismatch "
        "(HTTP got 404)",
        CHECK,
        id="a Ready replacement whose target is unhealthy",
    ),
    pytest.param(
        with_health(new(gates=UNMET), MISMATCH),
        For.REPLACEMENT,
        f"pod shop/web-7 waits for its readiness gate {GATE}: target 10.244.0.8:8080 in web is unhealthy: "
        "Target.ResponseCodeMismatch (HTTP got 404)",
        CHECK,
        id="one whose gate waits for such a target, however new it is",
    ),
    pytest.param(
        with_health(new(gates=UNMET), None),
        For.REPLACEMENT,
        f"pod shop/web-7 waits for its readiness gate {GATE}",
        "",
        id="a gate that nobody has set in its first seconds",
    ),
    pytest.param(
        with_health(new(gates=UNMET, seconds=120), None),
        For.REPLACEMENT,
        f"pod shop/web-7 waits for its readiness gate {GATE}",
        CHECK,
        id="a gate that nobody sets",
    ),
    pytest.param(
        with_health(new(seconds=33), health("initial")),
        For.REPLACEMENT,
        "pod shop/web-7 is Ready, but its target 10.244.0.8:8080 in web is initial",
        "",
        id="a target whose health checks take their time",
    ),
    pytest.param(
        with_health(new(seconds=60), health("initial")),
        For.REPLACEMENT,
        "pod shop/web-7 is Ready, but its target 10.244.0.8:8080 in web is initial",
        CHECK,
        id="a target that never becomes healthy",
    ),
    pytest.param(
        a_cluster(OLD, new(ready=False)),
        For.REPLACEMENT,
        "pod shop/web-7 is not ready: Running",
        "",
        id="a replacement that starts",
    ),
    pytest.param(
        a_cluster(OLD, new(ready=False, seconds=31)),
        For.REPLACEMENT,
        "pod shop/web-7 is not ready: Running",
        EVENTS,
        id="one that is not ready for long",
    ),
    pytest.param(
        a_cluster(OLD, new(ready=False, waiting_reason="CrashLoopBackOff", waiting_message="back-off 5m0s")),
        For.REPLACEMENT,
        "pod shop/web-7 is not ready: CrashLoopBackOff: back-off 5m0s",
        "see kubectl logs web-7 -n shop --previous, while it is there",
        id="one that crashes",
    ),
    pytest.param(
        a_cluster(OLD, new(ready=False, waiting_reason="ImagePullBackOff", waiting_message="not found")),
        For.REPLACEMENT,
        "pod shop/web-7 is not ready: ImagePullBackOff: not found",
        EVENTS,
        id="one whose image can't be pulled",
    ),
    pytest.param(
        a_cluster(OLD, new(**scheduled(is_true=False, message="0/3 nodes are available: 3 node(s) had taints."))),
        For.REPLACEMENT,
        "pod shop/web-7 is not ready: 0/3 nodes are available: 3 node(s) had taints.",
        EVENTS,
        id="one that no node takes",
    ),
    pytest.param(
        a_cluster(OLD, new(**scheduled(is_true=False, message="0/3 nodes are available: 3 Insufficient cpu."))),
        For.REPLACEMENT,
        "pod shop/web-7 is not ready: 0/3 nodes are available: 3 Insufficient cpu.",
        "with --max-surge 0 a pod makes room for its replacement first",
        id="one that finds no room",
    ),
    pytest.param(
        limited("admission webhook denied it"),
        For.REPLACEMENT,
        "replicaset web-5d4f8c7b9 can't create a pod: admission webhook denied it",
        "see kubectl events -n shop --for replicaset/web-5d4f8c7b9",
        id="one that can't be created",
    ),
    pytest.param(
        a_cluster(OLD), For.REPLACEMENT, "its replacement is not created yet", CHECK, id="one that nobody creates"
    ),
    pytest.param(
        a_cluster(OLD, new(), endpoints=()),
        For.REPLACEMENT,
        "pod shop/web-7 is in no EndpointSlice of service web yet",
        "",
        id="one that was Ready a moment ago",
    ),
    pytest.param(
        a_cluster(OLD, new(seconds=90), endpoints=()),
        For.REPLACEMENT,
        "pod shop/web-7 is in no EndpointSlice of service web yet",
        CHECK,
        id="one that no EndpointSlice lists",
    ),
    pytest.param(
        with_health(new(), health(asked=60)),
        For.REPLACEMENT,
        "target 10.244.0.8:8080 in web has no fresh health yet",
        "",
        id="one of which nobody knows",
    ),
    pytest.param(
        a_cluster(
            OLD, a_pod("web-7"), answers={"web-1": an_answer(allowed=False, message="Cannot evict pod.", seconds=1)}
        ),
        For.BUDGET,
        "Cannot evict pod.",
        CHECK,
        id="a budget that refuses",
    ),
    pytest.param(
        a_cluster(OLD, a_pod("web-7"), budgets=(a_budget(disruptions_allowed=0),)),
        For.BUDGET,
        "budget shop/web allows no disruption now, by its status",
        CHECK,
        id="a budget that allows nothing",
    ),
    pytest.param(
        leaving(20, health()),
        For.TARGETS,
        "the load balancer controller has not deregistered it yet",
        "",
        id="a target",
    ),
    pytest.param(
        leaving(31, health()), For.TARGETS, "has not deregistered it yet", CHECK, id="a target that nobody deregisters"
    ),
    pytest.param(
        leaving(200, health("draining")),
        For.TARGETS,
        "target 10.244.0.2:8080 in web is draining",
        "",
        id="one that drains",
    ),
    pytest.param(
        a_cluster(LEAVING, absent_since={}, withdrawn_since={LEAVING.uid: ago(31)}),
        For.ENDPOINTS,
        "pod shop/web-1 was not yet seen absent from every EndpointSlice",
        "see kubectl safe status pod/web-1 -n shop",
        id="a slice that keeps it",
    ),
    pytest.param(
        a_cluster(OLD, taken={uid("web"): "deployment shop/web is in the hands of alice"}),
        For.LEASE,
        "deployment shop/web is in the hands of alice",
        STATUS,
        id="another run",
    ),
]


@pytest.mark.parametrize(("snapshot", "on", "fact", "remedy"), ROWS)
def test_what_helps_is_told_once_somebody_has_to_do_something(
    snapshot: Snapshot, on: For, fact: str, remedy: str
) -> None:
    decision = next_actions(snapshot, an_intent(snapshot, "web-1")).decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert (decision.on, decision.remedy) == (on, remedy)
    assert fact in decision.why
    told = fact.removesuffix(".") if remedy else fact
    assert decision.told.endswith(f"{told}; {remedy}" if remedy and decision.why.endswith(fact) else remedy)


OBJECT = re.compile(r"(pod|deployment|replicaset|target|budget|node|service|EndpointSlice|watch) \S")


@pytest.mark.parametrize(("snapshot", "on", "fact", "remedy"), ROWS)
def test_every_wait_names_an_object(snapshot: Snapshot, on: For, fact: str, remedy: str) -> None:  # noqa: ARG001
    decision = next_actions(snapshot, an_intent(snapshot, "web-1")).decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    # The API server's own words are told as kubectl tells them; the command that helps has the name.
    assert OBJECT.search(decision.told) or "deployment/web" in decision.told
