"""Others act on a workload in the middle of its run: nothing leaks, nothing is done twice, and it ends in good time."""

import pytest

from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.meanwhile import END_SECONDS, Run, Scenario, in_the_middle, play_together
from tests.support.scene import SETTLE, Scene, a_scene
from tests.support.stage import Stage

pytestmark = pytest.mark.controlplane


def delete_deployment(scene: Scene) -> None:
    scene.kubectl("delete", "deployment", scene.name, "--wait=false")


def orphan_pods(scene: Scene) -> None:
    scene.kubectl("delete", "deployment", scene.name, "--cascade=orphan")


def scale(scene: Scene, replicas: int) -> None:
    scene.kubectl("scale", "deployment", scene.name, f"--replicas={replicas}")


def scale_down_and_up(scene: Scene) -> None:
    scale(scene, 1)
    scene.stage.wait_until(lambda: len(scene.names - scene.released()) == 1, what="a Deployment that is scaled down")
    scale(scene, scene.application.replicas)


def restart_plainly(scene: Scene) -> None:
    scene.kubectl("rollout", "restart", "deployment", scene.name)


def delete_old_pod(scene: Scene) -> None:
    scene.kubectl("delete", "pod", *scene.released(), "--wait=false")


def delete_new_pods(scene: Scene) -> None:
    new = [pod.name for pod in scene.histories[scene.application.replicas :]]
    scene.kubectl("delete", "pod", *new, "--wait=false")


SCENARIOS = {
    "deleted-a": Scenario(act=delete_deployment, after="released"),
    "deleted-b": Scenario(act=delete_deployment, after="withdrawn"),
    "zero-a": Scenario(act=lambda scene: scale(scene, 0), after="released"),
    "zero-b": Scenario(act=lambda scene: scale(scene, 0), after="withdrawn"),
    "scaled": Scenario(act=scale_down_and_up, after="withdrawn", changes={"replicas": 3}),
    "rolled-a": Scenario(act=restart_plainly, after="released"),
    "rolled-b": Scenario(act=restart_plainly, after="withdrawn"),
    "old-deleted": Scenario(act=delete_old_pod, after="released"),
    "new-deleted": Scenario(act=delete_new_pods, after="withdrawn"),
}


def test_a_deployment_that_is_deleted_takes_its_pods_with_it_and_the_restart_says_so(
    shared_stage: Stage, figures: Figures
) -> None:
    for run in _played(shared_stage, "deleted-a", "deleted-b"):
        figures.add(run.scene.name, str(run.counted))
        assert run.code == 1
        assert run.process.stderr.endswith(
            f"error: deployment {run.scene.namespace}/{run.scene.name} was deleted meanwhile: "
            "nothing of it is left to restart\n"
        )
        assert run.left == frozenset()


def test_of_a_deployment_that_is_scaled_to_nothing_no_replacement_is_waited_for(
    shared_stage: Stage, figures: Figures
) -> None:
    for run in _played(shared_stage, "zero-a", "zero-b"):
        figures.add(run.scene.name, str(run.counted))
        assert run.code == 0, run.process.stderr
        assert run.left == frozenset()


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["rolled-a", "rolled-b"], id="a plain rollout restart"),
        pytest.param(["old-deleted", "new-deleted"], id="the old or the new pods deleted"),
        pytest.param(["scaled"], id="scaled down and up again"),
    ],
)
def test_it_goes_on_with_what_others_left_to_do(shared_stage: Stage, names: list[str], figures: Figures) -> None:
    for run in _played(shared_stage, *names):
        figures.add(run.scene.name, f"{run.counted}; {len(run.evicted)} of {len(run.before)} evicted by us")
        assert run.code == 0, run.process.stderr
        assert run.left
        assert not run.left & run.before


def test_a_deployment_that_is_deleted_half_way_does_not_keep_its_node_from_being_drained(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, "deleted-drain")
    node = next(iter(scene.nodes.values()))
    run = in_the_middle(scene, delete_deployment, ("drain", node, *SETTLE), after="released")
    assert_nothing_left(shared_stage)
    figures.add("deployment deleted, drain", str(run.counted))
    assert run.code == 0, run.process.stderr
    assert run.process.stdout.endswith(f"node/{node} drained\n")


def test_pods_that_are_left_behind_by_their_deployment_are_told_of_and_serve_on(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    # No place for a second one comes free before its replacement is there; or before it is not its Deployment's.
    scene = a_scene(shared_stage, namespace, "orphaned", start_delay=4.0)
    with scene.traffic() as counted, scene.safe_in_background(*scene.restart) as process:
        shared_stage.wait_until(lambda: bool(scene.released()), what="a pod that is released")
        orphan_pods(scene)
        code = process.wait(END_SECONDS)
    figures.add("deployment orphaned its pods", str(counted))
    assert code == 1
    assert counted.losses == ()
    assert f"deployment {namespace}/orphaned was deleted without its pods (--cascade=orphan)" in process.stderr
    for name in scene.released():
        assert f"{namespace}/{name}" in process.stderr
    scene.kubectl("delete", "pod", "--all", "--wait=false")
    scene.kubectl("delete", "replicaset", "--all")


def test_a_drain_of_a_node_that_is_uncordoned_goes_on_with_its_plan_and_chases_nobody(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, "uncordoned", replicas=3)
    node = next(iter(scene.nodes.values()))
    planned = frozenset(name for name, where in scene.nodes.items() if where == node)

    def uncordon_and_fill(it: Scene) -> None:
        it.kubectl("uncordon", node)
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "late", "labels": {"app": "late"}},
            "spec": {"nodeName": node, "containers": [{"name": "app", "image": "sandbox.invalid/app:1"}]},
        }
        shared_stage.loop.call(shared_stage.rig.api.create(f"/api/v1/namespaces/{namespace}/pods", pod))

    run = in_the_middle(scene, uncordon_and_fill, ("drain", node, *SETTLE), after="released")
    assert_nothing_left(shared_stage)
    figures.add("uncordoned half-way", str(run.counted))
    assert run.code == 0, run.process.stderr
    assert run.counted.losses == ()
    assert set(scene.evicted()) == planned
    assert f"Warning: node/{node} was uncordoned meanwhile: what comes to it now, stays\n" in run.process.stderr
    assert "late" in scene.names


def _played(stage: Stage, *names: str) -> list[Run]:
    return play_together(stage, {name: SCENARIOS[name] for name in names})
