"""The disruption controller: what each budget allows now.

It looks at a budget when a pod changes that it selects *then*: one that has left the selector changes nothing, so the
budget's status stays as it was until another pod changes (getPdbForPod in pkg/controller/disruption/disruption.go).
"""

from datetime import timedelta

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.eviction import with_verdict
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    controller_of,
    instant,
    is_ready,
    is_terminating,
    key_of,
    labels_of,
    scaled,
)
from kubectl_safe.sandbox.cluster.selectors import selects
from kubectl_safe.sandbox.cluster.store import Change

_DELETION = timedelta(minutes=2)
"""How long an eviction that was allowed counts, where the pod is not seen to be deleted."""


_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget were found to be unmanaged. As a result, the status of the PDB cannot "
    "be calculated correctly, which may result in undefined behavior. To account for these pods please set "
    '".spec.minAvailable" field of the PDB to an integer value.'
)


class _UnknownScaleError(Exception):
    """Nobody says how many pods there should be."""


class Budgets(Controller):
    """Counts for budgets."""

    watches = (kinds.BUDGETS, kinds.PODS)

    def changed(self, change: Change) -> None:
        """Enqueue a budget that changed, and the one that selects a pod by its newest labels."""
        if change.resource is kinds.BUDGETS:
            if change.type != "DELETED":
                self.queue.add(key_of(change.object))
            return
        pod = change.object
        for budget in self.model.all(kinds.BUDGETS, pod["metadata"]["namespace"]):
            if selects(budget["spec"].get("selector"), labels_of(pod)):
                self.queue.add(key_of(budget))
                return

    def sync(self, key: Key) -> None:
        """Write one budget's status."""
        budget = self.model.find(kinds.BUDGETS, *key)
        if budget is None:
            return
        pods = [
            pod for pod in self.model.all(kinds.PODS, key[0]) if selects(budget["spec"].get("selector"), labels_of(pod))
        ]
        try:
            expected, desired = self._expected(budget, pods)
        except _UnknownScaleError as error:
            self._fail_safe(budget, str(error))
            return
        disrupted = self._disrupted(budget, pods)
        healthy = sum(
            is_ready(pod) and not is_terminating(pod) and pod["metadata"]["name"] not in disrupted for pod in pods
        )
        status: Json = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "expectedPods": expected,
            "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
            "observedGeneration": budget["metadata"]["generation"],
        }
        if disrupted:
            status["disruptedPods"] = disrupted
            first = min(instant(moment) for moment in disrupted.values())
            left = first + _DELETION - self.model.now()
            self.queue.add_after(key, max(left.total_seconds(), 0) + 0.01)
        self.model.set_status(kinds.BUDGETS, budget, with_verdict(status, budget, self.context.now))

    def _disrupted(self, budget: Json, pods: list[Json]) -> dict[str, str]:
        """Return the evictions that were allowed and whose pods are not seen to be deleted yet."""
        known = budget.get("status", {}).get("disruptedPods") or {}
        now = self.model.now()
        return {
            name: known[name]
            for pod in pods
            if (name := pod["metadata"]["name"]) in known
            and not is_terminating(pod)
            and instant(known[name]) + _DELETION > now
        }

    def _expected(self, budget: Json, pods: list[Json]) -> tuple[int, int]:
        """Return how many pods there should be, and how many of them healthy."""
        spec = budget["spec"]
        if "maxUnavailable" in spec:
            expected = self._scale(budget, pods)
            return expected, max(0, expected - scaled(spec["maxUnavailable"], expected, rounds_up=True))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self._scale(budget, pods)
        return expected, scaled(least, expected, rounds_up=True)

    def _scale(self, budget: Json, pods: list[Json]) -> int:
        """Return the sum of what the pods' controllers want; pods without one are left out, and told of."""
        scales: dict[str, int] = {}
        unmanaged = []
        for pod in pods:
            reference = controller_of(pod)
            if reference is None:
                unmanaged.append(pod["metadata"]["name"])
            else:
                uid, replicas = self._scale_of(pod, reference)
                scales[uid] = replicas
        if unmanaged:
            self.context.event(budget, "Warning", "UnmanagedPods", _UNMANAGED, component="controllermanager")
        return sum(scales.values())

    def _scale_of(self, pod: Json, reference: Json) -> tuple[str, int]:
        """Return the UID of the topmost controller of a pod, and how many pods it wants."""
        namespace = pod["metadata"]["namespace"]
        resource = self.model.resources.of_kind(reference["apiVersion"], reference["kind"])
        owner = self.model.find(resource, namespace, reference["name"]) if resource else None
        if owner is None or owner["metadata"]["uid"] != reference["uid"] or "replicas" not in owner.get("spec", {}):
            raise _UnknownScaleError(f'found no controllers for pod "{pod["metadata"]["name"]}"')
        above = controller_of(owner)
        if above is not None and above["kind"] == "Deployment":
            top = self.model.find(kinds.DEPLOYMENTS, namespace, above["name"])
            if top is not None and top["metadata"]["uid"] == above["uid"]:
                owner = top
        return owner["metadata"]["uid"], owner["spec"]["replicas"]

    def _fail_safe(self, budget: Json, why: str) -> None:
        """Allow nothing where it can't be counted."""
        condition = {
            "type": "DisruptionAllowed",
            "status": "False",
            "reason": "SyncFailed",
            "message": why,
            "observedGeneration": budget.get("status", {}).get("observedGeneration", 0),
            "lastTransitionTime": self.context.now,
        }
        status = {**budget.get("status", {}), "disruptionsAllowed": 0, "conditions": [condition]}
        known = budget.get("status", {}).get("conditions") or [{}]
        if {**known[0], "lastTransitionTime": ""} != {**condition, "lastTransitionTime": ""}:
            self.model.set_status(kinds.BUDGETS, budget, status)
