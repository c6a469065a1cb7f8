"""A target group whose health may not be asked for: told before the first write, gone without, or waited for."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubectl_safe.sandbox.elbv2 import Call, no_fault
from kubectl_safe.sandbox.elbv2_faults import access_denied, refusing
from kubectl_safe.sandbox.rig import ACCESS_KEY
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scene import Scene, a_scene
from tests.support.stage import Stage

pytestmark = pytest.mark.controlplane

HEALTH = "elasticloadbalancing:DescribeTargetHealth"
BY_TIME = ("--allow", "unseen-targets", "--drain-wait", "6s")
"""The deregistration delay, and what the controller may take to begin with it."""


def test_a_group_that_may_not_be_asked_is_refused_by_name_and_gone_without_where_that_is_allowed(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, "unseen", is_load_balanced=True)
    before = scene.names
    with _denied(scene), scene.traffic() as counted:
        done = scene.safe(*scene.restart)
        assert (done.returncode, done.stdout) == (1, "")
        group = scene.application.group_name
        assert done.stderr.startswith(f"error: nothing was changed: {HEALTH} on target group {group}: AccessDenied: ")
        assert done.stderr.endswith(
            f"; have {HEALTH} allowed, or go by readiness gates alone: --allow unseen-targets --drain-wait 4s\n"
        )
        assert scene.writes() == []
        done = scene.safe(*scene.restart, *BY_TIME)
    figures.add("DescribeTargetHealth denied", str(counted))
    assert done.returncode == 0, done.stderr
    assert counted.losses == ()
    assert set(scene.evicted()) == before
    _assert_drained_before_eviction(scene)
    assert_nothing_left(shared_stage)


def test_a_group_that_may_not_be_asked_half_way_is_waited_for_until_it_may(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, "denied-later", is_load_balanced=True)
    before = scene.names
    with scene.traffic() as counted, scene.safe_in_background(*scene.restart) as process:
        shared_stage.wait_until(lambda: bool(scene.withdrawn()), what="a withdrawal")
        with _denied(scene):
            withdrawn = scene.withdrawn()
            # By the second one its target has long drained, and nobody has said so.
            shared_stage.wait_until(lambda: len(_refused(scene)) >= 2, what="two refused questions")
            assert process.process.poll() is None
            assert not scene.evicted()
        code = process.wait()
    figures.add("DescribeTargetHealth denied half-way", f"{len(withdrawn)} withdrawn before; {counted}")
    assert code == 0, process.stderr
    assert counted.losses == ()
    assert set(scene.evicted()) == before
    _assert_drained_before_eviction(scene)
    assert_nothing_left(shared_stage)


@contextmanager
def _denied(scene: Scene) -> Iterator[None]:
    """Have AWS refuse questions about the health of the application's group, but those of its controller."""
    elbv2 = scene.stage.rig.elbv2
    elbv2.fault = refusing(access_denied, caller=ACCESS_KEY, action="DescribeTargetHealth", group=_arn(scene))
    try:
        yield
    finally:
        elbv2.fault = no_fault


def _refused(scene: Scene) -> list[Call]:
    journal = scene.stage.rig.elbv2.journal
    return [call for call in journal if call.caller == ACCESS_KEY and call.group == _arn(scene) and call.error]


def _arn(scene: Scene) -> str:
    group = scene.stage.rig.deployed[scene.namespace, scene.name].group
    assert group is not None
    return group.arn


def _assert_drained_before_eviction(scene: Scene) -> None:
    for eviction in (w for w in scene.writes() if w.resource == "pods/eviction"):
        gone = scene.history(eviction.name).not_registered
        assert gone is not None
        assert eviction.at >= gone, f"{eviction.name} was still draining"
