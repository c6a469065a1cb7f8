"""What AWS says is shown escaped by whole commands, on the embedded control plane."""

import re
from collections.abc import Iterator

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.elbv2 import Elbv2Error, TargetHealth, no_fault
from kubectl_safe.sandbox.elbv2_faults import refusing
from kubectl_safe.sandbox.rig import Rig
from tests.cli.test_escapes import OBEYED
from tests.support.loop import LoopThread
from tests.support.stage import USERS, Stage

EVIL = "\x9b31m\x9b2J\u202egnp.exe\u2028\x85error: it is all right"
"""What XML 1.0, in which AWS answers, can hold of what a terminal obeys."""
SHOWN = re.compile(r"\\(x|u00)9b31m\\(x|u00)9b2J\\u202egnp.exe\\u2028\\(x|u00)85error: it is all right")
"""The same for people to read, or in JSON."""

LOOKING = [
    ("status",),
    ("status", "-o", "wide"),
    ("status", "-v", "9"),
    ("check",),
    ("check", "-o", "sarif"),
    ("rollout", "status", "deployment/web", "--timeout", "3s"),
]
MOVING = [
    ("rollout", "restart", "deployment/web", "--dry-run"),
    ("rollout", "restart", "deployment/web", "--timeout", "3s", "-v", "9"),
    ("drain", "node-a", "--timeout", "3s", "-v", "9"),
]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A cluster with an application whose targets AWS calls unhealthy in words that a terminal obeys."""
    with LoopThread() as loop:
        control_plane = EmbeddedControlPlane(users=USERS)
        with loop.entered(control_plane), loop.entered(Rig(control_plane)) as rig:
            stage = Stage(loop=loop, rig=rig)
            stage.deploy(Application(namespace="shop", name="web", replicas=2, is_load_balanced=True, start_delay=0.1))
            loop.call(spoil(rig))
            yield stage


async def spoil(rig: Rig) -> None:
    group = rig.deployed["shop", "web"].group
    assert group is not None
    for registration in group.targets.values():
        assert registration.checks is not None
        registration.checks.cancel()
        registration.health = TargetHealth("unhealthy", EVIL, EVIL)


@pytest.mark.parametrize("command", [*LOOKING, *MOVING], ids=" ".join)
def test_what_is_said_of_a_target_can_move_no_cursor(stage: Stage, command: tuple[str, ...]) -> None:
    told = outcome(stage, command)
    # Who moves pods waits for other things first.
    assert SHOWN.search(told) or command in MOVING


@pytest.mark.parametrize("command", [*LOOKING, *MOVING], ids=" ".join)
def test_what_is_said_of_a_refusal_can_move_no_cursor(stage: Stage, command: tuple[str, ...]) -> None:
    stage.rig.elbv2.fault = refusing(lambda _, __: Elbv2Error("AccessDenied", f"not {EVIL}", 403))
    try:
        told = outcome(stage, command)
    finally:
        stage.rig.elbv2.fault = no_fault
    assert SHOWN.search(told)


def outcome(stage: Stage, command: tuple[str, ...]) -> str:
    """Return what a command says, and nothing that a terminal obeys is in it."""
    done = stage.safe(*command, "-n", "shop", check=False)
    told = done.stdout + done.stderr
    assert told
    assert not OBEYED.search(told)
    assert "kubectl-safe failed" not in told
    return told
