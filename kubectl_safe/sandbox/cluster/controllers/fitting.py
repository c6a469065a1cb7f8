"""Whether a pod fits on a node: cordon, taints, node affinity, ports and room, in the scheduler's words. Pure."""

from collections.abc import Iterator

from kubectl_safe.sandbox.cluster.objects import Json, labels_of
from kubectl_safe.sandbox.cluster.selectors import selects

_UNSCHEDULABLE_TAINT = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule", "value": ""}
_ANY_ADDRESS = "0.0.0.0"
FULL = "Too many pods"
INSUFFICIENT = "Insufficient "
PORT_TAKEN = "node(s) didn't have free ports for the requested pod ports"


def why_unfit(pod: Json, node: Json, here: list[Json]) -> str:
    """Return why a pod can't run on a node that has other pods, in the order in which the filters are asked."""
    for filtered in (_unschedulable, _taints, _affinity, _ports, _room):
        if why := filtered(pod, node, here):
            return why
    return ""


def _unschedulable(pod: Json, node: Json, _here: list[Json]) -> str:
    if node.get("spec", {}).get("unschedulable") and not tolerates(pod, _UNSCHEDULABLE_TAINT):
        return "node(s) were unschedulable"
    return ""


def _taints(pod: Json, node: Json, _here: list[Json]) -> str:
    return "node(s) had untolerated taint(s)" if has_untolerated_taint(pod, node) else ""


def has_untolerated_taint(pod: Json, node: Json) -> bool:
    """Tell whether a taint of a node keeps a pod from it."""
    return any(
        taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(pod, taint)
        for taint in node.get("spec", {}).get("taints") or ()
    )


def _affinity(pod: Json, node: Json, _here: list[Json]) -> str:
    return "" if matches_node(pod, node) else "node(s) didn't match Pod's node affinity/selector"


def matches_node(pod: Json, node: Json) -> bool:
    """Tell whether a pod's node selector and its required node affinity let it run on a node."""
    wanted = (pod["spec"].get("nodeSelector") or {}).items()
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return wanted <= labels_of(node).items() and (
        required is None or any(_matches(term, node) for term in required["nodeSelectorTerms"])
    )


def _matches(term: Json, node: Json) -> bool:
    return selects({"matchExpressions": term.get("matchExpressions")}, labels_of(node)) and selects(
        {"matchExpressions": term.get("matchFields")}, {"metadata.name": node["metadata"]["name"]}
    )


def _ports(pod: Json, _node: Json, here: list[Json]) -> str:
    taken = [port for other in here for port in _host_ports(other)]
    return PORT_TAKEN if any(_collide(one, other) for one in _host_ports(pod) for other in taken) else ""


def _host_ports(pod: Json) -> Iterator[tuple[str, str, int]]:
    """Return address, protocol and number of the ports that a pod takes of its node."""
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("hostPort"):
                yield port.get("hostIP") or _ANY_ADDRESS, port.get("protocol", "TCP"), port["hostPort"]


def _collide(one: tuple[str, str, int], other: tuple[str, str, int]) -> bool:
    return one[1:] == other[1:] and (one[0] == other[0] or _ANY_ADDRESS in (one[0], other[0]))


def _room(pod: Json, node: Json, here: list[Json]) -> str:
    allocatable = node.get("status", {}).get("allocatable") or {}
    if len(here) + 1 > int(allocatable.get("pods", 0)):
        return FULL
    for name in ("cpu", "memory"):
        asked = _requested(pod, name)
        used = sum(_requested(other, name) for other in here)
        if asked and asked + used > quantity(allocatable.get(name, "0")):
            return f"{INSUFFICIENT}{name}"
    return ""


def _requested(pod: Json, name: str) -> float:
    return sum(
        quantity((container.get("resources") or {}).get("requests", {}).get(name, "0"))
        for container in pod["spec"]["containers"]
    )


def quantity(text: str | float) -> float:
    """Return what a quantity says: `250m`, `64Gi`, `2`."""
    units = {"m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40}
    plain = str(text)
    for unit, factor in sorted(units.items(), key=lambda its: -len(its[0])):
        if plain.endswith(unit):
            return float(plain.removesuffix(unit)) * factor
    return float(plain)


def tolerates(pod: Json, taint: Json) -> bool:
    """Tell whether a pod tolerates a taint."""
    return bool(tolerations_of(pod, taint))


def tolerations_of(pod: Json, taint: Json) -> list[Json]:
    """Return the tolerations by which a pod tolerates a taint, perhaps for a while only."""
    return [
        its
        for its in pod["spec"].get("tolerations") or ()
        if its.get("key") in (None, "", taint["key"])
        and its.get("effect") in (None, "", taint["effect"])
        and (its.get("operator") == "Exists" or its.get("value", "") == taint.get("value", ""))
    ]
