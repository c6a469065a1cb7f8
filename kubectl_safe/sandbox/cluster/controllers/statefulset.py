"""The StatefulSet controller: pods with names of their own, one after another.

While a pod that it has let go exists, its name is taken: creation fails, and is tried again later each time until
something changes about the StatefulSet (pkg/controller/statefulset/stateful_set_control.go).
"""

import re
from collections.abc import Callable
from datetime import timedelta

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import PodOwner, counts, new_pod
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
    phase,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.selectors import of_selector

_NAME = "statefulset.kubernetes.io/pod-name"
_INDEX = "apps.kubernetes.io/pod-index"
_COMPONENT = "statefulset-controller"


class StatefulSets(PodOwner):
    """Keeps the pods of StatefulSets."""

    watches = (kinds.STATEFUL_SETS, kinds.PODS)
    kind = kinds.STATEFUL_SETS

    def selector_of(self, owner: Json) -> Callable[[dict[str, str]], bool]:
        """Return what a StatefulSet selects."""
        return of_selector(owner["spec"]["selector"])

    def sync(self, key: Key) -> None:
        """Take the next step for one StatefulSet, then write its status."""
        owner = self.model.find(self.kind, *key)
        if owner is None:
            return
        name = owner["metadata"]["name"]
        mine = [pod for pod in self.model.all(kinds.PODS, key[0]) if ordinal(pod, name) is not None]
        pods = {ordinal(pod, name) or 0: pod for pod in self.claim(owner, mine)}
        revision = keep_revision(self.context, owner)
        try:
            if not is_terminating(owner):
                self._step(owner, pods, revision)
        finally:
            self._write_status(owner, revision)

    def _step(self, owner: Json, pods: dict[int, Json], revision: str) -> None:
        """Fill up, thin out or update: the first that is to be done."""
        spec = owner["spec"]
        first = (spec.get("ordinals") or {}).get("start", 0)
        wanted = range(first, first + spec["replicas"])
        if self._fill_up(owner, pods, wanted, revision) and self._thin_out(owner, pods, wanted):
            self._update(owner, pods, wanted, revision)

    def _fill_up(self, owner: Json, pods: dict[int, Json], wanted: range, revision: str) -> bool:
        """Create what is missing, each once those before it are up; tell whether to go on."""
        is_parallel = owner["spec"]["podManagementPolicy"] == "Parallel"
        for number in wanted:
            pod = pods.get(number)
            if pod is not None and not is_terminating(pod) and self._is_up(owner, pod):
                self._name_again(pod)
                continue
            if pod is None:
                self._create(owner, number, revision)
            elif is_finished(pod) and not is_terminating(pod):
                delete_if_there(self.model, kinds.PODS, pod)
            if not is_parallel:
                return False
        return True

    def _name_again(self, pod: Json) -> None:
        """Put the label with a pod's name back, for as long as the pod is the StatefulSet's (updateIdentity)."""
        name = pod["metadata"]["name"]
        if labels_of(pod).get(_NAME) != name:

            def change(before: Json) -> Json:
                labels = {**labels_of(before), _NAME: name}
                return {**before, "metadata": {**before["metadata"], "labels": labels}}

            self.model.update(kinds.PODS, *key_of(pod), change)

    def _thin_out(self, owner: Json, pods: dict[int, Json], wanted: range) -> bool:
        """Delete what is too many, the highest ordinal first; tell whether there was nothing."""
        is_parallel = owner["spec"]["podManagementPolicy"] == "Parallel"
        condemned = sorted((number for number in pods if number not in wanted), reverse=True)
        for number in condemned if is_parallel else condemned[:1]:
            if not is_terminating(pods[number]):
                delete_if_there(self.model, kinds.PODS, pods[number])
        return not condemned

    def _update(self, owner: Json, pods: dict[int, Json], wanted: range, revision: str) -> None:
        """Delete the pod with the highest ordinal that is of an old revision, once all above it are there and up."""
        strategy = owner["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for number in reversed([its for its in wanted if its >= partition]):
            pod = pods.get(number)
            if pod is None:
                return
            if labels_of(pod).get(REVISION) != revision and not is_terminating(pod):
                delete_if_there(self.model, kinds.PODS, pod)
                return
            if is_terminating(pod) or not self._is_up(owner, pod):
                return

    def _is_up(self, owner: Json, pod: Json) -> bool:
        return phase(pod) == "Running" and is_available(pod, owner["spec"].get("minReadySeconds", 0), self.model.now())

    def _create(self, owner: Json, number: int, revision: str) -> None:
        name = f"{owner['metadata']['name']}-{number}"
        further = {REVISION: revision, _NAME: name, _INDEX: str(number)}
        pod = new_pod(owner["spec"]["template"], owner, name=name, further=further)
        pod["spec"] = {**pod["spec"], "hostname": name, "subdomain": owner["spec"].get("serviceName", "")}
        try:
            self.model.create(kinds.PODS, owner["metadata"]["namespace"], pod)
        except RefusalError as refusal:
            message = f"create Pod {name} in StatefulSet {owner['metadata']['name']} failed error: {refusal.message}"
            self.context.event(owner, "Warning", "FailedCreate", message, component=_COMPONENT)
            raise

    def _write_status(self, owner: Json, revision: str) -> None:
        name, spec = owner["metadata"]["name"], owner["spec"]
        pods = [
            pod
            for pod in self.claim(owner, self.model.all(kinds.PODS, owner["metadata"]["namespace"]))
            if ordinal(pod, name) is not None
        ]
        least = spec.get("minReadySeconds", 0)
        now = self.model.now()
        before = owner.get("status", {})
        updated = sum(labels_of(pod).get(REVISION) == revision and not is_terminating(pod) for pod in pods)
        current = before.get("currentRevision") or revision
        ready = sum(is_ready(pod) for pod in pods)
        if updated == spec["replicas"] == len(pods) == ready:
            current = revision
        status: Json = {
            "replicas": len(pods),
            "availableReplicas": sum(is_available(pod, least, now) for pod in pods),
            "collisionCount": before.get("collisionCount", 0),
            "currentRevision": current,
            "updateRevision": revision,
            **counts(
                observedGeneration=owner["metadata"]["generation"],
                readyReplicas=ready,
                updatedReplicas=updated,
                currentReplicas=sum(labels_of(pod).get(REVISION) == current for pod in pods),
            ),
        }
        try:
            self.model.set_status(self.kind, owner, status)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise
        waits = [left for pod in pods if (left := available_in(pod, least, now)) and left > timedelta(0)]
        if waits:
            self.queue.add_after(key_of(owner), min(waits).total_seconds() + 0.001)


def ordinal(pod: Json, owner: str) -> int | None:
    """Return a pod's number in a StatefulSet, or None where its name is of no such."""
    found = re.fullmatch(rf"{re.escape(owner)}-(\d+)", pod["metadata"]["name"])
    return int(found[1]) if found else None
