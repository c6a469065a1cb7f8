"""What befalls the machine that a run is on: its clock jumps, it sleeps, or the process is stopped for a while."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from tests.virtual.acts import LATER_AT_MOST, Act, Expected, Scene

SLEEP_SECONDS = 3600.0
"""Longer than every deadline of a run."""
STOP_SECONDS = 40.0
"""Longer than a Lease lasts."""


def _jumps(**by: float) -> Callable[[Scene], object]:
    def jump(scene: Scene) -> None:
        scene.process.clock_error += timedelta(**by)

    return jump


def _stop(scene: Scene, seconds: float) -> None:
    process = scene.process
    process.freeze()
    scene.later(seconds, process.thaw)
    # What it does next, it does once it goes on.
    process.sleep(0)


def _sleeps(scene: Scene) -> None:
    """The connections are there when it wakes up, and what came meanwhile is still to be read."""
    _stop(scene, SLEEP_SECONDS)


def _sleeps_cut_off(scene: Scene) -> None:
    """On the way, the connections were forgotten, and nobody says so."""
    for stream in scene.stage.door.streams:
        stream.is_silent = stream.is_silent or stream.process is scene.process
    _stop(scene, SLEEP_SECONDS)


def _stopped(scene: Scene) -> None:
    _stop(scene, STOP_SECONDS)


def _succeeded(scene: Scene) -> None:
    """The same command is started meanwhile, which finds a Lease that nobody renews."""
    scene.start_the_same()
    _stop(scene, STOP_SECONDS)


_ASLEEP = Expected(later=SLEEP_SECONDS + LATER_AT_MOST)

TIME_ACTS: Mapping[str, Act] = {
    "an-hour-on": Act(do=_jumps(hours=1)),
    "an-hour-back": Act(do=_jumps(hours=-1)),
    "10s-on": Act(do=_jumps(seconds=10)),
    "10s-back": Act(do=_jumps(seconds=-10)),
    "sleeps": Act(do=_sleeps, expected=_ASLEEP),
    "sleeps-cut-off": Act(do=_sleeps_cut_off, expected=_ASLEEP),
    "stopped": Act(do=_stopped),
    # Where the first has not begun, or has ended, there are two restarts, one after the other.
    "succeeded": Act(do=_succeeded, expected=Expected(is_done_beside=True, evicts=2)),
}
