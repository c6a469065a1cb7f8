"""Requests over time, from running totals that somebody reads now and then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kubectl_safe.render.timeline import NO_LOSS, Traffic

MOST_BUCKETS = 1800
"""With more, each two become one: a long run is told more coarsely, and never takes more memory."""


@dataclass(frozen=True, slots=True)
class _Total:
    at: datetime
    sent: int
    lost: Mapping[str, int]


@dataclass(slots=True)
class Counting:
    """Makes buckets of a second or more."""

    _buckets: list[Traffic] = field(default_factory=list)
    _base: _Total | None = None
    _last: _Total | None = None
    _every: timedelta = timedelta(seconds=1)

    def take(self, at: datetime, sent: int, lost: Mapping[str, int]) -> None:
        """Take up how many were sent and lost until now, in all; the first totals are where it begins to count."""
        self._last = _Total(at, sent, dict(lost))
        if self._base is None:
            self._base = self._last
        elif at - self._base.at >= self._every:
            self._buckets.append(_between(self._base, self._last))
            self._base = self._last
            if len(self._buckets) > MOST_BUCKETS:
                pairs = zip(self._buckets[::2], self._buckets[1::2], strict=False)
                self._buckets = [_joined(*pair) for pair in pairs] + self._buckets[len(self._buckets) // 2 * 2 :]
                self._every *= 2

    def buckets(self) -> tuple[Traffic, ...]:
        """Return all that was counted, the last part of a second included."""
        if self._base is None or self._last is None or self._last.at <= self._base.at:
            return tuple(self._buckets)
        return (*self._buckets, _between(self._base, self._last))


def _between(base: _Total, last: _Total) -> Traffic:
    lost = {reason: new for reason, count in last.lost.items() if (new := count - base.lost.get(reason, 0)) > 0}
    return Traffic(at=base.at, sent=last.sent - base.sent, lost=lost or NO_LOSS, lasted=last.at - base.at)


def _joined(one: Traffic, other: Traffic) -> Traffic:
    lost = {reason: one.lost.get(reason, 0) + other.lost.get(reason, 0) for reason in {**one.lost, **other.lost}}
    return Traffic(at=one.at, sent=one.sent + other.sent, lost=lost or NO_LOSS, lasted=other.at + other.lasted - one.at)
