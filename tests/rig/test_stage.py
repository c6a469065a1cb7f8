"""A stage runs commands in the name of users of different rights, and tells their writes apart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig, RigSettings
from tests.support.audit import Write
from tests.support.loop import LoopThread
from tests.support.stage import OTHER_ADMIN, RESTRICTED, USER, USERS, Stage

pytestmark = pytest.mark.controlplane


@pytest.fixture
def stage(loop: LoopThread, binaries: Path) -> Iterator[Stage]:
    with (
        loop.entered(ControlPlane(binaries, users=USERS)) as control_plane,
        loop.entered(Rig(control_plane, RigSettings(nodes=("node-a", "node-b")))) as rig,
    ):
        yield Stage(loop=loop, rig=rig)


def accepted(writes: list[Write]) -> list[Write]:
    return [write for write in writes if write.status < 300 and not write.is_dry_run]


def test_a_user_has_the_rights_that_a_test_binds_and_no_others(stage: Stage) -> None:
    refused = stage.safe("drain", "node-a", user=RESTRICTED, check=False)
    assert refused.returncode == 1
    assert "these rights are missing" in refused.stderr
    assert accepted(stage.writes(RESTRICTED)) == []

    stage.kubectl("create", "clusterrolebinding", "trusted", "--clusterrole=cluster-admin", f"--user={RESTRICTED}")
    stage.safe("drain", "node-a", user=RESTRICTED)
    assert {write.resource for write in accepted(stage.writes(RESTRICTED))} >= {"nodes"}
    assert stage.writes(USER) == stage.writes(OTHER_ADMIN) == []


def test_two_users_run_commands_side_by_side_and_are_told_apart(stage: Stage) -> None:
    with stage.safe_in_background("drain", "node-a", user=OTHER_ADMIN) as theirs:
        stage.safe("drain", "node-b")
        assert theirs.await_line("node-a", seconds=30)
        assert theirs.wait(60) == 0
    for user, node in ((USER, "node-b"), (OTHER_ADMIN, "node-a")):
        assert {write.name for write in accepted(stage.writes(user)) if write.resource == "nodes"} == {node}
