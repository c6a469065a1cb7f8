"""What a run wants of Leases, and its claims to them: any thread may ask, one works the claims off."""

import math
import threading
from collections.abc import Callable, Iterable

from kubectl_safe.model.lease import LeaseName
from kubectl_safe.run.claim import Claim
from kubectl_safe.run.standing import Holding, LostLease


class Wanted:
    """The Leases that are wanted one by one, those wanted as a group, those only watched, and a claim to each.

    Args:
        claim: makes a claim to a Lease.
        elapsed: seconds, by the clock that claims go by.
    """

    def __init__(self, claim: Callable[[LeaseName], Claim], elapsed: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self.single: frozenset[LeaseName] = frozenset()
        self.group: frozenset[LeaseName] = frozenset()
        self.watched: frozenset[LeaseName] = frozenset()
        self._claims: dict[LeaseName, Claim] = {}
        self._claim = claim
        self._elapsed = elapsed

    @property
    def names(self) -> frozenset[LeaseName]:
        """All that are wanted."""
        return self.single | self.group

    def replace(
        self,
        *,
        single: frozenset[LeaseName],
        group: frozenset[LeaseName],
        watched: frozenset[LeaseName],
        forced: frozenset[LeaseName] = frozenset(),
    ) -> None:
        """Want these, and no others; whoever holds one that is forced is pushed out."""
        with self._lock:
            for name in single | group | watched:
                if name not in self._claims:
                    self._claims[name] = self._claim(name)
            for claim in (self._claims[name] for name in (single | group) - self.names):
                if not claim.may_be_ours:
                    # It was only watched, and at leisure.
                    claim.due = min(claim.due, self._elapsed())
            for claim in (self._claims[name] for name in forced):
                claim.is_forced = not claim.standing.is_taken
                claim.due = min(claim.due, self._elapsed())
            self.single, self.group, self.watched = single, group, watched

    def claims(self, names: Iterable[LeaseName]) -> list[Claim]:
        """Return the claims to what is wanted of these, in the order in which Leases are taken."""
        with self._lock:
            return [self._claims[name] for name in sorted(self.names.intersection(names))]

    def only_watched(self) -> list[Claim]:
        """Return the claims to what is watched and not wanted."""
        with self._lock:
            names = self.watched - self.names
            return [claim for name in sorted(names) if not (claim := self._claims[name]).may_be_ours]

    def let_go(self) -> list[Claim]:
        """Return the claims to what is wanted no more; from now on they count as held no more."""
        with self._lock:
            unwanted = [claim for name, claim in self._claims.items() if name not in self.names]
            claims = [claim for claim in unwanted if claim.may_be_ours or claim.name not in self.watched]
            for claim in claims:
                # Under the lock: who wants it again meanwhile must not take it for held.
                claim.let_go()
            return claims

    def forget(self, claim: Claim) -> None:
        """Drop a claim that was given back, unless its Lease is of interest again."""
        with self._lock:
            if claim.name not in self.names | self.watched:
                self._claims.pop(claim.name, None)

    def next_due(self, *, group_due: float, is_lost: bool) -> float:
        """Return when there is something to do next; a run that has lost something takes nothing more."""
        with self._lock:
            claims, names, group = list(self._claims.values()), self.names, self.group - self.single
        due = [claim.due for claim in claims if claim.standing.is_taken or claim.name not in names]
        if not is_lost:
            missing = [claim for claim in claims if claim.name in names and not claim.standing.is_taken]
            due += [group_due if claim.name in group else claim.due for claim in missing]
        return min(due, default=math.inf)

    def holding(self, lost: LostLease | None) -> Holding:
        """Return how it stands with all of them now."""
        with self._lock:
            single, group = ({name: self._claims[name].standing for name in its} for its in (self.single, self.group))
            trouble = next((its.standing.trouble for its in self._claims.values() if its.standing.trouble), "")
        # The clock is read last: what it says is of the moment of the answer.
        return Holding.of(single, group, lost=lost, trouble=trouble, at=self._elapsed())
