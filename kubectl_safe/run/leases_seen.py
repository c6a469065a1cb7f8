"""The Leases of runs, for commands that look on: nothing is held, and nobody is kept out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.decide.overview import Overview
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.leases import leases_of_runs
from kubectl_safe.model.lease import Lease

LEASES_AGAIN = timedelta(seconds=5)
"""A Lease is renewed every 10 s, and nobody minds to see a run a few seconds later."""


@dataclass(kw_only=True)
class SeenLeases:
    """Reads Leases again and again, and tells once of those that may not be read."""

    client: Client
    namespace: str | None
    """Whose workloads are looked at; None for those of all."""
    warn: Callable[[str], None]
    now: Callable[[], datetime]
    _read_at: datetime | None = field(init=False, default=None)
    _known: tuple[Lease, ...] | None = field(init=False, default=None)
    _left: tuple[Finding, ...] = field(init=False, default=())
    """What dead runs had left at the last look."""
    _told: set[str] = field(init=False, default_factory=set)

    def overview(self, look: Callable[[tuple[Lease, ...] | None, datetime], Overview]) -> Overview:
        """Return what is seen with them.

        Args:
            look: takes the Leases, None where none may be read, and the time of the server, by which it shows whether
                these were renewed lately.
        """
        now = self.now()
        is_due = self._read_at is None or now - self._read_at >= LEASES_AGAIN
        seen = look(self._anew() if is_due else self._known, now + self.client.clock_offset)
        if not is_due and seen.left != self._left:
            # A run that has begun since they were read last is not dead.
            seen = look(self._anew(), now + self.client.clock_offset)
        self._left = seen.left
        return seen

    def _anew(self) -> tuple[Lease, ...] | None:
        self._read_at = self.now()
        self._known, troubles = leases_of_runs(self.client, self.namespace)
        for trouble in troubles:
            if trouble not in self._told:
                self._told.add(trouble)
                self.warn(f"Warning: {trouble}; runs that hold them are not shown")
        return self._known
