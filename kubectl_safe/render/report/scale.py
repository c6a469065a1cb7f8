"""From instants to places on a page: every timeline of a page has the same scale, and begins at its left edge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_safe.render.timeline import Timeline

MOST_TICKS = 10
ROOM = 1.08
STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)
"""Seconds from one tick to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The scale of one timeline."""

    began: datetime
    span: timedelta
    """The time from the left edge to the right one."""

    def percent(self, at: datetime) -> float:
        """Return how far right an instant is, from 0 to 100; what is outside is at the edge."""
        return min(100.0, max(0.0, (at - self.began) / self.span * 100))

    def x(self, at: datetime) -> str:
        """Return how far right an instant is, as SVG and CSS take it."""
        return number(self.percent(at)) + "%"

    def width(self, since: datetime, until: datetime) -> str:
        """Return how wide a stretch of time is, as SVG and CSS take it."""
        return number(self.percent(until) - self.percent(since)) + "%"

    def seconds(self, at: datetime) -> str:
        """Return when an instant is: `12.4s` after the beginning."""
        return clock((at - self.began).total_seconds())

    @property
    def ticks(self) -> list[tuple[str, str]]:
        """The places and names of the ticks."""
        total = self.span.total_seconds()
        step = next((s for s in STEPS if total / s <= MOST_TICKS), STEPS[-1])
        return [(number(at / total * 100) + "%", clock(at)) for at in range(0, int(total) + 1, step)]


def scales(timelines: Sequence[Timeline]) -> list[Scale]:
    """Return a scale for each timeline, all of the same span: the longest one's, and some room for words at its end."""
    longest = max([timedelta(seconds=1), *(timeline.ended - timeline.began for timeline in timelines)])
    span = longest * ROOM
    return [Scale(began=timeline.began, span=span) for timeline in timelines]


def number(value: float) -> str:
    """Return a number in as few characters as a page needs."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def clock(seconds: float) -> str:
    """Return a time since the beginning: `7.5s`, `2m5s`, `1h10m`."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f}".removesuffix(".0") + "s"
    minutes, rest = divmod(math.floor(seconds), 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m" if minutes else f"{hours}h"
