"""The Leases of one run, kept by a thread: what is wanted is taken, renewed in time, and given back.

It tells whether something may be written, and never waits for another's Lease while a caller waits for the answer.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol, Self

from kubectl_safe.decide import leasing
from kubectl_safe.kube.backoff import Backoff
from kubectl_safe.model.lease import Holder, LeaseName
from kubectl_safe.run import clock
from kubectl_safe.run.claim import Claim, LeaseApi
from kubectl_safe.run.identity import Us, our_identity
from kubectl_safe.run.standing import LostLease
from kubectl_safe.run.wanted import Wanted

WATCH_EVERY = 5.0
"""Seconds between two looks at a Lease that is only watched."""
LOOK_AT_LEAST = 1.0
"""Seconds between two looks at the clock: a wait stands still while the machine sleeps, and a Lease does not."""
GIVE_BACK_AGAIN = (0.5, 1.0, 0.0)
"""Seconds after each try to give back what could not be: whoever waits for it would wait for 30 s."""
LEAVING = 10.0
"""Seconds without an answer after which nothing more is tried: who leaves does not wait long for a silent server."""
_JOIN_SECONDS = 20
"""A call takes at most its connect and its read timeout."""


class Signal(Protocol):
    """What wakes the run loop."""

    def set(self) -> None:
        """Tell that something changed."""


class Leases:
    """Keeps Leases while its context lasts.

    Args:
        api: where they are.
        about: what the run does, for whoever finds it in the way: `drain node-a`.
        signal: is set on each change.
        nodes: the nodes that are drained under them.
        holder: who we are, unique to this process; by default made of user, host and process.
        elapsed: seconds that go on while the machine sleeps.
        now: the time that people read in a Lease.
        backoff: pauses, in seconds, of whoever wants several and could not have them all.
    """

    def __init__(
        self,
        api: LeaseApi,
        *,
        about: str,
        signal: Signal,
        nodes: tuple[str, ...] = (),
        holder: str | None = None,
        elapsed: Callable[[], float] = clock.elapsed,
        now: Callable[[], datetime] = clock.now,
        backoff: Backoff | None = None,
    ) -> None:
        self._api = api
        self._us = Us(identity=holder or our_identity(), about=about, elapsed=elapsed, now=now, nodes=nodes)
        self._signal = signal
        self._elapsed = elapsed
        self._backoff = backoff or Backoff(first=1, longest=5)
        self._wanted = Wanted(lambda name: Claim(api, name, self._us), elapsed)
        self._changed = threading.Condition()
        self._is_stopping = False
        self._has_news = False
        self._group_due = 0.0
        self._lost: LostLease | None = None
        self._view = self._wanted.holding(None)
        self._thread = threading.Thread(target=self._run, name="leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_stopping = True
        self._want(single=frozenset(), group=frozenset())
        self._thread.join(_JOIN_SECONDS)

    @property
    def identity(self) -> str:
        """Who we are, as `holderIdentity` has it."""
        return self._us.identity

    @property
    def held(self) -> frozenset[LeaseName]:
        """The wanted Leases under which something may be done now; of those wanted together all or none."""
        return self._wanted.holding(self._lost).held

    @property
    def holders(self) -> Mapping[LeaseName, Holder]:
        """Who has a Lease that we want, or was pushed out of it and may not have noticed yet."""
        return self._wanted.holding(self._lost).holders

    @property
    def lost(self) -> LostLease | None:
        """A Lease that another took from us; once there is one, nothing is held any more, for ever."""
        return self._lost

    @property
    def is_valid(self) -> bool:
        """Whether everything we took was renewed lately, and nothing lost: to be asked right before each write."""
        return self._wanted.holding(self._lost).is_valid

    @property
    def trouble(self) -> str | None:
        """Why Leases can't be taken, renewed or given back, apart from others who hold them."""
        return self._wanted.holding(self._lost).trouble or None

    def want(self, names: Iterable[LeaseName]) -> None:
        """Replace what is wanted one by one: each is taken as soon as it is to be had."""
        self._want(single=frozenset(names))

    def want_together(self, names: Iterable[LeaseName]) -> None:
        """Replace what is wanted as a whole: none is kept while another can't be had. Apart from what `want` wants."""
        self._want(group=frozenset(names))

    def watch(self, names: Iterable[LeaseName]) -> None:
        """Replace what is only looked at: once one is wanted, it is known for how long it has not changed.

        So a dead run's Leases, of a node and of its workloads, run out at the same time and not one after the other.
        """
        self._want(watched=frozenset(names))

    def take_over(self, names: Iterable[LeaseName]) -> None:
        """Want these one by one, and push out whoever holds them.

        They count as held once a living holder must have noticed: after the duration of the Lease.
        """
        names = frozenset(names)
        self._want(single=names, forced=names)

    def sweep(self) -> None:
        """Delete what dead drains of our nodes held; to be called while the Leases of these nodes are ours.

        Without the right to list Leases in all namespaces nothing is found, and they stay behind, run out.
        """
        found = self._api.ours()
        if not isinstance(found, tuple):
            return
        for lease in found:
            if leasing.is_of_a_dead_run(lease, us=self._us.identity, nodes=frozenset(self._us.nodes)):
                self._api.delete(lease)

    def step(self) -> float:
        """Do everything that is due; return until when, by `elapsed`, there is nothing to do.

        For the thread, or for who has none: only one may call it.
        """
        self._give_back_unwanted()
        self._keep()
        for claim in self._wanted.only_watched():
            if claim.due <= self._elapsed():
                claim.watch(WATCH_EVERY)
                self._keep()
        for claim in self._wanted.claims(self._wanted.single):
            if self._is_due(claim):
                claim.advance()
                self._keep()
        self._try_group()
        self._tell()
        return self._wanted.next_due(group_due=self._group_due, is_lost=self._lost is not None)

    def end(self) -> None:
        """Give back everything; what can't be given back runs out by itself."""
        self._want(single=frozenset(), group=frozenset(), watched=frozenset())
        until = self._elapsed() + LEAVING
        left = self._wanted.let_go()
        for pause in GIVE_BACK_AGAIN:
            due, left = left, []
            for claim in due:
                if self._elapsed() >= until:
                    break
                if claim.give_back_at_last():
                    # It may have taken long because this process was stopped.
                    until = self._elapsed() + LEAVING
                else:
                    left.append(claim)
            if not left:
                break
            with self._changed:
                self._changed.wait(pause)
        self._tell()

    def _run(self) -> None:
        while not self._is_stopping:
            until = self.step()
            with self._changed:
                if not self._has_news:
                    self._changed.wait(min(LOOK_AT_LEAST, max(0.0, until - self._elapsed())))
                self._has_news = False
        self.end()

    def _want(
        self,
        *,
        single: frozenset[LeaseName] | None = None,
        group: frozenset[LeaseName] | None = None,
        watched: frozenset[LeaseName] | None = None,
        forced: frozenset[LeaseName] = frozenset(),
    ) -> None:
        """Want these; None for what is wanted as before."""
        with self._changed:
            wanted = self._wanted
            if group is not None and group != wanted.group:
                self._group_due = self._elapsed()
                self._backoff.reset()
            wanted.replace(
                single=wanted.single if single is None else single,
                group=wanted.group if group is None else group,
                watched=wanted.watched if watched is None else watched,
                forced=forced,
            )
            self._has_news = True
            self._changed.notify()

    def _is_due(self, claim: Claim) -> bool:
        """Tell whether to try for one that is not taken; a run that has lost something takes nothing more."""
        return self._lost is None and not claim.standing.is_taken and claim.due <= self._elapsed()

    def _give_back_unwanted(self) -> None:
        for claim in self._wanted.let_go():
            is_due = claim.due <= self._elapsed() or not claim.may_be_ours
            if is_due and claim.give_back():
                self._wanted.forget(claim)

    def _keep(self) -> None:
        """Renew what is due, before and between everything else: that can wait, and this can't."""
        for claim in self._wanted.claims(self._wanted.names):
            if claim.standing.is_taken and claim.due <= self._elapsed():
                claim.advance()
            if (lost := claim.standing.lost) and self._lost is None:
                self._lost = LostLease(name=claim.name, to=lost.to)
        self._tell()

    def _try_group(self) -> None:
        """Take all that are wanted together, or keep none and pause: nobody waits with what others wait for."""
        missing = [claim for claim in self._of_group() if not claim.standing.is_taken]
        if not missing or self._lost or self._elapsed() < self._group_due:
            return
        if self._are_to_be_had(missing) and self._take_all(missing):
            self._backoff.reset()
            return
        for claim in self._of_group():
            claim.give_back()
        self._group_due = self._elapsed() + self._backoff.next()

    def _are_to_be_had(self, claims: Iterable[Claim]) -> bool:
        """Look at each, to tell of all of them who holds them."""
        free = []
        for claim in claims:
            free.append(claim.look() and claim.standing.holder is None)
            self._keep()
        return all(free)

    def _take_all(self, claims: Iterable[Claim]) -> bool:
        for claim in claims:
            claim.write()
            self._keep()
            if not claim.standing.is_taken:
                return False
        return True

    def _of_group(self) -> list[Claim]:
        return self._wanted.claims(self._wanted.group - self._wanted.single)

    def _tell(self) -> None:
        """Set the signal if anything that can be asked has another answer now."""
        view = self._wanted.holding(self._lost)
        if view != self._view:
            self._view = view
            self._signal.set()
