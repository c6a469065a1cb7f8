"""Whoever runs a command stops it, at once or some seconds later; and runs it again."""

import signal
from collections.abc import Callable, Mapping
from functools import partial

from tests.support.virtual.process import Process
from tests.support.virtual.stage import Running
from tests.virtual.acts import Act, Scene

AFTER_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Between two events of a run there may be time in which a target, or a pod, comes into service unseen."""
TWICE_SECONDS = 2.0
"""Who is told that it goes on, and for what, presses Ctrl-C once more."""


def interrupt(process: Process, number: int = signal.SIGINT) -> None:
    """Send a process a signal, where it is still there."""
    assert isinstance(process, Running)
    if not process.is_over:
        process.signal(partial(process.interruption._take, number, None))


def _interrupts(seconds: float, *, is_twice: bool = False) -> Callable[[Scene], None]:
    def begin(scene: Scene) -> None:
        scene.later(seconds, interrupt, scene.process)
        if is_twice:
            scene.later(seconds + TWICE_SECONDS, interrupt, scene.process)

    return begin


INTERRUPTIONS: Mapping[str, Act] = {
    **{f"interrupted-{seconds:g}s": Act(do=_interrupts(seconds)) for seconds in AFTER_SECONDS},
    **{f"interrupted-{seconds:g}s-twice": Act(do=_interrupts(seconds, is_twice=True)) for seconds in (0.0, 4.0)},
}
