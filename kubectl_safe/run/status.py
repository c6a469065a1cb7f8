"""`status`: looks at pods, and at the runs that work on them, once or again and again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from kubectl_safe.decide.overview import Overview, overview
from kubectl_safe.kube.client import Client
from kubectl_safe.kube.leases import leases_of_runs
from kubectl_safe.model.lease import Lease
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.scope import Scope, choose

LOOK_AGAIN = timedelta(seconds=1)
LEASES_AGAIN = timedelta(seconds=5)
"""A Lease is renewed every 10 s, and nobody minds to see a run a few seconds later."""


class View(Protocol):
    """What looks at the cluster and its target groups; `Onlooker` is that."""

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]]) -> Snapshot:
        """Return what is known now, with the health of the targets of the pods that are chosen."""

    def wait(self, longest: timedelta) -> None:
        """Return once something changed, or after that long."""


@dataclass(kw_only=True)
class Status:
    """Looks at a scope."""

    scope: Scope
    view: View
    client: Client
    warn: Callable[[str], None]
    now: Callable[[], datetime]
    _leases: tuple[Lease, ...] | None = field(init=False, default=None)
    _read_at: datetime | None = field(init=False, default=None)
    _told: set[str] = field(init=False, default_factory=set)

    def look(self) -> Overview:
        """Return what there is to see now.

        Raises:
            KubectlSafeError: something that is named is not there, or can't be looked at.
        """
        snapshot = self.view.look(lambda seen: choose(self.scope, seen).pods)
        chosen = choose(self.scope, snapshot)
        return overview(
            snapshot,
            pods=chosen.pods,
            workloads=chosen.workloads,
            nodes=chosen.nodes,
            leases=self._leases_now(),
            server_time=self.now() + self.client.clock_offset,
        )

    def follow(self, tell: Callable[[Overview], None]) -> None:
        """Look until somebody ends it, and have each look told."""
        while True:
            tell(self.look())
            self.view.wait(LOOK_AGAIN)

    def _leases_now(self) -> tuple[Lease, ...] | None:
        now = self.now()
        if self._read_at is None or now - self._read_at >= LEASES_AGAIN:
            self._read_at = now
            self._leases, troubles = leases_of_runs(self.client, self.scope.watched)
            for trouble in troubles:
                self._tell(f"Warning: {trouble}; runs that hold them are not shown")
        return self._leases

    def _tell(self, message: str) -> None:
        if message not in self._told:
            self._told.add(message)
            self.warn(message)
