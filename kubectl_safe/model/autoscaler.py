"""What changes how many replicas a workload has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """A HorizontalPodAutoscaler."""

    namespace: str
    name: str
    kind: str
    """Of what it scales: `Deployment`."""
    target: str
    """The name of that."""
    minimum: int = 1
    maximum: int
    current: int = 0
    """Replicas that it last saw."""
    is_limited: bool = False
    """Whether it would have more replicas than its maximum (condition `ScalingLimited`, reason `TooManyReplicas`)."""
