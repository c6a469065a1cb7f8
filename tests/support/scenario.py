"""A scene: small applications in a namespace of their own, on a stage that other tests use too."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.traffic import Traffic
from tests.support.audit import Write
from tests.support.loop import eventually
from tests.support.stage import OTHER_ADMIN, USER, Counted, Stage

HANDOFF = "kubectl-safe/handoff"
NODE_NAMESPACE = "kube-node-lease"
SETTLE = "3s"
"""As long as the rig's proxies lag at most, and a second; the applications answer what they have at SIGTERM."""

_LOOK_SECONDS = 0.002

Moment = Callable[[], object]


@dataclass(kw_only=True)
class Scene:
    """What a test deployed, and what becomes of it."""

    stage: Stage
    namespace: str
    applications: list[Application] = field(default_factory=list)

    def deploy(self, *names: str, spec: dict[str, Any] | None = None, **changes: Any) -> None:
        """Deploy applications of these names and wait until they are in service; `spec` is for their Deployments."""
        values = {
            "replicas": 2,
            "start_delay": 0.3,
            "deregistration_delay": 2.0,
            "health_interval": 0.5,
            "grace_period": 10,
        }
        new = [Application(namespace=self.namespace, name=name, **{**values, **changes}) for name in names]
        for application in new:
            self.stage.loop.call(self.stage.rig.deploy(application))
            if spec:
                path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{application.name}"
                self.stage.loop.call(self.stage.rig.api.patch(path, {"spec": spec}))
        self.applications += new
        self.await_full_strength()

    def await_full_strength(self) -> None:
        """Wait until all replicas are in service."""
        for application in self.applications:
            self.stage.loop.call(self.stage.rig.ready(self.namespace, application.name))

    @contextmanager
    def traffic(self, rate: float = 60.0) -> Iterator[Counted]:
        """Send requests to these applications only, over every way in; none may be lost."""
        deployed = [self.stage.rig.deployed[self.namespace, its.name] for its in self.applications]
        ways = [way for its in deployed for way in its.ways]
        counted = Counted(began=time.time())
        with self.stage.loop.entered(Traffic(ways, rate=rate)) as running:
            yield counted
            self.stage.loop.call(running.stop())
        counted.report = running.report()
        counted.ended = time.time()
        assert counted.total
        assert not counted.lost, "\n".join(map(str, [counted, *counted.losses]))

    def restart(self, *names: str) -> tuple[str, ...]:
        """Return the command that restarts applications."""
        named = [f"deployment/{name}" for name in names or [its.name for its in self.applications]]
        return ("rollout", "restart", *named, "-n", self.namespace, "--settle", SETTLE)

    def drain(self, node: str) -> tuple[str, ...]:
        """Return the command that drains a node."""
        return ("drain", node, "--settle", SETTLE)

    def pods(self, name: str = "", *, node: str = "") -> list[dict[str, Any]]:
        """Return the pods that there are, of one application or of all, on one node or on all, in order of their age.

        One that is released or withdrawn is still its application's, though its labels say so no more.
        """
        ours = {its.uid: its for its in self.histories(name)}
        found = [pod for pod in self.stage.rig.controller.pods.of(self.namespace) if pod["metadata"]["uid"] in ours]
        found.sort(key=lambda pod: ours[pod["metadata"]["uid"]].first_seen)
        return [pod for pod in found if node in ("", pod["spec"].get("nodeName"))]

    def names(self, name: str = "", *, node: str = "") -> list[str]:
        """Return the names of these pods."""
        return [pod["metadata"]["name"] for pod in self.pods(name, node=node)]

    def busiest_node(self) -> str:
        """Return a node with as many of these pods as any."""
        return max(self.stage.rig.nodes.names, key=lambda node: len(self.pods(node=node)))

    def histories(self, name: str = "") -> list[PodHistory]:
        """Return all pods that there ever were, of one application or of all."""
        chosen = [its for its in self.applications if name in ("", its.name)]
        return [pod for its in chosen for pod in self.stage.rig.capacity.of(self.namespace, its.labels)]

    def is_cordoned(self, node: str) -> bool:
        """Tell whether a node is unschedulable, as the rig sees it now."""
        return bool(self.stage.rig.controller.nodes.objects["", node]["spec"].get("unschedulable"))

    def released(self, name: str = "") -> list[str]:
        """Return the names of the pods that bear the mark of a handoff and are not withdrawn."""
        withdrawn = {its.name for its in self.histories(name) if its.withdrawn is not None}
        marked = [p for p in self.pods(name) if HANDOFF in (p["metadata"].get("annotations") or {})]
        return [p["metadata"]["name"] for p in marked if p["metadata"]["name"] not in withdrawn]

    def withdrawn(self, name: str = "") -> list[str]:
        """Return the names of the pods that were withdrawn and still run."""
        return [its.name for its in self.histories(name) if its.withdrawn and not its.terminating]

    def stopping(self, name: str = "", *, seconds: float = 0.0) -> list[str]:
        """Return the names of the pods that are on their way out, for that long at least."""
        due = time.time() - seconds
        return [its.name for its in self.histories(name) if its.terminating and its.terminating <= due and not its.gone]

    def has_replacement(self, name: str, *, seconds: float = 0.0) -> bool:
        """Tell whether more pods of an application serve than it is to have, for that long at least."""
        [application] = [its for its in self.applications if its.name == name]
        due = time.time() - seconds
        serving = (its.service[-1] for its in self.histories(name) if its.service and not its.gone)
        return sum(serves and since <= due for since, serves in serving) > application.replicas

    def when(self, moment: Moment, act: Callable[[], None] = lambda: None, *, what: str) -> None:
        """Wait for a moment, and act in the very turn of the loop in which it is seen."""

        async def wait_and_act() -> None:
            await eventually(lambda: bool(moment()), seconds=60, every=_LOOK_SECONDS, what=what)
            act()

        self.stage.loop.call(wait_and_act())

    def signal_when(self, moment: Moment, pid: int, *numbers: signal.Signals, what: str = "the moment") -> None:
        """Send signals to a process in the very turn of the loop in which a moment is seen."""

        def send() -> None:
            for number in numbers:
                os.kill(pid, number)

        self.when(moment, send, what=what)

    def writes(self, user: str = USER) -> list[Write]:
        """Return what a user really wrote in this namespace."""
        return [
            w for w in self.stage.writes(user) if w.namespace == self.namespace and not w.is_dry_run and w.status < 300
        ]

    def evictions(self, *users: str) -> list[Write]:
        """Return the evictions that were accepted, by whomever or by these users, in their order."""
        chosen = users or (USER, OTHER_ADMIN)
        found = [w for user in chosen for w in self.writes(user) if w.resource == "pods/eviction"]
        return sorted(found, key=lambda write: write.at)

    def evicted(self, *users: str) -> list[str]:
        """Return the names of the pods whose eviction was accepted, once for each time."""
        return sorted(write.name for write in self.evictions(*users))

    def assert_handed_over(self, planned: Sequence[str], counted: Counted) -> None:
        """Each planned pod was evicted exactly once, by whomever, and no other; nothing that serves was missing."""
        assert self.evicted() == sorted(planned)
        self.assert_floor_held(counted)
        ended = {its.name for its in self.histories() if its.terminating}
        assert set(planned) <= ended

    def assert_floor_held(self, counted: Counted) -> None:
        """No application ever had fewer pods in service than it is to have."""
        for its in self.applications:
            assert self.stage.lowest(its, counted) >= its.replicas, its.name

    def leases(self) -> list[str]:
        """Return the Leases that runs hold here or on nodes."""
        listed = self.stage.loop.call(self.stage.rig.api.get("/apis/coordination.k8s.io/v1/leases"))["items"]
        here = (its["metadata"] for its in listed if its["metadata"]["namespace"] in (self.namespace, NODE_NAMESPACE))
        return [its["name"] for its in here if its["name"].startswith("kubectl-safe.")]

    def end(self) -> None:
        """Delete what runs, and have all nodes schedulable again."""
        kinds = "deployments,statefulsets,daemonsets,replicasets,replicationcontrollers,pods,leases"
        self.stage.kubectl("delete", kinds, "--all", "-n", self.namespace, "--wait=false", "--grace-period=1")
        self.stage.wait_until(
            lambda: not self.stage.rig.controller.pods.of(self.namespace), what=f"the end of {self.namespace}"
        )
        for node in self.stage.rig.nodes.names:
            self.stage.kubectl("uncordon", node)


@contextmanager
def _played(stage: Stage) -> Iterator[Scene]:
    it = Scene(stage=stage, namespace=f"test-{uuid4().hex[:8]}")
    yield it
    it.end()


def scene_on(stage: Stage) -> AbstractContextManager[Scene]:
    """Return a scene, which is taken down at its end."""
    return _played(stage)
