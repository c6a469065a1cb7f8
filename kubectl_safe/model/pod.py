"""Pods, as far as a handoff looks at them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubectl_safe.model.container import Container
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import HANDOFF, WITHDRAWN, Handoff
from kubectl_safe.model.port import ContainerPort
from kubectl_safe.model.selector import Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerReference:
    """One entry of `metadata.ownerReferences`."""

    api_version: str
    kind: str
    name: str
    uid: str
    is_controller: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One entry of `status.conditions`."""

    is_true: bool
    is_unknown: bool = False
    """Whether it is neither true nor false, as on a node that is not heard of."""
    since: datetime | None = None
    reason: str = ""
    message: str = ""

    @property
    def value(self) -> str:
        """Its `status` as it is written: `True`, `False` or `Unknown`."""
        return "True" if self.is_true else "Unknown" if self.is_unknown else "False"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """A pod as the API server last told of it."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    labels: Labels
    annotations: Labels = field(default_factory=dict)
    owners: tuple[OwnerReference, ...] = ()
    node: str | None = None
    ips: tuple[str, ...] = ()
    """As `canonical` writes them."""
    phase: str = "Running"
    created: datetime | None = None
    is_terminating: bool = False
    deletion_timestamp: datetime | None = None
    """When its grace period is over, or was, once it terminates."""
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    readiness_gates: tuple[str, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    containers: tuple[Container, ...] = ()
    """Those that run as long as it does."""
    grace_period_seconds: int = 30
    waiting_reason: str = ""
    """Why a container is not running (`CrashLoopBackOff`, `ImagePullBackOff`), or empty."""
    waiting_message: str = ""
    """What the kubelet says beside that, which can be nothing."""
    mesh: str = ""
    """The service mesh whose proxy takes the requests to it first (`Istio`, `Linkerd`), or empty."""
    has_empty_dir: bool = False
    is_mirror: bool = False
    """A static pod's image in the API (annotation `kubernetes.io/config.mirror`)."""

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that manages it, or None."""
        return next((owner for owner in self.owners if owner.is_controller), None)

    @property
    def is_ready(self) -> bool:
        """Whether its condition `Ready` is True, which takes every readiness gate into account."""
        return self._is_true("Ready")

    @property
    def has_ready_containers(self) -> bool:
        """Whether its condition `ContainersReady` is True."""
        return self._is_true("ContainersReady")

    @property
    def unmet_gates(self) -> tuple[str, ...]:
        """Readiness gates whose condition is not True; one without a condition is not met."""
        return tuple(gate for gate in self.readiness_gates if not self._is_true(gate))

    def ip_of(self, *, is_ipv6: bool) -> str | None:
        """Return its address of a family, or its first one where it has none of that; None before it has any."""
        return next((ip for ip in self.ips if (":" in ip) is is_ipv6), next(iter(self.ips), None))

    @property
    def ip_families(self) -> frozenset[str]:
        """Those of its addresses: `IPv4`, `IPv6` or both, and none before it has one."""
        return frozenset("IPv6" if ":" in ip else "IPv4" for ip in self.ips)

    @property
    def is_finished(self) -> bool:
        """Whether it ran to its end."""
        return self.phase in {"Succeeded", "Failed"}

    @property
    def handoff(self) -> Handoff | None:
        """What was taken from it; None for a pod that was not released.

        Raises:
            KubectlSafeError: the annotation was written by someone else.
        """
        text = self.annotations.get(HANDOFF)
        try:
            return None if text is None else Handoff.loads(text)
        except ValueError as error:
            remedy = f"kubectl annotate pod {self.name} -n {self.namespace} {HANDOFF}-"
            raise KubectlSafeError(f"pod {self}: {error}; take it off: {remedy}") from error

    @property
    def is_released(self) -> bool:
        """Whether it was released, and perhaps withdrawn since."""
        return HANDOFF in self.annotations

    @property
    def is_withdrawn(self) -> bool:
        """Whether it was withdrawn."""
        return WITHDRAWN in self.labels

    @property
    def original_labels(self) -> Labels:
        """Its labels as they were before its handoff began."""
        handoff = self.handoff
        if handoff is None:
            return self.labels
        return {**{k: v for k, v in self.labels.items() if k != WITHDRAWN}, **handoff.dropped}

    def _is_true(self, condition: str) -> bool:
        known = self.conditions.get(condition)
        return known is not None and known.is_true

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"
