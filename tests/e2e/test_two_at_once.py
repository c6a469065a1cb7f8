"""Two runs at once: each pod is moved once, nobody waits for ever, and who waits is told for whom."""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.support.background import Background
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import Scene, scene_on
from tests.support.stage import OTHER_ADMIN, USER, Stage

pytestmark = pytest.mark.controlplane

LEASE_SECONDS = 30.0
WHO = r"\S+ \(pid \d+\) since \d\d:\d\d:\d\d"


def test_two_drains_of_one_node_are_as_one(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", "api")
    node = scene.busiest_node()
    planned = scene.names(node=node)
    command = scene.drain(node)
    with (
        scene.traffic() as counted,
        scene.stage.safe_in_background(*command) as first,
        scene.stage.safe_in_background(*command, user=OTHER_ADMIN) as second,
    ):
        told = _told_by_who_waits(scene, first, second, f"node/{node}", about=f"drain {node}")
        assert (first.wait(), second.wait()) == (0, 0), first.stderr + second.stderr
        scene.await_full_strength()
    for run in (first, second):
        assert run.stdout.endswith(f"node/{node} drained\n")
    said = [line for run in (first, second) for line in run.stdout.splitlines() if line.endswith("cordoned")]
    assert sorted(said) == [f"node/{node} already cordoned", f"node/{node} cordoned"]
    scene.assert_handed_over(planned, counted)
    _assert_done_by_one(scene)
    assert_nothing_left(scene.stage)
    figures.add("two drains of one node", f"{told!r}; {counted}")


def test_two_drains_of_nodes_that_share_workloads_take_turns_by_workload(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", "api", replicas=3)
    one, other = "node-a", "node-b"
    planned = [*scene.names(node=one), *scene.names(node=other)]
    assert {pod["metadata"]["labels"]["app"] for pod in scene.pods(node=one)} == {"web", "api"}
    assert {pod["metadata"]["labels"]["app"] for pod in scene.pods(node=other)} == {"web", "api"}
    with (
        scene.traffic() as counted,
        scene.stage.safe_in_background(*scene.drain(one)) as first,
        scene.stage.safe_in_background(*scene.drain(other), user=OTHER_ADMIN) as second,
    ):
        assert (first.wait(), second.wait()) == (0, 0), first.stderr + second.stderr
        scene.await_full_strength()
    said = first.stdout + second.stdout
    assert re.search(rf" waits? since \ds: deployment {scene.namespace}/(web|api) is in the hands of {WHO} ", said)
    assert set(planned) <= set(scene.evicted())
    assert len(scene.evicted()) == len(set(scene.evicted()))
    scene.assert_floor_held(counted)
    assert_nothing_left(scene.stage)
    figures.add("two drains that share workloads", str(counted))


def test_a_drain_and_a_restart_of_the_same_deployment_take_turns(scene: Scene, figures: Figures) -> None:
    # So slow that the drain is there before the restart is over.
    scene.deploy("web", replicas=3, start_delay=4.0)
    node = scene.busiest_node()
    planned = scene.names()
    with (
        scene.traffic() as counted,
        scene.stage.safe_in_background(*scene.restart()) as restart,
    ):
        scene.when(scene.released, what="the first release")
        with scene.stage.safe_in_background(*scene.drain(node), user=OTHER_ADMIN) as drain:
            told = drain.await_line(" is in the hands of ")
            assert (restart.wait(), drain.wait()) == (0, 0), restart.stderr + drain.stderr
        scene.await_full_strength()
    assert f"deployment {scene.namespace}/web is in the hands of " in told
    assert f"(pid {restart.pid}) since " in told
    assert f"(rollout restart deployment/web); see kubectl safe status deployment/web -n {scene.namespace}" in told
    # A replacement may have come to the node before the cordon: that is the drain's.
    assert set(planned) <= set(scene.evicted())
    assert len(scene.evicted()) == len(set(scene.evicted()))
    scene.assert_floor_held(counted)
    assert scene.names(node=node) == []
    assert_nothing_left(scene.stage)
    figures.add("a drain in the middle of a restart", str(counted))


def test_two_restarts_with_the_same_options_are_as_one(scene: Scene, figures: Figures) -> None:
    scene.deploy("web")
    planned = scene.names()
    with (
        scene.traffic() as counted,
        scene.stage.safe_in_background(*scene.restart()) as first,
        scene.stage.safe_in_background(*scene.restart(), user=OTHER_ADMIN) as second,
    ):
        subject = f"deployment {scene.namespace}/web"
        _told_by_who_waits(scene, first, second, subject, about="rollout restart deployment/web")
        assert (first.wait(), second.wait()) == (0, 0), first.stderr + second.stderr
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    _assert_done_by_one(scene)
    assert_nothing_left(scene.stage)
    figures.add("two restarts with the same options", str(counted))


def test_a_restart_with_other_options_is_refused_while_one_is_under_way(scene: Scene, figures: Figures) -> None:
    scene.deploy("web")
    planned = scene.names()
    with scene.traffic() as counted, scene.stage.safe_in_background(*scene.restart()) as first:
        scene.when(scene.released, what="the first release")
        other = scene.stage.safe(*scene.restart(), "--max-surge", "2", check=False, user=OTHER_ADMIN)
        assert first.wait() == 0, first.stderr
        scene.await_full_strength()
    assert "/web is being restarted since " in other.stderr
    assert " with default options: wait for it; if it died, run that command again to complete it, " in other.stderr
    assert other.stderr.endswith(f"kubectl safe abort deployment/web -n {scene.namespace}\n")
    assert (other.returncode, other.stdout) == (1, "")
    scene.assert_handed_over(planned, counted)
    assert scene.writes(OTHER_ADMIN) == []
    assert_nothing_left(scene.stage)
    figures.add("a restart with other options", f"refused; {counted}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlived:
    """A run that was killed and one that was frozen, and those that went on with what they had begun."""

    scene: Scene
    node: str
    drain: str
    waited: float
    """Seconds from the death of the one to the eviction by the other."""
    frozen: Background
    went_on: float
    """When the frozen one went on."""
    heir_of_dead: Background
    heir_of_frozen: Background


@pytest.fixture(scope="module")
def outlived(shared_stage: Stage) -> Iterator[Outlived]:
    """What takes half a minute by nature, all of it at the same time."""
    with scene_on(shared_stage) as scene, ExitStack() as runs:
        scene.deploy("dead", "frozen")
        node = scene.pods("dead")[0]["spec"]["nodeName"]
        drain = (*scene.drain(node), "--pod-selector", "app=dead")
        restart = scene.restart("frozen")
        planned = [*scene.names("dead", node=node), *scene.names("frozen")]

        def run(*command: str, user: str = USER) -> Background:
            return runs.enter_context(shared_stage.safe_in_background(*command, user=user))

        with scene.traffic() as counted:
            dead, frozen = run(*drain), run(*restart)
            scene.signal_when(lambda: scene.withdrawn("dead"), dead.pid, signal.SIGKILL)
            killed = time.time()
            scene.signal_when(lambda: scene.withdrawn("frozen"), frozen.pid, signal.SIGSTOP)
            heirs = run(*drain, user=OTHER_ADMIN), run(*restart, user=OTHER_ADMIN)
            assert [heir.wait() for heir in heirs] == [0, 0], heirs[0].stderr + heirs[1].stderr
            went_on = time.time()
            os.kill(frozen.pid, signal.SIGCONT)
            frozen.wait()
            scene.await_full_strength()
        scene.assert_handed_over(planned, counted)
        [eviction] = [e for e in scene.evictions(OTHER_ADMIN) if e.name.startswith("dead-")]
        yield Outlived(
            scene=scene,
            node=node,
            drain=" ".join(drain[:2]),
            waited=eviction.at - killed,
            frozen=frozen,
            went_on=went_on,
            heir_of_dead=heirs[0],
            heir_of_frozen=heirs[1],
        )


def test_the_leases_of_a_dead_run_are_taken_over_when_they_run_out(outlived: Outlived, figures: Figures) -> None:
    """That of the node and that of the Deployment at the same time, not one after the other."""
    it = outlived
    line = it.heir_of_dead.stderr.splitlines()[0]
    assert re.fullmatch(rf"node/{it.node} is in the hands of {WHO} \({it.drain}\)", line)
    assert it.heir_of_dead.stdout.endswith(f"node/{it.node} drained\n")
    figures.add("a dead drain's pod evicted by the next run", f"{it.waited:.0f} s after it was killed")
    assert LEASE_SECONDS - 1 <= it.waited < 2 * LEASE_SECONDS


def test_a_run_that_was_frozen_writes_nothing_once_another_took_over(outlived: Outlived) -> None:
    it = outlived
    tried = [write for write in it.scene.stage.writes(USER) if write.at >= it.went_on]
    assert [write for write in tried if write.status < 300] == []
    # One that it was about to send when it was frozen names what the pod was, and is refused.
    others = [write for write in tried if write.resource != "leases"]
    assert len(others) <= 1
    assert all(write.body["metadata"]["resourceVersion"] for write in others)


def test_a_run_that_was_frozen_ends_with_an_error_that_says_what_happened(outlived: Outlived) -> None:
    it = outlived
    lease = f"lease {it.scene.namespace}/kubectl-safe.deployment.frozen of this run"
    assert it.frozen.process.returncode == 1
    # Before it, there may be that a request which was cut in two by the freeze ran into the API server's timeout.
    last = it.frozen.stderr.splitlines()[-1]
    assert last.startswith("error: another run has taken over, as this one was pushed out or not seen ")
    assert lease in last
    assert last.endswith("; nothing more is written by this run")
    assert "restarted" not in it.frozen.stdout


def test_nothing_is_left_of_either(outlived: Outlived) -> None:
    assert_nothing_left(outlived.scene.stage)


def _told_by_who_waits(scene: Scene, first: Background, second: Background, subject: str, *, about: str) -> str:
    """Return what one of two runs says: who has it, since when, and what they do with it; whichever comes second."""
    runs = {first: second, second: first}
    beginning = f"{subject} is in the hands of "

    def told() -> list[tuple[str, Background]]:
        return [(line, run) for run in runs for line in run.stderr.splitlines() if line.startswith(beginning)]

    scene.stage.wait_until(lambda: bool(told()), what=f"the line {beginning}...")
    [(line, waiting)] = told()
    assert re.fullmatch(rf"{re.escape(beginning)}{WHO} \({re.escape(about)}\)", line)
    assert f"(pid {runs[waiting].pid})" in line
    return line


def _assert_done_by_one(scene: Scene) -> None:
    """Only one of the two users moved pods."""
    assert [] in (scene.evicted(USER), scene.evicted(OTHER_ADMIN))
