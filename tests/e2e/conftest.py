"""The stage that each scenario gets for itself."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig
from tests.support.loop import LoopThread
from tests.support.scenario import Scene, scene_on
from tests.support.stage import USERS, Stage


@pytest.fixture
def stage(loop: LoopThread, binaries: Path) -> Iterator[Stage]:
    """A control plane with three nodes, a load balancer and its controller; empty."""
    with (
        loop.entered(ControlPlane(binaries, users=USERS)) as control_plane,
        loop.entered(Rig(control_plane)) as rig,
    ):
        yield Stage(loop=loop, rig=rig)


@pytest.fixture(scope="module")
def shared_stage(binaries: Path) -> Iterator[Stage]:
    """A stage for all tests of a module that leave it as they found it."""
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(binaries, users=USERS)) as control_plane,
        loop.entered(Rig(control_plane)) as rig,
    ):
        yield Stage(loop=loop, rig=rig)


@pytest.fixture
def namespace(shared_stage: Stage) -> Iterator[str]:
    """A namespace of the test's own on the shared stage; what runs in it goes with it, and nodes are uncordoned."""
    name = f"test-{uuid4().hex[:8]}"
    shared_stage.kubectl("create", "namespace", name)
    yield name
    kinds = "deployments,statefulsets,daemonsets,jobs,replicasets,pods"
    shared_stage.kubectl("delete", kinds, "--all", "-n", name, "--wait=false")
    shared_stage.wait_until(lambda: not shared_stage.rig.controller.pods.of(name), what=f"the end of {name}")
    for node in shared_stage.rig.nodes.names:
        shared_stage.kubectl("uncordon", node)


@pytest.fixture
def scene(shared_stage: Stage) -> Iterator[Scene]:
    """A scene of the test's own on the shared stage."""
    with scene_on(shared_stage) as it:
        yield it
