"""The stage that each scenario gets for itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig
from tests.support.loop import LoopThread
from tests.support.stage import USER, Stage


@pytest.fixture
def stage(loop: LoopThread, binaries: Path) -> Iterator[Stage]:
    """A control plane with three nodes, a load balancer and its controller; empty."""
    with (
        loop.entered(ControlPlane(binaries, users={USER: ["system:masters"]})) as control_plane,
        loop.entered(Rig(control_plane)) as rig,
    ):
        yield Stage(loop=loop, rig=rig)
