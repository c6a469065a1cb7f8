"""What a target group is like, beyond what a handoff waits by."""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How a load balancer tells whether a target is healthy."""

    protocol: str = "HTTP"
    path: str = ""
    """Empty where it only connects."""
    port: str = "traffic-port"
    """A number, or `traffic-port` for that of each target."""
    unhealthy_threshold: int = 2
    """Checks in a row that make a healthy target unhealthy."""

    @property
    def asks(self) -> str:
        """What it asks for: `GET /healthz`, or `TCP`."""
        return f"GET {self.path}" if self.path else self.protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDetails:
    """What DescribeTargetGroups and DescribeTargetGroupAttributes say of a target group beside."""

    protocol: str = "HTTP"
    version: str = ""
    """How requests are sent to targets: `HTTP1`, `HTTP2`, `GRPC`; empty for groups that forward connections."""
    check: HealthCheck = field(default_factory=HealthCheck)
    slow_start: timedelta = timedelta(0)
    """For how long a new target gets fewer requests than the others; nothing for no slow start."""
    stickiness: str = ""
    """Of which type it is, such as `lb_cookie` or `source_ip`; empty where it is off."""
    balancers: tuple[str, ...] | None = None
    """The ARNs of the load balancers that send requests to it; None where that isn't told."""
