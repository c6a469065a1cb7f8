"""When to ask AWS what: pure, in injected time, so that the rates are held whatever is wished for.

AWS gives an account 40 Describe* calls that come back at 10 a second in each region, and the load balancer controller
needs them more than we do.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kubectl_safe.decide.health import POLL, Wish
from kubectl_safe.model.target import Role, Target, account_and_region

BETWEEN_CALLS = timedelta(milliseconds=500)
"""Between two calls to one account and region: two a second."""

_FIRST_BACKOFF = timedelta(seconds=1)
_LONGEST_BACKOFF = timedelta(seconds=30)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask this group about these targets now."""

    group: str
    targets: frozenset[Target]
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing is to be asked until then; None means until something else is wished for."""

    until: datetime | None


@dataclass(slots=True)
class _Bucket:
    """The calls of one account and region."""

    free_at: datetime = _LONG_AGO
    throttled: int = 0


class Schedule:
    """Which group is next. Not safe to share between threads.

    Args:
        spread: returns a factor for each backoff, so that several processes don't come back at once.
    """

    def __init__(self, spread: "Spread | None" = None) -> None:
        self._spread = spread or Spread()
        self._wishes: dict[str, Wish] = {}
        self._asked: dict[str, datetime] = {}
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Replace what is wished for, by group.

        Raises:
            ValueError: a group is not an ARN.
        """
        for group in wishes:
            self._bucket(group)
        self._wishes = {group: wish for group, wish in wishes.items() if wish.targets or wish.is_whole}

    def next(self, now: datetime) -> Ask | Pause:
        """Return what to do at this instant; a group that it returns counts as asked."""
        due = {group: self._due(group, wish) for group, wish in self._wishes.items()}
        ready = [group for group, at in due.items() if at <= now]
        if not ready:
            return Pause(until=min(due.values(), default=None))
        group = min(ready, key=lambda group: (self._asked.get(group, _LONG_AGO), self._wishes[group].not_before, group))
        self._asked[group] = now
        self._bucket(group).free_at = now + BETWEEN_CALLS
        return Ask(group=group, targets=self._wishes[group].targets, role=self._wishes[group].role)

    def arrived(self, group: str, at: datetime) -> None:
        """Take note of when a question had arrived for certain, as there was an answer.

        It may have had to wait for its turn after it was due, and be long on its way: what AWS counts is its arrival.
        """
        self._asked[group] = max(at, self._asked.get(group, at))

    def answered(self, group: str) -> None:
        """Take note that a group's answer came, or an error that has nothing to do with rates."""
        self._bucket(group).throttled = 0

    def throttled(self, group: str, now: datetime) -> None:
        """Take note that a call was throttled: its account and region are left alone, twice as long each time."""
        bucket = self._bucket(group)
        pause = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** min(bucket.throttled, 10))
        bucket.throttled += 1
        bucket.free_at = max(bucket.free_at, now + pause * self._spread.factor())

    def asked_at(self, group: str) -> datetime | None:
        """Return when a group was last asked."""
        return self._asked.get(group)

    def _due(self, group: str, wish: Wish) -> datetime:
        last = self._asked.get(group)
        own = wish.not_before if last is None else max(wish.not_before, last + POLL)
        return max(own, self._bucket(group).free_at)

    def _bucket(self, group: str) -> _Bucket:
        return self._buckets.setdefault(account_and_region(group), _Bucket())


class Spread:
    """Random factors between one and one and a half."""

    def factor(self) -> float:
        """Return the next factor."""
        return random.uniform(1.0, 1.5)  # noqa: S311 - spreads load, guards nothing
