"""A whole sandbox cluster: a control plane with nodes, load balancing and its controller, and the ways in.

An actor that fails ends the rig with its error: nothing goes on beside a part that is missing.
"""

import asyncio
import os
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Self, cast

from kubectl_safe.sandbox import applications, targetgroupbinding, webhook
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.application import HASH, Application
from kubectl_safe.sandbox.capacity import Capacity
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.controller import Controller
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.deployed import Deployed
from kubectl_safe.sandbox.elbv2 import REGION, Elbv2
from kubectl_safe.sandbox.elbv2_api import Elbv2Api
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.node import Nodes
from kubectl_safe.sandbox.serviceproxy import LAG_SECONDS
from kubectl_safe.sandbox.ways_in import WaysIn
from kubectl_safe.sandbox.webhook import Webhook

ACCESS_KEY = "sandbox"

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_WEBHOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_NAMESPACES = "/api/v1/namespaces"
_PROBE_NAMESPACE = "sandbox-webhook-probe"
_POLL_SECONDS = 0.05
_LOOK_SECONDS = 0.25
_START_SECONDS = 60.0
_EXISTS = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class RigSettings:
    """What a rig is like; times are in seconds."""

    nodes: Sequence[str] = ("node-a", "node-b", "node-c")
    gate_poll: float = 15.0
    lag: tuple[float, float] = LAG_SECONDS
    dns_lag: tuple[float, float] = LAG_SECONDS
    """That of clients of headless Services, which keep the answers of the DNS for as long as these may be kept."""
    renews: float = 0.0
    """Every how many seconds each node renews its Lease; 0 where nobody looks at these."""
    seed: int = 0
    binding_groups: Sequence[str] = (targetgroupbinding.GROUP,)
    """The API groups that have TargetGroupBindings."""


class Rig:
    """All actors on a control plane, as an async context manager."""

    def __init__(self, control_plane: ControlPlane | EmbeddedControlPlane, settings: RigSettings | None = None) -> None:
        # Either has what a rig asks for; who asks for more (a certificate, say) has chosen the one with processes.
        self.control_plane = cast("ControlPlane", control_plane)
        self.settings = settings or RigSettings()
        self.network = PodNetwork()
        self.elbv2 = Elbv2(self.network)
        self.api: Api
        self.nodes: Nodes
        self.controller: Controller
        self.webhook: Webhook
        self.capacity: Capacity
        self.elbv2_api = Elbv2Api(self.elbv2)
        self.deployed: dict[tuple[str, str], Deployed] = {}
        self._ways_in: WaysIn
        self._stack = AsyncExitStack()
        self._actors: asyncio.TaskGroup
        self._running: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()
        self._ready = asyncio.Event()
        self._host: asyncio.Task[None] | None = None
        self._owner: asyncio.Task[Any] | None = None

    async def __aenter__(self) -> Self:
        # A task of its own, because whoever enters a rig need not be the task that leaves it.
        self._host = asyncio.create_task(self._run())
        ready = asyncio.create_task(self._ready.wait())
        try:
            await asyncio.wait([self._host, ready], return_when=asyncio.FIRST_COMPLETED)
        except BaseException:
            self._host.cancel()
            await asyncio.wait([self._host])
            raise
        finally:
            ready.cancel()
        if self._host.done():
            self._host.result()
        self._owner = asyncio.current_task()
        self._host.add_done_callback(self._failed)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._host is None:
            return
        has_failed = self._host.done()
        self._stopping.set()
        await asyncio.wait([self._host])
        if has_failed and kind is asyncio.CancelledError and self._owner is not None:
            self._owner.uncancel()
        self._host.result()

    async def deploy(self, application: Application, *, injects_gates: bool = True) -> Deployed:
        """Create an application, its namespace where that is missing, and the ways in to it.

        It does not wait for the pods: `ready` does.
        """
        namespace = application.namespace
        await self._ensure(_NAMESPACES, applications.namespace(namespace, injects_gates=injects_gates))
        services = f"{_NAMESPACES}/{namespace}/services"
        if application.is_served:
            await self.api.create(services, applications.service(application))
        balanced = application.balanced if application.is_load_balanced else ()
        own = [its for its in balanced if not its.service]
        groups = {its.name: await self._ways_in.balance(application, its) for its in own}
        if application.kind == "StatefulSet":
            self.capacity.governing.add((namespace, application.governing_service))
            await self.api.create(services, applications.governing_service(application))
        if application.access_mode:
            volume, claim = applications.volume(application)
            await self.api.create("/api/v1/persistentvolumes", volume)
            await self.api.create(f"{_NAMESPACES}/{namespace}/persistentvolumeclaims", claim)
        await self.api.create(applications.collection(application), applications.workload(application))
        for stray in applications.strays(application):
            await self.api.create(f"{_NAMESPACES}/{namespace}/pods", stray)
        template_hash = await self._hash_of(application)
        for name in application.services:
            await self.api.create(services, applications.further_service(application, name, template_hash))
        groups |= {its.name: await self._ways_in.balance(application, its) for its in balanced if its.service}
        names = [*([application.name] if application.is_served else []), *application.services]
        proxies = {name: await self._ways_in.lead_to(application, name) for name in names}
        if application.targets == "instance":
            await self._ways_in.open_node_ports(application)
        deployed = Deployed(application=application, proxies=proxies, groups=groups)
        self.deployed[namespace, application.name] = deployed
        return deployed

    async def stop_controller(self, seconds: float) -> None:
        """Have no replica of the load balancer controller for so many seconds, and return once there is a leader again.

        Nothing is reconciled meanwhile, and as its webhook can't be called, pods start without gates. A mere change of
        the leader, `controller.restart_leader`, leaves the webhook to the other replicas.
        """
        self.webhook.is_failing = True
        try:
            await self.controller.restart_leader(pause=seconds)
        finally:
            self.webhook.is_failing = False

    async def ready(self, namespace: str, name: str, *, within: float = 60.0) -> None:
        """Wait until all replicas of an application are in service and its proxies know them.

        The controller is made to look at healthy targets at once, because a setting-up need not take its poll.
        """
        deployed = self.deployed[namespace, name]
        application = deployed.application
        async with asyncio.timeout(within):
            while (
                self.capacity.now(namespace, application.labels) < application.replicas
                or any(len(proxy.ready()) < application.replicas for proxy in deployed.proxies.values())
                or not deployed.are_nodes_healthy
            ):
                self.check()
                for balanced in application.balanced:
                    self.controller.look(namespace, applications.binding_name(application, balanced))
                await asyncio.sleep(_LOOK_SECONDS)

    def check(self) -> None:
        """Raise the error of an actor that has failed: whoever waits in another task asks this."""
        if self._host is not None and self._host.done():
            self._host.result()

    def environment(self) -> dict[str, str]:
        """Return the environment for a process that is to see this cluster and this AWS account, and no other."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("AWS_") and name not in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "KUBECONFIG")
        }
        return inherited | {
            "KUBECONFIG": str(self.control_plane.kubeconfig),
            "AWS_ENDPOINT_URL": self.elbv2_api.url,
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": self.elbv2_api.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def _failed(self, host: "asyncio.Task[None]") -> None:
        """Stop whoever uses the rig, unless it is already being left."""
        if not self._stopping.is_set() and not host.cancelled() and self._owner is not None:
            self._owner.cancel()

    async def _run(self) -> None:
        """Run all actors until the rig is left."""
        async with self._stack, asyncio.TaskGroup() as self._actors:
            async with asyncio.timeout(_START_SECONDS):
                await self._start()
            self._ready.set()
            await self._stopping.wait()
            for actor in self._running:
                actor.cancel()

    def _begin(self, actor: Coroutine[Any, Any, None]) -> None:
        self._running.append(self._actors.create_task(actor))

    async def _start(self) -> None:
        control_plane = self.control_plane
        self.api = await self._stack.enter_async_context(control_plane.api())
        await self._stack.enter_async_context(self.elbv2_api)
        self.nodes = Nodes(self.api, self.network, self.settings.nodes, renews=self.settings.renews)
        self._ways_in = WaysIn(
            self.api, self.elbv2, self.network, self.nodes, self.settings, begin=self._begin, stack=self._stack
        )
        self.controller = Controller(
            self.api, self.elbv2, gate_poll=self.settings.gate_poll, binding_groups=self.settings.binding_groups
        )
        self.capacity = Capacity(self.controller, self.elbv2, self.network)
        for group in self.settings.binding_groups:
            await self._ensure(_CRDS, targetgroupbinding.definition(group))
        for actor in (self.elbv2, self.nodes, self.controller):
            self._begin(actor.run())
        await self.controller.leading()
        if isinstance(control_plane, EmbeddedControlPlane):
            self.webhook = Webhook(self.controller, None)
            control_plane.admit_pods_through(self.webhook.mutate)
            return
        self.webhook = await self._stack.enter_async_context(
            Webhook(self.controller, control_plane.issue_certificate("webhook"))
        )
        await self._ensure(_WEBHOOKS, webhook.configuration(webhook.at_url(self.webhook.url, control_plane.ca_file)))
        await self._await_webhook()

    async def show_webhook(self) -> None:
        """Have the embedded control plane tell of the webhook as of a chart's: for who looks at how it is set up."""
        await self._ensure(_NAMESPACES, applications.namespace(webhook.NAMESPACE))
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{webhook.NAMESPACE}/endpointslices"
        await self._ensure(slices, webhook.served())
        await self._ensure(_WEBHOOKS, webhook.configuration(webhook.at_service()))

    async def _await_webhook(self) -> None:
        """Wait until the API server asks the webhook, which it does some time after it accepts its configuration."""
        await self._ensure(_NAMESPACES, applications.namespace(_PROBE_NAMESPACE))
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "probe"},
            "spec": {"containers": [{"name": "probe", "image": "sandbox.invalid/probe:1"}]},
        }
        while not self.webhook.reviews:
            await self.api.create(f"{_NAMESPACES}/{_PROBE_NAMESPACE}/pods", pod, dryRun="All")
            await asyncio.sleep(_POLL_SECONDS)
        await self.api.delete(f"{_NAMESPACES}/{_PROBE_NAMESPACE}")

    async def _hash_of(self, application: Application) -> str:
        """Return the hash of a Deployment's ReplicaSet, once that is there, where a Service selects by it."""
        if not any(HASH in spec.get("selector", {}) for spec in application.services.values()):
            return ""
        path = f"/apis/apps/v1/namespaces/{application.namespace}/replicasets"
        async with aclosing(self.api.watch(path, labelSelector=f"app={application.name}")) as events:
            async for event in events:
                if event.type != "SYNCED":
                    return str(event.object["metadata"]["labels"][HASH])
        raise AssertionError("a watch has no end")

    async def _ensure(self, path: str, body: dict[str, Any]) -> None:
        try:
            await self.api.create(path, body)
        except ApiError as error:
            if error.status != _EXISTS:
                raise
