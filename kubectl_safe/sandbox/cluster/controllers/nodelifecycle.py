"""What becomes of the pods of a node that is silent: not Ready, and deleted once they tolerate it no longer.

The rules are those of kubernetes pkg/controller/nodelifecycle and pkg/controller/tainteviction. That a node is silent
somebody else writes into its status: no Leases are looked at.
"""

from datetime import datetime, timedelta

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.controllers.fitting import tolerations_of
from kubectl_safe.sandbox.cluster.deletion import delete_if_there
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    clone,
    condition,
    instant,
    is_ready,
    is_terminating,
    key_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.store import Change

UNREACHABLE = "node.kubernetes.io/unreachable"


class NodeLifecycle(Controller):
    """Taints nodes that are silent, and has their pods count as not Ready."""

    watches = (kinds.NODES,)

    def changed(self, change: Change) -> None:
        """Enqueue a node."""
        if change.type != "DELETED":
            self.queue.add(key_of(change.object))

    def sync(self, key: Key) -> None:
        """Bring one node's taints and pods up to date."""
        node = self.model.find(kinds.NODES, *key)
        ready = condition(node, "Ready") if node else None
        if node is None or ready is None:
            return
        is_silent = ready["status"] == "Unknown"
        if is_silent is not any(its["key"] == UNREACHABLE for its in _taints(node)):
            self.model.update(kinds.NODES, *key, lambda before: self._tainted(before, is_silent=is_silent))
        for pod in self.model.all(kinds.PODS) if is_silent else ():
            if pod["spec"].get("nodeName") == node["metadata"]["name"] and is_ready(pod):
                self._mark_not_ready(pod)

    def _tainted(self, before: Json, *, is_silent: bool) -> Json:
        after: Json = clone(before)
        taints = [its for its in _taints(after) if its["key"] != UNREACHABLE]
        if is_silent:
            taints.append({"key": UNREACHABLE, "effect": "NoSchedule"})
            taints.append({"key": UNREACHABLE, "effect": "NoExecute", "timeAdded": self.context.now})
        after["spec"] = {**after.get("spec", {}), "taints": taints}
        return after

    def _mark_not_ready(self, pod: Json) -> None:
        status = clone(pod["status"])
        for its in status["conditions"]:
            if its["type"] == "Ready":
                its |= {"status": "False", "lastTransitionTime": self.context.now}
        try:
            self.model.set_status(kinds.PODS, pod, status)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise


class TaintEviction(Controller):
    """Deletes pods that do not, or no longer, tolerate that nothing may run on their node."""

    watches = (kinds.NODES, kinds.PODS)

    def changed(self, change: Change) -> None:
        """Enqueue a pod, or all pods of a node."""
        if change.type == "DELETED":
            return
        if change.resource is kinds.PODS:
            if change.before is None or "nodeName" not in change.before["spec"]:
                self.queue.add(key_of(change.object))
            return
        name = change.object["metadata"]["name"]
        if _taints(change.object) != _taints(change.before or {}):
            for pod in self.model.all(kinds.PODS):
                if pod["spec"].get("nodeName") == name:
                    self.queue.add(key_of(pod))

    def sync(self, key: Key) -> None:
        """Delete one pod that is due, or come back when it is."""
        pod = self.model.find(kinds.PODS, *key)
        node = self.model.find(kinds.NODES, "", pod["spec"].get("nodeName", "")) if pod else None
        if pod is None or node is None or is_terminating(pod):
            return
        due = _due(pod, node)
        if due is None:
            return
        left = (due - self.model.now()).total_seconds()
        if left > 0:
            self.queue.add_after(key, left)
        else:
            delete_if_there(self.model, kinds.PODS, pod)


def _taints(node: Json) -> list[Json]:
    return list(node.get("spec", {}).get("taints") or ())


def _due(pod: Json, node: Json) -> datetime | None:
    """Return when a pod is to go; None where it may stay."""
    dues = []
    for taint in _taints(node):
        if taint["effect"] != "NoExecute" or "timeAdded" not in taint:
            continue
        since = instant(taint["timeAdded"])
        tolerations = tolerations_of(pod, taint)
        limits = [its["tolerationSeconds"] for its in tolerations if "tolerationSeconds" in its]
        if not tolerations:
            dues.append(since)
        elif limits:
            dues.append(since + timedelta(seconds=max(0, min(limits))))
    return min(dues, default=None)
