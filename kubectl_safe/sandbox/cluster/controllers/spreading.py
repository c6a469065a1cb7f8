"""Whether a pod may run on a node by its topology spread constraints, as the scheduler counts. Pure.

The rules are those of kubernetes pkg/scheduler/framework/plugins/podtopologyspread.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from kubectl_safe.sandbox.cluster.controllers.fitting import has_untolerated_taint, matches_node
from kubectl_safe.sandbox.cluster.objects import Json, is_terminating, labels_of
from kubectl_safe.sandbox.cluster.selectors import of_selector

UNEVEN = "node(s) didn't match pod topology spread constraints"
UNLABELLED = f"{UNEVEN} (missing required label)"


def why_uneven(pod: Json, node: Json, nodes: Sequence[Json], placed: Sequence[Json]) -> str:
    """Return why a pod can't run on a node; empty where it can, or where it only had better not."""
    constraints = [
        its
        for its in pod["spec"].get("topologySpreadConstraints") or ()
        if its.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
    ]
    for constraint in constraints:
        domain = labels_of(node).get(constraint["topologyKey"])
        if domain is None:
            return UNLABELLED
        counts, counted = _counts(constraint, constraints, pod, nodes, placed), _selected(constraint, pod)
        least = min(counts.values(), default=0) if len(counts) >= constraint.get("minDomains", 1) else 0
        if counts[domain] + counted(pod) - least > constraint["maxSkew"]:
            return UNEVEN
    return ""


def _counts(
    constraint: Json, constraints: Sequence[Json], pod: Json, nodes: Sequence[Json], placed: Sequence[Json]
) -> Counter[str]:
    """Return how many pods each domain has, of the nodes that the pod may run on.

    A cordoned node counts all the same, unless its taint does.
    """
    keys = {its["topologyKey"] for its in constraints}
    counted = _selected(constraint, pod)
    domains = {
        node["metadata"]["name"]: labels_of(node)[constraint["topologyKey"]]
        for node in nodes
        if keys <= labels_of(node).keys() and _is_included(constraint, pod, node)
    }
    counts = Counter[str](dict.fromkeys(domains.values(), 0))
    for other in placed:
        if (domain := domains.get(other["spec"]["nodeName"])) is not None:
            counts[domain] += counted(other)
    return counts


def _is_included(constraint: Json, pod: Json, node: Json) -> bool:
    if constraint.get("nodeAffinityPolicy", "Honor") == "Honor" and not matches_node(pod, node):
        return False
    return constraint.get("nodeTaintsPolicy", "Ignore") == "Ignore" or not has_untolerated_taint(pod, node)


def _selected(constraint: Json, pod: Json) -> Callable[[Json], bool]:
    """Return what a constraint of a pod counts: its like, that are not on their way out."""
    alike = {key: value for key in constraint.get("matchLabelKeys") or () if (value := labels_of(pod).get(key))}
    matches = of_selector(constraint.get("labelSelector"))
    return lambda other: (
        other["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and not is_terminating(other)
        and alike.items() <= labels_of(other).items()
        and matches(labels_of(other))
    )
