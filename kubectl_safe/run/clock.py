"""The one place that reads the time and that waits."""

import sys
import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return this instant."""
    return datetime.now(UTC)  # noqa: TID251 - this is the clock


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
