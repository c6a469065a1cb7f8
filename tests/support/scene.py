"""One application in a namespace of a test's own on a shared stage, with what a scenario asks and does about it."""

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from kubectl_safe.sandbox import applications
from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.capacity import PodHistory
from kubectl_safe.sandbox.endpoints import is_true
from tests.support.audit import Write
from tests.support.background import Background
from tests.support.loop import eventually
from tests.support.stage import OTHER_ADMIN, USER, Counted, Stage

SETTLE_SECONDS = 3.0
"""More than a proxy's lag; pods finish what they have when they are stopped."""

SETTLE = ("--settle", "3s")
RATE = 60.0
HANDOFF = "kubectl-safe/handoff"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An application on a stage; names of applications are unique on a stage, as ways in are told by them."""

    stage: Stage
    application: Application

    @property
    def namespace(self) -> str:
        """Where it is."""
        return self.application.namespace

    @property
    def name(self) -> str:
        """What its Deployment, Service and binding are called."""
        return self.application.name

    @property
    def restart(self) -> tuple[str, ...]:
        """The command that restarts it."""
        return ("rollout", "restart", f"deployment/{self.name}", "-n", self.namespace, *SETTLE)

    @contextmanager
    def traffic(self, rate: float = RATE) -> Iterator[Counted]:
        """Send requests to it alone, over every way in."""
        ways = [way.name for way in self.stage.ways() if way.host == self.name]
        with self.stage.traffic(rate=rate, ways=ways) as counted:
            yield counted

    def safe(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run `kubectl safe` to its end, whatever comes of it."""
        return self.stage.safe(*command, check=False)

    def safe_in_background(self, *command: str) -> AbstractContextManager[Background]:
        """Start `kubectl safe`."""
        return self.stage.safe_in_background(*command)

    def kubectl(self, *arguments: str, user: str = OTHER_ADMIN) -> str:
        """Run the real kubectl in its namespace, as somebody else than who runs `kubectl safe`."""
        stage = self.stage
        command = [str(stage.rig.control_plane.binaries / "kubectl"), *arguments, "-n", self.namespace]
        environment = stage.rig.environment() | {"KUBECONFIG": str(stage.rig.control_plane.kubeconfig_for(user))}
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=60, check=True).stdout

    @property
    def pods(self) -> list[dict[str, Any]]:
        """The pods of its namespace as the rig sees them now, those that are stopping too."""
        return self.stage.rig.controller.pods.of(self.namespace)

    @property
    def names(self) -> frozenset[str]:
        """The names of its pods that are not stopping."""
        return frozenset(p["metadata"]["name"] for p in self.pods if "deletionTimestamp" not in p["metadata"])

    @property
    def nodes(self) -> dict[str, str]:
        """The node of each of its pods."""
        return {pod["metadata"]["name"]: pod["spec"].get("nodeName", "") for pod in self.pods}

    def released(self) -> frozenset[str]:
        """Return the names of pods that are released, withdrawn ones among them."""
        return frozenset(
            pod["metadata"]["name"] for pod in self.pods if HANDOFF in (pod["metadata"].get("annotations") or {})
        )

    def withdrawn(self) -> frozenset[str]:
        """Return the names of all pods that ever were withdrawn."""
        return frozenset(pod.name for pod in self.histories if pod.withdrawn is not None)

    @property
    def ready(self) -> frozenset[str]:
        """The names of its pods that are Ready."""
        return frozenset(pod["metadata"]["name"] for pod in self.pods if is_true(pod, "Ready"))

    @property
    def histories(self) -> list[PodHistory]:
        """All pods that it ever had."""
        return self.stage.pods(self.application)

    def history(self, name: str) -> PodHistory:
        """Return what one pod went through."""
        return next(pod for pod in self.histories if pod.name == name)

    def await_strength(self) -> None:
        """Wait until all its replicas are in service."""
        self.stage.loop.call(self.stage.rig.ready(self.namespace, self.name))

    def protect(self, **allowed: int | str) -> None:
        """Put it under a disruption budget, and wait until that has counted its pods."""
        budgets = f"/apis/policy/v1/namespaces/{self.namespace}/poddisruptionbudgets"
        api = self.stage.rig.api
        self.stage.loop.call(api.create(budgets, applications.pod_disruption_budget(self.application, **allowed)))

        async def is_counted() -> bool:
            status = (await api.get(f"{budgets}/{self.name}")).get("status", {})
            return bool(status.get("currentHealthy") == self.application.replicas)

        self.stage.loop.call(eventually(is_counted, what="the budget's first count"))

    def writes(self, user: str = USER) -> list[Write]:
        """Return what a user wrote in its namespace in earnest, and was accepted."""
        return [
            w
            for w in self.stage.writes(user)
            if w.namespace == self.namespace and not w.is_dry_run and w.status < 300 and w.resource != "leases"
        ]

    def evicted(self, user: str = USER) -> Counter[str]:
        """Return how often each pod was evicted by a user."""
        return Counter(w.name for w in self.writes(user) if w.resource == "pods/eviction")


@contextmanager
def a_namespace(stage: Stage) -> Iterator[str]:
    """Have a namespace on a stage; what runs in it goes at the end."""
    name = f"test-{uuid4().hex[:8]}"
    stage.kubectl("create", "namespace", name)
    yield name
    stage.kubectl("delete", "deployments,replicasets,pods", "--all", "-n", name, "--wait=false")


def a_scene(stage: Stage, namespace: str, name: str, **changes: Any) -> Scene:
    """Deploy an application that is quick in everything, and wait until it is in service."""
    values: dict[str, Any] = {
        "replicas": 2,
        "is_load_balanced": False,
        "deregistration_delay": 4.0,
        "health_interval": 0.5,
        "start_delay": 0.3,
    }
    scene = Scene(stage=stage, application=Application(namespace=namespace, name=name, **values | changes))
    if scene.application.is_load_balanced:
        stage.kubectl("label", "namespace", namespace, "elbv2.k8s.aws/pod-readiness-gate-inject=enabled", "--overwrite")
    stage.loop.call(stage.rig.deploy(scene.application))
    scene.await_strength()
    return scene
