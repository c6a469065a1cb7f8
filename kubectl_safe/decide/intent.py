"""What a command has set out to do: which pods, how, and with which settings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import OwnerReference


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One pod that a command is to move, as it was when the plan was made."""

    uid: str
    namespace: str
    name: str
    node: str
    workload: OwnerReference | None
    """The workload whose pod it is; None for one that is evicted as `kubectl drain` does, without a handoff."""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, kw_only=True)
class Intent:
    """The pods of a command, in the order in which they go where nothing else decides."""

    pods: tuple[Planned, ...]
    settings: Settings = field(default_factory=Settings)
    nodes: tuple[str, ...] = ()
    """Nodes that are drained: they leave the target groups that register nodes before the first pod is begun."""
    given_up: Mapping[str, str] = field(default_factory=dict)
    """Why a pod (by UID) is not begun, or its release is taken back; what is withdrawn is finished all the same."""
    overdue: Mapping[str, str] = field(default_factory=dict)
    """Why a pod (by UID) is not waited for any longer."""

    @cached_property  # each pod of thousands is looked for in it
    def uids(self) -> frozenset[str]:
        """The UIDs of all planned pods: nothing else is ever evicted."""
        return frozenset(pod.uid for pod in self.pods)
