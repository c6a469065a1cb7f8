"""A rig on a control plane of its own, and pods behind target groups without one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.elbv2 import HEALTHY, Elbv2, Target, TargetGroup
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.pod import PodServer
from kubectl_safe.sandbox.rig import Rig, RigSettings
from tests.support.loop import eventually

PORT = 8080


@asynccontextmanager
async def a_rig(binaries: Path, settings: RigSettings | None = None) -> AsyncIterator[Rig]:
    """Run a rig with its control plane."""
    async with ControlPlane(binaries) as control_plane, Rig(control_plane, settings) as rig:
        yield rig


class Targets:
    """Pod servers on loopback and one target group, without any Kubernetes."""

    def __init__(self, network: PodNetwork, elbv2: Elbv2, group: TargetGroup) -> None:
        self.network = network
        self.elbv2 = elbv2
        self.group = group
        self.servers: dict[Target, PodServer] = {}

    async def start(self, number: int) -> Target:
        """Start the server of the target with a number, which is not registered yet."""
        target = Target(f"10.244.0.{number}", PORT)
        server = self.servers[target] = PodServer(f"web-{number}")
        self.network.attach(target.id, target.port, await server.start())
        return target

    def kill(self, target: Target) -> None:
        """End a server at once: what is open is reset, what comes is refused."""
        self.network.detach(target.id)
        self.servers[target].kill()

    def health(self, target: Target) -> tuple[str, str]:
        """Return a target's state and reason, asked for by name."""
        [(_target, health)] = self.elbv2.describe_target_health(self.group.arn, [target], caller="test")
        return health.state, health.reason

    async def register(self, *targets: Target) -> None:
        """Register targets and wait until they are healthy."""
        self.elbv2.register(self.group.arn, targets, caller="test")
        await eventually(
            lambda: all(self.health(target)[0] == HEALTHY.state for target in targets), what=f"health of {targets}"
        )


@asynccontextmanager
async def some_targets(count: int, **group: float) -> AsyncIterator[Targets]:
    """Run a target group with so many healthy targets."""
    network = PodNetwork()
    elbv2 = Elbv2(network)
    settings: dict[str, float] = {"interval": 0.05, "deregistration_delay": 2.0, **group}
    targets = Targets(network, elbv2, elbv2.add(TargetGroup(name="web", **settings)))  # type: ignore[arg-type]
    running = asyncio.create_task(elbv2.run())
    await asyncio.sleep(0)
    try:
        await targets.register(*[await targets.start(number) for number in range(2, count + 2)])
        yield targets
    finally:
        running.cancel()
        await asyncio.wait([running])
        for target in targets.servers:
            targets.kill(target)
        await asyncio.gather(*(server.wait_exited() for server in targets.servers.values()))
        if not running.cancelled():
            running.result()
