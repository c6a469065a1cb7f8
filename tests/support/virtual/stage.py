"""The sandbox in virtual time, and commands of the tool that run on it as processes of their own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.decide.rights import Needs
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.config import Login
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.clock import SteadyClock
from kubectl_safe.run.interruption import Interruption
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import Terms
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.cluster.virtual import VirtualLoop
from kubectl_safe.sandbox.rig import Rig, RigSettings
from tests.run.world import Heard
from tests.support.virtual.api_server import Door
from tests.support.virtual.aws import Elbv2Client
from tests.support.virtual.calls import Befalling
from tests.support.virtual.process import Process, current
from tests.support.virtual.wiring import wired

LONGEST_RUN = 4 * 3600.0
Command = Callable[[Session], None]


@dataclass(kw_only=True, eq=False)
class Running(Process):
    """A command of the tool that runs."""

    about: str
    """What it does: `drain`, say."""
    began: float
    """In seconds since the Unix epoch."""
    elbv2: Elbv2Client
    heard: Heard
    interruption: Interruption = field(default_factory=Interruption)

    @property
    def last_words(self) -> str:
        """What it warned of last, and what it waits for."""
        outcomes = self.heard.outcomes
        decisions = list(outcomes[-1].decisions.values()) if outcomes else []
        return f"{self.heard.warnings[-3:]}, {decisions}"


@dataclass
class _Audience(Heard):
    """Hears what a command says, and tells of each look that leads to something to be done."""

    befalling: Befalling = field(default_factory=Befalling)

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        super().looked(snapshot, outcome, progress)
        if outcome.actions:
            self.befalling.looked(current(), self.befalling.next())


@dataclass(kw_only=True)
class VirtualStage:
    """A rig on the embedded cluster in virtual time."""

    loop: VirtualLoop
    control_plane: EmbeddedControlPlane
    rig: Rig
    random: Random
    door: Door
    started: list[Running] = field(default_factory=list)
    """All commands, in the order in which they were started."""
    beside: list[Running] = field(default_factory=list)
    """Commands that others started in the middle of the one that is told of."""

    @property
    def befalling(self) -> Befalling:
        """What befalls the calls of commands."""
        return self.door.befalling

    def start(
        self, command: Command, *, needs: Needs, namespace: str | None = None, about: str = "", **terms: Any
    ) -> Running:
        """Start a command."""
        process = Running(
            loop=self.loop,
            random=self.random,
            about=about,
            began=self.loop.wall(),
            elbv2=Elbv2Client(self.rig.elbv2, self.befalling),
            heard=_Audience(befalling=self.befalling),
        )

        now = SteadyClock(process.wall, process.elapsed)

        def main() -> None:
            client = Client(Login(namespace="default", load=lambda: self.door), now=now)
            with Session(
                client=client,
                namespace=namespace,
                terms=Terms(about=about, nodes=needs.nodes, **terms),
                audience=process.heard,
                now=now,
                elapsed=process.elapsed,
                needs=needs,
                interruption=process.interruption,
            ) as session:
                command(session)

        self.started.append(process)
        process.start(main)
        return process

    def finish(self, process: Running) -> None:
        """Let time pass until a process is over."""
        ends = self.loop.time() + LONGEST_RUN
        while not process.is_over:
            assert self.loop.time() < ends, f"the run never ends: {process.last_words}"
            self.loop.run(ends, lambda: process.is_over)

    def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.run(self.loop.time() + seconds)


@contextmanager
def a_virtual_stage(seed: int, settings: RigSettings | None = None) -> Iterator[VirtualStage]:
    """Run a rig in virtual time; everything that is left to chance comes from the seed."""
    loop = VirtualLoop(seed)
    control_plane = EmbeddedControlPlane(seed=seed)
    rig = Rig(control_plane, settings or RigSettings(seed=seed))
    try:
        loop.finish(control_plane.__aenter__())
        loop.finish(rig.__aenter__())
        with wired():
            door = Door(server=control_plane.server)
            yield VirtualStage(loop=loop, control_plane=control_plane, rig=rig, random=Random(seed), door=door)
        loop.finish(rig.__aexit__(None, None, None))
        loop.finish(control_plane.__aexit__())
    finally:
        loop.wind_up()
