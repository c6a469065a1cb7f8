"""A control plane with nodes, for the tests of the rig."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kubectl_safe.sandbox.controlplane import KUBELET, ControlPlane
from kubectl_safe.sandbox.network import PodNetwork
from kubectl_safe.sandbox.node import Nodes
from tests.support.cluster import Cluster
from tests.support.loop import LoopThread


@asynccontextmanager
async def _a_cluster(binaries: Path) -> AsyncIterator[Cluster]:
    async with (
        ControlPlane(binaries) as control_plane,
        control_plane.api() as api,
        control_plane.api(KUBELET) as kubelet,
    ):
        network = PodNetwork()
        nodes = Nodes(kubelet, network, ["node-a", "node-b"])
        running = asyncio.create_task(nodes.run())
        try:
            yield Cluster(api=api, network=network, nodes=nodes)
        finally:
            running.cancel()
            await asyncio.wait([running])
            if not running.cancelled():
                running.result()


@pytest.fixture(scope="module")
def cluster_loop() -> Iterator[LoopThread]:
    """The event loop of the module's cluster."""
    with LoopThread() as running:
        yield running


@pytest.fixture(scope="module")
def cluster(cluster_loop: LoopThread, binaries: Path) -> Iterator[Cluster]:
    """Two nodes on a control plane, shared by a module's tests: each takes names of its own."""
    with cluster_loop.entered(_a_cluster(binaries)) as running:
        yield running
