"""All that may ever be written to a cluster, one type each. What no type here names is never written."""

from dataclasses import dataclass
from typing import assert_never

from kubectl_safe.model.budget import Budget
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.target import Target, TargetGroupBinding
from kubectl_safe.model.workload import Node, ReplicaSet, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Take a pod out of its controller's selector, and only that."""

    pod: Pod
    drop: str
    """The label (key) that its controller needs and no Service uses."""
    owner: OwnerReference
    """The workload, which becomes its plain owner."""
    targets: tuple[Target, ...]
    """What it is in target groups now, so that it is still known where its binding goes meanwhile."""
    in_service: int
    """Pods of its workload in service now, this one included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take a release back: the pod becomes exactly what it was, and its controller adopts it."""

    pod: Pod
    owner: OwnerReference
    """The workload, whose plain reference goes."""
    idle: tuple[Pod, ...] = ()
    """As many pods that are not Ready as its controller deletes in its place: while they are, no other one goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take a pod out of every Service's selector."""

    pod: Pod
    drop: frozenset[str]
    """Labels (keys) without which no Service selects it."""
    targets: tuple[Target, ...]
    owner: OwnerReference | None
    """As in `Release`; None for a pod to which no replacement is owed."""
    in_service: int
    """As in `Release`, for a pod that is withdrawn without having been released."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskEviction:
    """Ask the Eviction API, in a server dry run, whether budgets let a pod go."""

    pod: Pod
    is_deletion: bool = False
    """Whether it is asked in place of that whether the pod may be deleted, with no budget asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evict:
    """Evict a pod by the Eviction API, or delete it where the reader wants no budget asked."""

    pod: Pod
    pins_resource_version: bool
    """Whether any change of the pod since forbids it; not where a budget selects it, as a conflict is charged to it."""
    is_deletion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Nudge:
    """Annotate a binding, so that its controller looks at its targets at once."""

    binding: TargetGroupBinding


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveNudge:
    """Take our annotation off a binding."""

    binding: TargetGroupBinding


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """Annotate a pod, so that a budget that selects it is counted anew."""

    pod: Pod
    budget: Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveTouch:
    """Take our annotation off a pod that stays."""

    pod: Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """Annotate a StatefulSet, so that its controller tries at once to create a pod."""

    workload: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveWake:
    """Take our annotation off a StatefulSet."""

    workload: Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Cordon:
    """Mark a node unschedulable, and note that it was us."""

    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncordon:
    """Mark a node schedulable that we cordoned."""

    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeNode:
    """Label a node so that load balancers send it no requests, and note that it was us."""

    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class IncludeNode:
    """Take that label off a node where it is ours."""

    node: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Note that the pods of a ReplicaSet, or of a StatefulSet, are being restarted."""

    bearer: ReplicaSet | Workload
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRecord:
    """Take the note of a finished restart off."""

    bearer: ReplicaSet | Workload


Action = (
    Release
    | Undo
    | Withdraw
    | AskEviction
    | Evict
    | Nudge
    | RemoveNudge
    | Touch
    | RemoveTouch
    | Wake
    | RemoveWake
    | Cordon
    | Uncordon
    | ExcludeNode
    | IncludeNode
    | Record
    | RemoveRecord
)


def subject_of(action: Action) -> str:
    """Return the object that an action is about, as `kind/namespace/name` or `kind/name`."""
    match action:
        case Release(pod=pod) | Undo(pod=pod) | Withdraw(pod=pod) | AskEviction(pod=pod) | Evict(pod=pod):
            return f"pod/{pod}"
        case Touch(pod=pod) | RemoveTouch(pod=pod):
            return f"pod/{pod}"
        case Nudge(binding=binding) | RemoveNudge(binding=binding):
            return f"targetgroupbinding/{binding.namespace}/{binding.name}"
        case Wake(workload=workload) | RemoveWake(workload=workload):
            return f"{workload.kind.lower()}/{workload}"
        case Cordon(node=node) | Uncordon(node=node) | ExcludeNode(node=node) | IncludeNode(node=node):
            return f"node/{node.name}"
        case Record(bearer=bearer) | RemoveRecord(bearer=bearer):
            return f"{bearer.kind.lower()}/{bearer.namespace}/{bearer.name}"
        case _:
            assert_never(action)
