"""Whole runs of the tool, on a rig on either control plane: what is written, in which order, and what is left."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig
from tests.support.claims import (
    assert_every_handoff_was_under_load,
    assert_evicted_only_when_out,
    assert_nothing_left,
    assert_the_floor_held,
)
from tests.support.loop import LoopThread
from tests.support.stage import NAMESPACE, USERS, Stage, api, web

pytestmark = pytest.mark.controlplane

SETTLE = 5.0
QUICK = {"deregistration_delay": 2.0, "start_delay": 0.2}
HANDED_OVER = ["patch pods", "patch pods", "create pods/eviction"]
"""Released, withdrawn, evicted."""


@pytest.fixture(params=["embedded", "real"])
def stage(request: pytest.FixtureRequest, loop: LoopThread, binaries: Path) -> Iterator[Stage]:
    """A rig on each control plane."""
    control_plane: ControlPlane | EmbeddedControlPlane
    if request.param == "embedded":
        control_plane = EmbeddedControlPlane(users=USERS, binaries=binaries)
    else:
        control_plane = ControlPlane(binaries, users=USERS)
    with loop.entered(control_plane), loop.entered(Rig(control_plane)) as rig:
        yield Stage(loop=loop, rig=rig)


def written(stage: Stage) -> dict[tuple[str, str], list[str]]:
    """Return what was accepted of our writes, by kind and name of the object, in order."""
    found = defaultdict(list)
    for write in stage.writes():
        if not write.is_dry_run and write.status < 300 and not write.resource.startswith("leases"):
            found[write.resource.partition("/")[0], write.name].append(f"{write.verb} {write.resource}")
    return found


def test_drain_writes_the_same_and_leaves_nothing(stage: Stage) -> None:
    stage.deploy(web(**QUICK), api(**QUICK))
    on_node = {
        record.name for record in stage.rig.nodes.journal.values() if record.node == "node-a" and record.gone is None
    }
    with stage.traffic() as counted:
        stage.safe("drain", "node-a", "--settle", f"{SETTLE:g}s")
        stage.await_full_strength()
    writes = written(stage)
    assert writes.pop(("nodes", "node-a")) == ["patch nodes"]
    assert {name: said for (kind, name), said in writes.items() if kind == "pods"} == dict.fromkeys(
        on_node, HANDED_OVER
    )
    assert counted.losses == ()
    assert_every_handoff_was_under_load(stage)
    assert_the_floor_held(stage, counted)
    assert_evicted_only_when_out(stage, settle_seconds=SETTLE)
    assert_nothing_left(stage)


def test_restart_writes_the_same_and_leaves_nothing(stage: Stage) -> None:
    stage.deploy(web(**QUICK))
    before = {record.name for record in stage.rig.nodes.journal.values()}
    with stage.traffic() as counted:
        stage.safe("rollout", "restart", "deployment/web", "-n", NAMESPACE, "--settle", f"{SETTLE:g}s")
        stage.await_full_strength()
    writes = written(stage)
    assert {name: said for (kind, name), said in writes.items() if kind == "pods"} == dict.fromkeys(before, HANDED_OVER)
    assert counted.losses == ()
    assert_the_floor_held(stage, counted)
    assert_evicted_only_when_out(stage, settle_seconds=SETTLE)
    assert_nothing_left(stage)


def test_kubectl_drain_loses_requests(stage: Stage) -> None:
    stage.deploy(web(**QUICK, sigterm="abrupt"), api(**QUICK, sigterm="abrupt"))
    with stage.traffic() as counted:
        stage.kubectl("drain", "node-a")
        stage.await_full_strength()
    assert counted.lost > 0
