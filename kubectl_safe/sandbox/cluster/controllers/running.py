"""All controllers of a cluster, fed with its changes."""

from kubectl_safe.sandbox.cluster.controllers.base import Controller
from kubectl_safe.sandbox.cluster.controllers.daemonset import DaemonSets
from kubectl_safe.sandbox.cluster.controllers.deployment import Deployments
from kubectl_safe.sandbox.cluster.controllers.disruption import Budgets
from kubectl_safe.sandbox.cluster.controllers.endpointslice import EndpointSlices
from kubectl_safe.sandbox.cluster.controllers.garbage import GarbageCollector
from kubectl_safe.sandbox.cluster.controllers.job import Jobs, PodCollector
from kubectl_safe.sandbox.cluster.controllers.namespace import Namespaces
from kubectl_safe.sandbox.cluster.controllers.nodelifecycle import NodeLifecycle, TaintEviction
from kubectl_safe.sandbox.cluster.controllers.queue import Context
from kubectl_safe.sandbox.cluster.controllers.replicaset import ReplicaSets, ReplicationControllers
from kubectl_safe.sandbox.cluster.controllers.scheduler import Scheduler
from kubectl_safe.sandbox.cluster.controllers.statefulset import StatefulSets
from kubectl_safe.sandbox.cluster.store import Change

ALL: tuple[type[Controller], ...] = (
    Budgets,
    DaemonSets,
    Deployments,
    EndpointSlices,
    GarbageCollector,
    Jobs,
    Namespaces,
    NodeLifecycle,
    PodCollector,
    ReplicaSets,
    ReplicationControllers,
    Scheduler,
    StatefulSets,
    TaintEviction,
)


class Controllers:
    """Runs controllers from when it is made until `close`."""

    def __init__(self, context: Context, kinds: tuple[type[Controller], ...] = ALL) -> None:
        self._context = context
        self._controllers = [kind(context) for kind in kinds]
        for resource in context.model.resources:
            for subject in context.model.all(resource):
                self._changed(Change(0, "ADDED", resource, subject, None))
        context.model.store.listeners.append(self._changed)

    def close(self) -> None:
        """Let them do nothing more."""
        self._context.model.store.listeners.remove(self._changed)
        for controller in self._controllers:
            controller.queue.close()

    def _changed(self, change: Change) -> None:
        for controller in self._controllers:
            # Those that name no resource watch all of them.
            if not controller.watches or change.resource in controller.watches:
                controller.changed(change)
