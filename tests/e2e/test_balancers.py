"""Load balancers of several accounts, regions, APIs and zones, on a control plane that has bindings of both APIs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_safe.sandbox import targetgroupbinding
from kubectl_safe.sandbox.application import Balanced
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.elbv2 import HEALTHY
from kubectl_safe.sandbox.rig import Rig, RigSettings
from kubectl_safe.sandbox.targetgroupbinding import AUTO_MODE_GROUP, GROUP
from kubectl_safe.sandbox.ways_in import ELSEWHERE as ANOTHER_CLUSTERS
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.loop import LoopThread
from tests.support.scenario import Scene, scene_on
from tests.support.stage import USERS, Stage

pytestmark = pytest.mark.controlplane

ROLE = "arn:aws:iam::210987654321:role/targets"
ELSEWHERE = Balanced(
    name="admin",
    port="admin",
    pod_port=8081,
    protocol="TCP",
    crosses_zones=True,
    region="eu-central-1",
    account="210987654321",
    role=ROLE,
    external_id="42",
    api=AUTO_MODE_GROUP,
)
"""A group of another account and region, on another port, and bound by the other API."""

ZONAL = Balanced(protocol="TCP", attributes={"load_balancing.cross_zone.enabled": "false"})


@pytest.fixture(scope="module")
def both_apis(binaries: Path) -> Iterator[Stage]:
    """A stage whose cluster has bindings of the controller's API, and of EKS Auto Mode's."""
    settings = RigSettings(binding_groups=(GROUP, AUTO_MODE_GROUP))
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(binaries, users=USERS)) as control_plane,
        loop.entered(Rig(control_plane, settings)) as rig,
    ):
        yield Stage(loop=loop, rig=rig)


@pytest.fixture
def scene(both_apis: Stage) -> Iterator[Scene]:
    with scene_on(both_apis) as it:
        yield it


def test_two_groups_of_a_pod_in_two_accounts_regions_and_apis(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", is_load_balanced=True, balanced=(Balanced(is_named=True, is_shared=True), ELSEWHERE))
    planned, roles = scene.names(), scene.stage.rig.elbv2.roles
    roles[ROLE] = "another external id"
    refused = scene.stage.safe(*scene.restart(), check=False)
    assert refused.returncode == 1
    assert f"sts:AssumeRole on {ROLE} for target group" in refused.stderr
    assert "have sts:AssumeRole allowed, and the role trust you, with the external id" in refused.stderr
    assert scene.writes() == []
    roles[ROLE] = "42"
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart())
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    nudged = {w.name for w in scene.writes() if w.resource == "targetgroupbindings"}
    assert "web-admin" in nudged
    assert_nothing_left(scene.stage)
    shared = scene.stage.rig.deployed[scene.namespace, "web"].group
    assert shared is not None
    theirs = [its.health for target, its in shared.targets.items() if target.id == ANOTHER_CLUSTERS]
    assert theirs == [HEALTHY]
    listed = scene.stage.loop.call(scene.stage.rig.api.get(targetgroupbinding.collection(api=AUTO_MODE_GROUP)))
    assert not [its for its in listed["items"] if "kubectl-safe" in str(its["metadata"].get("annotations"))]
    figures.add("two groups in two accounts, regions and APIs", str(counted))


def test_zones_without_cross_zone_load_balancing(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", is_load_balanced=True, balanced=(ZONAL,))
    planned = scene.names()
    assert len({pod["spec"]["nodeName"] for pod in scene.pods()}) == 2
    first = (*scene.restart(), "--max-surge", "0")
    refused = scene.stage.safe(*first, check=False)
    assert refused.returncode == 1
    assert "Blocked(zone-empty): pod " in refused.stderr
    assert scene.writes() == []
    with scene.traffic() as counted:
        scene.stage.safe(*first, "--allow", "zone-empty")
        scene.await_full_strength()
    assert scene.evicted() == sorted(planned)
    [web] = scene.applications
    assert scene.stage.lowest(web, counted) >= 1
    assert_nothing_left(scene.stage)
    figures.add("zones of their own, allowed", str(counted))
