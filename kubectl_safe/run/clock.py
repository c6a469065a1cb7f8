"""The one place that reads the time and that waits."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def elapsed() -> float:
    """Return seconds since some moment, which nobody sets and which go on while the machine sleeps.

    A Lease runs out whether its holder is awake or not. `time.monotonic` stands still in sleep on Linux and macOS:
    a laptop that was closed for an hour would take its Lease for fresh.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "win32":
        return time.monotonic()
    return time.clock_gettime(time.CLOCK_MONOTONIC)


class SteadyClock:
    """Tells the time as it was at the beginning and what has elapsed since, whoever sets the machine's clock meanwhile.

    How long a pod has been out of its slices is told by this clock: a step of the machine's would cut that short.

    Args:
        wall: the machine's clock.
        elapsed: seconds since some moment, which nobody sets.
    """

    def __init__(self, wall: Callable[[], datetime], elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._began = wall()
        self._began_at = elapsed()

    def __call__(self) -> datetime:
        """Return this instant."""
        return self._began + timedelta(seconds=self._elapsed() - self._began_at)


now = SteadyClock(lambda: datetime.now(UTC), elapsed)  # noqa: TID251 - this is the clock
"""Returns this instant."""
