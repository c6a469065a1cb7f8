"""Controllers of pods, and the nodes that pods run on."""

from dataclasses import dataclass, field
from datetime import timedelta

from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import CORDONED, EXCLUDED, OPERATION, Operation
from kubectl_safe.model.pod import OwnerReference
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.target import EXCLUDE_LABEL


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaSet:
    """A ReplicaSet, and what owns it: a Deployment most often."""

    kind: str = "ReplicaSet"
    """Or `ReplicationController`, which does the same."""
    namespace: str
    name: str
    uid: str
    resource_version: str
    selector: LabelSelector
    replicas: int
    annotations: Labels = field(default_factory=dict)
    template_labels: Labels | None = None
    """What it creates its pods with."""
    owner: OwnerReference | None = None
    min_ready: timedelta = timedelta(0)
    claims: tuple[str, ...] = ()
    """The PersistentVolumeClaims of its pods' template."""
    is_terminating: bool = False
    failure: str = ""
    """Why it can't create or delete pods, in the API server's words (its condition `ReplicaFailure`), or empty."""

    @property
    def operation(self) -> Operation | None:
        """The restart under way on its pods.

        Raises:
            KubectlSafeError: the annotation was written by someone else.
        """
        return _operation("replicaset", self.namespace, self.name, self.annotations)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What keeps pods for as long as it is there: its wishes, and how far its controller is with them."""

    kind: str = "Deployment"
    namespace: str
    name: str
    uid: str
    owner: OwnerReference | None = None
    """What a ReplicaSet is made by, and changed by, such as an Argo Rollout; None where that is nobody else."""
    resource_version: str = ""
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    selector: LabelSelector
    template_labels: Labels | None = None
    """What it creates its pods with, where it does so itself."""
    replicas: int
    strategy: str = "RollingUpdate"
    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    min_ready: timedelta = timedelta(0)
    progress_deadline: timedelta = timedelta(minutes=10)
    is_paused: bool = False
    is_terminating: bool = False
    """Whether it was deleted, and is still there until its pods are gone or set free."""
    generation: int = 1
    observed_generation: int = 1
    updated_replicas: int = 0
    status_replicas: int = 0
    current_replicas: int = 0
    """Pods of a StatefulSet at `current_revision`."""
    ready_replicas: int = 0
    available_replicas: int = 0
    progress: str = ""
    """Why its controller says that its rollout goes on or does not (the reason of a Deployment's `Progressing`)."""
    claims: tuple[str, ...] = ()
    """The PersistentVolumeClaims that its pods' template names: they all use the same."""
    exclusive_volume: str = ""
    """The volume that keeps two of its pods from running at once, with the reason; empty for none."""
    governing_service: str = ""
    """The Service by which the members of a StatefulSet find each other; none is ever withdrawn from it."""
    first_ordinal: int = 0
    partition: int = 0
    """Ordinals of a StatefulSet below it are created at `current_revision`, the others at `update_revision`."""
    is_partitioned: bool = False
    """Whether a StatefulSet's rolling update has settings, which the API server fills in where nobody gave any."""
    current_revision: str = ""
    update_revision: str = ""

    @property
    def names_its_pods(self) -> bool:
        """Whether each of its pods has a name of its own, by which it is created anew."""
        return self.kind == "StatefulSet"

    @property
    def controls_its_pods(self) -> bool:
        """Whether its pods name it as their controller; those of a Deployment name a ReplicaSet."""
        return self.kind != "Deployment"

    @property
    def replaces_in_place(self) -> bool:
        """Whether a pod has to be gone before another takes its place: by its name, or on its node.

        A DaemonSet runs two pods on one node only where its `maxSurge` says that they may: agents share host paths.
        """
        return self.names_its_pods or (self.kind == "DaemonSet" and self.max_surge in {0, "0%"})

    @property
    def operation(self) -> Operation | None:
        """The restart under way on its pods, where it controls them itself.

        Raises:
            KubectlSafeError: the annotation was written by someone else.
        """
        return _operation(self.kind.lower(), self.namespace, self.name, self.annotations)

    @property
    def subject(self) -> str:
        """What texts call it: `deployment shop/web`."""
        return f"{self.kind.lower()} {self}"

    @property
    def named(self) -> str:
        """What commands take: `deployment/web`."""
        return f"{self.kind.lower()}/{self.name}"

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node, as far as a drain looks at it."""

    name: str
    resource_version: str
    is_unschedulable: bool = False
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    instance_id: str = ""
    """Of the EC2 instance that it is; empty where that can't be told."""

    @property
    def is_excluded(self) -> bool:
        """Whether load balancers are not to send requests to it."""
        return EXCLUDE_LABEL in self.labels

    @property
    def is_excluded_by_us(self) -> bool:
        """Whether that is ours to take away."""
        return self.is_excluded and EXCLUDED in self.annotations

    @property
    def is_cordoned_by_us(self) -> bool:
        """Whether the cordon is ours to take away."""
        return self.is_unschedulable and CORDONED in self.annotations


def alone(replica_set: ReplicaSet) -> Workload | None:
    """Return a ReplicaSet as a workload of its own; None for one of a Deployment, whose wishes count.

    Whatever else owns it, an Argo Rollout for one, has its pods replaced by it.
    """
    if replica_set.owner and replica_set.owner.kind == "Deployment":
        return None
    return Workload(
        kind=replica_set.kind,
        namespace=replica_set.namespace,
        name=replica_set.name,
        uid=replica_set.uid,
        owner=replica_set.owner,
        resource_version=replica_set.resource_version,
        annotations=replica_set.annotations,
        selector=replica_set.selector,
        replicas=replica_set.replicas,
        min_ready=replica_set.min_ready,
        claims=replica_set.claims,
        is_terminating=replica_set.is_terminating,
    )


def _operation(kind: str, namespace: str, name: str, annotations: Labels) -> Operation | None:
    text = annotations.get(OPERATION)
    try:
        return None if text is None else Operation.loads(text)
    except ValueError as error:
        remedy = f"kubectl annotate {kind} {name} -n {namespace} {OPERATION}-"
        raise KubectlSafeError(f"{kind} {namespace}/{name}: {error}; take it off: {remedy}") from error


def resolve(value: int | str, total: int) -> int:
    """Return an `IntOrString` as a number of pods, a percentage of `total` rounded up.

    The API server has validated what comes from a Deployment; flags are validated where they are read.
    """
    if isinstance(value, int):
        return value
    percent = int(value.removesuffix("%"))
    return -(-percent * total // 100)
