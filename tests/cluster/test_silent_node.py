"""A node that falls silent: its pods count as not Ready, and go once they tolerate it no longer."""

from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.objects import condition
from tests.support.virtual.stage import VirtualStage, a_virtual_stage
from tests.virtual.scenario import NAMESPACE, an_application

NODE = "node-a"
TOLERATED_SECONDS = 300.0
"""By default, of the admission plugin DefaultTolerationSeconds."""


@pytest.fixture
def stage() -> Iterator[VirtualStage]:
    """Two nodes with three pods, of which the first node tells nothing any more."""
    with a_virtual_stage(1) as it:
        it.loop.finish(it.rig.deploy(an_application(replicas=3)))
        it.loop.finish(it.rig.ready(NAMESPACE, "web"))
        it.rig.nodes.die(NODE)
        tell(it, "Unknown")
        it.pass_time(1.0)
        yield it


def tell(stage: VirtualStage, status: str) -> None:
    """Have somebody write into the node's status whether it is Ready."""
    body = {"status": {"conditions": [{"type": "Ready", "status": status}]}}
    stage.loop.finish(stage.rig.api.patch(f"/api/v1/nodes/{NODE}/status", body))


def pods(stage: VirtualStage) -> list[dict[str, Any]]:
    """Return the pods of the silent node."""
    return [its for its in stage.control_plane.model.all(kinds.PODS) if its["spec"].get("nodeName") == NODE]


def test_its_pods_are_not_ready_though_nobody_told_of_their_containers(stage: VirtualStage) -> None:
    assert pods(stage)
    for pod in pods(stage):
        told = {kind: (condition(pod, kind) or {})["status"] for kind in ("Ready", "ContainersReady")}
        assert told == {"Ready": "False", "ContainersReady": "True"}


def test_its_pods_are_deleted_in_time_and_never_end(stage: VirtualStage) -> None:
    stage.pass_time(TOLERATED_SECONDS - 5.0)
    assert not any("deletionTimestamp" in pod["metadata"] for pod in pods(stage))
    stage.pass_time(10.0)
    assert pods(stage)
    assert all("deletionTimestamp" in pod["metadata"] for pod in pods(stage))
    stage.pass_time(600.0)
    assert pods(stage)
    stage.loop.finish(stage.rig.ready(NAMESPACE, "web"))


def test_pods_stay_where_the_node_is_heard_of_again(stage: VirtualStage) -> None:
    stage.pass_time(60.0)
    tell(stage, "True")
    stage.pass_time(TOLERATED_SECONDS)
    assert not any("deletionTimestamp" in pod["metadata"] for pod in pods(stage))
    assert not stage.control_plane.model.get(kinds.NODES, "", NODE)["spec"]["taints"]
