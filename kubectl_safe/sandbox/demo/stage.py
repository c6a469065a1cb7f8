"""A cluster with two applications: one behind a load balancer with readiness gates, one behind a Service only."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kubectl_safe.sandbox.api import Api
from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.capacity import SKEW_SECONDS
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.demo.commands import Commands, Say
from kubectl_safe.sandbox.demo.settings import GATE_POLL_SECONDS, LAG_SECONDS, Settings
from kubectl_safe.sandbox.informer import Object
from kubectl_safe.sandbox.rig import Rig, RigSettings
from kubectl_safe.sandbox.traffic import Way

NAMESPACE = "shop"

_LOOK_SECONDS = 0.05
# Half of the pods at once: a restart takes two rounds, however many pods there are.
_STRATEGY = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "50%", "maxUnavailable": "25%"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A cluster on which both applications are in service."""

    rig: Rig
    applications: tuple[Application, ...]
    commands: Commands
    directory: Path
    """Files that go with the cluster."""

    @property
    def api(self) -> Api:
        """A client of the cluster with all rights."""
        return self.rig.api

    async def run(self, command: Sequence[str], say: Say, **variables: str) -> None:
        """Run a command that sees this cluster, with further variables in its environment, to its end.

        Raises:
            DemoFailedError: it did not end well.
        """
        await self.commands.run(command, self.environment | variables, say)

    @property
    def environment(self) -> dict[str, str]:
        """The environment for a command that is to see this cluster only, and leaves nothing in the home directory."""
        return self.rig.environment() | {"KUBECACHEDIR": str(self.directory / "kubectl"), "KUBERC": "off"}

    @property
    def workloads(self) -> list[str]:
        """The Deployments, as commands name them."""
        return [f"deployment/{application.name}" for application in self.applications]

    def ways(self) -> list[Way]:
        """Return every way in to every application."""
        return [way for deployed in self.rig.deployed.values() for way in deployed.ways]

    async def objects(self) -> dict[str, list[Object]]:
        """Return all that the cluster has, as it is now, by the plural of its kind."""
        watched = self.rig.controller
        found = {
            "pods": watched.pods.objects,
            "services": watched.services.objects,
            "endpointslices": watched.slices.objects,
            "targetgroupbindings": watched.bindings.objects,
            "nodes": watched.nodes.objects,
        }
        apps = {kind: (await self.api.get(f"/apis/apps/v1/{kind}"))["items"] for kind in ("replicasets", "deployments")}
        return {kind: list(objects.values()) for kind, objects in found.items()} | apps

    def targets(self) -> list[tuple[str, str, int, str, str]]:
        """Return all targets: their group's ARN, address, port, state and reason."""
        return [
            (group.arn, target.id, target.port, registration.health.state, registration.health.reason)
            for group in self.rig.elbv2.groups.values()
            for target, registration in group.targets.items()
        ]

    def in_service(self) -> dict[str, int]:
        """Return how many pods of each application are in service now."""
        return {a.name: self.rig.capacity.now(a.namespace, a.labels) for a in self.applications}

    def lowest(self, since: float, until: float | None) -> dict[str, int]:
        """Return the fewest pods of each application that were in service between two moments of `time.time()`."""
        lowest = partial(self.rig.capacity.lowest, since=since, until=until, shortest=SKEW_SECONDS)
        return {its.name: lowest(its.namespace, its.labels) for its in self.applications}

    async def at_full_strength(self) -> None:
        """Wait until every application has all its pods in service."""
        while any(self.in_service()[a.name] < a.replicas for a in self.applications):
            self.rig.check()
            await asyncio.sleep(_LOOK_SECONDS)

    async def settled(self) -> None:
        """Wait until every application has all its pods in service, as soon as the controller can be made to look."""
        for application in self.applications:
            await self.rig.ready(application.namespace, application.name)

    def fullest_node(self) -> str:
        """Return the node with the most pods of the first application, and then of all; the first of several."""
        first = self.applications[0].labels
        pods = self.rig.controller.pods.of(NAMESPACE)
        everything = Counter(_node(pod) for pod in pods)
        firsts = Counter(_node(pod) for pod in pods if first.items() <= pod["metadata"]["labels"].items())
        return max(self.rig.nodes.names, key=lambda name: (firsts[name], everything[name]))

    async def uncordon(self, node: str) -> None:
        """Let pods come to a node again."""
        await self.api.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": None}}, kind="merge-patch")


@asynccontextmanager
async def open_stage(settings: Settings, commands: Commands, name: str) -> AsyncGenerator[Stage, None]:
    """Start a cluster and deploy the applications, whose pods are not waited for; all of it goes at the end.

    Args:
        settings: sizes and seed.
        commands: runs what is tried on it.
        name: tells its files from another stage's.
    """
    nodes = [f"node-{_letters(number)}" for number in range(settings.nodes)]
    directory = commands.directory / name
    directory.mkdir()
    control_plane = EmbeddedControlPlane(directory=directory, seed=settings.seed)
    rig_settings = RigSettings(nodes=nodes, gate_poll=GATE_POLL_SECONDS, lag=LAG_SECONDS, seed=settings.seed)
    async with control_plane, Rig(control_plane, rig_settings) as rig:
        await rig.show_webhook()
        applications = _applications(settings)
        for application in applications:
            await rig.deploy(application)
        yield Stage(rig=rig, applications=applications, commands=commands, directory=directory)


def _applications(settings: Settings) -> tuple[Application, ...]:
    web = Application(
        namespace=NAMESPACE,
        name="web",
        replicas=settings.pods,
        is_load_balanced=True,
        deregistration_delay=settings.deregistration_delay,
        strategy=_STRATEGY,
    )
    return web, Application(namespace=NAMESPACE, name="api", replicas=settings.pods, strategy=_STRATEGY)


def _node(pod: Object) -> str:
    return str(pod["spec"].get("nodeName", ""))


def _letters(number: int) -> str:
    """Return a, b, ... z, aa, ab, ..."""
    first, last = divmod(number, 26)
    return (_letters(first - 1) if first else "") + chr(ord("a") + last)
