"""`status`: looks at pods, and at the runs that work on them, once or again and again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from kubectl_safe.decide.overview import Overview, overview
from kubectl_safe.kube.client import Client
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.leases_seen import SeenLeases
from kubectl_safe.run.scope import Scope, choose

LOOK_AGAIN = timedelta(seconds=1)


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
    _leases: SeenLeases = field(init=False)

    def __post_init__(self) -> None:
        self._leases = SeenLeases(client=self.client, namespace=self.scope.watched, warn=self.warn, now=self.now)

    def look(self) -> Overview:
        """Return what there is to see now.

        Raises:
            KubectlSafeError: it can't be looked at.
        """
        snapshot = self.view.look(lambda seen: choose(self.scope, seen).pods)
        chosen = choose(self.scope, snapshot)
        seen = self._leases.overview(
            lambda leases, at: overview(
                snapshot,
                pods=chosen.pods,
                workloads=chosen.workloads,
                nodes=chosen.nodes,
                leases=leases,
                server_time=at,
            )
        )
        return replace(seen, missing=chosen.missing)

    def follow(self, tell: Callable[[Overview], None]) -> None:
        """Look until somebody ends it, or `tell` raises, and have each look told."""
        while True:
            tell(self.look())
            self.view.wait(LOOK_AGAIN)
