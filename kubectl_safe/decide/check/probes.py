"""How pods tell that they serve, and that they don't any more.

Source: kubernetes.io, Configure Liveness, Readiness and Startup Probes. Once a pod is deleted the kubelet asks for
liveness no more (kubernetes pkg/kubelet/prober/worker.go).
"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.remedies import in_pods, of_container
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.container import Container

_SLOW = timedelta(seconds=30)
"""What Kubernetes has by default: three failures, 10 s apart."""
_PORT = 8080
_HTTP = {80, 8000, 8080}


def _probe(its: Alike, container: Container) -> str:
    """Return how to ask a container: over HTTP where something says that it speaks that, or else by a connection."""
    asked = [(port, port.number_in(its.first)) for service in its.services for port in service.ports]
    declared = [port.number for port in container.ports]
    port, number = next(((port, n) for port, n in asked if n in declared or not declared), (None, None))
    number = number or next(iter(declared), _PORT)
    path = next((group.details.check.path for group in its.groups if group.details.check.path), "")
    words = [port.app_protocol, port.name] if port else []
    named = " ".join([*words, *(its.name for its in container.ports if its.number == number)]).lower()
    if "grpc" in named:
        return f"grpc: {{port: {number}}}  # where it serves grpc.health.v1.Health; else tcpSocket"
    if path or "http" in named or number in _HTTP:
        return f"httpGet: {{path: {path or '/'}, port: {number}}}"
    return f"tcpSocket: {{port: {number}}}"


def _readiness_missing(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        if not its.serving or any(container.readiness for container in its.serving):
            continue
        container = its.serving[0]
        yield Finding(
            code="readiness-missing",
            subject=its.subject,
            fact=f"container {container.name} has no readinessProbe, so it counts as ready as soon as it runs; {its}",
            remedy=in_pods(
                its.subject,
                *of_container(
                    container.name,
                    "readinessProbe:",
                    f"  {_probe(its, container)}",
                    "  periodSeconds: 5",
                ),
            ),
        )


def _readiness_slow(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        for container in its.serving:
            probe = container.readiness
            if probe is None or probe.time_to_fail <= _SLOW:
                continue
            yield Finding(
                code="readiness-slow",
                subject=its.subject,
                fact=f"readinessProbe of container {container.name} fails {go_duration(probe.time_to_fail)} after it "
                f"answers no more ({probe.failures} times {go_duration(probe.period)}); {its}",
                remedy=in_pods(
                    its.subject,
                    *of_container(container.name, "readinessProbe:", "  periodSeconds: 5", "  failureThreshold: 3"),
                ),
            )


def _liveness_first(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        for container in its.serving:
            live, ready = container.liveness, container.readiness
            if live is None or ready is None or live.asks != ready.asks or live.time_to_fail > ready.time_to_fail:
                continue
            failures = 2 * -(-ready.time_to_fail // live.period)
            yield Finding(
                code="liveness-first",
                subject=its.subject,
                fact=f"livenessProbe and readinessProbe of container {container.name} ask the same ({live.asks}), and "
                "it "
                f"is killed after {go_duration(live.time_to_fail)}, while it is taken out after "
                f"{go_duration(ready.time_to_fail)}; {its}",
                remedy=in_pods(
                    its.subject, *of_container(container.name, "livenessProbe:", f"  failureThreshold: {failures}")
                ),
            )


_warning = partial(Rule, severity=Severity.WARNING)

RULES = (
    _warning(
        code="readiness-missing",
        title="Pods that count as ready before they serve",
        why="Without a readinessProbe a container is ready as soon as it runs. Each new pod gets requests before it "
        "can answer them, and whoever waits for it to be ready, a handoff too, takes the old one away too early. "
        "Source: kubernetes.io, Configure Probes.",
        find=_readiness_missing,
    ),
    _warning(
        code="liveness-first",
        title="A container that is killed rather than taken out",
        why="Where both probes ask the same and the livenessProbe fails no later, a container that is overloaded, or "
        "waits for something else, is killed with the requests that it works on, before it is spared any. (The "
        "kubelet asks for liveness no more once a pod is deleted.) Source: kubernetes.io, Configure Probes.",
        find=_liveness_first,
    ),
    _warning(
        code="readiness-slow",
        title="A readinessProbe that takes long to fail",
        why="Until it has failed, Services send requests to a container that doesn't answer: where a node or an "
        "application fails, all of its requests are lost for so long. Source: kubernetes.io, Configure Probes.",
        find=_readiness_slow,
    ),
)
