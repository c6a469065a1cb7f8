"""One Lease that this process wants or holds: reads it, takes it, renews it and gives it back, as `leasing` decides.

One thread works with a claim. What it shows others is replaced as a whole, so they may read it at any time.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol, assert_never

from kubectl_safe.decide import leasing
from kubectl_safe.decide.leasing import Create, Fine, Held, Lost, Renew, TakeOver, Term
from kubectl_safe.kube.leases import Absent, Found, Taken
from kubectl_safe.kube.outcome import Busy, Conflict, Denied
from kubectl_safe.model.lease import Lease, LeaseName
from kubectl_safe.run.identity import Us
from kubectl_safe.run.standing import Standing

ASK_AGAIN = 1.0
"""Seconds until a Lease is asked for again that another holds, or about which there was no answer."""
LOOK_AGAIN = 0.1
"""Seconds until it is decided on anew after somebody else wrote to it."""
DENIED_AGAIN = 5.0
_TRIES = 3
LONGEST_WAIT = 5.0
"""However long the server wants to be left alone: a Lease runs out meanwhile."""


class LeaseApi(Protocol):
    """Where the Leases are."""

    def read(self, name: LeaseName) -> Found | Absent | Busy | Denied:
        """Return the Lease as it is."""

    def create(self, lease: Lease) -> Taken | Conflict | Busy | Denied:
        """Create it."""

    def update(self, lease: Lease) -> Taken | Conflict | Busy | Denied:
        """Replace the version that it names."""

    def delete(self, lease: Lease) -> Absent | Conflict | Busy | Denied:
        """Delete the version that it names."""

    def ours(self) -> tuple[Lease, ...] | Busy | Denied:
        """Return the Leases of every run of this tool."""


class Claim:
    """A claim to one Lease."""

    def __init__(self, api: LeaseApi, name: LeaseName, us: Us) -> None:
        self.name = name
        self.standing = Standing()
        self.due = us.elapsed()
        """When there is something to do about it."""
        self.is_forced = False
        """Whether a living holder is pushed out, until that is done."""
        self._api = api
        self._us = us
        self._seen: Lease | None = None
        self._changed = self.due
        """Since when its version is known."""
        self._must_look = True
        self._is_blind = False
        """Whether its trouble is that it could not be looked at."""
        self.may_be_ours = False
        """Whether a write of ours may have been done that is not undone for certain."""
        self._has_pushed = False
        """Whether one that pushes a living holder out may have been done, and has had no answer."""
        self._not_before = 0.0
        """Until then, whoever was pushed out may not have noticed: it is neither ours nor anybody else's."""

    def look(self) -> bool:
        """Read the Lease; tell whether it is known now."""
        result = self._api.read(self.name)
        match result:
            case Found(lease=lease):
                self._know(lease)
            case Absent():
                self._know(None)
            case Busy() | Denied():
                self._is_blind = True
                self._fail(result)
                return False
            case _:
                assert_never(result)
        step = self._decide()
        holder = step.by if isinstance(step, Held) else None
        # A write that was denied stays denied, however often it can be looked at, unless another is in its way.
        trouble = "" if self._is_blind or holder else self.standing.trouble
        self._is_blind = False
        self._show(holder=holder, trouble=trouble)
        return True

    def watch(self, seconds: float) -> None:
        """Look, for the sake of knowing how long it has not changed, and again after so many seconds."""
        if self.look():
            self._again(seconds)

    def advance(self) -> None:
        """Do what is due: at most one read and one write."""
        # Ours is written to without a look: if it changed, that is a conflict.
        if (self._must_look or not self.standing.is_taken) and not self.look():
            return
        self.write()

    def write(self) -> None:
        """Do what is due about the Lease as it was seen last."""
        step = self._decide()
        us = self._us
        match step:
            case Create():
                lease = leasing.created(self.name, us=us.identity, about=us.about, at=us.instant, nodes=us.nodes)
                self._take(self._api.create, lease)
            case Renew(lease=lease, usable_after=after):
                self._take(self._api.update, leasing.renewed(lease, at=us.instant), after)
            case TakeOver(lease=lease, usable_after=after):
                taken = leasing.taken_over(lease, us=us.identity, about=us.about, at=us.instant, nodes=us.nodes)
                self._take(self._api.update, taken, after)
            case Held(by=by):
                self._show(holder=by)
                self._again(ASK_AGAIN)
            case Lost():
                self.standing = Standing(lost=step)
                self._forget()
            case Fine():
                self._rest()
            case _:
                assert_never(step)

    def let_go(self) -> None:
        """Count it as held no more; what is there to give back is due."""
        if self.standing.is_taken:
            self.due = self._us.elapsed()
        self.is_forced = False
        self._show(uid=None)

    def give_back(self) -> bool:
        """Delete the Lease if it is ours; tell whether there is nothing left to do about it.

        One that another was pushed out of stays until that one must have noticed: a third could take it at once.
        """
        self.let_go()
        if not self.may_be_ours:
            return True
        if self._must_look and not self.look():
            return False
        seen = self._seen
        if seen is None or seen.holder != self._us.identity:
            return self._forget()
        if self._has_pushed:
            self._keep_off(leasing.DURATION)
        if self._us.elapsed() < self._not_before:
            self.due = self._not_before
            return False
        return self._delete(seen)

    def give_back_at_last(self) -> bool:
        """Give it back now or never; tell whether the server answers."""
        self._show(trouble="")
        # Somebody may just have written to it: it is looked at again, though not for ever.
        for _ in range(_TRIES):
            if self.give_back():
                return True
            if self.standing.trouble:
                return False
        return True

    def _delete(self, seen: Lease) -> bool:
        result = self._api.delete(seen)
        match result:
            case Absent():
                self._know(None)
                return self._forget()
            case Conflict():
                self._must_look = True
                self._again(LOOK_AGAIN)
                return False
            case Busy() | Denied():
                self._must_look = True
                self._fail(result)
                return False
            case _:
                assert_never(result)

    def _forget(self) -> bool:
        self.may_be_ours = self._has_pushed = False
        self.due = self._us.elapsed()
        return True

    def _decide(self) -> leasing.Step:
        at, standing = self._us.elapsed(), self.standing
        term = None
        if standing.uid is not None:
            term = Term(uid=standing.uid, since_renewal=timedelta(seconds=at - standing.renewed))
        return leasing.next_step(
            self._seen,
            us=self._us.identity,
            unchanged_for=timedelta(seconds=at - self._changed),
            term=term,
            is_forced=self.is_forced,
            has_pushed=self._has_pushed,
        )

    def _take(
        self,
        write: Callable[[Lease], Taken | Conflict | Busy | Denied],
        lease: Lease,
        usable_after: timedelta = leasing.AT_ONCE,
    ) -> None:
        # From before it is sent: an answer may be long on its way, and we may be stopped while it is.
        sent = self._us.elapsed()
        self.may_be_ours = True
        self._has_pushed = self._has_pushed or bool(usable_after)
        before = self._seen.held_by if self._seen and usable_after else None
        result = write(lease)
        match result:
            case Taken(lease=written):
                self._know(written)
                self._keep_off(usable_after)
                self.is_forced = False
                pushed = before if before and before.identity != self._us.identity else self.standing.pushed
                self.standing = Standing(uid=written.uid, renewed=sent, usable=self._not_before, pushed=pushed)
                self._rest()
            case Conflict():
                self._must_look = True
                self._again(LOOK_AGAIN)
            case Busy() | Denied():
                # Whether it was done is not known. What is ours already is just renewed again: once it was done, that
                # is a conflict, and a server in trouble is asked once instead of twice.
                self._must_look = not self.standing.is_taken
                self._fail(result)
            case _:
                assert_never(result)

    def _keep_off(self, duration: timedelta) -> None:
        """Leave whoever was pushed out this long, from now, to notice."""
        self._has_pushed = False
        if duration:
            self._not_before = self._us.elapsed() + duration.total_seconds()

    def _know(self, lease: Lease | None) -> None:
        """Take what the server has now; a version is known since the first answer that had it."""
        if _version(lease) != _version(self._seen):
            self._changed = self._us.elapsed()
        self._seen = lease
        self._must_look = False

    def _fail(self, result: Busy | Denied) -> None:
        self._show(trouble=result.message)
        match result:
            case Busy(retry_after=seconds):
                self._again(min(max(ASK_AGAIN, seconds), LONGEST_WAIT))
            case Denied():
                self._again(DENIED_AGAIN)

    def _rest(self) -> None:
        standing = self.standing
        self.due = standing.renewed + leasing.RENEW_EVERY.total_seconds()

    def _again(self, seconds: float) -> None:
        self.due = self._us.elapsed() + seconds

    def _show(self, **changes: Any) -> None:
        self.standing = replace(self.standing, **changes)


def _version(lease: Lease | None) -> tuple[str, str] | None:
    return (lease.uid, lease.resource_version) if lease else None
