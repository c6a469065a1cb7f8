"""`abort` and `uncordon`: what a run left is given back or finished, and only what is ours is taken away."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from kubectl_safe.sandbox.pod_fault import PodFault, no_fault
from tests.support.background import Background
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import SETTLE, Scene, scene_on
from tests.support.stage import OTHER_ADMIN, USER, Stage

pytestmark = pytest.mark.controlplane

RESTARTED = ("unready", "ready", "withdrawn", "live")
"""Deployments whose restart was killed in a phase, and one whose restart lives on."""

BROKEN = ("unready", "live", "slow")
"""Those of which no replacement ever becomes Ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aborted:
    """Runs in every phase, and what two commands made of them."""

    scene: Scene
    before: Mapping[str, dict[str, Any]]
    begun: frozenset[str]
    """The names of the pods that were under way when their runs had died."""
    nodes: Mapping[str, str]
    """The node of each application that was to leave one."""
    of_dead: Background
    of_live: Background
    live: Background
    counted: str


@pytest.fixture(scope="module")
def aborted(shared_stage: Stage) -> Iterator[Aborted]:
    """Each abort gives a run half a minute to notice: all of that at the same time."""
    with scene_on(shared_stage) as scene, ExitStack() as runs:
        scene.deploy("unready", "withdrawn", "live", "drained", "slow")
        scene.deploy("ready", spec={"minReadySeconds": 3})
        before = {pod["metadata"]["name"]: pod for pod in scene.pods()}
        _break_replacements(scene, *BROKEN)
        nodes = _nodes_apart(scene, "drained", "slow")

        def run(*command: str, user: str = USER) -> Background:
            return runs.enter_context(shared_stage.safe_in_background(*command, user=user))

        def drain(name: str) -> Background:
            return run(*scene.drain(nodes[name]), "--pod-selector", f"app={name}")

        def restart(name: str) -> Background:
            return run(*scene.restart(name), "--max-surge", "1")

        with scene.traffic() as counted:
            begun = {name: restart(name) for name in RESTARTED} | {name: drain(name) for name in nodes}
            dead = {name: process for name, process in begun.items() if name != "live"}
            _kill_each(scene, dead)
            scene.when(lambda: scene.released("live"), what="the release that a living run waits with")
            under_way = frozenset([*scene.released(), *scene.withdrawn()])
            here = ("-n", scene.namespace, "--settle", SETTLE)
            named = [f"deployment/{name}" for name in RESTARTED if name != "live"]
            of_dead = run("abort", *(f"node/{n}" for n in nodes.values()), *named, *here, user=OTHER_ADMIN)
            of_live = run("abort", "deployment/live", *here, user=OTHER_ADMIN)
            assert [of_dead.wait(), of_live.wait()] == [0, 0], of_dead.stderr + of_live.stderr
            begun["live"].wait()
            scene.await_full_strength()
        shared_stage.rig.nodes.fault = no_fault
        scene.assert_floor_held(counted)
        yield Aborted(
            scene=scene,
            before=before,
            begun=under_way,
            nodes=nodes,
            of_dead=of_dead,
            of_live=of_live,
            live=begun["live"],
            counted=str(counted),
        )


@pytest.mark.parametrize("name", [*BROKEN])
def test_what_was_released_without_a_ready_replacement_is_given_back(aborted: Aborted, name: str) -> None:
    it = aborted
    assert [evicted for evicted in it.scene.evicted() if evicted.startswith(name)] == []
    now = {pod["metadata"]["name"]: _kept(pod) for pod in it.scene.pods(name)}
    assert now == {key: _kept(pod) for key, pod in it.before.items() if key.startswith(name)}


@pytest.mark.parametrize("name", ["ready", "withdrawn", "drained"])
def test_what_could_not_be_given_back_is_finished_and_nothing_new_is_begun(aborted: Aborted, name: str) -> None:
    it = aborted
    evicted = {evicted for evicted in it.scene.evicted() if evicted.startswith(name)}
    assert evicted
    assert evicted <= it.begun
    now = {pod["metadata"]["name"]: _kept(pod) for pod in it.scene.pods(name)}
    stayed = {key: _kept(pod) for key, pod in it.before.items() if key.startswith(name) and key not in evicted}
    assert stayed.items() <= now.items()


def test_each_is_told_of_and_the_cordons_are_taken_back(aborted: Aborted, figures: Figures) -> None:
    it = aborted
    ends = [f"deployment.apps/{name} aborted" for name in RESTARTED if name != "live"]
    ends += [f"node/{node} aborted and uncordoned" for node in it.nodes.values()]
    assert it.of_dead.stdout.splitlines()[-len(ends) :] == ends
    assert not any(it.scene.is_cordoned(node) for node in it.nodes.values())
    figures.add("five dead runs and a living one aborted", it.counted)


def test_a_living_run_is_pushed_out_and_says_by_whom(aborted: Aborted) -> None:
    it = aborted
    assert it.live.process.returncode == 1
    assert f"(pid {it.of_live.pid}): abort deployment/live now; nothing more is written by this run" in it.live.stderr
    assert f"deployment {it.scene.namespace}/live is in the hands of " in it.of_live.stderr
    assert f"(pid {it.live.pid}) since " in it.of_live.stderr
    assert "; it is pushed out, which takes 30s\n" in it.of_live.stderr
    assert it.of_live.stdout.endswith("deployment.apps/live aborted\n")


def test_nothing_is_left_of_any(aborted: Aborted) -> None:
    assert_nothing_left(aborted.scene.stage)


def test_where_nothing_was_begun_it_says_so(scene: Scene) -> None:
    scene.deploy("web")
    done = scene.stage.safe("abort", "node/node-a", "deployment/web", "-n", scene.namespace)
    assert done.stdout == "deployment.apps/web has nothing to abort\nnode/node-a has nothing to abort\n"
    assert done.stderr == ""
    assert [write for write in scene.writes() if write.resource != "leases"] == []
    assert_nothing_left(scene.stage)


def test_the_cordon_of_somebody_else_stays(scene: Scene) -> None:
    scene.stage.kubectl("cordon", "node-a")
    done = scene.stage.safe("abort", "node/node-a")
    assert done.stdout == "node/node-a has nothing to abort; it stays cordoned, which is somebody else's\n"
    assert scene.is_cordoned("node-a")


UNCORDONS = [
    pytest.param((), "stays cordoned; to take that back: kubectl safe uncordon {0}", id="and says how to take it back"),
    pytest.param(("--uncordon-on-failure",), "uncordoned", id="unless it is asked to take it back"),
]


@pytest.mark.parametrize(("flags", "words"), UNCORDONS)
def test_a_drain_that_failed_leaves_the_cordon(scene: Scene, flags: tuple[str, ...], words: str) -> None:
    scene.deploy("web", replicas=1, spec={"progressDeadlineSeconds": 4})
    [pod] = scene.pods()
    node = pod["spec"]["nodeName"]
    _break_replacements(scene, "web")
    with scene.traffic():
        done = scene.stage.safe(*scene.drain(node), "--pod-selector", "app=web", *flags, check=False)
        scene.stage.rig.nodes.fault = no_fault
        scene.await_full_strength()
    assert done.returncode == 1
    assert done.stderr.endswith(f"node/{node} {words.format(node)}\n")
    assert [_kept(its) for its in scene.pods()] == [_kept(pod)]
    is_left = not flags
    assert scene.is_cordoned(node) == is_left
    said = scene.stage.safe("uncordon", node).stdout
    assert said == f"node/{node} {'uncordoned' if is_left else 'already uncordoned'}\n"
    assert_nothing_left(scene.stage)


def test_uncordon_takes_back_no_cordon_of_somebody_else(scene: Scene) -> None:
    scene.stage.kubectl("cordon", "node-b")
    before = len(scene.stage.writes())
    done = scene.stage.safe("uncordon", "node-a", "node-b", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: node/node-b was not cordoned by kubectl safe, nothing was changed; "
        "to uncordon all the same: kubectl uncordon node-b\n"
    )
    assert len(scene.stage.writes()) == before
    assert scene.is_cordoned("node-b")


@pytest.mark.parametrize(
    ("flag", "mark"), [("--dry-run=client", "(dry run)"), ("--dry-run=server", "(server dry run)")]
)
def test_uncordon_as_a_dry_run_says_what_it_would_do(scene: Scene, flag: str, mark: str) -> None:
    scene.stage.safe("drain", "node-a", "--pod-selector", "app=none")
    done = scene.stage.safe("uncordon", "node-a", "node-b", flag)
    assert done.stdout == f"node/node-a uncordoned {mark}\nnode/node-b already uncordoned {mark}\n"
    assert scene.is_cordoned("node-a")
    assert scene.stage.safe("uncordon", "node-a").stdout == "node/node-a uncordoned\n"
    assert not scene.is_cordoned("node-a")


def _break_replacements(scene: Scene, *names: str) -> None:
    """Have every further pod of these applications crash."""

    def fault(pod: Mapping[str, Any]) -> PodFault | None:
        its = pod["metadata"]
        is_meant = its["namespace"] == scene.namespace and its["labels"].get("app") in names
        return PodFault.CRASH_LOOP if is_meant else None

    scene.stage.rig.nodes.fault = fault


def _nodes_apart(scene: Scene, one: str, other: str) -> dict[str, str]:
    """Return a node for each of two applications, so that no two drains meet, and a third is left to go to."""
    first = scene.pods(one)[0]["spec"]["nodeName"]
    second = next(node for pod in scene.pods(other) if (node := pod["spec"]["nodeName"]) != first)
    return {one: first, other: second}


def _kill_each(scene: Scene, running: Mapping[str, Background]) -> None:
    """Kill each run in the phase that its application is named after."""
    phases: dict[str, Callable[[], object]] = {
        "unready": lambda: scene.released("unready"),
        "slow": lambda: scene.released("slow"),
        "ready": lambda: scene.has_replacement("ready", seconds=0.5),
        "withdrawn": lambda: scene.withdrawn("withdrawn"),
        "drained": lambda: scene.withdrawn("drained"),
    }

    def kill_those_that_are_due() -> bool:
        for name, process in running.items():
            if name in phases and phases[name]():
                process.process.send_signal(signal.SIGKILL)
                del phases[name]
        return not phases

    scene.when(kill_those_that_are_due, what="the phase in each run")


def _kept(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a handoff changes of a pod, and what giving it back puts back."""
    return {key: pod["metadata"].get(key) for key in ("uid", "labels", "annotations", "ownerReferences")}
