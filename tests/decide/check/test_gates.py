"""Readiness gates: what is found of them, and what isn't."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.pod import Condition, Pod
from tests.decide.check.scenes import a_namespace, a_setup, facts, found, told
from tests.support.builders import (
    GATE,
    REPLICAS,
    a_binding,
    a_cluster,
    a_deployment,
    a_pod,
    ago,
    health,
    uid,
)

ALL = tuple(f"web-{n}" for n in range(1, REPLICAS + 1))
UNLABELLED = a_setup(namespaces={"shop": a_namespace(value=None)})


def of(*pods: Pod, setup: Any = None, **changes: Any) -> Facts:
    return facts(a_cluster(*pods, **changes), setup=setup)


def bare(*names: str) -> list[Pod]:
    return [a_pod(name, gates={}) for name in names]


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="with gates and the label"),
        pytest.param(of(setup=UNLABELLED), "", id="pods that have their gates need no label any more"),
        pytest.param(of(*bare("web-1"), setup=a_setup(namespaces=None)), "", id="namespaces could not be read"),
        pytest.param(of(*bare("web-1")), "", id="with the label it is another fault"),
        pytest.param(of(*bare("web-1"), setup=UNLABELLED, bindings=()), "", id="behind no binding"),
        pytest.param(
            of(*bare("web-1"), setup=UNLABELLED, bindings=(a_binding(target_type="instance"),)),
            "",
            id="nodes are the targets",
        ),
        pytest.param(
            of(a_pod("web-1", gates={}, terminating=True), setup=UNLABELLED), "", id="a pod that goes needs none"
        ),
        pytest.param(
            of(*bare("web-1", "web-2"), setup=UNLABELLED),
            "it has no label elbv2.k8s.aws/pod-readiness-gate-inject=enabled, so 2 pods behind web came without a "
            "readiness gate: web-1, web-2",
            id="some without",
        ),
        pytest.param(
            of(*bare(*ALL), setup=a_setup(namespaces={"shop": a_namespace(value="disabled")})),
            "it has no label elbv2.k8s.aws/pod-readiness-gate-inject=enabled, so 6 pods behind web came without a "
            "readiness gate: web-1, web-2, web-3 and 3 more",
            id="the label has another value",
        ),
        pytest.param(
            of(*bare("web-1"), setup=UNLABELLED, bindings=(a_binding(), a_binding("other", service="web"))),
            "it has no label elbv2.k8s.aws/pod-readiness-gate-inject=enabled, so 6 pods behind other, web came without "
            "a readiness gate: web-1, web-2, web-3 and 3 more",
            id="a gate of one binding of two",
        ),
    ],
)
def test_a_namespace_that_injects_no_gates(seen: Facts, fact: str) -> None:
    findings = found("gates-not-injected", seen)
    assert [its.fact for its in findings] == ([fact] if fact else [])
    for its in findings:
        assert str(its.subject) == "namespace/shop"
        assert its.remedy.splitlines() == [
            "kubectl label namespace shop elbv2.k8s.aws/pod-readiness-gate-inject=enabled --overwrite",
            "kubectl safe rollout restart deployment/web -n shop",
        ]


def test_on_auto_mode_the_label_is_of_its_api() -> None:
    seen = of(*bare("web-1"), bindings=(a_binding(api="eks.amazonaws.com"),))
    assert "no label eks.amazonaws.com/pod-readiness-gate-inject=enabled" in told(found("gates-not-injected", seen))[0]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        pytest.param(of(), "", id="with gates"),
        pytest.param(of(*bare("web-1"), setup=UNLABELLED), "", id="without the label it is another fault"),
        pytest.param(
            of(*bare("web-1"), bindings=(a_binding(created=ago(60)),)), "it is older than that", id="an older pod"
        ),
        pytest.param(
            of(*bare("web-1", "web-2"), bindings=(a_binding(created=ago(60)),)),
            "they are older than that",
            id="older pods",
        ),
        pytest.param(
            of(
                *bare("web-1"),
                bindings=(a_binding(created=ago(7200)),),
                setup=a_setup(namespaces={"shop": a_namespace(labelled=ago(60))}),
            ),
            "the label of namespace shop may be younger",
            id="perhaps older than the label",
        ),
        pytest.param(
            of(
                *bare("web-1"),
                bindings=(a_binding(created=ago(7200)),),
                setup=a_setup(namespaces={"shop": a_namespace(labelled=ago(7200))}),
            ),
            "no webhook gave it to them when they were created",
            id="younger than both",
        ),
    ],
)
def test_pods_without_the_gate_of_a_binding(seen: Facts, why: str) -> None:
    findings = found("gate-missing", seen)
    assert len(findings) == bool(why)
    for its in findings:
        assert str(its.subject) == "deployment.apps/web"
        assert f"behind targetgroupbinding.elbv2.k8s.aws/web came without its readiness gate, as {why}: " in its.fact
        assert its.remedy == "kubectl safe rollout restart deployment/web -n shop"


OTHER = "example.com/ready"


def waiting(*gates: str, since: float = 300, name: str = "web-1") -> Pod:
    """Return a pod with gates that nobody has set, whose containers are ready for some seconds."""
    pod = a_pod(name, since=ago(since))
    conditions = {its: known for its, known in pod.conditions.items() if its not in {GATE, "Ready"}}
    return replace(pod, readiness_gates=gates, conditions=conditions)


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="set"),
        pytest.param(of(a_pod("web-1", gates={GATE: False})), "", id="False is set"),
        pytest.param(of(waiting(GATE, since=20)), "", id="not yet"),
        pytest.param(
            of(replace(waiting(OTHER), conditions={"ContainersReady": Condition(is_true=False, since=ago(300))})),
            "",
            id="its containers are not ready",
        ),
        pytest.param(of(waiting(GATE), bindings=()), "", id="of a binding that is gone it is another fault"),
        pytest.param(
            of(waiting(GATE)),
            f"nobody has set readiness gate {GATE} of 1 pod, whose containers are ready for 5m: web-1",
            id="a binding's",
        ),
        pytest.param(
            of(waiting(OTHER), waiting(OTHER, name="web-2")),
            f"nobody has set readiness gate {OTHER} of 2 pods, whose containers are ready for 5m: web-1, web-2",
            id="anybody's",
        ),
    ],
)
def test_a_gate_that_nobody_sets(seen: Facts, fact: str) -> None:
    assert [its.fact for its in found("gate-never-set", seen)] == ([fact] if fact else [])


@pytest.mark.parametrize(
    ("seen", "unmet"),
    [
        pytest.param(of(), None, id="the binding is there"),
        pytest.param(of(bindings=(a_binding(api="eks.amazonaws.com"),)), None, id="or one of its name"),
        pytest.param(of(*bare(*ALL), bindings=()), None, id="no gate"),
        pytest.param(of(*(waiting(OTHER, name=name) for name in ALL), bindings=()), None, id="another's gate"),
        pytest.param(of(bindings=(a_binding("other"),)), 0, id="True"),
        pytest.param(of(a_pod("web-1", gates={GATE: False}), bindings=()), 1, id="False"),
        pytest.param(of(bindings=(a_binding(namespace="bank"),)), 0, id="a binding of another namespace"),
    ],
)
def test_a_gate_of_a_binding_that_is_gone(seen: Facts, unmet: int | None) -> None:
    findings = found("gate-of-gone-binding", seen)
    assert len(findings) == (unmet is not None)
    for its in findings:
        assert its.fact == (
            f"6 pods with readiness gate {GATE}, whose TargetGroupBinding is gone; it is not True on {unmet} of them: "
            "web-1, web-2, web-3 and 3 more"
        )


TRUE = {"web-1": health("unhealthy", "Target.ResponseCodeMismatch")}


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        pytest.param(of(), "", id="healthy"),
        pytest.param(of(a_pod("web-1", gates={GATE: False}), target_health=TRUE), "", id="False"),
        pytest.param(of(target_health={"web-1": None}), "", id="not asked"),
        pytest.param(of(target_health={"web-1": health("unavailable")}), "", id="no health checks"),
        pytest.param(of(a_pod("web-1", since=ago(20)), target_health=TRUE), "", id="just set"),
        pytest.param(of(target_health=TRUE), "unhealthy: Target.ResponseCodeMismatch", id="unhealthy"),
        pytest.param(of(target_health={"web-1": health("initial")}), "initial", id="not healthy yet"),
        pytest.param(
            of(target_health={"web-1": health("unused", "Target.NotRegistered")}),
            "unused: Target.NotRegistered",
            id="not registered",
        ),
    ],
)
def test_a_gate_that_is_true_while_its_target_is_not_healthy(seen: Facts, state: str) -> None:
    findings = found("gate-true-unhealthy", seen)
    assert [its.fact for its in findings] == (
        [f"its readiness gate {GATE} is True for 1h, while its target 10.244.0.2:8080 in web is {state}"]
        if state
        else []
    )


@pytest.mark.parametrize(
    ("seen", "count"),
    [
        pytest.param(of(), 0, id="True"),
        pytest.param(of(a_pod("web-1", gates={GATE: False}), target_health=TRUE), 0, id="not healthy"),
        pytest.param(of(a_pod("web-1", gates={GATE: False}, since=ago(20))), 0, id="the controller may be on its way"),
        pytest.param(of(a_pod("web-1", gates={GATE: False})), 1, id="healthy for long"),
    ],
)
def test_a_gate_that_is_not_true_while_its_target_is_healthy(seen: Facts, count: int) -> None:
    findings = found("gate-false-healthy", seen)
    assert [str(its.subject) for its in findings] == ["pod/web-1"] * count


def test_a_well_set_up_application_gives_no_finding_of_gates() -> None:
    seen = facts(a_cluster(workloads={uid("web"): a_deployment()}))
    assert [its for code in _CODES for its in found(code, seen)] == []


_CODES = (
    "gates-not-injected",
    "gate-missing",
    "gate-never-set",
    "gate-true-unhealthy",
    "gate-false-healthy",
    "gate-of-gone-binding",
)
