"""What to do about one Lease that is wanted. Pure.

Expiry is judged by change that we observe, in time that we measure: a Lease that did not change for its whole duration
has no living holder. Times that others wrote are never compared, for clocks are off by seconds, and some by hours.

Why no two processes count one Lease as theirs: a holder trusts it for less than its duration from when it *sent* its
last renewal. Another sees that renewal later than it was sent, counts the whole duration from when it saw it, and its
own write names the version that it saw, which one more renewal makes void.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from kubectl_safe.model.lease import Holder, Lease, LeaseName

DURATION = timedelta(seconds=30)
RENEW_EVERY = timedelta(seconds=10)
MARGIN = timedelta(seconds=5)
"""Before the end of a Lease its holder stops to trust it: clocks run at different rates, and a write takes its time."""
AT_ONCE = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """What we know of a Lease that we took."""

    uid: str
    since_renewal: timedelta
    """Since the last renewal that succeeded was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """There is none: create it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Renew:
    """It bears our name: renew it."""

    lease: Lease
    usable_after: timedelta = AT_ONCE
    """How long after it succeeded another, whom we pushed out of it, may still trust it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """Write our name in place of another's."""

    lease: Lease
    usable_after: timedelta = AT_ONCE
    """As in `Renew`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Another holds it: ask again later."""

    by: Holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """We held it, and it is another's now, or was deleted: nothing may be written under it any more."""

    to: Holder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fine:
    """We hold it, and no renewal is due."""


Step = Create | Renew | TakeOver | Held | Lost | Fine


def next_step(
    seen: Lease | None,
    *,
    us: str,
    unchanged_for: timedelta,
    term: Term | None,
    is_forced: bool = False,
    has_pushed: bool = False,
) -> Step:
    """Decide on one wanted Lease.

    Args:
        seen: the Lease as it was last read or written; None where there is none.
        us: our identity.
        unchanged_for: since when, by our clock, we have known this very version of it.
        term: of a Lease that we took; None before that.
        is_forced: a living holder is to be pushed out.
        has_pushed: a write that pushes one out was sent, and had no answer.
    """
    if term is not None:
        return _of_ours(seen, us, term)
    if seen is None:
        return Create()
    # One that says nothing about its duration is given ours.
    duration = seen.duration or DURATION
    if seen.holder == us:
        # A write of ours was done whose answer was lost.
        return Renew(lease=seen, usable_after=DURATION if has_pushed else AT_ONCE)
    if not seen.holder or unchanged_for >= duration:
        return TakeOver(lease=seen)
    if is_forced:
        return TakeOver(lease=seen, usable_after=max(duration, DURATION))
    return Held(by=seen.held_by)


def is_valid(since_renewal: timedelta) -> bool:
    """Tell whether a Lease may still be trusted, by the time since the last successful renewal was *sent*."""
    return since_renewal < DURATION - MARGIN


def created(name: LeaseName, *, us: str, about: str, at: str, nodes: tuple[str, ...] = ()) -> Lease:
    """Return a Lease to create, at this time of our clock (for people)."""
    return Lease(
        name=name,
        uid="",
        resource_version="",
        holder=us,
        about=about,
        since=at,
        renewed=at,
        duration=DURATION,
        nodes=nodes,
    )


def renewed(lease: Lease, *, at: str) -> Lease:
    """Return our Lease, renewed."""
    return replace(lease, renewed=at, duration=DURATION)


def taken_over(lease: Lease, *, us: str, about: str, at: str, nodes: tuple[str, ...] = ()) -> Lease:
    """Return another's Lease as it is when it is ours."""
    return replace(
        lease,
        holder=us,
        about=about,
        since=at,
        renewed=at,
        duration=DURATION,
        transitions=lease.transitions + 1,
        nodes=nodes,
    )


def is_of_a_dead_run(lease: Lease, *, us: str, nodes: frozenset[str]) -> bool:
    """Tell whether a Lease is of a drain that is dead: it would hold that of its node, which is ours now."""
    return lease.holder != us and bool(nodes.intersection(lease.nodes))


def _of_ours(seen: Lease | None, us: str, term: Term) -> Step:
    """Decide on a Lease that we took.

    - Deleted, or deleted and created anew: somebody else may have held it in between.
    - Another's.
    """
    if seen is None or seen.uid != term.uid or seen.holder != us:
        other = seen is not None and seen.holder not in {"", us}
        return Lost(to=seen.held_by if seen and other else None)
    return Renew(lease=seen) if term.since_renewal >= RENEW_EVERY else Fine()
