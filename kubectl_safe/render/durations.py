"""Durations and counts as people read them."""

from datetime import timedelta

MINUTE = 60
HOUR = 60 * MINUTE


def short(duration: timedelta) -> str:
    """Return a duration as kubectl prints ages: `7s`, `2m5s`, `1h10m`."""
    seconds = max(0, round(duration.total_seconds()))
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, MINUTE)
    if seconds < HOUR:
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"


def about(duration: timedelta) -> str:
    """Return an estimate that doesn't claim more than it knows: `about 40 s`, `about 25 min`."""
    seconds = duration.total_seconds()
    if seconds < 2 * MINUTE:
        return f"about {max(1, round(seconds))} s"
    return f"about {round(seconds / MINUTE)} min"


def pods(count: int, kind: str = "") -> str:
    """Return a number of pods: `1 pod`, `6 pods`, `2 more pods`."""
    return f"{count} {kind}pod{'' if count == 1 else 's'}"
