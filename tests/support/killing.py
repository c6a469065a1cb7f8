"""The moments of a run at which it is killed, as the rig sees them, never as the tool tells them."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.endpoints import is_true
from kubectl_safe.sandbox.informer import Informer
from tests.support.loop import eventually
from tests.support.stage import NAMESPACE, Stage

HANDOFF = "kubectl-safe/handoff"
OPERATION = "kubectl-safe/operation"
SOON = 0.3
"""How many seconds before an eviction is due the run is killed: later than the last look at which it is not due."""

_LOOK_SECONDS = 0.002


@dataclass(kw_only=True)
class Watched:
    """What a moment is told from: the rig's own copies of nodes, pods and ReplicaSets, and the pods' histories."""

    stage: Stage
    settle_seconds: float
    replica_sets: Informer
    before: frozenset[str] = field(init=False)
    """UIDs of the pods that were there before the run."""

    def __post_init__(self) -> None:
        self.before = frozenset(pod["metadata"]["uid"] for pod in self.pods)

    @property
    def pods(self) -> list[dict[str, Any]]:
        """All pods of the applications, as they are."""
        return self.stage.rig.controller.pods.of(NAMESPACE)

    @property
    def histories(self) -> list[PodHistory]:
        """All pods that the applications ever had."""
        return [pod for application in self.stage.applications for pod in self.stage.pods(application)]

    def on(self, node: str) -> frozenset[str]:
        """Return the names of the pods on a node."""
        return frozenset(pod["metadata"]["name"] for pod in self.pods if pod["spec"].get("nodeName") == node)

    def begin(self) -> None:
        """Follow the ReplicaSets too, which no actor of the rig does."""
        self.stage.loop.spawn(self.replica_sets.run())
        self.stage.wait_until(self.replica_sets.synced.is_set, what="the ReplicaSets")


Moment = Callable[[Watched], bool]


def watched(stage: Stage, *, settle_seconds: float) -> Watched:
    """Begin to watch a stage on which everything is deployed."""
    it = Watched(
        stage=stage, settle_seconds=settle_seconds, replica_sets=Informer(stage.rig.api, "/apis/apps/v1/replicasets")
    )
    it.begin()
    return it


def is_cordoned(it: Watched) -> bool:
    """A node has been marked unschedulable."""
    return any(node["spec"].get("unschedulable") for node in it.stage.rig.controller.nodes.objects.values())


def is_recorded(it: Watched) -> bool:
    """An operation record has been written."""
    sets = it.replica_sets.objects.values()
    return any(OPERATION in (its["metadata"].get("annotations") or {}) for its in sets)


def is_released(it: Watched) -> bool:
    """A pod has been released."""
    return any(HANDOFF in (pod["metadata"].get("annotations") or {}) for pod in it.pods)


def is_replaced(it: Watched) -> bool:
    """A pod that was not there before is Ready, its gates included."""
    return any(pod["metadata"]["uid"] not in it.before and is_true(pod, "Ready") for pod in it.pods)


def is_withdrawn(it: Watched) -> bool:
    """A pod has been withdrawn."""
    return any(pod.withdrawn is not None for pod in it.histories)


def is_about_to_be_evicted(it: Watched) -> bool:
    """A withdrawn pod has all but settled."""
    due = time.time() + SOON - it.settle_seconds
    return any(pod.withdrawn is not None and pod.unlisted is not None and pod.unlisted <= due for pod in it.histories)


def is_evicted(it: Watched) -> bool:
    """A pod is terminating."""
    return any(pod.terminating is not None for pod in it.histories)


def is_all_evicted(it: Watched) -> bool:
    """Every pod that was there before is terminating, or gone."""
    return all(pod.terminating is not None for pod in it.histories if pod.uid in it.before)


def kill_when(moment: Moment, it: Watched, pid: int) -> None:
    """SIGKILL a process in the very turn of the loop in which the moment is seen."""

    async def kill() -> None:
        await eventually(lambda: moment(it), seconds=60, every=_LOOK_SECONDS, what=moment.__name__)
        os.kill(pid, signal.SIGKILL)

    it.stage.loop.call(kill())
