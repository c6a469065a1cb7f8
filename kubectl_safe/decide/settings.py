"""What the reader of a command asked for, apart from which objects."""

import math
from dataclasses import dataclass
from datetime import timedelta

from kubectl_safe.model.volume import ONE_POD
from kubectl_safe.model.workload import Workload, resolve

SETTLE = timedelta(seconds=15)
SETTLE_HEADLESS = timedelta(seconds=30)

RETRY = timedelta(seconds=5)
"""Between two tries of what was refused; kubectl's own delay between evictions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The flags that shape a handoff. None means the default, which may depend on the workload."""

    settle: timedelta | None = None
    max_surge: int | str | None = None
    max_draining: int | None = None
    max_unavailable: int | str | None = None
    nudge: bool = True
    touch: bool = True
    """Whether pods may be annotated for the sake of a stale budget; not a flag, but a right."""
    wake: bool = True
    """Whether StatefulSets may be annotated for the sake of a pod whose name is free; not a flag, but a right."""
    allow: frozenset[str] = frozenset()
    """Some of `ALLOWABLE`."""
    drain_wait: timedelta | None = None
    """How long a target that can't be asked is taken to drain."""
    disable_eviction: bool = False
    """Whether pods are deleted in place of being evicted, so that no disruption budget is asked."""
    skip_wait_for_delete: timedelta | None = None
    """How long after its deletionTimestamp a pod that still is there is not waited for; None waits."""

    def settle_for(self, *, is_headless: bool) -> timedelta:
        """Return how long a pod must have been in no EndpointSlice; clients of headless Services cache DNS answers."""
        if self.settle is not None:
            return self.settle
        return SETTLE_HEADLESS if is_headless else SETTLE

    def surge_of(self, workload: Workload) -> int:
        """Return how many pods may serve beyond the wanted number; 0 means withdraw-first."""
        if workload.strategy == "Recreate" or workload.replaces_in_place:
            return 0
        if workload.exclusive_volume and (self.max_surge is None or ONE_POD in workload.exclusive_volume):
            return 0
        value = workload.max_surge if self.max_surge is None else self.max_surge
        return resolve(value, workload.replicas)

    def unavailable_of(self, workload: Workload, *, is_withdraw_first: bool) -> int:
        """Return how many of the wanted pods may be out of service."""
        if self.max_unavailable is None:
            return 1 if is_withdraw_first else 0
        return resolve(self.max_unavailable, workload.replicas)

    @property
    def fingerprint(self) -> str:
        """The options that shape a restart in one line: another run continues it only with the same."""
        shape = {
            "max-surge": self.max_surge,
            "max-draining": self.max_draining,
            "max-unavailable": self.max_unavailable,
        }
        return " ".join(f"--{name}={value}" for name, value in shape.items() if value is not None)


def go_duration(duration: timedelta) -> str:
    """Return a duration as flags take it: `30s`, `5m`, `1h5m`; up to whole seconds."""
    minutes, seconds = divmod(math.ceil(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
