"""The DaemonSet controller: a pod on each node that it may run on (pkg/controller/daemon)."""

from collections.abc import Callable
from datetime import timedelta

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import PodOwner, counts, new_pod
from kubectl_safe.sandbox.cluster.controllers.fitting import matches_node, tolerates
from kubectl_safe.sandbox.cluster.controllers.revisions import REVISION, keep_revision
from kubectl_safe.sandbox.cluster.deletion import delete_if_there
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    available_in,
    is_available,
    is_finished,
    is_ready,
    is_terminating,
    key_of,
    labels_of,
    scaled,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.selectors import of_selector
from kubectl_safe.sandbox.cluster.store import Change

_GENERATION = "pod-template-generation"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets(PodOwner):
    """Keeps the pods of DaemonSets."""

    watches = (kinds.DAEMON_SETS, kinds.PODS, kinds.NODES)
    kind = kinds.DAEMON_SETS

    def changed(self, change: Change) -> None:
        """Enqueue what changed, and everything where nodes did."""
        if change.resource is kinds.NODES:
            for owner in self.model.all(self.kind):
                self.queue.add(key_of(owner))
        else:
            super().changed(change)

    def selector_of(self, owner: Json) -> Callable[[dict[str, str]], bool]:
        """Return what a DaemonSet selects."""
        return of_selector(owner["spec"]["selector"])

    def sync(self, key: Key) -> None:
        """Create, delete and update the pods of one DaemonSet, then write its status."""
        owner = self.model.find(self.kind, *key)
        if owner is None:
            return
        digest = keep_revision(self.context, owner)
        by_node = self._by_node(owner)
        if not is_terminating(owner):
            self._manage(owner, by_node, digest)
            if owner["spec"]["updateStrategy"]["type"] == "RollingUpdate":
                self._update(owner, self._by_node(owner), digest)
        self._write_status(owner, digest)

    def _by_node(self, owner: Json) -> dict[str, list[Json]]:
        found: dict[str, list[Json]] = {}
        for pod in self.claim(owner, self.model.all(kinds.PODS, owner["metadata"]["namespace"])):
            if node := _node_of(pod):
                found.setdefault(node, []).append(pod)
        return found

    def _should_run(self, owner: Json, node: Json) -> bool:
        pod = {"spec": _with_tolerations(owner["spec"]["template"]["spec"])}
        taints = node.get("spec", {}).get("taints") or ()
        return matches_node(pod, node) and all(
            tolerates(pod, taint) for taint in taints if taint["effect"] in ("NoSchedule", "NoExecute")
        )

    def _manage(self, owner: Json, by_node: dict[str, list[Json]], digest: str) -> None:
        for node in self.model.all(kinds.NODES):
            name = node["metadata"]["name"]
            pods = by_node.get(name, [])
            if not self._should_run(owner, node):
                for pod in pods:
                    if not is_terminating(pod):
                        delete_if_there(self.model, kinds.PODS, pod)
                continue
            for pod in pods:
                if is_finished(pod) and not is_terminating(pod):
                    delete_if_there(self.model, kinds.PODS, pod)
            if not pods:
                self._create(owner, name, digest)
            else:
                self._thin_out(owner, [pod for pod in pods if not is_terminating(pod)], digest)

    def _thin_out(self, owner: Json, pods: list[Json], digest: str) -> None:
        """Delete what is too many on one node: with a surge one old and one new may be, until the new one is up."""
        if len(pods) < 2:
            return
        pods = sorted(pods, key=lambda pod: (not is_ready(pod), pod["metadata"]["creationTimestamp"]))
        old = [pod for pod in pods if labels_of(pod).get(REVISION) != digest]
        new = [pod for pod in pods if labels_of(pod).get(REVISION) == digest]
        if _surge(owner, 1) and len(old) == 1 and len(new) == 1:
            if is_available(new[0], owner["spec"].get("minReadySeconds", 0), self.model.now()):
                delete_if_there(self.model, kinds.PODS, old[0])
            return
        for pod in pods[1:]:
            delete_if_there(self.model, kinds.PODS, pod)

    def _update(self, owner: Json, by_node: dict[str, list[Json]], digest: str) -> None:
        """Replace old pods: as many as may be unavailable, or, with a surge, by new ones beside them."""
        nodes = [node["metadata"]["name"] for node in self.model.all(kinds.NODES) if self._should_run(owner, node)]
        least, now = owner["spec"].get("minReadySeconds", 0), self.model.now()
        surge = _surge(owner, len(nodes))
        rolling = owner["spec"]["updateStrategy"].get("rollingUpdate") or {}
        most = scaled(rolling.get("maxUnavailable", 1), len(nodes), rounds_up=True)
        unavailable = surging = 0
        candidates: list[tuple[str, Json]] = []
        for name in nodes:
            pods = [pod for pod in by_node.get(name, []) if not is_terminating(pod)]
            old = [pod for pod in pods if labels_of(pod).get(REVISION) != digest]
            new = [pod for pod in pods if labels_of(pod).get(REVISION) == digest]
            if surge:
                surging += bool(old and new)
                if old and not new:
                    candidates.append((name, old[0]))
                continue
            is_up = any(is_available(pod, least, now) for pod in pods)
            unavailable += not is_up
            if old and is_up:
                candidates.append((name, old[0]))
            elif old:
                delete_if_there(self.model, kinds.PODS, old[0])
        for name, pod in candidates[: (surge - surging) if surge else max(0, most - unavailable)]:
            if surge:
                self._create(owner, name, digest)
            else:
                delete_if_there(self.model, kinds.PODS, pod)

    def _create(self, owner: Json, node: str, digest: str) -> None:
        template = owner["spec"]["template"]
        further = {REVISION: digest, _GENERATION: str(owner["metadata"]["generation"])}
        pod = new_pod(template, owner, further=further)
        fields = [{"key": "metadata.name", "operator": "In", "values": [node]}]
        required = {"nodeSelectorTerms": [{"matchFields": fields}]}
        affinity = {**(template["spec"].get("affinity") or {})}
        affinity["nodeAffinity"] = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        pod["spec"] = {**_with_tolerations(template["spec"]), "affinity": affinity}
        self.model.create(kinds.PODS, owner["metadata"]["namespace"], pod)

    def _write_status(self, owner: Json, digest: str) -> None:
        nodes = self.model.all(kinds.NODES)
        wanted = {node["metadata"]["name"] for node in nodes if self._should_run(owner, node)}
        by_node = self._by_node(owner)
        least, now = owner["spec"].get("minReadySeconds", 0), self.model.now()
        newest = {
            node: max(pods, key=lambda pod: pod["metadata"]["creationTimestamp"])
            for node, pods in by_node.items()
            if node in wanted
        }
        available = sum(any(is_available(pod, least, now) for pod in by_node.get(node, [])) for node in wanted)
        status: Json = {
            "currentNumberScheduled": len(newest),
            "desiredNumberScheduled": len(wanted),
            "numberMisscheduled": sum(node not in wanted for node in by_node),
            "numberReady": sum(any(is_ready(pod) for pod in by_node.get(node, [])) for node in wanted),
            **counts(
                observedGeneration=owner["metadata"]["generation"],
                updatedNumberScheduled=sum(labels_of(pod).get(REVISION) == digest for pod in newest.values()),
                numberAvailable=available,
                numberUnavailable=len(wanted) - available,
            ),
        }
        try:
            self.model.set_status(self.kind, owner, status)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise
        waits = [
            left
            for pods in by_node.values()
            for pod in pods
            if (left := available_in(pod, least, now)) and left > timedelta(0)
        ]
        if waits:
            self.queue.add_after(key_of(owner), min(waits).total_seconds() + 0.001)


def _surge(owner: Json, nodes: int) -> int:
    rolling = owner["spec"]["updateStrategy"].get("rollingUpdate") or {}
    return scaled(rolling.get("maxSurge", 0), nodes, rounds_up=True)


def _with_tolerations(spec: Json) -> Json:
    further = [{"key": key, "operator": "Exists", "effect": effect} for key, effect in _TOLERATED]
    known = spec.get("tolerations") or []
    return {**spec, "tolerations": [*known, *(its for its in further if its not in known)]}


def _node_of(pod: Json) -> str:
    """Return the node that a pod is bound to, or is meant for."""
    if name := pod["spec"].get("nodeName"):
        return str(name)
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            return str(field["values"][0])
    return ""
