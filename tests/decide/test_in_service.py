"""Each thing that takes a pod out of service does so by itself, and none is taken for another."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.verdict import OutOfService, is_changing, is_out_for_long, verdict
from kubectl_safe.model.marks import HANDOFF, Handoff
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target, TargetHealth
from tests.support.builders import (
    GATE,
    HASH,
    LABELS,
    LONG_AGO,
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    a_target,
    ago,
    an_endpoint,
    arn,
    health,
    ip_of,
    uid,
)

OUT, IN, UNKNOWN = "OutOfService", "InService", "Unknown"
SLOW = a_deployment(min_ready=timedelta(seconds=60))


def in_all_else(pod: Pod, **overrides: Any) -> Snapshot:
    """Return a cluster in which a pod is in its slices and healthy, whatever it is like."""
    return a_cluster(pod, **{"endpoints": (an_endpoint(pod),), "target_health": {pod.name: health()}, **overrides})


def told_ready(is_true: bool, since: datetime | None) -> Pod:
    """Return a pod whose condition `Ready` says this, and nothing else does."""
    pod = a_pod()
    return replace(pod, conditions={**pod.conditions, "Ready": Condition(is_true=is_true, since=since)})


NOTED = Handoff(dropped={HASH: LABELS[HASH]}, in_service=6, targets=(f"{arn()}=8080",)).dumps()
UNASKED: dict[str, Any] = {"target_health": {"web-1": None}, "unseen": frozenset({arn()})}
TWO_GROUPS: dict[str, Any] = {"bindings": (a_binding(), a_binding("other", service="web")), "unseen": {arn()}}
OTHER_TARGET = Target(group=arn("other"), ip=ip_of("web-1"), port=8080)

ROWS = [
    pytest.param(in_all_else(a_pod()), IN, id="nothing does"),
    pytest.param(in_all_else(a_pod(terminating=True)), OUT, id="it terminates, and its slices are behind"),
    pytest.param(in_all_else(a_pod(withdrawn=True)), OUT, id="it is withdrawn, and its target is behind"),
    pytest.param(
        a_cluster(a_pod(withdrawn=True), services=(), endpoints=()), OUT, id="it is withdrawn, and was in no Service"
    ),
    pytest.param(in_all_else(a_pod(phase="Succeeded")), OUT, id="it ran to its end"),
    pytest.param(in_all_else(told_ready(is_true=False, since=LONG_AGO)), OUT, id="it is not Ready, its containers are"),
    pytest.param(
        in_all_else(told_ready(is_true=True, since=None), workloads={uid("web"): SLOW}),
        OUT,
        id="nobody knows since when it is Ready, and minReadySeconds are asked for",
    ),
    pytest.param(in_all_else(told_ready(is_true=True, since=None)), IN, id="or else that does not matter"),
    pytest.param(
        in_all_else(a_pod(released=True, annotations={HANDOFF: NOTED}), bindings=(), **UNASKED),
        UNKNOWN,
        id="its target can't be asked, and is of no binding any more",
    ),
    pytest.param(
        in_all_else(a_pod(gates={"example.com/web": True}), **UNASKED),
        UNKNOWN,
        id="its target can't be asked, and a gate of the same name is of something else",
    ),
    pytest.param(
        in_all_else(a_pod(), health={OTHER_TARGET: health()}, **TWO_GROUPS),
        IN,
        id="a group that was asked has a binding without a gate: that does not matter to another group",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_out_of_service_by(snapshot: Snapshot, expected: str) -> None:
    (deployment,) = snapshot.workloads.values()
    assert type(verdict(snapshot.pods[uid("web-1")], deployment, snapshot)).__name__ == expected


LOST = [
    pytest.param(told_ready(is_true=False, since=ago(31)), True, id="not Ready for longer than a blip"),
    pytest.param(told_ready(is_true=False, since=ago(30)), False, id="not Ready for a blip: it may be back"),
    pytest.param(told_ready(is_true=False, since=None), False, id="not Ready, and nobody knows since when"),
    pytest.param(told_ready(is_true=True, since=LONG_AGO), False, id="Ready"),
    pytest.param(a_pod(conditions={}), True, id="never Ready"),
    pytest.param(replace(told_ready(is_true=True, since=ago(1)), phase="Failed"), True, id="at its end"),
]


@pytest.mark.parametrize(("pod", "is_out"), LOST)
def test_nothing_is_lost_with_a_pod_that_is(pod: Pod, is_out: bool) -> None:
    assert is_out_for_long(pod, a_cluster(pod)) is is_out


CHANGING = [
    pytest.param(told_ready(is_true=True, since=ago(30)), a_deployment(), True, id="Ready for a blip"),
    pytest.param(told_ready(is_true=True, since=ago(31)), a_deployment(), False, id="Ready for longer"),
    pytest.param(told_ready(is_true=True, since=ago(60)), SLOW, True, id="Ready for minReadySeconds"),
    pytest.param(told_ready(is_true=True, since=ago(61)), SLOW, False, id="Ready for longer than minReadySeconds"),
    pytest.param(told_ready(is_true=False, since=ago(30)), a_deployment(), True, id="not Ready for a blip"),
    pytest.param(told_ready(is_true=True, since=None), a_deployment(), False, id="Ready since nobody knows when"),
    pytest.param(a_pod(conditions={}), a_deployment(), False, id="never Ready"),
    pytest.param(a_pod(since=ago(1), terminating=True), a_deployment(), False, id="on its way out"),
    pytest.param(a_pod(since=ago(1), withdrawn=True), a_deployment(), False, id="withdrawn"),
    pytest.param(a_pod(since=ago(1), phase="Failed"), a_deployment(), False, id="at its end"),
]


HEALTH = [
    pytest.param(health("unhealthy"), False, id="never seen healthy"),
    pytest.param(replace(health("unhealthy"), lost_at=ago(30)), True, id="healthy until a moment ago"),
    pytest.param(replace(health("unhealthy"), lost_at=ago(31)), False, id="unhealthy for longer"),
    pytest.param(replace(health("draining", asked=20), lost_at=ago(20)), False, id="by an answer that is old"),
]


@pytest.mark.parametrize(("told", "expected"), HEALTH)
def test_so_may_one_whose_target_is(told: TargetHealth, expected: bool) -> None:
    pod = told_ready(is_true=True, since=LONG_AGO)
    assert is_changing(pod, a_deployment(), in_all_else(pod, target_health={pod.name: told})) is expected


@pytest.mark.parametrize(("pod", "deployment", "expected"), CHANGING)
def test_may_be_in_service_at_any_moment_what_is(pod: Pod, deployment: Any, expected: bool) -> None:
    assert is_changing(pod, deployment, a_cluster(pod)) is expected


def unready(*, containers: bool, **words: Any) -> Pod:
    """Return a pod that is not Ready, and says so in these words."""
    told = Condition(is_true=False, **words)
    up = Condition(is_true=True)
    conditions = {"ContainersReady": told} if containers else {"ContainersReady": up, "Ready": told}
    return a_pod(phase="Running", gates={}, conditions=conditions)


@pytest.mark.parametrize("containers", [True, False], ids=["its containers", "it"])
@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"reason": "ContainersNotReady", "message": "unready: [app]"}, "unready: [app]"),
        ({"reason": "ContainersNotReady"}, "ContainersNotReady"),
        ({}, "Running"),
    ],
    ids=["message", "reason", "phase"],
)
def test_a_pod_that_is_not_ready_says_so_in_the_words_of_its_condition(
    containers: bool, words: dict[str, str], why: str
) -> None:
    pod = unready(containers=containers, **words)
    told = verdict(pod, a_deployment(), in_all_else(pod))
    assert told == OutOfService(why=f"pod shop/web-1 is not ready: {why}")


def test_a_gate_is_told_by_the_target_of_its_own_binding_only() -> None:
    bad = {OTHER_TARGET: health("unhealthy"), a_target(): health()}
    pod = a_pod(gates={GATE: False})
    snapshot = in_all_else(pod, bindings=(a_binding("other", service="web"), a_binding()), health=bad)
    assert verdict(pod, a_deployment(), snapshot) == OutOfService(
        why=f"pod shop/web-1 waits for its readiness gate {GATE}"
    )


def test_a_gate_that_is_not_true_is_unmet_whether_or_not_anybody_set_it() -> None:
    pod = a_pod(gates={GATE: False}, readiness_gates=("example.com/unset", GATE))
    assert pod.unmet_gates == ("example.com/unset", GATE)
