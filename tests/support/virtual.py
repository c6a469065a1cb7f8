"""kubectl-safe in virtual time: its own run, on the embedded cluster, with the sandbox's nodes and target groups.

Nothing of the tool is replaced but threads: what it waits for is what lets time pass.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Self, cast

from kubectl_safe.kube.actuator import Actuator
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.session import Audience, Session
from kubectl_safe.run.target_groups import FirstAnswers
from kubectl_safe.run.terms import Terms
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.cluster.virtual import VirtualLoop
from kubectl_safe.sandbox.rig import Rig, RigSettings

if TYPE_CHECKING:
    from kubectl_safe.kube.client import Client

from tests.support.virtual_views import Kill, VirtualClient, VirtualCluster, VirtualPoller, VirtualSignal


class VirtualSession(Session):
    """A run's session whose connections are in process."""

    def connected(self, stage: "VirtualStage") -> Self:
        self._stage = stage
        return self

    def __enter__(self) -> Self:
        self._signal = signal = VirtualSignal(self._stage.loop)
        cluster = VirtualCluster(self.client, namespace=self.namespace, signal=signal, with_nodes=not self.namespace)
        self._open.enter_context(cluster)
        self.observer = Observer(cluster, now=self.now)
        self.hands = Actuator(self.client, cluster, now=self.now, grace_period=self.terms.grace_period)
        return self

    def _connect_to_aws(self) -> FirstAnswers:
        stage = self._stage
        poller = VirtualPoller(stage.rig.elbv2, stage.loop, self._signal, stage.random)
        self.observer.target_health = poller
        return FirstAnswers(
            settings=poller,
            health=poller,
            observer=self.observer,
            signal=self._signal,
            warn=self.audience.warn,
            now=self.now,
        )


@dataclass(kw_only=True)
class VirtualStage:
    """A rig on the embedded cluster in virtual time."""

    loop: VirtualLoop
    control_plane: EmbeddedControlPlane
    rig: Rig
    random: Random

    def session(
        self, audience: Audience, *, namespace: str | None = None, kill: Kill | None = None, **terms: Any
    ) -> VirtualSession:
        """Return the session of a run, to be entered."""
        client = VirtualClient(loop=self.loop, control_plane=self.control_plane, random=self.random, kill=kill)
        return VirtualSession(
            client=cast("Client", client),
            namespace=namespace,
            terms=Terms(**terms),
            audience=audience,
            now=self.loop.now,
        ).connected(self)

    def until(self, is_so: Callable[[], bool], *, within: float, what: str) -> None:
        """Let time pass until something is so."""
        ends = self.loop.time() + within
        while not is_so():
            assert self.loop.time() < ends, f"{what} did not come within {within:g} s"
            self.loop.run(self.loop.time() + 0.1)


@contextmanager
def a_virtual_stage(seed: int, settings: RigSettings | None = None) -> Iterator[VirtualStage]:
    """Run a rig in virtual time; everything that is left to chance comes from the seed."""
    loop = VirtualLoop(seed)
    control_plane = EmbeddedControlPlane(seed=seed)
    rig = Rig(control_plane, settings or RigSettings(seed=seed))
    try:
        loop.finish(control_plane.__aenter__())
        loop.finish(rig.__aenter__())
        yield VirtualStage(loop=loop, control_plane=control_plane, rig=rig, random=Random(seed))
        loop.finish(rig.__aexit__(None, None, None))
        loop.finish(control_plane.__aexit__())
    finally:
        loop.wind_up()
