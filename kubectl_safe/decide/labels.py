"""Which labels to take off a pod, so that it leaves what it should leave and nothing else."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import combinations

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import POD_NAME, Snapshot
from kubectl_safe.model.workload import ReplicaSet, Workload

HASH = "pod-template-hash"
"""The label that a Deployment's ReplicaSets tell their pods by; no identity to any network plugin."""


def label_to_release(pod: Pod, selector: LabelSelector, snapshot: Snapshot) -> str | None:
    """Return the label without which the pod is its controller's no more, and nobody else's; None where there is none.

    `pod-template-hash` is preferred, then the alphabet decides.
    """
    free = labels_that_release(pod, selector, snapshot)
    return next((key for key in free if adopter_of(pod, {key}, snapshot) is None), None)


def labels_that_release(pod: Pod, selector: LabelSelector, snapshot: Snapshot) -> list[str]:
    """Return the labels that the controller's selector needs and no Service uses."""
    used = {key for service in snapshot.services_of(pod) for key in service.selector}
    return [key for key in sorted(selector.match_labels, key=lambda k: (k != HASH, k)) if key not in used]


def adopter_of(pod: Pod, dropped: AbstractSet[str], snapshot: Snapshot) -> ReplicaSet | Workload | None:
    """Return what would adopt the pod if nobody controlled it, and it were without some labels.

    A StatefulSet adopts only what has a name of its own pods.
    """
    left = {key: value for key, value in pod.labels.items() if key not in dropped}
    return next((its for its in snapshot.adopters_in(pod.namespace) if its.selector.matches(left)), None)


def labels_to_withdraw(pod: Pod, snapshot: Snapshot) -> frozenset[str] | None:
    """Return the fewest labels without which no Service leads requests to the pod; empty where none does.

    A pod of a StatefulSet stays in its governing Service. One of a DaemonSet that may not run two on a node stays its:
    without the labels that the DaemonSet knows it by, another would come at once. None where it can't leave then.

    The label with its name comes back for as long as a StatefulSet controls the pod (kubernetes updateIdentity in
    pkg/controller/statefulset/stateful_set_utils.go).

    Among equally few, those come first that take it out of its disruption budgets: under one, it would count as healthy
    for as long as it drains, and whoever evicts others meanwhile would be let do so one pod too far.
    """
    leaving = snapshot.services_to_leave(pod)
    selectors = [frozenset(service.selector) for service in leaving]
    kept = {key for service in snapshot.services_of(pod) if service not in leaving for key in service.selector}
    used, owner = frozenset[str]().union(*selectors), snapshot.workload_of(pod)
    if owner and owner.kind == "DaemonSet" and owner.replaces_in_place:
        kept |= owner.selector.keys
    is_named = POD_NAME in used and owner is not None and owner.names_its_pods and pod.controller is not None
    cutting = owner.selector.keys if owner and is_named else frozenset[str]()
    budgets = [b.selector.keys for b in snapshot.budgets if b.selector and b.selects(pod.namespace, pod.labels)]
    keys: list[str] = sorted((used | cutting) - kept)
    for size in range(len(keys) + 1):
        fitting = [
            c
            for c in map(frozenset, combinations(keys, size))
            if all(s & c for s in selectors) and (not is_named or POD_NAME not in c or c & cutting)
        ]
        if fitting:
            return min(fitting, key=lambda c: (_kept(c, budgets), sorted(c)))
    return None


def _kept(drop: frozenset[str], budgets: Iterable[frozenset[str]]) -> int:
    return sum(1 for keys in budgets if not keys & drop)
