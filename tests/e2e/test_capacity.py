"""Capacity on the real control plane: scaling, taken places, preemption, rollouts of others, a node that dies."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig, RigSettings
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.loop import LoopThread
from tests.support.scenario import SETTLE, Scene, scene_on
from tests.support.stage import USERS, Stage
from tests.support.stuck import as_they_are, assert_never_left_service, bring_up, small, traffic_to

pytestmark = pytest.mark.controlplane

SILENT_SECONDS = 4
UNREACHABLE = {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}


def apart(name: str) -> dict[str, Any]:
    """Return what keeps the pods of an application on nodes of their own."""
    term = {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": "kubernetes.io/hostname"}
    return {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}


def test_pods_that_each_need_a_node_of_their_own_go_first(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    app = small(namespace, "apart", replicas=3, sigterm="graceful", placement=apart("apart"))
    bring_up(shared_stage, app, progress_deadline=4)
    restart = ("rollout", "restart", "deployment/apart", "-n", namespace, "--settle", SETTLE)
    words = r"0/3 nodes are available: 3 node\(s\) didn't match pod anti-affinity rules\..*"
    first = "; with --max-surge 0 a pod makes room for its replacement first"
    with traffic_to(shared_stage, app) as counted:
        assert re.search(words + first, _given_back(shared_stage, app, *restart))
        shared_stage.safe("abort", "deployment/apart", "-n", namespace)
        before = as_they_are(shared_stage, app)
        shared_stage.safe(*restart, "--max-surge", "0")
        shared_stage.loop.call(shared_stage.rig.ready(namespace, "apart"))
        assert not as_they_are(shared_stage, app).keys() & before.keys()
        # On a drain its place is on the cordoned node.
        drain = ("drain", "node-b", "--pod-selector", "app=apart", "--settle", SETTLE)
        words = r"1 node\(s\) were unschedulable, 2 node\(s\) didn't match pod anti-affinity rules\..*"
        first = "; with --max-surge 0 it goes first, and its replacement comes once a node has room for it"
        assert re.search(words + first, _given_back(shared_stage, app, *drain))
        shared_stage.safe(*drain, "--max-surge", "0")
        shared_stage.kubectl("uncordon", "node-b")
        shared_stage.loop.call(shared_stage.rig.ready(namespace, "apart"))
    assert_nothing_left(shared_stage)
    figures.add("a node of its own for each pod", str(counted))


def _given_back(stage: Stage, app: Application, *command: str) -> str:
    """Run a command that ends with all pods as they were; return what it says at the end."""
    before = as_they_are(stage, app)
    done = stage.safe(*command, check=False)
    assert done.returncode == 1, done.stdout
    pods = stage.rig.controller.pods
    stage.wait_until(lambda: len(pods.of(app.namespace)) == app.replicas, what="the end of the replacement")
    assert as_they_are(stage, app) == before
    assert_never_left_service(stage, before)
    return done.stderr


def test_a_deployment_is_scaled_up_and_down_while_its_pods_move(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=3, pre_stop=3)
    scene.deploy("api", pre_stop=3)
    node = scene.busiest_node()
    planned = scene.names(node=node)

    def scale(replicas: int) -> None:
        scene.stage.kubectl("scale", "deployment", "web", f"--replicas={replicas}", "-n", scene.namespace)

    with scene.traffic() as counted, scene.stage.safe_in_background(*scene.drain(node)) as process:
        scene.when(lambda: scene.released("web") or scene.released("api"), what="a pod that is released")
        scale(5)
        scene.when(lambda: scene.withdrawn("web") or scene.withdrawn("api"), what="a pod that is withdrawn")
        # Fewer than are left, whoever is deleted for it.
        scale(1)
        assert process.wait(60) == 0, process.stderr
        scale(3)
        scene.await_full_strength()
    figures.add("scaled up and down meanwhile, drain", str(counted))
    assert set(scene.evicted()) <= set(planned)
    assert len(scene.evicted()) == len(set(scene.evicted()))
    assert not scene.pods(node=node) or not {p["metadata"]["name"] for p in scene.pods(node=node)} & set(planned)
    assert scene.stage.lowest(scene.applications[0], counted) >= 1
    assert scene.stage.lowest(scene.applications[1], counted) >= 2
    assert_nothing_left(scene.stage)


def test_a_replacement_takes_the_room_of_what_is_less_important(scene: Scene, figures: Figures) -> None:
    important = f"important-{scene.namespace}"
    scene.stage.kubectl("create", "priorityclass", important, "--value=1000")
    # Nodes have 16 CPUs: beside a pod of the one there is room for one of the other, and for no third.
    scene.deploy("low", replicas=3, pre_stop=3, cpu="7")
    scene.deploy("high", replicas=3, pre_stop=3, cpu="7", placement={"priorityClassName": important})
    node = scene.busiest_node()
    planned = set(scene.names(node=node))
    with scene.traffic() as counted:
        done = scene.stage.safe(*scene.drain(node), "--timeout", "15s", check=False)
        ours = set(scene.evicted())
        preempted = [its.name for its in scene.histories("low") if its.terminating and its.service]
        scene.stage.kubectl("uncordon", node)
        scene.await_full_strength()
    figures.add("a replacement that preempts, drain", str(counted))
    assert done.returncode == 1
    # One of the other workload's was taken away for it: so its pod on the node stays, as there is no room for another.
    assert set(preempted) - ours
    assert ours == {name for name in planned if name.startswith("high")}
    assert re.search(rf"given back, serves on as before: {scene.namespace}/low-", done.stderr)
    assert scene.stage.lowest(scene.applications[1], counted) >= 3
    scene.stage.kubectl("delete", "priorityclass", important)
    assert_nothing_left(scene.stage)


def test_somebody_rolls_out_while_nodes_are_drained(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=4, is_load_balanced=True, pre_stop=6, grace_period=15)
    first, second = scene.stage.rig.nodes.names[:2]
    with (
        scene.traffic() as counted,
        scene.stage.safe_in_background("drain", first, second, "--settle", SETTLE) as process,
    ):
        scene.when(lambda: scene.withdrawn("web"), what="a pod that is withdrawn")
        scene.stage.kubectl("set", "env", "deployment/web", "A=1", "-n", scene.namespace)
        assert process.wait(90) == 0, process.stderr
        scene.stage.kubectl("rollout", "status", "deployment/web", "-n", scene.namespace, "--timeout=60s")
        scene.stage.kubectl("uncordon", first, second)
        # And a drain that begins in the middle of one.
        scene.stage.kubectl("set", "env", "deployment/web", "A=2", "-n", scene.namespace)
        third = scene.stage.rig.nodes.names[2]
        scene.stage.safe("drain", third, "--settle", SETTLE)
        scene.stage.kubectl("rollout", "status", "deployment/web", "-n", scene.namespace, "--timeout=60s")
        scene.await_full_strength()
    figures.add("a rollout of others during drains", str(counted))
    assert not scene.pods(node=third)
    assert len(scene.evicted()) == len(set(scene.evicted()))
    assert_nothing_left(scene.stage)


@pytest.fixture
def watched(loop: LoopThread, binaries: Path) -> Iterator[Stage]:
    """A stage whose nodes are taken for dead after some seconds of silence."""
    control_plane = ControlPlane(binaries, users=USERS, silence=SILENT_SECONDS)
    with loop.entered(control_plane), loop.entered(Rig(control_plane, RigSettings(renews=1.0))) as rig:
        yield Stage(loop=loop, rig=rig)


def test_a_node_that_dies_in_the_middle_of_its_drain(watched: Stage, figures: Figures) -> None:
    with scene_on(watched) as scene:
        tolerations = [{**UNREACHABLE, "tolerationSeconds": 2}]
        scene.deploy("web", replicas=6, is_load_balanced=True, placement={"tolerations": tolerations})
        node = scene.busiest_node()
        planned = scene.names(node=node)
        with watched.safe_in_background(*scene.drain(node)) as process:
            scene.when(scene.released, what="a pod that is released")
            watched.rig.nodes.die(node)
            watched.wait_until(
                lambda: {its.name for its in scene.histories() if its.terminating} >= set(planned),
                what="pods that are deleted",
            )
            # Nobody ends them: what a drain would tell of in the end, somebody does at once.
            watched.kubectl("delete", "pod", *planned, "-n", scene.namespace, "--force", "--grace-period=0")
            assert process.wait(60) == 0, process.stderr
        scene.await_full_strength()
        assert_nothing_left(watched)
        figures.add("a node dies during its drain", f"{len(scene.evicted())} of {len(planned)} evicted by us")
