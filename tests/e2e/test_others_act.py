"""Others act in the middle of a drain or a restart: nothing leaks, nothing is done twice, and it ends in good time."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from kubectl_safe.sandbox import applications, targetgroupbinding
from kubectl_safe.sandbox.elbv2 import TargetGroup
from kubectl_safe.sandbox.pod import TARGET_HEALTH_PATH
from tests.support.background import Background
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scene import SETTLE, SETTLE_SECONDS, Scene, a_namespace, a_scene
from tests.support.stage import Counted, Stage

pytestmark = pytest.mark.controlplane

END_SECONDS = 60
BALANCED = {"is_load_balanced": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What somebody does in the middle of a restart, and when."""

    act: Callable[[Scene], Any]
    after: str
    """`released` or `withdrawn`: the moment at which the first pod is so."""
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Of the application."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of a command in whose middle somebody acted."""

    scene: Scene
    code: int
    process: Background
    counted: Counted
    before: frozenset[str]
    """The names of the pods that were there before it."""
    evicted: frozenset[str]
    left: frozenset[str]
    """The names of the pods that are there after it."""


def _play_both(stage: Stage, *names: str) -> list[Run]:
    """Play two scenarios at once, as each of them mostly waits; more would make the rig itself late."""
    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(lambda name: _play(stage, name, SCENARIOS[name]), names))


def _play(stage: Stage, name: str, scenario: Scenario) -> Run:
    with a_namespace(stage) as namespace:
        scene = a_scene(stage, namespace, name, **scenario.changes)
        run = _in_the_middle(scene, scenario.act, scene.restart, after=scenario.after)
        assert_nothing_left(stage, namespace)
        return run


def _in_the_middle(scene: Scene, act: Callable[[Scene], Any], command: tuple[str, ...], *, after: str) -> Run:
    """Run a command under traffic, and act once a pod is released, or withdrawn."""
    before = scene.names
    moment = scene.released if after == "released" else scene.withdrawn
    with scene.traffic() as counted, scene.safe_in_background(*command) as process:
        scene.stage.wait_until(lambda: bool(moment()), what=f"a pod that is {after}")
        act(scene)
        code = process.wait(END_SECONDS)
    _assert_nothing_was_done_twice(scene, before)
    evicted, left = frozenset(scene.evicted()), scene.names
    # Whatever the others' act costs, it costs nothing on a pod that was handed over.
    assert [loss for loss in counted.losses if loss.pod in evicted] == []
    return Run(scene=scene, code=code, process=process, counted=counted, before=before, evicted=evicted, left=left)


def _assert_nothing_was_done_twice(scene: Scene, planned: frozenset[str]) -> None:
    """Only pods of the plan were evicted, each once, and each when it had been out of everything for long enough."""
    evictions = [w for w in scene.writes() if w.resource == "pods/eviction"]
    assert set(scene.evicted()) <= planned
    assert max(scene.evicted().values(), default=1) == 1
    for eviction in evictions:
        pod = scene.history(eviction.name)
        assert pod.unlisted is not None, f"{pod.name} was in a slice when it was evicted"
        assert eviction.at >= pod.unlisted + SETTLE_SECONDS - 0.1, f"{pod.name} had not settled"
        if scene.application.is_load_balanced:
            assert pod.not_registered is not None, f"{pod.name} was registered when it was evicted"
            assert eviction.at >= pod.not_registered


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
        port=applications.POD_PORT,
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
    for run in _play_both(shared_stage, "deleted-a", "deleted-b"):
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
    for run in _play_both(shared_stage, "zero-a", "zero-b"):
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
    for run in _play_both(shared_stage, *names):
        figures.add(run.scene.name, f"{run.counted}; {len(run.evicted)} of {len(run.before)} evicted by us")
        assert run.code == 0, run.process.stderr
        assert run.left
        assert not run.left & run.before


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
    for run in _play_both(shared_stage, *names):
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
    for run in _play_both(shared_stage, *names):
        figures.add(run.scene.name, str(run.counted))
        assert run.code == 0, run.process.stderr
        assert run.counted.losses == ()
        assert run.evicted == run.before


def test_a_deployment_that_is_deleted_half_way_does_not_keep_its_node_from_being_drained(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    scene = a_scene(shared_stage, namespace, "deleted-drain")
    node = next(iter(scene.nodes.values()))
    run = _in_the_middle(scene, delete_deployment, ("drain", node, *SETTLE), after="released")
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

    run = _in_the_middle(scene, uncordon_and_fill, ("drain", node, *SETTLE), after="released")
    assert_nothing_left(shared_stage)
    figures.add("uncordoned half-way", str(run.counted))
    assert run.code == 0, run.process.stderr
    assert run.counted.losses == ()
    assert set(scene.evicted()) == planned
    assert f"Warning: node/{node} was uncordoned meanwhile: what comes to it now, stays\n" in run.process.stderr
    assert "late" in scene.names
