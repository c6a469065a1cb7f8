"""What an application in the sandbox is like: its workload, its Services, and what it is behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubectl_safe.sandbox.elbv2 import ACCOUNT, REGION
from kubectl_safe.sandbox.pod import Sigterm
from kubectl_safe.sandbox.targetgroupbinding import GROUP

POD_PORT = 8080
HASH = "pod-template-hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Balanced:
    """A target group that an application is behind, and its binding."""

    name: str = ""
    """What its group and its binding are called after the application's name."""
    service: str = ""
    """The Service that is bound; empty for the application's own."""
    port: str = "http"
    pod_port: int = POD_PORT
    protocol: str = "HTTP"
    attributes: Mapping[str, str] = field(default_factory=dict)
    crosses_zones: bool | None = None
    region: str = REGION
    account: str = ACCOUNT
    role: str = ""
    """The ARN of the IAM role that is to be assumed; empty for none."""
    external_id: str = ""
    api: str = GROUP
    is_ipv6: bool = False
    is_named: bool = False
    """Whether its binding tells its name, and neither its ARN nor its type."""
    is_shared: bool = False
    """Whether another cluster has a target in the group, too, which serves like its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A workload and its Service, behind a load balancer or not; times are in seconds.

    Pods have a gate where they are behind a load balancer and their namespace injects it.
    """

    namespace: str
    name: str
    replicas: int
    is_load_balanced: bool = False
    targets: str = "ip"
    """What its load balancer sends requests to: its pods (`ip`), or a port of all nodes (`instance`)."""
    deregistration_delay: float = 10.0
    health_interval: float = 1.0
    start_delay: float = 1.0
    sigterm: Sigterm = "graceful"
    pre_stop: int = 0
    grace_period: int = 30
    strategy: Mapping[str, Any] | None = None
    gates: tuple[str, ...] = ()
    """Readiness gates of its own, beside those that the webhook injects."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """Further annotations of its pods."""
    node_selector: Mapping[str, str] = field(default_factory=dict)
    """Labels of the nodes that its pods may run on."""
    placement: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its pods' spec: what else keeps them from nodes, or has them stay there."""
    pace: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of its own spec: deadlines and delays."""
    cpu: str = ""
    """What each of its pods requests."""
    host_port: int = 0
    """The port that its pods take of their nodes."""
    kind: str = "Deployment"
    """Of what keeps its pods. A StatefulSet has a governing Service beside the one that leads requests to it."""
    controller_labels: Mapping[str, str] = field(default_factory=dict)
    """Labels of its pods that its controller selects by; by default as its Service does."""
    is_on_host: bool = False
    """Whether its pods have the address of their node, and so no two of them can share one."""
    pod_management: str = "Parallel"
    """Of a StatefulSet; or `OrderedReady`."""
    access_mode: str = ""
    """Of a volume that all its pods use; empty for none."""
    strays: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Nodes with one pod more in its Service, by the owner reference of that; an empty one for a bare pod."""
    member_labels: Mapping[str, str] = field(default_factory=dict)
    """What the governing Service selects by; by default as the other one does."""
    pod_labels: Mapping[str, str] = field(default_factory=dict)
    """Further labels of its pods."""
    min_ready: int = 0
    is_served: bool = True
    """Whether it has a Service of its name."""
    service_spec: Mapping[str, Any] = field(default_factory=dict)
    """What the spec of its Service says beside the usual."""
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further Services by name, and what their specs say beside the usual.

    One whose selector has an empty `pod-template-hash` selects by that of the Deployment's ReplicaSet.
    """
    balanced: tuple[Balanced, ...] = (Balanced(),)
    """What it is behind, where it is load balanced."""

    @property
    def labels(self) -> dict[str, str]:
        """The labels that its Service selects."""
        return {"app": self.name}

    @property
    def governing_service(self) -> str:
        """The name of the Service by which the pods of a StatefulSet find each other."""
        return f"{self.name}-members"

    @property
    def group_name(self) -> str:
        """The name of its target group."""
        return f"{self.namespace}-{self.name}"
