"""Which labels to take off a pod, so that it leaves what it should leave and nothing else."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import combinations

from kubectl_safe.model.governing import POD_NAME
from kubectl_safe.model.marks import WITHDRAWN
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.policy import Policy
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import ReplicaSet, Workload

HASH = "pod-template-hash"
"""The label that a Deployment's ReplicaSets tell their pods by; no identity to any network plugin."""


def label_to_release(pod: Pod, selector: LabelSelector, snapshot: Snapshot) -> str | None:
    """Return the label without which the pod is its controller's no more, and nobody else's; None where there is none.

    One is preferred whose loss no network policy notices, then `pod-template-hash`; then the alphabet decides.
    """
    free = [key for key in labels_that_release(pod, selector, snapshot) if adopter_of(pod, {key}, snapshot) is None]
    return min(free, key=lambda key: len(_noticed_by(pod, without(pod.labels, {key}), snapshot)), default=None)


def labels_that_release(pod: Pod, selector: LabelSelector, snapshot: Snapshot) -> list[str]:
    """Return the labels that the controller's selector needs and no Service uses."""
    used = {key for service in snapshot.services_of(pod) for key in service.selector}
    return [key for key in sorted(selector.match_labels, key=lambda k: (k != HASH, k)) if key not in used]


def adopter_of(pod: Pod, dropped: AbstractSet[str], snapshot: Snapshot) -> ReplicaSet | Workload | None:
    """Return what would adopt the pod if nobody controlled it, and it were without some labels.

    A StatefulSet adopts only what has a name of its own pods.
    """
    left = without(pod.labels, dropped)
    return next((its for its in snapshot.adopters_in(pod.namespace) if its.selector.matches(left)), None)


def labels_to_withdraw(pod: Pod, snapshot: Snapshot) -> frozenset[str] | None:
    """Return the fewest labels without which no Service leads requests to the pod; empty where none does.

    A pod of a StatefulSet stays in its governing Service. One of a DaemonSet that may not run two on a node stays its:
    without the labels that the DaemonSet knows it by, another would come at once. None where it can't leave then.

    The label with its name comes back for as long as a StatefulSet controls the pod (kubernetes updateIdentity in
    pkg/controller/statefulset/stateful_set_utils.go).

    More labels are taken where no network policy notices their loss, while one would notice that of fewer: a label too
    many harms nobody, a policy may cut the pod off from what it needs to finish its requests.

    Among equally few, those come first that take it out of its disruption budgets: under one, it would count as healthy
    for as long as it drains, and whoever evicts others meanwhile would be let do so one pod too far.
    """
    budgets = [budget.selector.keys for budget in snapshot.budgets_of(pod) if budget.selector]
    fewest: frozenset[str] | None = None
    for fitting in _that_withdraw(pod, snapshot):
        noticed = {drop: len(_noticed_by(pod, withdrawn(pod.labels, drop), snapshot)) for drop in fitting}
        best = min(fitting, key=lambda drop: (noticed[drop], _kept(drop, budgets), sorted(drop)))
        if not noticed[best]:
            return best
        fewest = best if fewest is None else fewest
    return fewest


def _that_withdraw(pod: Pod, snapshot: Snapshot) -> Iterator[list[frozenset[str]]]:
    """Return the labels without which no Service leads requests to the pod, all ways of one number at a time."""
    leaving = snapshot.services_to_leave(pod)
    selectors = [frozenset(service.selector) for service in leaving]
    kept = {key for service in snapshot.services_of(pod) if service not in leaving for key in service.selector}
    used, owner = frozenset[str]().union(*selectors), snapshot.workload_of(pod)
    if owner and owner.kind == "DaemonSet" and owner.replaces_in_place:
        kept |= owner.selector.keys
    is_named = POD_NAME in used and owner is not None and owner.names_its_pods and pod.controller is not None
    cutting = owner.selector.keys if owner and is_named else frozenset[str]()
    keys: list[str] = sorted((used | cutting) - kept)
    for size in range(len(keys) + 1):
        fitting = [
            c
            for c in map(frozenset, combinations(keys, size))
            if all(s & c for s in selectors) and (not is_named or POD_NAME not in c or c & cutting)
        ]
        if fitting:
            yield fitting


def without(labels: Labels, drop: AbstractSet[str]) -> Labels:
    """Return the labels that stay."""
    return {key: value for key, value in labels.items() if key not in drop}


def withdrawn(labels: Labels, drop: AbstractSet[str]) -> Labels:
    """Return the labels of a pod once it is withdrawn by these."""
    return {**without(labels, drop), WITHDRAWN: ""}


def _noticed_by(pod: Pod, after: Labels, snapshot: Snapshot) -> tuple[Policy, ...]:
    return snapshot.policies.telling_apart(pod.namespace, pod.labels, after)


def _kept(drop: frozenset[str], budgets: Iterable[frozenset[str]]) -> int:
    return sum(1 for keys in budgets if not keys & drop)
