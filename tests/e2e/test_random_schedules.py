"""Random schedules on the real control plane: what is disturbed at random is completed, by the same command."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.support.background import Background
from tests.support.claims import assert_nothing_left
from tests.support.cuts import CutProxy
from tests.support.figures import Figures
from tests.support.scenario import Scene
from tests.support.stage import USER

pytestmark = pytest.mark.controlplane

LATEST_SECONDS = 6.0
"""A disturbance comes at most so long after the one before it, or after the command's beginning."""
LONGEST_SECONDS = 4.0
"""It lasts at most so long."""


@dataclass(kw_only=True)
class Schedule:
    """A command that is disturbed, and begun again where it ended otherwise than well."""

    scene: Scene
    command: tuple[str, ...]
    proxy: CutProxy
    random: Random
    runs: ExitStack
    befell: list[str] = field(default_factory=list)

    def begin(self) -> Background:
        """Start the command."""
        return self.runs.enter_context(self.scene.stage.safe_in_background(*self.command))

    def is_over_before(self, run: Background, seconds: float) -> bool:
        """Tell whether a run ends before so much time has gone by."""
        try:
            run.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def play(self, *kinds: str) -> None:
        """Let things befall it at random moments, and complete it."""
        run = self.begin()
        planned = set(self.scene.names())
        for kind in kinds:
            moment = self.random.uniform(0, LATEST_SECONDS)
            if self.is_over_before(run, moment) or planned <= set(self.scene.evicted()):
                break
            self.befell.append(f"{kind} after {moment:.1f} s")
            _BY_KIND[kind](self, run)
            if run.process.poll() is not None:
                run = self.begin()
        assert run.wait() == 0, f"{self.befell}: {run.stderr}"

    def kill(self, run: Background) -> None:
        run.process.kill()
        run.wait()

    def interrupt(self, run: Background) -> None:
        run.process.send_signal(self.random.choice((signal.SIGINT, signal.SIGTERM, signal.SIGHUP)))
        run.wait()

    def stop(self, run: Background) -> None:
        run.process.send_signal(signal.SIGSTOP)
        self.is_over_before(run, self.random.uniform(0, LONGEST_SECONDS))
        run.process.send_signal(signal.SIGCONT)

    def cut(self, _: Background) -> None:
        self.scene.stage.loop.call(self.proxy.cut())

    def throttle(self, _: Background) -> None:
        self.scene.stage.rig.elbv2.throttled_until = time.time() + self.random.uniform(0, LONGEST_SECONDS)


_BY_KIND: dict[str, Callable[[Schedule, Background], None]] = {
    "killed": Schedule.kill,
    "interrupted": Schedule.interrupt,
    "stopped": Schedule.stop,
    "cut": Schedule.cut,
    "throttled": Schedule.throttle,
}


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_disturbed_at_random_is_completed(scene: Scene, seed: int, figures: Figures) -> None:
    random = Random(seed)
    scene.deploy("web", is_load_balanced=True)
    planned = scene.names()
    kinds = [*random.sample(["interrupted", "stopped", "cut", "throttled"], 3), "killed"]
    random.shuffle(kinds)
    control_plane = scene.stage.rig.control_plane
    with (
        scene.traffic() as counted,
        scene.stage.loop.entered(CutProxy(control_plane.url)) as proxy,
        ExitStack() as runs,
    ):
        kubeconfig = str(proxy.kubeconfig(control_plane.kubeconfig_for(USER)))
        command = (*scene.restart(), "--kubeconfig", kubeconfig, "--max-draining", "1")
        it = Schedule(scene=scene, command=command, proxy=proxy, random=random, runs=runs)
        it.play(*kinds)
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add(f"schedule {seed}", f"{', '.join(it.befell)}; {counted}")
