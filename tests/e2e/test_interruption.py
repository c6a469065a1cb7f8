"""Signals in each phase of a run: the first ends it in good order, the second at once."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from tests.support.background import Background, in_background
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import Scene

pytestmark = pytest.mark.controlplane

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
SIGNALS = (INT, TERM, HUP)
SECOND = {INT: TERM, TERM: HUP, HUP: INT}
"""Another one: two of the same kind may be one by the time that they are seen."""

REPLICAS = 3
"""One is in its phase, one may follow it, and one is not begun."""
AT_ONCE_SECONDS = 15.0
"""Out at once: nothing is waited for, but the machine is busy with other tests."""

ON_ITS_TERMINAL = """\\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs a command as a shell's: what is hung up sends SIGHUP to whom it controls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase of the handoff of the first of three pods: what makes it last, how it is seen, and how the pod ends."""

    is_now: Callable[[Scene, str], bool]
    application: Mapping[str, Any] = field(default_factory=dict)
    deployment: Mapping[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    does: str = "1 pod withdrawn, to be finished"
    """What the run says after the first signal that it still does."""
    is_given_back: bool = False


PHASES = {
    "released, and its replacement not ready": Phase(
        is_now=lambda it, name: bool(it.released(name)),
        application={"start_delay": 2.0},
        does="1 pod released, to be given back or finished",
        is_given_back=True,
    ),
    "its replacement ready": Phase(
        is_now=lambda it, name: it.has_replacement(name, seconds=0.5),
        deployment={"minReadySeconds": 3},
        does="1 pod released, to be given back or finished",
    ),
    "withdrawn": Phase(is_now=lambda it, name: bool(it.withdrawn(name)), options=("--max-draining", "1")),
    "evicted": Phase(
        is_now=lambda it, name: bool(it.stopping(name, seconds=0.5)),
        application={"pre_stop": 3},
        options=("--max-draining", "1"),
        does="1 pod stopping",
    ),
}


@pytest.mark.parametrize("phase", [pytest.param(phase, id=name) for name, phase in PHASES.items()])
def test_the_first_signal_ends_what_is_under_way_and_begins_nothing(
    scene: Scene, phase: Phase, figures: Figures, request: pytest.FixtureRequest
) -> None:
    _deploy(scene, phase, *map(_application, SIGNALS))
    before = {pod["metadata"]["name"]: pod for pod in scene.pods()}
    with scene.traffic() as counted, ExitStack() as stack:
        running = {number: _start(scene, phase, number, stack) for number in SIGNALS}
        _signal_each(scene, phase, running)
        for number, process in running.items():
            assert process.wait() == 130, process.stderr
            _assert_told(process, phase, by=number.name)
        scene.await_full_strength()
    scene.assert_floor_held(counted)
    for number in SIGNALS:
        _assert_ended(scene, phase, number, before)
    assert scene.leases() == []
    figures.add(f"one signal, {request.node.callspec.id}", f"{len(scene.evicted())} pods finished; {counted}")


@pytest.mark.parametrize("phase", [pytest.param(phase, id=name) for name, phase in PHASES.items()])
def test_the_second_signal_leaves_at_once_and_the_same_command_completes_it(
    scene: Scene, phase: Phase, figures: Figures, request: pytest.FixtureRequest
) -> None:
    _deploy(scene, phase, *map(_application, SIGNALS), replicas=1)
    planned = scene.names()
    with scene.traffic() as counted:
        with ExitStack() as stack:
            running = {number: _start(scene, phase, number, stack) for number in SIGNALS}
            took = _signal_each(scene, phase, running, SECOND)
            for number, process in running.items():
                assert process.wait() == 130, process.stderr
                assert took[number] < AT_ONCE_SECONDS
                # Both may be seen at once, and then the lower number comes first.
                orders = permutations([number.name, SECOND[number].name])
                assert any(f"\ninterrupted twice ({', '.join(order)})\n" in process.stderr for order in orders)
                words = f"kubectl safe abort deployment/{_application(number)} -n {scene.namespace}\n"
                assert process.stderr.endswith(f"run the same command again to go on, or end it with: {words}")
        assert scene.leases() == []
        # A replacement may have gone for a pod that was given back between the two.
        ended = {pod.name for pod in scene.histories() if pod.terminating}
        assert set(scene.evicted()) == ended & set(planned)
        with ExitStack() as stack:
            for process in [_start(scene, phase, number, stack) for number in SIGNALS]:
                assert process.wait() == 0, process.stderr
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add(f"two signals, {request.node.callspec.id}", f"then completed; {counted}")


def test_a_signal_before_anything_is_begun_ends_the_command_and_nothing_was_changed(scene: Scene) -> None:
    """They wait for a Lease that somebody else has, after all their preparations."""
    scene.deploy("web")
    _hold_lease(scene, "web")
    with ExitStack() as stack:
        running = [stack.enter_context(scene.stage.safe_in_background(*scene.restart("web"))) for _ in SIGNALS]
        for number, process in zip(SIGNALS, running, strict=True):
            process.await_line("is in the hands of bob@desk (pid 12) since ")
            os.kill(process.pid, number)
            assert process.wait() == 130
            words = "\nerror: interrupted: no pod was moved; run the same command again to go on\n"
            assert process.stderr.endswith(words)
    assert scene.writes() == []
    assert scene.leases() == ["kubectl-safe.deployment.web"]


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_after_the_cordon_says_that_it_stays_and_how_to_take_it_back(
    scene: Scene, number: signal.Signals
) -> None:
    scene.deploy("web")
    node = scene.busiest_node()
    before = {pod["metadata"]["name"]: pod for pod in scene.pods()}
    with scene.traffic() as counted:
        with scene.stage.safe_in_background(*scene.drain(node)) as process:
            scene.signal_when(lambda: scene.is_cordoned(node), process.pid, number)
            assert process.wait() == 130, process.stderr
        scene.await_full_strength()
    words = f"node/{node} stays cordoned; to take that back: kubectl safe uncordon {node}\n"
    assert process.stderr.endswith(f"run the same command again to go on\n{words}")
    assert scene.evicted() == []
    assert {pod["metadata"]["name"]: _kept(pod) for pod in scene.pods()} == {k: _kept(p) for k, p in before.items()}
    scene.assert_floor_held(counted)
    assert scene.stage.safe("uncordon", node).stdout == f"node/{node} uncordoned\n"
    assert_nothing_left(scene.stage)


def test_a_terminal_that_is_hung_up_interrupts_and_what_is_withdrawn_is_finished_unseen(scene: Scene) -> None:
    phase = PHASES["withdrawn"]
    _deploy(scene, phase, "web")
    planned = scene.names()
    terminal, end = pty.openpty()
    command = [sys.executable, "-c", ON_ITS_TERMINAL, *scene.stage.safe_command(_command(scene, phase, "web"))]
    with scene.traffic() as counted:
        process = subprocess.Popen(
            command, env=scene.stage.environment(), stdin=end, stdout=end, stderr=end, start_new_session=True
        )
        os.close(end)
        try:
            os.set_blocking(terminal, False)
            scene.when(
                lambda: _has_read(terminal) and phase.is_now(scene, "web"),
                lambda: os.close(terminal),
                what="the withdrawal",
            )
            assert process.wait(60) == 130
        finally:
            process.kill()
            process.wait()
        scene.await_full_strength()
    [first] = scene.evicted()
    scene.assert_handed_over([first], counted)
    assert first in planned
    assert scene.leases() == []


def test_a_signal_that_was_ignored_at_the_start_stays_ignored(scene: Scene) -> None:
    """As a shell has it for what it runs in the background: Ctrl-C is meant for others."""
    phase = PHASES["withdrawn"]
    _deploy(scene, phase, "web", replicas=1)
    planned = scene.names()
    command = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *scene.stage.safe_command(_command(scene, phase, "web"))]
    with scene.traffic() as counted:
        with in_background(command, scene.stage.environment()) as process:
            scene.signal_when(lambda: phase.is_now(scene, "web"), process.pid, INT)
            assert process.wait() == 0, process.stderr
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)


def _application(number: signal.Signals) -> str:
    """Return the name of the application whose restart gets a signal."""
    return number.name.lower()


def _deploy(scene: Scene, phase: Phase, *names: str, replicas: int = REPLICAS) -> None:
    scene.deploy(*names, spec=dict(phase.deployment), replicas=replicas, **phase.application)


def _command(scene: Scene, phase: Phase, name: str) -> tuple[str, ...]:
    return (*scene.restart(name), "--max-surge", "1", *phase.options)


def _start(scene: Scene, phase: Phase, number: signal.Signals, stack: ExitStack) -> Background:
    return stack.enter_context(scene.stage.safe_in_background(*_command(scene, phase, _application(number))))


def _signal_each(
    scene: Scene,
    phase: Phase,
    running: Mapping[signal.Signals, Background],
    seconds: Mapping[signal.Signals, signal.Signals] | None = None,
) -> dict[signal.Signals, float]:
    """Send each run its signal, or two, as soon as it is in a phase, whichever comes first.

    Returns:
        The seconds from the two signals to the end of each run; of one signal it isn't waited for.
    """
    sent, took = dict[signal.Signals, float](), dict[signal.Signals, float]()

    def send_to_those_that_are_due() -> bool:
        for number in sent.keys() - took.keys():
            if running[number].process.poll() is not None:
                took[number] = time.monotonic() - sent[number]
        for number in running.keys() - sent.keys():
            ended = running[number].process.poll()
            assert ended is None, f"it ended with {ended}:\n{running[number].stdout}\n{running[number].stderr}"
            if phase.is_now(scene, _application(number)):
                os.kill(running[number].pid, number)
                if seconds:
                    os.kill(running[number].pid, seconds[number])
                sent[number] = time.monotonic()
        return len(took if seconds else sent) == len(running)

    scene.when(send_to_those_that_are_due, what="the phase in each run, and the end that two signals make")
    return took


def _has_read(terminal: int) -> bool:
    """Read what is on a terminal, as nobody can write to one that is full."""
    with suppress(BlockingIOError, OSError):
        os.read(terminal, 1 << 16)
    return True


def _assert_told(process: Background, phase: Phase, *, by: str) -> None:
    """It says at once what it still does, and at the end what is left and what to do."""
    [first] = [line for line in process.stderr.splitlines() if line.startswith(f"interrupted ({by}): ")]
    assert first.startswith(f"interrupted ({by}): no further pod is begun; ")
    assert phase.does in first
    assert "pods were not handed over\n" in process.stderr or "pods was not handed over\n" in process.stderr
    assert f"\ninterrupted ({by})\n" in process.stderr
    last = process.stderr.splitlines()[-1]
    assert last.startswith("run the same command again to go on, or end it with: kubectl safe abort deployment/")


def _assert_ended(scene: Scene, phase: Phase, number: signal.Signals, before: Mapping[str, dict[str, Any]]) -> None:
    """What was finished is gone, and every other pod is as it was."""
    evicted = [name for name in scene.evicted() if name.startswith(_application(number))]
    assert len(evicted) in ([0] if phase.is_given_back else [1, 2])
    now = scene.pods(_application(number))
    assert len(now) == REPLICAS
    stayed = [pod for pod in now if pod["metadata"]["name"] in before]
    assert len(stayed) == REPLICAS - len(evicted)
    for pod in stayed:
        assert _kept(pod) == _kept(before[pod["metadata"]["name"]])


def _kept(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a handoff changes of a pod, and what giving it back puts back."""
    return {key: pod["metadata"].get(key) for key in ("uid", "labels", "annotations", "ownerReferences")}


def _hold_lease(scene: Scene, name: str) -> None:
    """Have somebody else hold the Lease of a Deployment, for longer than the test lasts."""
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")  # noqa: TID251 - what a holder of our time writes
    lease = {
        "metadata": {
            "name": f"kubectl-safe.deployment.{name}",
            "annotations": {"kubectl-safe/run": "rollout restart"},
        },
        "spec": {
            "holderIdentity": "bob@desk pid 12 0badcafe",
            "leaseDurationSeconds": 600,
            "acquireTime": now,
            "renewTime": now,
        },
    }
    path = f"/apis/coordination.k8s.io/v1/namespaces/{scene.namespace}/leases"
    scene.stage.loop.call(scene.stage.rig.api.create(path, lease))
