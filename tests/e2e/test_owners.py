"""What keeps the pods: DaemonSets on a restart, and on a drain ReplicaSets without a Deployment, and nothing at all."""

from typing import Any

import pytest

from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import SETTLE, Scene

pytestmark = pytest.mark.controlplane

CLONES = {"apiVersion": "example.invalid/v1", "kind": "CloneSet", "name": "clones", "uid": "0-0-0-1"}
SURGE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_daemon_sets_are_restarted_with_and_without_a_surge_of_their_own(scene: Scene, figures: Figures) -> None:
    nodes = len(scene.stage.rig.nodes.names)
    its: dict[str, Any] = {"kind": "DaemonSet", "replicas": nodes}
    scene.deploy("edge", **its, controller_labels={"set": "edge"}, is_load_balanced=True)
    scene.deploy("core", **its, controller_labels={"app": "core", "set": "core"}, strategy=SURGE)
    before = {pod["metadata"]["uid"] for pod in scene.pods()}
    named = ("daemonset/edge", "daemonset/core")
    with scene.traffic() as counted:
        result = scene.stage.safe("rollout", "restart", *named, "-n", scene.namespace, "--settle", SETTLE)
        scene.await_full_strength()
    assert result.stdout.endswith("daemonset.apps/edge restarted\ndaemonset.apps/core restarted\n")
    assert len(scene.evicted()) == 2 * nodes
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in scene.pods())
    edge, core = scene.applications
    assert scene.stage.lowest(edge, counted) >= nodes - 1
    assert scene.stage.lowest(core, counted) >= nodes
    assert_nothing_left(scene.stage)
    figures.add("restart of DaemonSets", str(counted))


def test_a_daemon_set_that_can_not_leave_its_service_first_is_refused(scene: Scene) -> None:
    scene.deploy("edge", kind="DaemonSet", replicas=len(scene.stage.rig.nodes.names))
    command = ("rollout", "restart", "daemonset/edge", "-n", scene.namespace, "--settle", SETTLE)
    refused = scene.stage.safe(*command, check=False)
    assert refused.returncode == 1
    assert "Blocked(downtime)" in refused.stderr
    assert "maxSurge: 1, maxUnavailable: 0, if two can share a node" in refused.stderr
    assert scene.writes() == []


def test_pods_of_no_deployment_are_drained(scene: Scene, figures: Figures) -> None:
    """Of a ReplicaSet, of a ReplicationController; of nothing, and of what is not known. And one that never has two."""
    node, *_ = scene.stage.rig.nodes.names
    its = {"app": "web", "set": "web"}
    scene.deploy("web", kind="ReplicaSet", controller_labels=its, is_load_balanced=True, strays={node: {}})
    scene.deploy("api", kind="ReplicationController", replicas=4)
    scene.deploy("calm", strategy={"type": "Recreate"})
    scene.deploy("job", controller_labels={"set": "job"}, strays={node: CLONES})
    planned = scene.names(node=node)
    for flags, why in (((), "(use --force to override)"), (("--force",), "is owned by CloneSet clones")):
        refused = scene.stage.safe(*scene.drain(node), *flags, check=False)
        assert refused.returncode == 1
        assert why in refused.stderr
    assert scene.writes() == []
    assert not scene.is_cordoned(node)
    with scene.traffic() as counted:
        result = scene.stage.safe(*scene.drain(node), "--force", "--allow", "unknown-owner")
        scene.await_full_strength()
    assert result.stdout.endswith(f"node/{node} drained\n")
    assert scene.evicted() == sorted(planned)
    assert {"web-stray-" + node, "job-stray-" + node} <= {it.name for it in scene.histories() if it.withdrawn}
    web, api, calm, job = scene.applications
    missing = [its.replicas - scene.stage.lowest(its, counted) for its in (web, api, calm, job)]
    assert all(lacks <= may for lacks, may in zip(missing, (0, 1, 1, 0), strict=True)), missing
    assert_nothing_left(scene.stage)
    figures.add("drain of pods of no Deployment", str(counted))


def test_a_volume_for_one_pod_makes_it_go_first_and_alone_only_where_that_is_allowed(scene: Scene) -> None:
    scene.deploy("one", replicas=1, access_mode="ReadWriteOncePod")
    refused = scene.stage.safe(*scene.restart(), check=False)
    assert refused.returncode == 1
    assert "only one pod at a time can use its volume one (ReadWriteOncePod)" in refused.stderr
    assert scene.writes() == []
    scene.deploy("two", access_mode="ReadWriteOnce")
    planned = scene.names()
    result = scene.stage.safe(*scene.restart(), "--allow", "downtime")
    scene.await_full_strength()
    assert result.stdout.endswith("deployment.apps/one restarted\ndeployment.apps/two restarted\n")
    assert scene.evicted() == sorted(planned)
    assert scene.released() == []
    assert_nothing_left(scene.stage)
