"""The ReplicaSet controller, which is the ReplicationController's too."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.controllers.base import PodOwner, counts, new_pod
from kubectl_safe.sandbox.cluster.controllers.queue import Context
from kubectl_safe.sandbox.cluster.deletion import delete_if_there
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    Key,
    available_in,
    condition,
    controller_of,
    instant,
    is_active,
    is_available,
    is_controlled_by,
    is_ready,
    is_terminating,
    labels_of,
    phase,
    uid_of,
)
from kubectl_safe.sandbox.cluster.refusals import RefusalError
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.selectors import of_selector

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
_COMPONENT = "replicaset-controller"


class ReplicaSets(PodOwner):
    """Keeps as many pods as each ReplicaSet wants."""

    watches = (kinds.REPLICA_SETS, kinds.PODS)
    kind = kinds.REPLICA_SETS

    def selector_of(self, owner: Json) -> Callable[[dict[str, str]], bool]:
        """Return what a ReplicaSet selects."""
        return of_selector(owner["spec"].get("selector"))

    def sync(self, key: Key) -> None:
        """Create or delete pods, then write the status."""
        owner = self.model.find(self.kind, *key)
        if owner is None:
            return
        pods = self.model.all(kinds.PODS, key[0])
        active = self.claim(owner, [pod for pod in pods if is_active(pod)])
        failure: RefusalError | None = None
        if not is_terminating(owner):
            try:
                active = self._manage(owner, active)
            except RefusalError as refusal:
                failure = refusal
                active = [
                    pod for pod in self.model.all(kinds.PODS, key[0]) if is_active(pod) and is_controlled_by(pod, owner)
                ]
        terminating = sum(is_controlled_by(pod, owner) and is_terminating(pod) for pod in pods)
        self._write_status(owner, active, terminating, failure)
        if failure is not None:
            raise failure

    def _manage(self, owner: Json, active: list[Json]) -> list[Json]:
        """Return the pods that are left or new."""
        wanted = owner["spec"].get("replicas", 1)
        if len(active) > wanted:
            doomed = self._doomed(owner, active)[: len(active) - wanted]
            for pod in doomed:
                delete_if_there(self.model, kinds.PODS, pod)
            return [pod for pod in active if pod not in doomed]
        return active + [self._create(owner) for _ in range(wanted - len(active))]

    def _create(self, owner: Json) -> Json:
        namespace = owner["metadata"]["namespace"]
        try:
            pod = self.model.create(kinds.PODS, namespace, new_pod(owner["spec"]["template"], owner))
        except RefusalError as refusal:
            self.context.event(
                owner, "Warning", "FailedCreate", f"Error creating: {refusal.message}", component=_COMPONENT
            )
            raise
        message = f"Created pod: {pod['metadata']['name']}"
        self.context.event(owner, "Normal", "SuccessfulCreate", message, component=_COMPONENT)
        return pod

    def _doomed(self, owner: Json, active: list[Json]) -> list[Json]:
        """Return pods in the order in which they are deleted (ActivePodsWithRanks in controller_utils.go)."""
        related = self._related(owner)
        on_node = Counter(pod["spec"].get("nodeName", "") for pod in related if is_ready(pod))

        def rank(pod: Json) -> tuple[object, ...]:
            node = pod["spec"].get("nodeName", "")
            ready = condition(pod, "Ready") or {}
            since = instant(ready.get("lastTransitionTime") or pod["metadata"]["creationTimestamp"]).timestamp()
            return (
                bool(node),
                _PHASES.get(phase(pod), 2),
                is_ready(pod),
                int((pod["metadata"].get("annotations") or {}).get(_COST, 0)),
                -on_node[node],
                -since if is_ready(pod) else 0.0,
                -instant(pod["metadata"]["creationTimestamp"]).timestamp(),
                uid_of(pod),
            )

        return sorted(active, key=rank)

    def _related(self, owner: Json) -> list[Json]:
        """Return the pods of all ReplicaSets of the same owner."""
        namespace = owner["metadata"]["namespace"]
        above = controller_of(owner)
        family = {uid_of(owner)}
        if above is not None:
            family |= {
                uid_of(its)
                for its in self.model.all(self.kind, namespace)
                if (reference := controller_of(its)) and reference["uid"] == above["uid"]
            }
        return [
            pod
            for pod in self.model.all(kinds.PODS, namespace)
            if is_active(pod) and (reference := controller_of(pod)) and reference["uid"] in family
        ]

    def _write_status(self, owner: Json, active: list[Json], terminating: int, failure: RefusalError | None) -> None:
        now, spec = self.model.now(), owner["spec"]
        least = spec.get("minReadySeconds", 0)
        template = (spec["template"].get("metadata") or {}).get("labels") or {}
        status: Json = {
            "replicas": len(active),
            **counts(
                fullyLabeledReplicas=sum(template.items() <= labels_of(pod).items() for pod in active),
                readyReplicas=sum(is_ready(pod) for pod in active),
                availableReplicas=sum(is_available(pod, least, now) for pod in active),
                observedGeneration=owner["metadata"].get("generation", 0),
            ),
        }
        if self.kind is kinds.REPLICA_SETS:
            status["terminatingReplicas"] = terminating
        if failure is not None:
            # The first failure stands until none is: one that was told anew each time would make it try again at once.
            told = {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": failure.message,
                "lastTransitionTime": self.context.now,
            }
            status["conditions"] = [condition(owner, "ReplicaFailure") or told]
        try:
            self.model.set_status(self.kind, owner, status)
        except RefusalError as refusal:
            if refusal.code != 404:
                raise
        waits = [left for pod in active if (left := available_in(pod, least, now)) and left > timedelta(0)]
        if waits:
            key = owner["metadata"]["namespace"], owner["metadata"]["name"]
            self.queue.add_after(key, min(waits).total_seconds() + 0.001)


class ReplicationControllers(ReplicaSets):
    """Keeps as many pods as each ReplicationController wants; its selector is a plain map."""

    watches = (kinds.REPLICATION_CONTROLLERS, kinds.PODS)
    kind: Resource = kinds.REPLICATION_CONTROLLERS

    def __init__(self, context: Context) -> None:
        super().__init__(context)

    def selector_of(self, owner: Json) -> Callable[[dict[str, str]], bool]:
        """Return what a ReplicationController selects."""
        return of_selector({"matchLabels": owner["spec"].get("selector") or {}})
