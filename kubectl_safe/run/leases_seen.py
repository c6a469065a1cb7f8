"""The Leases of runs, for commands that look on: nothing is held, and nobody is kept out."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

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
    read_at: datetime | None = field(init=False, default=None)
    """None before the first time."""
    _known: tuple[Lease, ...] | None = field(init=False, default=None)
    _told: set[str] = field(init=False, default_factory=set)

    @property
    def server_time(self) -> datetime:
        """Now, by the clock that shows whether they were renewed lately."""
        return self.now() + self.client.clock_offset

    def lately(self) -> tuple[Lease, ...] | None:
        """Return them as they were some seconds ago at most; None where none may be read."""
        is_due = self.read_at is None or self.now() - self.read_at >= LEASES_AGAIN
        return self.anew() if is_due else self._known

    def anew(self) -> tuple[Lease, ...] | None:
        """Return them as they are now; None where none may be read."""
        self.read_at = self.now()
        self._known, troubles = leases_of_runs(self.client, self.namespace)
        for trouble in troubles:
            if trouble not in self._told:
                self._told.add(trouble)
                self.warn(f"Warning: {trouble}; runs that hold them are not shown")
        return self._known
