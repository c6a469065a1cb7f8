"""The ways in to applications: what kube-proxies and DNS lead through Services, and the load balancers."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, aclosing
from typing import Any, Protocol

from kubectl_safe.sandbox import applications, targetgroupbinding
from kubectl_safe.sandbox.api import Api
from kubectl_safe.sandbox.application import Application, Balanced
from kubectl_safe.sandbox.elbv2 import Elbv2, Target, TargetGroup
from kubectl_safe.sandbox.loadbalancer import LoadBalancer
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.node import Nodes
from kubectl_safe.sandbox.pod import TARGET_HEALTH_PATH, PodServer
from kubectl_safe.sandbox.serviceproxy import ServiceProxy

ELSEWHERE = "10.99.0.2"
"""The address of a pod of another cluster, in groups that are shared."""


class Settings(Protocol):
    """How late clients learn of endpoints, in seconds, and the seed of all chance; `RigSettings` has it."""

    @property
    def lag(self) -> tuple[float, float]:
        """That of kube-proxies."""

    @property
    def dns_lag(self) -> tuple[float, float]:
        """That of clients of headless Services."""

    @property
    def seed(self) -> int:
        """The seed."""


class WaysIn:
    """Opens them.

    Args:
        api: the API server.
        elbv2: where target groups are.
        network: leads to pods.
        nodes: whose ports are opened.
        settings: of the rig.
        begin: runs an actor for as long as the rig lasts.
        stack: ends with the rig.
    """

    def __init__(
        self,
        api: Api,
        elbv2: Elbv2,
        network: PodNetwork,
        nodes: Nodes,
        settings: Settings,
        *,
        begin: Callable[[Coroutine[Any, Any, None]], None],
        stack: AsyncExitStack,
    ) -> None:
        self._api = api
        self._elbv2 = elbv2
        self._network = network
        self._nodes = nodes
        self._settings = settings
        self._begin = begin
        self._stack = stack

    async def open_node_ports(self, application: Application) -> None:
        """Have the kube-proxy of each node lead from a port of its own to the pods, each with a lag of its own."""
        service = await self._api.get(f"/api/v1/namespaces/{application.namespace}/services/{application.name}")
        for number, node in enumerate(self._nodes.names, 1):
            proxy = await self.lead_to(application, application.name, number)
            port = service["spec"]["ports"][0]["nodePort"]
            self._network.open_node_port(self._nodes.instance(node), port, proxy.choose)

    async def lead_to(self, application: Application, service: str, number: int = 0) -> ServiceProxy:
        """Start the clients' side of a Service; those of one Service have different numbers."""
        spec = application.services.get(service, application.service_spec)
        is_headless = spec.get("clusterIP") == "None"
        proxy = ServiceProxy(
            self._api,
            self._network,
            namespace=application.namespace,
            service=service,
            lag=self._settings.dns_lag if is_headless else self._settings.lag,
            seed=self._settings.seed + number,
        )
        self._begin(proxy.run())
        await proxy.synced.wait()
        return proxy

    async def balance(self, application: Application, its: Balanced) -> tuple[TargetGroup, LoadBalancer]:
        """Put a load balancer in front of an application, and wait until the controller knows of it."""
        if its.role:
            self._elbv2.roles[its.role] = its.external_id
        group = self._elbv2.add(
            TargetGroup(
                name=applications.group_name(application, its),
                port=its.pod_port,
                target_type=application.targets,
                protocol=its.protocol,
                attributes=dict(its.attributes),
                crosses_zones=its.crosses_zones,
                region=its.region,
                account=its.account,
                deregistration_delay=application.deregistration_delay,
                interval=application.health_interval,
                health_path=TARGET_HEALTH_PATH,
            )
        )
        if its.is_shared:
            await self._share(group)
        path = targetgroupbinding.collection(application.namespace, its.api)
        await self._api.create(path, applications.target_group_binding(application, group.arn, its))
        balancer = await self._stack.enter_async_context(
            LoadBalancer(self._elbv2, group.arn, self._network, seed=self._settings.seed)
        )
        watch = self._api.watch(path, fieldSelector=f"metadata.name={applications.binding_name(application, its)}")
        async with aclosing(watch) as events:
            async for event in events:
                if event.object.get("status"):
                    break
        return group, balancer

    async def _share(self, group: TargetGroup) -> None:
        """Have another cluster register a pod of its own in a group, which serves as long as the rig does."""
        server = PodServer("elsewhere")
        address = await server.start()
        self._stack.callback(server.kill)
        self._network.attach(ELSEWHERE, group.port, address)
        self._elbv2.register(group.arn, [Target(ELSEWHERE, group.port)], caller="another-cluster")
