"""How pods stop: what is lost whenever others than this tool take one away.

A handoff stops a pod once nobody sends it requests any more, and needs no hook. Others (kubectl drain, a plain
rollout, an autoscaler, an upgrade of nodes) delete it while load balancers and nodes still send it some.
"""

from collections.abc import Iterator
from datetime import timedelta

from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.remedies import TO_END, attribute, in_pods, listed, pausing, whole_seconds
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.container import Container, Hook
from kubectl_safe.model.target import group_name

DELAY = "deregistration_delay.timeout_seconds"
_LONGEST_PAUSE = timedelta(minutes=1)
"""A longer one makes every other way to move a pod slow: a shorter deregistration delay is the better remedy."""
_USUAL_PAUSE = timedelta(seconds=30)
_SHORT_PAUSE = timedelta(seconds=5)
"""Enough for nodes to learn that a pod ends."""
_TO_ANSWER = timedelta(seconds=5)
"""Less than that after SIGTERM counts as too little to answer the last requests in: a measure of our own."""
_PROXIES = ("proxy", "envoy", "nginx", "haproxy", "linkerd", "istio", "daprd", "pgbouncer")
"""What the names of containers have in them that others send requests through."""


def _groups_of(its: Alike) -> str:
    return listed(group_name(binding.group) for binding in its.bindings)


def _without_hook(its: Alike) -> Container | None:
    return None if its.has_hook else next(iter(its.serving), None)


def _needed(its: Alike) -> timedelta:
    """Return how long a pod that others delete has to serve on, for nothing to be lost through its target groups."""
    return its.delay + its.until_healthy


def _meanwhile(its: Alike) -> str:
    """Return what goes on in its target groups while a pod stops."""
    lasts = f" for up to {go_duration(its.delay)}" if its.groups else ""
    healthy = f" and its successor is healthy after up to {go_duration(its.until_healthy)}"
    return f"its targets in {_groups_of(its)} drain{lasts}{healthy if its.until_healthy else ''}"


def _prestop_missing(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        container = _without_hook(its)
        if container is None or not its.bindings:
            continue
        needed = _needed(its)
        pause = needed if timedelta(0) < needed <= _LONGEST_PAUSE else _USUAL_PAUSE
        shorter = [group for group in its.groups if group.deregistration_delay > pause]
        lines = [
            pausing(its, container.name, pause),
            *(attribute(group, DELAY, whole_seconds(pause)) for group in shorter),
        ]
        yield Finding(
            code="prestop-missing",
            subject=its.subject,
            fact=f"container {container.name} has no preStop hook and stops at once where others delete or evict it, "
            f"while {_meanwhile(its)}; {its}",
            remedy="\n".join(lines),
        )


def _endpoints_lag(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        container = _without_hook(its)
        services = [service.name for service in its.services if not service.is_headless]
        if container is None or its.bindings or not services:
            continue
        yield Finding(
            code="endpoints-lag",
            subject=its.subject,
            fact=f"container {container.name} has no preStop hook, and service {listed(services)} leads requests to it "
            f"for a moment longer once others delete or evict it; {its}",
            remedy=pausing(its, container.name, _SHORT_PAUSE),
        )


def _prestop_short(facts: Facts) -> Iterator[Finding]:
    """Tell of what a longer pause remedies; where the delay is longer than the grace period, that is the fault."""
    for its in facts.served:
        pause, needed = its.pause, _needed(its)
        if pause is None or pause >= needed or its.delay > its.grace:
            continue
        container = next(c for c in its.serving if c.pre_stop)
        yield Finding(
            code="prestop-short",
            subject=its.subject,
            fact=f"container {container.name} pauses for {go_duration(pause)} before it stops, while "
            f"{_meanwhile(its)}; {its}",
            remedy=pausing(its, container.name, needed),
        )


def _is_short(hook: Hook, pause: timedelta, grace: timedelta) -> bool:
    """Tell whether a hook leaves too little of the grace period; one that does more than sleep may drain by itself."""
    return pause >= grace or (hook.is_pause and grace - pause < _TO_ANSWER)


def _grace_short(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        for container in its.first.containers:
            hook, grace = container.pre_stop, its.grace
            if hook is None or (pause := hook.duration) is None or not _is_short(hook, pause, grace):
                continue
            left = f"{go_duration(grace - pause)} are left for the requests that it is answering, and then it is killed"
            yield Finding(
                code="grace-period-short",
                subject=its.subject,
                fact=f"container {container.name} pauses for {go_duration(pause)} before it stops, of a grace period "
                f"of {go_duration(grace)}: {left if pause < grace else 'it is killed 2s after SIGTERM'}; {its}",
                remedy=in_pods(its.subject, f"terminationGracePeriodSeconds: {whole_seconds(pause + TO_END)}"),
            )


def _sidecar_first(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        pauses = {
            container.name: container.pre_stop.duration
            for container in its.first.containers
            if not container.is_sidecar and container.pre_stop and container.pre_stop.duration is not None
        }
        if not pauses:
            continue
        longest = max(pauses, key=lambda name: pauses[name])
        for other in its.first.containers:
            if other.is_sidecar or other.pre_stop or not any(word in other.name for word in _PROXIES):
                continue
            yield Finding(
                code="sidecar-ends-first",
                subject=its.subject,
                fact=f"container {other.name} stops at once, while {longest} pauses for "
                f"{go_duration(pauses[longest])} and still serves; {its}",
                remedy="\n".join(
                    [
                        pausing(its, other.name, pauses[longest]),
                        f"# or have {other.name} among the initContainers, with restartPolicy: Always",
                    ]
                ),
            )


RULES = (
    Rule(
        code="prestop-missing",
        severity=Severity.WARNING,
        title="Pods behind a target group that stop at once",
        why="kubectl safe drain and rollout restart need no hook: they stop a pod once its targets are deregistered. "
        "Whatever else takes a pod away (kubectl drain, a plain rollout, an autoscaler, an upgrade of nodes) stops it "
        "while its load balancer still sends it requests: deregistration begins at the same moment, and takes its "
        "time. An application that goes on serving after SIGTERM for so long by itself needs no hook either. Source: "
        "kubernetes.io, Pod termination; AWS, Deregistration delay.",
        find=_prestop_missing,
    ),
    Rule(
        code="prestop-short",
        severity=Severity.WARNING,
        title="A preStop hook shorter than the deregistration of its targets",
        why="Where others than kubectl safe take the pod away, requests that its load balancer still sends it, or that "
        "it has begun, are cut off when the application stops. Without a readiness gate the pod's successor may not be "
        "healthy yet in the target group either. Source: AWS, Deregistration delay; kubernetes.io, Pod termination.",
        find=_prestop_short,
    ),
    Rule(
        code="grace-period-short",
        severity=Severity.WARNING,
        title="A grace period that a preStop hook uses up, or nearly",
        why="The grace period includes the hook: when it is over the kubelet kills the container, 2 seconds after "
        "SIGTERM at the earliest, and requests that are being answered are lost. What is left after the hook is all "
        "that the application has to answer them: less than 5 seconds is told. Source: kubernetes.io, Pod "
        "termination.",
        find=_grace_short,
    ),
    Rule(
        code="sidecar-ends-first",
        severity=Severity.WARNING,
        title="A proxy that stops before the application does",
        why="All containers of a pod get SIGTERM at once, each after its own hook: a proxy without one is gone while "
        "the application beside it still serves, and its requests with it. Sidecars among the initContainers are "
        "stopped last. Source: kubernetes.io, Sidecar Containers.",
        find=_sidecar_first,
    ),
    Rule(
        code="endpoints-lag",
        severity=Severity.NOTE,
        title="Pods behind a Service that stop at once",
        why="kubectl safe drain and rollout restart need no hook: they stop a pod once it is in no EndpointSlice. "
        "Whatever else takes a pod away stops it while nodes still send it requests: they learn of it a moment later. "
        "An application that goes on serving after SIGTERM for that moment needs no hook either. Source: "
        "kubernetes.io, Pod termination.",
        find=_endpoints_lag,
    ),
)
