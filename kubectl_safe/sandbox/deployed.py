"""An application in the sandbox, and the ways in to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.elbv2 import HEALTHY, TargetGroup
from kubectl_safe.sandbox.exchange import Dial
from kubectl_safe.sandbox.loadbalancer import LoadBalancer
from kubectl_safe.sandbox.serviceproxy import ServiceProxy
from kubectl_safe.sandbox.traffic import Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """An application that was deployed, and what leads to it."""

    application: Application
    proxies: Mapping[str, ServiceProxy]
    """By the name of the Service."""
    groups: Mapping[str, tuple[TargetGroup, LoadBalancer]]
    """What is in front of it, by the names of `Balanced`."""

    @property
    def group(self) -> TargetGroup | None:
        """The first target group in front of it."""
        return next((group for group, _ in self.groups.values()), None)

    @property
    def balancer(self) -> LoadBalancer | None:
        """The first load balancer in front of it."""
        return next((balancer for _, balancer in self.groups.values()), None)

    @property
    def proxy(self) -> ServiceProxy:
        """The proxy of the Service of its name."""
        return self.proxies[self.application.name]

    @property
    def are_nodes_healthy(self) -> bool:
        """Whether all nodes that are its targets are healthy; so they are where it has none."""
        if self.group is None or self.application.targets != "instance":
            return True
        targets = self.group.targets.values()
        return bool(targets) and all(its.health == HEALTHY for its in targets if its.deregistered_at is None)

    @property
    def through_service(self) -> Way:
        """The way in through the Service of its name."""
        return self._through(self.application.name)

    @property
    def ways(self) -> list[Way]:
        """Every way in."""
        ways = [self._through(name) for name in self.proxies]
        return ways + [self._through_balancer(name, balancer) for name, (_, balancer) in self.groups.items()]

    def _through(self, service: str) -> Way:
        return Way(name=f"service/{service}", host=self.application.name, dial=self.proxies[service].dial)

    @property
    def through_load_balancer(self) -> Way:
        """The way in through the load balancer."""
        name, balancer = self.application.name, self.balancer
        if balancer is None:
            raise ValueError(f"application {name} is behind no load balancer: deploy it with is_load_balanced=True")
        return self._through_balancer("", balancer)

    def _through_balancer(self, which: str, balancer: LoadBalancer) -> Way:
        name = self.application.name
        called = f"{name}-{which}" if which else name
        return Way(name=f"loadbalancer/{called}", host=name, dial=lambda: Dial(balancer.address))
