"""A storm of evictions by somebody else, within the budget: a handoff in its middle takes the floor no further down."""

import json

import pytest

from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.loop import eventually
from tests.support.scene import Scene, a_scene
from tests.support.stage import Stage
from tests.support.storm import Storm, a_storm

pytestmark = pytest.mark.controlplane

REPLICAS, LEAST = 4, 3
PER_SECOND = 10
WINDOW_SECONDS = 0.5
"""About a withdrawal: from our last look at the budget to its next count, on a machine that is busy."""

TIER = {"spec": {"template": {"metadata": {"labels": {"tier": "front"}}}}}


@pytest.mark.parametrize(
    ("name", "selects_more"),
    [
        pytest.param("stormed", False, id="a pod can leave its Service by a label of its budget only"),
        pytest.param("tiered", True, id="by one outside of its budget too"),
    ],
)
def test_others_that_evict_within_the_budget_never_take_more_than_it_allows(
    shared_stage: Stage, namespace: str, *, name: str, selects_more: bool, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, name, replicas=REPLICAS)
    if selects_more:
        _select_by_two_labels(scene)
    scene.protect(minAvailable=LEAST)
    with scene.traffic() as counted, a_storm(scene, per_second=PER_SECOND) as storm:
        done = scene.safe(*scene.restart, "--max-surge", "100%", "--timeout", "60s")
    figures.add(f"evictions by others, {name}", f"{storm}; {_windows(storm)}; {counted}")
    assert done.returncode == 0, done.stderr
    assert storm.evicted, "a storm that moves nothing proves nothing"
    assert storm.withdrawals
    planned = {pod.name for pod in scene.histories if pod.first_seen <= scene.writes()[0].at}
    assert set(scene.evicted()) <= planned
    assert max(scene.evicted().values(), default=1) == 1
    assert [loss for loss in counted.losses if loss.pod in scene.evicted()] == []
    _assert_below_only_about_a_withdrawal(storm)
    _assert_counted_anew(scene)
    assert_nothing_left(shared_stage)


def _select_by_two_labels(scene: Scene) -> None:
    """Have the Service select by a label more than the budget does."""
    first = scene.names
    scene.kubectl("patch", "deployment", scene.name, "-p", json.dumps(TIER))
    scene.stage.wait_until(lambda: not scene.names & first and len(scene.pods) == REPLICAS, what="the new pods")
    scene.kubectl("patch", "service", scene.name, "-p", '{"spec":{"selector":{"tier":"front"}}}')
    scene.await_strength()


def _windows(storm: Storm) -> str:
    spans = [until - since for since, until, _ in storm.below(LEAST)]
    return (
        f"below the budget {len(spans)} times, for {sum(spans) * 1000:.0f} ms; "
        f"{len(storm.withdrawals)} withdrawals, counted anew within {storm.longest_recount * 1000:.0f} ms"
    )


def _assert_below_only_about_a_withdrawal(storm: Storm) -> None:
    """Fewer served than the budget wants only where evictions met withdrawals: no more were missing than met."""
    for since, _, serving in storm.below(LEAST):
        met = [at for at in storm.withdrawals if abs(at - since) <= WINDOW_SECONDS]
        assert LEAST - serving <= len(met), f"{serving} of {LEAST} served; {len(met)} were withdrawn just then"


def _assert_counted_anew(scene: Scene) -> None:
    """In the end the budget counts the pods that there are."""
    path = f"/apis/policy/v1/namespaces/{scene.namespace}/poddisruptionbudgets/{scene.name}"

    async def is_right() -> bool:
        status = (await scene.stage.rig.api.get(path))["status"]
        return bool(status["currentHealthy"] == REPLICAS == len(scene.ready))

    scene.stage.loop.call(eventually(is_right, seconds=30, what="the budget's last count"))
