"""Target groups, the bindings that fill them, and the health of their targets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Target:
    """An address registered with a target group."""

    group: str
    """The target group's ARN."""
    ip: str
    port: int

    def __str__(self) -> str:
        return f"{self.ip}:{self.port} in {group_name(self.group)}"


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

    @property
    def is_healthy(self) -> bool:
        """Whether the load balancer sends it requests and gets answers."""
        return self.state is State.HEALTHY

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

    @property
    def time_to_healthy(self) -> timedelta:
        """How long a new target that answers takes to become healthy, where its first check comes at once."""
        return self.health_check_interval * (self.healthy_threshold - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupBinding:
    """A TargetGroupBinding (`elbv2.k8s.aws/v1beta1`): the pods of this Service are targets of that group."""

    namespace: str
    name: str
    resource_version: str
    group: str
    """The target group's ARN."""
    target_type: str
    """`ip` or `instance`."""
    service: str
    service_port: int | str
    is_nudged: bool = False
    """Whether our annotation is on it."""

    @property
    def gate(self) -> str:
        """The readiness gate that the controller sets for it."""
        return f"target-health.elbv2.k8s.aws/{self.name}"


def group_name(arn: str) -> str:
    """Return the name in a target group's ARN (`...:targetgroup/NAME/ID`)."""
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
