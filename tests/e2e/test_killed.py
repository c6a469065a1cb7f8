"""Killed at any moment it harms nothing: the same command again goes on where the dead one was."""

import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.support.claims import assert_nothing_left, assert_the_floor_held, assert_written_as_designed
from tests.support.figures import Figures
from tests.support.killing import (
    Moment,
    Watched,
    is_about_to_be_evicted,
    is_all_evicted,
    is_cordoned,
    is_evicted,
    is_recorded,
    is_released,
    is_replaced,
    is_withdrawn,
    kill_when,
    watched,
)
from tests.support.stage import NAMESPACE, Counted, Stage, api, web

pytestmark = pytest.mark.controlplane

NODE = "node-a"
SETTLE_SECONDS = 6.0
RATE = 120.0

DRAIN = ("drain", NODE, "--settle", "6s")
RESTART = (
    *("rollout", "restart", "deployment/web", "deployment/api", "-n", NAMESPACE),
    *("--settle", "6s", "--max-surge", "2"),
)

SHARED = [
    pytest.param(is_released, id="after a pod was released"),
    pytest.param(is_replaced, id="when a replacement is ready"),
    pytest.param(is_withdrawn, id="after a pod was withdrawn"),
    pytest.param(is_about_to_be_evicted, id="before a pod is evicted"),
    pytest.param(is_evicted, id="after a pod was evicted"),
]


@pytest.mark.parametrize("moment", [pytest.param(is_cordoned, id="after the node was cordoned"), *SHARED])
def test_a_drain_that_was_killed_is_completed_by_the_same_command(
    stage: Stage, moment: Moment, figures: Figures
) -> None:
    it = _set_the_stage(stage)
    planned = it.on(NODE)
    assert len({name.split("-")[0] for name in planned}) == 2, "a node without a pod of each application proves little"
    counted, before = _kill_and_run_again(it, moment, DRAIN)
    figures.add(f"drain killed, {moment.__name__}", f"{before}, then completed; {counted}")
    _assert_completed(stage, planned, counted)
    nodes = stage.rig.controller.nodes.objects.values()
    assert {n["metadata"]["name"] for n in nodes if n["spec"].get("unschedulable")} == {NODE}


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(is_recorded, id="after the operation was recorded"),
        *SHARED,
        pytest.param(is_all_evicted, id="after all pods were evicted"),
    ],
)
def test_a_restart_that_was_killed_is_completed_by_the_same_command(
    stage: Stage, moment: Moment, figures: Figures
) -> None:
    it = _set_the_stage(stage)
    planned = frozenset(pod["metadata"]["name"] for pod in it.pods)
    counted, before = _kill_and_run_again(it, moment, RESTART)
    figures.add(f"restart killed, {moment.__name__}", f"{before}, then completed; {counted}")
    _assert_completed(stage, planned, counted)
    assert not is_cordoned(it)


def _set_the_stage(stage: Stage) -> Watched:
    stage.deploy(
        replace(web(), replicas=3, deregistration_delay=4.0, sigterm="abrupt"),
        replace(api(), replicas=3, sigterm="abrupt"),
    )
    return watched(stage, settle_seconds=SETTLE_SECONDS)


def _kill_and_run_again(it: Watched, moment: Moment, command: Sequence[str]) -> tuple[Counted, str]:
    """Kill a command at a moment and run it again, under traffic; return that, and what the dead one had written."""
    stage = it.stage
    with stage.traffic(rate=RATE) as counted:
        with stage.safe_in_background(*command) as process:
            kill_when(moment, it, process.pid)
            assert process.wait() == -signal.SIGKILL, "it was over before it could be killed"
        done = Counter(f"{w.verb} {w.resource}" for w in stage.writes() if not w.is_dry_run and w.status < 300)
        stage.safe(*command)
        stage.await_full_strength()
    return counted, ", ".join(f"{count} {what}" for what, count in sorted(done.items()))


def _assert_completed(stage: Stage, planned: frozenset[str], counted: Counted) -> None:
    """Exactly the planned pods were replaced, each once, and neither a request nor a pod in service was missing."""
    assert counted.losses == ()
    assert sorted(e.name for e in stage.evictions()) == sorted(planned)
    ever = [pod for application in stage.applications for pod in stage.pods(application)]
    assert len(ever) == sum(a.replicas for a in stage.applications) + len(planned), "a pod was replaced twice"
    assert {pod.name for pod in ever if pod.terminating} == planned
    assert_the_floor_held(stage, counted)
    assert_written_as_designed(stage, settle_seconds=SETTLE_SECONDS)
    assert_nothing_left(stage)
