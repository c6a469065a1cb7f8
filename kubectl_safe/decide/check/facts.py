"""What a check looks at: the snapshot that decides, and what else is known of the set-up around it."""

from dataclasses import dataclass

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that rules are about; what could not be read is left out, and its rules find nothing."""

    snapshot: Snapshot
    workloads: tuple[Workload, ...] = ()
    """Those that are checked."""
    pods: tuple[Pod, ...] = ()
    """Those that are checked: of the workloads, and others that were asked for."""
