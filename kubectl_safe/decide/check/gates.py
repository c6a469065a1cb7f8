"""Readiness gates: without one, a rollout counts a pod as available before its load balancer sends it requests.

Source: the documentation of the AWS Load Balancer Controller, Pod readiness gate; gates are given to a pod as it is
created, where its namespace has the label and a binding of `ip` targets selects it, and never later.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity, Subject
from kubectl_safe.decide.check.naming import ago, anew, by_subject
from kubectl_safe.decide.check.words import counted, named
from kubectl_safe.decide.preflight import INJECT
from kubectl_safe.decide.target_words import state_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.target import State, Target, TargetGroupBinding, TargetHealth

_LABEL, _, _ENABLED = INJECT.partition("=")
PATIENCE = timedelta(minutes=1)
"""A gate is set, or changed, within 15 s of what it tells (the controller's poll); nothing is said before that is over
for sure."""

_Key = tuple[str, str]


def injection_label(api: str) -> str:
    """Return the label of a namespace whose pods get gates from the controller of an API group."""
    return f"{api}/{_LABEL}"


def is_injected(namespace: str, api: str, facts: Facts) -> bool | None:
    """Tell whether pods of a namespace get gates from the controller of an API group; None where that isn't known."""
    known = (facts.setup.namespaces or {}).get(namespace)
    return None if known is None else known.labels.get(injection_label(api)) == _ENABLED


def without_gate(facts: Facts) -> Iterator[tuple[Pod, TargetGroupBinding]]:
    """Return the pods that are to be targets of a binding, and have no gate of it."""
    for pod in facts.live_pods:
        for binding in facts.bindings[pod.uid]:
            if binding.target_type == "ip" and binding.gate_in(pod.readiness_gates) is None:
                yield pod, binding


def _not_injected(facts: Facts) -> Iterator[Finding]:
    """Tell each namespace once, with all the pods that it lacks gates for."""
    found: dict[_Key, list[tuple[Pod, TargetGroupBinding]]] = {}
    for pod, binding in without_gate(facts):
        if is_injected(pod.namespace, binding.api, facts) is False:
            found.setdefault((pod.namespace, binding.api), []).append((pod, binding))
    for (namespace, api), pairs in sorted(found.items()):
        owners = by_subject({pod.uid: pod for pod, _ in pairs}.values(), facts)
        pods = [pod for its in owners.values() for pod in its]
        bindings = ", ".join(sorted({binding.name for _, binding in pairs}))
        label = f"{injection_label(api)}={_ENABLED}"
        yield Finding(
            code="gates-not-injected",
            subject=Subject(kind="namespace", name=namespace),
            fact=f"it has no label {label}, so {counted(len(pods), 'pod')} behind {bindings} came without a readiness "
            f"gate: {named(pods)}",
            remedy="\n".join(
                [f"kubectl label namespace {namespace} {label} --overwrite", *(anew(*its) for its in owners.items())]
            ),
        )


def _missing(facts: Facts) -> Iterator[Finding]:
    """Tell each workload once for each binding; where the namespace has no label, that is the fault."""
    found: dict[tuple[str, str, str], list[tuple[Pod, TargetGroupBinding]]] = {}
    for pod, binding in without_gate(facts):
        if is_injected(pod.namespace, binding.api, facts):
            found.setdefault(binding.key, []).append((pod, binding))
    for key in sorted(found):
        binding = found[key][0][1]
        for subject, pods in by_subject((pod for pod, _ in found[key]), facts).items():
            yield Finding(
                code="gate-missing",
                subject=subject,
                fact=f"{counted(len(pods), 'pod')} behind {binding.named} came without its readiness gate, as "
                f"{_why_missing(pods, binding, facts)}: {named(pods)}",
                remedy=anew(subject, pods),
            )


def _why_missing(pods: list[Pod], binding: TargetGroupBinding, facts: Facts) -> str:
    namespace = (facts.setup.namespaces or {})[binding.namespace]
    if _are_older(pods, binding.created):
        return "they are older than that" if len(pods) > 1 else "it is older than that"
    if _are_older(pods, namespace.labelled.get(injection_label(binding.api))):
        return f"the label of namespace {namespace.name} may be younger"
    return "no webhook gave it to them when they were created"


def _are_older(pods: list[Pod], moment: datetime | None) -> bool:
    return moment is not None and all(pod.created is not None and pod.created < moment for pod in pods)


def _gone(gate: str, pod: Pod, facts: Facts) -> bool:
    """Tell whether a gate is of a binding that isn't there."""
    if not gate.startswith("target-health."):
        return False
    its = (binding for binding in facts.snapshot.bindings if binding.namespace == pod.namespace)
    return all(binding.gate_in((gate,)) is None for binding in its)


def _of_gone_binding(facts: Facts) -> Iterator[Finding]:
    known: dict[_Key, list[Pod]] = {}
    for pod in facts.live_pods:
        for gate in pod.readiness_gates:
            known.setdefault((pod.namespace, gate), []).append(pod)
    for (_, gate), pods in known.items():
        if not _gone(gate, pods[0], facts):
            continue
        for subject, its in by_subject(pods, facts).items():
            unmet = sum(gate in pod.unmet_gates for pod in its)
            yield Finding(
                code="gate-of-gone-binding",
                subject=subject,
                fact=f"{counted(len(its), 'pod')} with readiness gate {gate}, whose TargetGroupBinding is gone; it is "
                f"not True on {unmet} of them: {named(its)}",
                remedy=anew(subject, its),
            )


def _never_set(facts: Facts) -> Iterator[Finding]:
    found: dict[_Key, list[Pod]] = {}
    for pod in facts.live_pods:
        ready = pod.conditions.get("ContainersReady")
        if ready is None or not ready.is_true or not _is_past(ready.since, facts.snapshot.at):
            continue
        for gate in pod.readiness_gates:
            if gate not in pod.conditions and not _gone(gate, pod, facts):
                found.setdefault((pod.namespace, gate), []).append(pod)
    for (_, gate), pods in found.items():
        for subject, its in by_subject(pods, facts).items():
            yield Finding(
                code="gate-never-set",
                subject=subject,
                fact=f"nobody has set readiness gate {gate} of {counted(len(its), 'pod')}, whose containers are ready "
                f"{ago(facts, its[0], 'ContainersReady')}: {named(its)}",
                remedy="# see to what sets it, or take it out of spec.template.spec.readinessGates\n"
                f"kubectl get pod {its[0].name} -n {its[0].namespace} -o jsonpath='{{.status.conditions}}'",
            )


def _is_past(since: datetime | None, at: datetime) -> bool:
    return since is not None and at - since >= PATIENCE


def _seen(facts: Facts) -> Iterator[tuple[Pod, str, TargetHealth, Target]]:
    """Return the gates of pods that are set for long enough, with what AWS says of the target that each is about."""
    for pod in facts.live_pods:
        for binding in facts.bindings[pod.uid]:
            gate, target = binding.gate_in(pod.readiness_gates), facts.snapshot.target_in(binding, pod)
            health = facts.snapshot.health.get(target) if target else None
            condition = pod.conditions.get(gate) if gate else None
            if gate is None or health is None or condition is None or target is None:
                continue
            # What the gate tells has to be older than the answer, or the answer may have come to be since.
            if condition.since is not None and health.asked_at - condition.since >= PATIENCE / 2:
                yield pod, gate, health, target


def _true_unhealthy(facts: Facts) -> Iterator[Finding]:
    for pod, gate, health, target in _seen(facts):
        if pod.conditions[gate].is_true and health.state not in {State.HEALTHY, State.UNAVAILABLE}:
            yield Finding(
                code="gate-true-unhealthy",
                subject=Subject(kind="pod", name=pod.name, namespace=pod.namespace),
                fact=f"its readiness gate {gate} is True {ago(facts, pod, gate)}, while its target {target} is "
                f"{state_of(health, facts.snapshot.groups.get(target.group))}",
                remedy=f"# see to why the target is {health.state.value}; the controller sets the gate anew once the "
                f"endpoints change\nkubectl describe pod {pod.name} -n {pod.namespace}",
            )


def _false_healthy(facts: Facts) -> Iterator[Finding]:
    for pod, gate, health, target in _seen(facts):
        if not pod.conditions[gate].is_true and health.is_healthy:
            yield Finding(
                code="gate-false-healthy",
                subject=Subject(kind="pod", name=pod.name, namespace=pod.namespace),
                fact=f"its readiness gate {gate} is not True {ago(facts, pod, gate)}, while its target {target} is "
                "healthy",
                remedy="# see to the load balancer controller, which sets it within 15s where it runs\n"
                "kubectl get deployments -A -l app.kubernetes.io/name=aws-load-balancer-controller",
            )


RULES = (
    Rule(
        code="gates-not-injected",
        severity=Severity.ERROR,
        title="A namespace whose pods get no readiness gates",
        why="Without its gate a pod is Ready before its load balancer sends it requests. A rollout, a drain by kubectl "
        "and a disruption budget go by that: they stop the old pods while the new ones are still unhealthy in their "
        "target group, and the load balancer has nobody to send requests to.",
        find=_not_injected,
    ),
    Rule(
        code="gate-missing",
        severity=Severity.WARNING,
        title="Pods without the readiness gate of a binding",
        why="A pod gets its gates as it is created, and never later: one that is older than the binding, or than the "
        "label of its namespace, or that came while the webhook was down, has none. It counts as Ready whatever its "
        "target group says of it.",
        find=_missing,
    ),
    Rule(
        code="gate-never-set",
        severity=Severity.ERROR,
        title="A readiness gate that nobody sets",
        why="A pod is not Ready before each of its gates is True: it gets no requests, and no rollout that waits for "
        "it ends.",
        find=_never_set,
    ),
    Rule(
        code="gate-true-unhealthy",
        severity=Severity.WARNING,
        title="A gate that is True while the target is not healthy",
        why="The controller asks for healthy targets only every 5 minutes, and not at all while it is down. Meanwhile "
        "the pod counts as available, and gets no requests through the load balancer: pods are taken away that "
        "nobody stands in for.",
        find=_true_unhealthy,
    ),
    Rule(
        code="gate-false-healthy",
        severity=Severity.WARNING,
        title="A gate that is not True while the target is healthy",
        why="The pod serves through the load balancer and doesn't count as Ready: it gets no requests through its "
        "Services, and rollouts and budgets wait for it.",
        find=_false_healthy,
    ),
    Rule(
        code="gate-of-gone-binding",
        severity=Severity.WARNING,
        title="A gate of a binding that is gone",
        why="Nobody sets it any more. Where it is True it says nothing, as no target group is behind it; where it "
        "isn't, the pod never becomes Ready.",
        find=_of_gone_binding,
    ),
)
