"""What a demonstration is like, and the times that are shortened so that it fits a minute."""

from dataclasses import dataclass
from typing import Literal

from kubectl_safe.sandbox.traffic import STREAM_SECONDS

Disruption = Literal["drain", "restart"]

LAG_SECONDS = (0.5, 1.0)
"""How long a proxy takes to hear of a change: kube-proxy by default puts changes of a second together."""

SETTLE_SECONDS = LAG_SECONDS[1] + STREAM_SECONDS + 1
"""What kubectl-safe is told to let pods settle for: until the last proxy has heard, the longest request, one more."""

GATE_POLL_SECONDS = 5.0
"""How often the load balancer controller looks at new targets: 15 s on AWS."""

LEAD_SECONDS = 0.5
"""How long there is traffic before a tool begins, so that requests are under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Sizes, load and seed of a demonstration.

    Args:
        disruptions: what each tool does, in this order.
        pods: of each of the two applications.
        nodes: at least two, so that a drained one's pods have where to go.
        rate: requests a second.
        deregistration_delay: of the load balancer's target group, in seconds.
        seed: of all that is random; what the machine's load decides is not in it.
    """

    disruptions: tuple[Disruption, ...] = ("drain", "restart")
    pods: int = 4
    nodes: int = 3
    rate: float = 200.0
    deregistration_delay: float = 4.0
    seed: int = 0

    @property
    def longest_seconds(self) -> float:
        """After how long a trial has failed: several times what it should take."""
        return 120 + 2 * self.deregistration_delay + 6 * self.pods
