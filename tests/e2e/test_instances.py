"""Load balancers whose targets are nodes, on the real control plane: a drained node leaves its target group first."""

import pytest

from kubectl_safe.sandbox.endpoints import EXCLUDE_LABEL
from kubectl_safe.sandbox.informer import Object
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import Scene

pytestmark = pytest.mark.controlplane


def test_a_node_leaves_its_target_group_before_its_pods_and_nothing_is_lost(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=3, is_load_balanced=True, targets="instance")
    rig = scene.stage.rig
    refused = scene.stage.safe(*scene.drain("node-a"), "node-b", "node-c", check=False)
    assert refused.returncode == 1
    assert "Blocked(downtime): target group" in refused.stderr
    assert "would be left with no node" in refused.stderr
    assert scene.writes() == []

    before = scene.names()
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart())
        scene.await_full_strength()
    scene.assert_handed_over(before, counted)
    figures.add("restart behind a group of nodes", str(counted))

    node = scene.busiest_node()
    planned = scene.names(node=node)
    with scene.traffic() as counted:
        result = scene.stage.safe(*scene.drain(node))
        assert EXCLUDE_LABEL in _read(scene, node)["metadata"]["labels"]
        # Whoever sends it requests from now on loses them.
        rig.network.switch_off(rig.nodes.instance(node))
        back = scene.stage.safe("uncordon", node)
    figures.add("drain of a node that is a target", str(counted))
    assert f"node/{node} is out of target group {scene.namespace}-web\n" in result.stdout
    assert result.stdout.endswith(f"node/{node} drained\n")
    assert scene.evicted() == sorted([*before, *planned])
    scene.assert_floor_held(counted)
    _assert_left_before_the_first_pod(scene, node, since=counted.began)
    assert_nothing_left(scene.stage)

    assert back.stdout.splitlines()[-1] == f"node/{node} uncordoned"
    metadata = _read(scene, node)["metadata"]
    assert EXCLUDE_LABEL not in metadata["labels"]
    assert not [key for key in metadata.get("annotations") or {} if key.startswith("kubectl-safe/")]


def _assert_left_before_the_first_pod(scene: Scene, node: str, *, since: float) -> None:
    """By the audit log the label was there before the first write to a pod; by AWS's account the node had left."""
    excluded, included = [
        write
        for write in scene.stage.writes()
        if write.resource == "nodes" and not write.is_dry_run and "labels" in (write.body.get("metadata") or {})
    ]
    assert (excluded.name, included.name) == (node, node)
    first = min(write.at for write in scene.writes() if write.resource.startswith("pods") and write.at > since)
    assert excluded.at < first
    elbv2, instance = scene.stage.rig.elbv2, scene.stage.rig.nodes.instance(node)
    left = [its.time for its in elbv2.transitions if its.target.id == instance and its.health.state == "unused"]
    assert left[-1] < first


def _read(scene: Scene, node: str) -> Object:
    found: Object = scene.stage.loop.call(scene.stage.rig.api.get(f"/api/v1/nodes/{node}"))
    return found
