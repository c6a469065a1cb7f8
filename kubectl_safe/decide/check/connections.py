"""What no handoff can move: connections that a client keeps to one pod, and what a pod remembers of a client."""

from collections.abc import Iterator
from functools import partial

from kubectl_safe.decide.check.alike import Alike
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.groups import bound
from kubectl_safe.decide.check.remedies import attribute, listed
from kubectl_safe.decide.check.subject import Subject
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.target import group_name

_WORDS = {
    "grpc": "gRPC",
    "h2": "HTTP/2",
    "h2c": "HTTP/2",
    "http2": "HTTP/2",
    "ws": "WebSocket",
    "wss": "WebSocket",
    "websocket": "WebSocket",
}
"""What ports are named after (as `grpc-web`, `kubernetes.io/ws`), and what it stands for."""
_VERSIONS = {"GRPC": "gRPC", "HTTP2": "HTTP/2"}


def _kind_of(text: str) -> str | None:
    """Return what a port's name or protocol says of its connections; None where they are short, or nothing is said."""
    words = text.lower().rpartition("/")[2].split("-")
    return next((_WORDS[word] for word in words if word in _WORDS), None)


def _said(its: Alike, facts: Facts) -> Iterator[tuple[str | None, str]]:
    """Return everything that may say what connections are like, with what it says."""
    for service in its.services:
        for port in service.ports:
            where = f"of port {port.port} of service {service.name}"
            yield _kind_of(port.app_protocol), f"appProtocol {port.app_protocol} {where}"
            yield _kind_of(port.name), f"the name {port.name} {where}"
    for declared in its.first.ports:
        yield _kind_of(declared.name), f"the name {declared.name} of container port {declared.number}"
    groups = (facts.snapshot.groups.get(binding.group) for binding in (*its.bindings, *its.through_nodes))
    for group in dict.fromkeys(filter(None, groups)):
        version = group.details.version
        yield _VERSIONS.get(version), f"protocol version {version} of target group {group_name(group.arn)}"


def _long_lived(facts: Facts) -> Iterator[Finding]:
    for its in facts.served:
        hints: dict[str, str] = {}
        for kind, hint in _said(its, facts):
            if kind:
                hints.setdefault(kind, hint)
        if hints:
            told = ", ".join(f"{kind} (by {hint})" for kind, hint in hints.items())
            yield Finding(
                code="long-lived-connections",
                subject=its.subject,
                fact=f"it seems to serve {told}, and has {go_duration(its.grace)} from SIGTERM until it is killed",
                remedy="# in the application: at SIGTERM end connections in good order (gRPC GracefulStop, HTTP/2 "
                "GOAWAY, "
                "WebSocket close 1001)\n# and let clients connect anew, or limit how long one lasts (gRPC "
                "MAX_CONNECTION_AGE)",
            )


def _sticky(facts: Facts) -> Iterator[Finding]:
    for its in bound(facts):
        # A node leads each connection of a client to another pod all the same.
        if not its.is_of_nodes and (kind := its.group.details.stickiness):
            yield Finding(
                code="stickiness",
                subject=its.subject,
                fact=f"target group {its.name} sends all requests of a client to one target (stickiness {kind})",
                remedy=attribute(its.group, "stickiness.enabled", "false"),
            )


def _affinity(facts: Facts) -> Iterator[Finding]:
    services = {
        (service.namespace, service.name): [its.subject for its in facts.served if service in its.services]
        for its in facts.served
        for service in its.services
        if service.keeps_clients
    }
    for (namespace, name), subjects in sorted(services.items()):
        patch = '{"spec":{"sessionAffinity":"None"}}'
        yield Finding(
            code="session-affinity",
            subject=Subject(kind="service", name=name, namespace=namespace),
            fact=f"it sends all requests of a client to one pod of {listed(map(str, subjects))} (sessionAffinity "
            "ClientIP)",
            remedy=f"kubectl patch service {name} -n {namespace} -p '{patch}'",
        )


_note = partial(Rule, severity=Severity.NOTE)

RULES = (
    _note(
        code="long-lived-connections",
        title="Connections that no handoff can move",
        why="A connection stays with its pod until one end closes it: requests go on over it while the pod is "
        "withdrawn, "
        "and it ends as the application ends it at SIGTERM. One that just exits loses what is under way. Source: "
        "kubernetes.io, Pod termination; gRPC, Graceful Shutdown.",
        find=_long_lived,
    ),
    _note(
        code="stickiness",
        title="Clients that a load balancer keeps with one pod",
        why="Once the pod is deregistered they go to another one, which knows nothing of them: sessions that a pod "
        "keeps "
        "to itself are lost, though no request is. Source: AWS, Sticky sessions.",
        find=_sticky,
    ),
    _note(
        code="session-affinity",
        title="Clients that a Service keeps with one pod",
        why="Once the pod is withdrawn they go to another one, which knows nothing of them: sessions that a pod keeps "
        "to "
        "itself are lost, though no request is. Source: kubernetes.io, Session affinity.",
        find=_affinity,
    ),
)
