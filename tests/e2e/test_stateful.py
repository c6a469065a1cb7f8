"""StatefulSets on a drain: one pod at a time, out of every Service but the one by which they find each other."""

from typing import Any

import pytest

from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import SETTLE, Scene

pytestmark = pytest.mark.controlplane


def test_pods_of_a_stateful_set_are_handed_over_and_come_back_at_once(scene: Scene, figures: Figures) -> None:
    """Their StatefulSet lets go of a withdrawn pod, and fails to create another by its name until it is woken."""
    scene.deploy("db", replicas=3, kind="StatefulSet", member_labels={"member-of": "db"}, is_load_balanced=True)
    node = scene.busiest_node()
    planned = scene.names(node=node)
    with scene.traffic() as counted:
        result = scene.stage.safe(*scene.drain(node))
        scene.await_full_strength()
    assert result.stdout.endswith(f"node/{node} drained\n")
    assert scene.evicted() == sorted(planned)
    assert scene.stage.lowest(scene.applications[0], counted) >= 2
    members = [scene.stage.rig.capacity.pods[pod["metadata"]["uid"]].name for pod in scene.pods()]
    assert sorted(members) == ["db-0", "db-1", "db-2"]
    assert_nothing_left(scene.stage)
    figures.add("drain of a StatefulSet", str(counted))


def test_pods_that_can_not_leave_their_services_are_evicted_one_by_one_and_the_plan_says_so(scene: Scene) -> None:
    scene.deploy("db", replicas=3, kind="StatefulSet")
    node = scene.busiest_node()
    planned = scene.names(node=node)
    plan = scene.stage.safe(*scene.drain(node), "--dry-run=server")
    told = " ".join(plan.stdout.split())
    assert "Each pod of statefulset/db is evicted as it is, and then replaced: not handed over, as it" in told
    assert "without leaving db-members." in told
    result = scene.stage.safe(*scene.drain(node))
    scene.await_full_strength()
    assert result.stdout.endswith(f"node/{node} drained\n")
    assert scene.evicted() == sorted(planned)
    assert scene.withdrawn() == []
    assert_nothing_left(scene.stage)


def test_the_only_pod_of_a_stateful_set_goes_only_where_that_is_allowed(scene: Scene) -> None:
    scene.deploy("db", replicas=1, kind="StatefulSet", member_labels={"member-of": "db"})
    node = scene.busiest_node()
    refused = scene.stage.safe(*scene.drain(node), check=False)
    assert refused.returncode == 1
    assert "Blocked(downtime)" in refused.stderr
    assert "the name of its pod has to be free first" in refused.stderr
    assert not scene.is_cordoned(node)
    result = scene.stage.safe(*scene.drain(node), "--allow", "downtime")
    scene.await_full_strength()
    assert result.stdout.endswith(f"node/{node} drained\n")
    assert scene.evicted() == ["db-0"]
    assert_nothing_left(scene.stage)


def test_a_restart_of_a_stateful_set_replaces_each_pod_once(scene: Scene, figures: Figures) -> None:
    its: dict[str, Any] = {"member_labels": {"member-of": "db"}, "pod_management": "OrderedReady"}
    partition = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    scene.deploy("db", replicas=3, kind="StatefulSet", strategy=partition, is_load_balanced=True, **its)
    before = {pod["metadata"]["uid"] for pod in scene.pods()}
    with scene.traffic() as counted:
        command = ("rollout", "restart", "statefulset/db", "-n", scene.namespace, "--settle", SETTLE)
        result = scene.stage.safe(*command)
        scene.await_full_strength()
    assert result.stdout.endswith("statefulset.apps/db restarted\n")
    assert scene.evicted() == ["db-0", "db-1", "db-2"]
    assert [write.name for write in scene.evictions()] == ["db-2", "db-1", "db-0"]
    assert before.isdisjoint(pod["metadata"]["uid"] for pod in scene.pods())
    assert scene.stage.lowest(scene.applications[0], counted) >= 2
    assert_nothing_left(scene.stage)
    figures.add("restart of a StatefulSet", str(counted))
