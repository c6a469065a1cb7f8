"""The planes that every claim is held against, and a namespace on one for each test."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from kubectl_safe.sandbox import targetgroupbinding
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.controlplane import ControlPlane
from tests.conformance.ground import Ground
from tests.conformance.plane import Plane
from tests.support.loop import LoopThread

NODES = ("node-a", "node-b", "node-c")
USERS: dict[str, list[str]] = {"nobody": [], "reader": []}


@pytest.fixture(
    scope="session", params=["embedded", pytest.param("real", marks=pytest.mark.controlplane)], ids=lambda its: its
)
def plane(request: pytest.FixtureRequest) -> Iterator[Plane]:
    """A control plane with three nodes that nobody plays."""
    with ExitStack() as stack:
        loop = stack.enter_context(LoopThread())
        control_plane: ControlPlane | EmbeddedControlPlane
        if request.param == "embedded":
            control_plane = EmbeddedControlPlane(users=USERS)
        else:
            control_plane = ControlPlane(request.getfixturevalue("binaries"), users=USERS)
        stack.enter_context(loop.entered(control_plane))
        plane = Plane(control_plane)
        for name in NODES:
            plane.add_node(name)
        plane.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", targetgroupbinding.definition())
        plane.until(
            lambda: plane.call("GET", f"{targetgroupbinding.API_PATH}/targetgroupbindings").code == 200 or None,
            "the binding's definition",
        )
        yield plane


@pytest.fixture
def ground(plane: Plane) -> Iterator[Ground]:
    """A namespace of the test's own."""
    plane.names += 1
    name = f"test-{plane.names}"
    answer = plane.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    assert answer.code == 201, answer
    ground = Ground(plane=plane, namespace=name)
    yield ground
    ground.leave()
