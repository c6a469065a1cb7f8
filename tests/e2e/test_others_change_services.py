"""Others change a Service or a binding in the middle of a restart: no way in is forgotten, and no closed one kept."""

import pytest

from kubectl_safe.sandbox import applications, targetgroupbinding
from kubectl_safe.sandbox.application import POD_PORT
from kubectl_safe.sandbox.elbv2 import TargetGroup
from kubectl_safe.sandbox.pod import TARGET_HEALTH_PATH
from tests.support.figures import Figures
from tests.support.meanwhile import Run, Scenario, play_together
from tests.support.scene import Scene
from tests.support.stage import Stage

pytestmark = pytest.mark.controlplane

BALANCED = {"is_load_balanced": True}


def delete_service(scene: Scene) -> None:
    scene.kubectl("delete", "service", scene.name)


def select_nothing(scene: Scene) -> None:
    scene.kubectl("patch", "service", scene.name, "-p", '{"spec":{"selector":{"tier":"none"}}}')


def select_all_again(scene: Scene) -> None:
    scene.kubectl("label", "pods", "--all", "tier=front")
    scene.kubectl("patch", "service", scene.name, "-p", '{"spec":{"selector":{"app":null,"tier":"front"}}}')


def delete_binding(scene: Scene) -> None:
    scene.kubectl("delete", "targetgroupbinding", scene.name, "--wait=false")


def bind(scene: Scene) -> None:
    """Bind the Service to one target group, or to one more."""
    elbv2, application = scene.stage.rig.elbv2, scene.application
    group = TargetGroup(
        name=f"{application.group_name}-2",
        port=POD_PORT,
        deregistration_delay=3.0,
        interval=application.health_interval,
        health_path=TARGET_HEALTH_PATH,
    )

    async def create() -> None:
        arn = elbv2.add(group).arn
        body = applications.target_group_binding(application, arn)
        body["metadata"]["name"] = f"{application.name}-2"
        await scene.stage.rig.api.create(targetgroupbinding.collection(scene.namespace), body)

    scene.stage.loop.call(create())


SCENARIOS = {
    "no-service-b": Scenario(act=delete_service, after="withdrawn", changes=BALANCED),
    "no-binding": Scenario(act=delete_binding, after="withdrawn", changes=BALANCED),
    "bound-twice": Scenario(act=bind, after="withdrawn", changes=BALANCED),
    "bound": Scenario(act=bind, after="released"),
    "no-service-a": Scenario(act=delete_service, after="released"),
    "selects-none": Scenario(act=select_nothing, after="released"),
    "selects-again": Scenario(act=select_all_again, after="withdrawn", changes={"replicas": 1}),
}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["no-service-a", "selects-none"], id="the Service deleted, or changed to select nothing"),
        pytest.param(["no-service-b", "no-binding"], id="the Service or the binding deleted, after a withdrawal"),
    ],
)
def test_a_way_in_that_others_close_half_way_is_not_waited_for(
    shared_stage: Stage, names: list[str], figures: Figures
) -> None:
    for run in _played(shared_stage, *names):
        figures.add(run.scene.name, str(run.counted))
        assert run.code == 0, run.process.stderr
        assert run.evicted == run.before
        if run.scene.name == "no-binding":
            assert [loss for loss in run.counted.losses if loss.way.startswith("service/")] == []


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["selects-again"], id="a Service that selects a withdrawn pod"),
        pytest.param(["bound", "bound-twice"], id="the first binding, or one more"),
    ],
)
def test_a_way_in_that_others_open_half_way_is_closed_before_a_pod_is_evicted(
    shared_stage: Stage, names: list[str], figures: Figures
) -> None:
    for run in _played(shared_stage, *names):
        figures.add(run.scene.name, str(run.counted))
        assert run.code == 0, run.process.stderr
        assert run.counted.losses == ()
        assert run.evicted == run.before


def _played(stage: Stage, *names: str) -> list[Run]:
    return play_together(stage, {name: SCENARIOS[name] for name in names})
