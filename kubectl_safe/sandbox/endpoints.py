"""Which pods of a Service belong in its target group, as the AWS Load Balancer Controller resolves them. Pure.

The rules are those of its pkg/backend/endpoint_resolver.go: an endpoint that is `ready` belongs there, and so does a
pod whose containers are ready and that is not terminating. Gates are not asked: no pod could pass its own otherwise.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from kubectl_safe.sandbox.elbv2 import Target
from kubectl_safe.sandbox.informer import Key, Object

EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"


class Endpoint(NamedTuple):
    """A pod that belongs in a target group, and the target that it is."""

    target: Target
    pod: Object


class Resolution(NamedTuple):
    """The endpoints by target, and whether another pod may become one without any event to tell of it."""

    endpoints: dict[Target, Endpoint]
    may_grow: bool


def condition(subject: Object, kind: str) -> dict[str, Any] | None:
    """Return a condition of an object's status, or None."""
    found = (c for c in subject.get("status", {}).get("conditions") or [] if c["type"] == kind)
    return next(found, None)


def is_true(subject: Object, kind: str) -> bool:
    """Tell whether a condition is there and True."""
    found = condition(subject, kind)
    return found is not None and found["status"] == "True"


def has_gate(pod: Object, gate: str) -> bool:
    """Tell whether a pod has a readiness gate."""
    return any(its["conditionType"] == gate for its in pod["spec"].get("readinessGates") or [])


def resolve_nodes(port: Object, nodes: Mapping[Key, Object], node_selector: Mapping[str, str]) -> list[Target]:
    """Return the nodes that belong in a group of nodes, each with the node port of a Service's port.

    Neither a cordon nor their pods matter; an exclude label does, whatever its value.
    """
    number = port.get("nodePort")
    if not number:
        return []
    chosen = (node for node in nodes.values() if _is_suitable(node["metadata"].get("labels") or {}, node_selector))
    return [Target(instance_id(node), number) for node in chosen if node["spec"].get("providerID")]


def instance_id(node: Object) -> str:
    """Return the EC2 instance that a node is."""
    return str(node["spec"]["providerID"]).rpartition("/")[2]


def _is_suitable(labels: Mapping[str, str], node_selector: Mapping[str, str]) -> bool:
    return EXCLUDE_LABEL not in labels and node_selector.items() <= labels.items()


def service_port(service: Object, wanted: int | str) -> Object | None:
    """Return a Service's port by its number or name."""
    ports: list[Object] = service["spec"].get("ports") or []
    return next((port for port in ports if wanted in (port["port"], port.get("name"))), None)


def resolve(
    port: Object,
    slices: Sequence[Object],
    pods: Mapping[Key, Object],
    nodes: Mapping[Key, Object],
    *,
    gate: str,
) -> Resolution:
    """Return the endpoints of a Service's port from its EndpointSlices."""
    ready: dict[Target, Endpoint] = {}
    unknown: dict[Target, Endpoint] = {}
    may_grow = False
    for namespace, target, listed in _listed(port, slices):
        pod = pods.get((namespace, listed["targetRef"]["name"]))
        if pod is None:
            may_grow = True
            continue
        endpoint = Endpoint(target, pod)
        conditions = listed.get("conditions", {})
        if conditions.get("ready"):
            ready[target] = endpoint
        elif not is_true(pod, "ContainersReady"):
            may_grow = may_grow or has_gate(pod, gate)
        else:
            node_status = _node_status(pod, nodes)
            if node_status == "True" and not conditions.get("terminating"):
                ready[target] = endpoint
            elif node_status == "Unknown":
                unknown[target] = endpoint
    # Fail open: where no pod is known to be good, those on silent nodes are better than none.
    return Resolution(ready or unknown, may_grow)


def _listed(port: Object, slices: Sequence[Object]) -> list[tuple[str, Target, Object]]:
    """Return namespace, target and endpoint of all that EndpointSlices list for a Service's port."""
    return [
        (listing["metadata"]["namespace"], Target(listed["addresses"][0], its["port"]), listed)
        for listing in slices
        for its in listing.get("ports") or []
        if not port.get("name") or port["name"] == its.get("name")
        for listed in listing.get("endpoints") or []
        if listed.get("targetRef", {}).get("kind") == "Pod" and listed["addresses"]
    ]


def _node_status(pod: Object, nodes: Mapping[Key, Object]) -> str:
    node = nodes.get(("", pod["spec"].get("nodeName", "")))
    found = condition(node, "Ready") if node else None
    return found["status"] if found else "False"
