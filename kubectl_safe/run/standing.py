"""How it stands with the Leases of a run at one instant: with one claim, and with all that a run wants together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from kubectl_safe.decide import leasing
from kubectl_safe.decide.leasing import Lost
from kubectl_safe.model.lease import Holder, LeaseName


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it stands with a claim. Times are seconds of `Us.elapsed`."""

    uid: str | None = None
    """Of the Lease that we took; None while we have none."""
    renewed: float = 0.0
    """When the last renewal that succeeded was sent."""
    usable: float = 0.0
    """From when on it counts: whoever was pushed out has noticed by then."""
    holder: Holder | None = None
    """Another, who holds it."""
    pushed: Holder | None = None
    """Who was pushed out of it, and may not have noticed before it counts."""
    lost: Lost | None = None
    trouble: str = ""

    @property
    def is_taken(self) -> bool:
        """Whether it bears our name, valid or not."""
        return self.uid is not None

    def is_fresh(self, at: float) -> bool:
        """Tell whether it was taken, and renewed lately."""
        return self.is_taken and leasing.is_valid(timedelta(seconds=at - self.renewed))

    def in_the_way(self, at: float) -> Holder | None:
        """Return who has it, or may still believe so."""
        return self.holder or (self.pushed if at < self.usable else None)

    def is_held(self, at: float) -> bool:
        """Tell whether something may be done under it."""
        return self.is_fresh(at) and at >= self.usable


@dataclass(frozen=True, slots=True, kw_only=True)
class LostLease:
    """A Lease that we held and that is another's now."""

    name: LeaseName
    to: Holder | None
    """None where it was deleted, and perhaps another's in between."""

    def __str__(self) -> str:
        taker = f"is held by {self.to} now" if self.to else "was deleted"
        return (
            "another run has taken over, as this one was pushed out or not seen for too long: "
            f"lease {self.name} of this run {taker}; nothing more is written by this run"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a run holds of what it wants."""

    held: frozenset[LeaseName]
    holders: Mapping[LeaseName, Holder]
    lost: LostLease | None
    is_valid: bool
    """Whether everything that is taken was renewed lately, and nothing lost."""
    trouble: str

    @classmethod
    def of(
        cls,
        single: Mapping[LeaseName, Standing],
        group: Mapping[LeaseName, Standing],
        *,
        lost: LostLease | None,
        trouble: str,
        at: float,
    ) -> Self:
        """Return it at an instant (by `Us.elapsed`), of claims that are wanted one by one and of a group.

        Of the group all are held, or none. Whoever has lost one Lease holds nothing any more.
        """
        wanted = {**single, **group}
        held = {name for name, standing in single.items() if standing.is_held(at)}
        if all(standing.is_held(at) for standing in group.values()):
            held |= group.keys()
        return cls(
            held=frozenset() if lost else frozenset(held),
            holders={name: holder for name, its in sorted(wanted.items()) if (holder := its.in_the_way(at))},
            lost=lost,
            is_valid=lost is None and all(its.is_fresh(at) for its in wanted.values() if its.is_taken),
            trouble=trouble,
        )
