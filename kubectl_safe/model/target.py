"""Target groups, the bindings that fill them, and the health of their targets."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from ipaddress import ip_address

from kubectl_safe.model.group_details import GroupDetails
from kubectl_safe.model.selector import Labels, LabelSelector, Operator, Requirement

CONTROLLER_API = "elbv2.k8s.aws"
"""The group of the AWS Load Balancer Controller's API (version v1beta1)."""

AUTO_MODE_API = "eks.amazonaws.com"
"""The same controller's, where EKS Auto Mode runs it (version v1); a cluster may serve both."""

EXCLUDE_LABEL = "node.kubernetes.io/exclude-from-external-load-balancers"
"""Label of a node that load balancers are not to send requests to, whatever its value (well-known labels)."""

_ANY_NODE = LabelSelector(
    match_labels={},
    match_expressions=(
        Requirement(key="node-role.kubernetes.io/master", operator=Operator.DOES_NOT_EXIST),
        Requirement(key=EXCLUDE_LABEL, operator=Operator.DOES_NOT_EXIST),
        Requirement(key="alpha.service-controller.kubernetes.io/exclude-balancer", operator=Operator.DOES_NOT_EXIST),
        Requirement(key="eks.amazonaws.com/compute-type", operator=Operator.NOT_IN, values=frozenset({"fargate"})),
    ),
)
"""The nodes that are registered with groups of nodes (AWS Load Balancer Controller, pkg/backend/endpoint_utils.go)."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Target:
    """What is registered with a target group: a pod's address, or a node's instance and port."""

    group: str
    """The target group's ARN, or its name while AWS was not asked for that."""
    ip: str
    """The pod's address; the id of the node's instance in a group of nodes."""
    port: int

    @property
    def note(self) -> str:
        """What a pod notes of it: `ARN=8080`, or `ARN=[2001:db8::1]:8080`."""
        return f"{self.group}={self.at if ':' in self.ip else self.port}"

    @classmethod
    def from_note(cls, note: str, ip: str) -> "Target":
        """Return what a pod has noted; `ip` is its address where the note tells none."""
        group, _, where = note.rpartition("=")
        address, _, port = where.rpartition("]:")
        return cls(group=group, ip=address.removeprefix("[") or ip, port=int(port))

    @property
    def at(self) -> str:
        """Where it is: `10.0.3.7:8080`, or `[2001:db8::1]:8080`."""
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"

    def __str__(self) -> str:
        return f"{self.at} in {group_name(self.group)}"


class State(Enum):
    """`TargetHealth.State` of DescribeTargetHealth (Elastic Load Balancing API reference, version 2015-12-01)."""

    INITIAL = "initial"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNHEALTHY_DRAINING = "unhealthy.draining"
    UNUSED = "unused"
    DRAINING = "draining"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """What DescribeTargetHealth said of one target, and when it was asked."""

    state: State
    reason: str = ""
    description: str = ""
    asked_at: datetime
    lost_at: datetime | None = None
    """When it was first asked for without being healthy any more; None while it is, and where it was never seen so."""

    @property
    def is_healthy(self) -> bool:
        """Whether the load balancer sends it requests and gets answers."""
        return self.state is State.HEALTHY

    def after(self, before: "TargetHealth | None") -> "TargetHealth":
        """Return this answer as what came after an earlier one."""
        if self.is_healthy or before is None:
            return self
        return replace(self, lost_at=self.asked_at if before.is_healthy else before.lost_at)

    @property
    def is_gone(self) -> bool:
        """Whether the group doesn't know it any more; `Target.NotInUse` (a group without load balancer) is not that."""
        return self.state is State.UNUSED and self.reason == "Target.NotRegistered"

    def __str__(self) -> str:
        return f"{self.state.value} ({self.reason})" if self.reason else self.state.value


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """Settings of a target group that a handoff waits by."""

    arn: str
    deregistration_delay: timedelta
    health_check_interval: timedelta
    healthy_threshold: int
    """Health checks in a row that make a target healthy."""
    minimum_count: int = 1
    """Healthy targets below which the load balancer does otherwise with it: leaves a zone, or asks all targets."""
    minimum_percentage: int = 0
    """The same in percent of the registered targets."""
    is_zonal: bool = False
    """Whether each zone has its own targets only, as cross-zone load balancing is off."""
    zones_unknown: str = ""
    """Why its load balancer could not be asked for that, so that it is taken as off, which is safe in any case."""
    details: GroupDetails = field(default_factory=GroupDetails)
    keeps_flows: bool = False
    """Whether connections outlive the deregistration delay, as those through a Network Load Balancer do by default."""

    def minimum_healthy(self, registered: int) -> int:
        """Return how many targets have to be healthy of so many that are registered; one at least.

        With less than one the load balancer fails open (User Guide, "Target group health").
        """
        return max(1, self.minimum_count, -(-self.minimum_percentage * registered // 100))

    @property
    def time_to_healthy(self) -> timedelta:
        """How long a new target that answers takes to become healthy, where its first check comes at once."""
        return self.health_check_interval * (self.healthy_threshold - 1)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Role:
    """An IAM role that is assumed to ask about a target group, mostly one of another account."""

    arn: str
    external_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupName:
    """A target group as a binding names it, by its name or its ARN, and the role to ask for it with."""

    group: str
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundGroup:
    """What AWS says of a target group that its binding does not say."""

    arn: str
    target_type: str
    is_ipv6: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupBinding:
    """A TargetGroupBinding: pods of this Service, or nodes, are targets of that group."""

    namespace: str
    name: str
    resource_version: str
    api: str = CONTROLLER_API
    """The API group that it is of: `CONTROLLER_API` or `AUTO_MODE_API`."""
    group: str
    """The target group's ARN; its name where it has no ARN and AWS was not asked for that; empty without either."""
    role: Role | None = None
    target_type: str
    """`ip` for pods, `instance` for nodes; empty where it is not told, and AWS was not asked for it."""
    service: str
    service_port: int | str
    is_ipv6: bool = False
    """Whether the targets are the pods' IPv6 addresses."""
    node_selector: LabelSelector | None = field(default=None, hash=False)
    """Which nodes are registered, of those that may be."""
    is_shared: bool = False
    """Whether others have targets in its group, too (`multiClusterTargetGroup`)."""
    is_nudged: bool = False
    """Whether our annotation is on it."""
    created: datetime | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from any other: its API group, namespace and name."""
        return self.api, self.namespace, self.name

    @property
    def named(self) -> str:
        """What commands take: `targetgroupbinding.elbv2.k8s.aws/web`."""
        return f"targetgroupbinding.{self.api}/{self.name}"

    @property
    def sought(self) -> GroupName | None:
        """What AWS has to be asked for before anything of its targets can be known; None where it tells all itself.

        The controller's webhook fills in what is missing, where there is one.
        """
        is_known = is_arn(self.group) and self.target_type
        return None if is_known or not self.group else GroupName(group=self.group, role=self.role)

    def completed(self, found: FoundGroup) -> "TargetGroupBinding":
        """Return it with what AWS says of its group."""
        return replace(self, group=found.arn, target_type=found.target_type, is_ipv6=found.is_ipv6)

    @property
    def is_of_nodes(self) -> bool:
        """Whether nodes are its targets, each with the Service's node port."""
        return self.target_type == "instance"

    def registers(self, labels: Labels) -> bool:
        """Tell whether a node with these labels becomes a target of its group."""
        is_chosen = self.node_selector is None or self.node_selector.matches(labels)
        return self.is_of_nodes and is_chosen and _ANY_NODE.matches(labels)

    def gate_in(self, gates: Iterable[str]) -> str | None:
        """Return which of a pod's readiness gates its controller sets for it; None where it gave the pod none.

        The domain is `target-health.` and the API group. Any other such gate with its name is taken for it too: the
        controller has changed the domain before.
        """
        its = [gate for gate in gates if gate.startswith("target-health.") and gate.endswith(f"/{self.name}")]
        exact = f"target-health.{self.api}/{self.name}"
        return exact if exact in its else next(iter(its), None)


def canonical(address: str) -> str:
    """Return an address as AWS answers it, IPv6 in lower case and compressed (RFC 5952); of anything else, itself."""
    if ":" not in address:
        return address
    try:
        return str(ip_address(address))
    except ValueError:
        return address


def is_arn(group: str) -> bool:
    """Tell whether a target group is known by its ARN, and not by its name only."""
    return group.startswith("arn:")


def group_name(arn: str) -> str:
    """Return the name in a target group's ARN (`...:targetgroup/NAME/ID`); of a name, itself."""
    return arn.rpartition(":targetgroup/")[2].partition("/")[0]


def account_and_region(arn: str) -> tuple[str, str]:
    """Return the account and region in a target group's ARN (`arn:aws:elasticloadbalancing:REGION:ACCOUNT:...`).

    Raises:
        ValueError: it is not such an ARN.
    """
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != "elasticloadbalancing":  # noqa: PLR2004 - an ARN has six parts
        raise ValueError(f"{arn!r} is not a target group's ARN")
    return parts[4], parts[3]
