"""What is known of a cluster at one instant, as frozen values for the run loop."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kubectl_safe.model.budget import Budget
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.policy import Policies
from kubectl_safe.model.service import Endpoint, Service
from kubectl_safe.model.target import TargetGroupBinding
from kubectl_safe.model.workload import Node, ReplicaSet, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the watches know at one instant."""

    pods: Mapping[str, Pod]
    """By UID."""
    replica_sets: Mapping[str, ReplicaSet]
    """By UID."""
    workloads: Mapping[str, Workload]
    """By UID."""
    nodes: Mapping[str, Node]
    """By name."""
    services: tuple[Service, ...]
    endpoints: tuple[Endpoint, ...]
    budgets: tuple[Budget, ...]
    bindings: tuple[TargetGroupBinding, ...]
    policies: Policies = field(default_factory=Policies)
    stale: frozenset[str]
    """Kinds whose watch has no connection; `Cluster.troubles` says why."""

    def is_made_of(self, other: "Observed") -> bool:
        """Tell whether it is made of the same views as another; comparing what is in them would cost too much."""
        return self.stale == other.stale and all(
            getattr(self, name) is getattr(other, name) for name in self.__slots__ if name != "stale"
        )
