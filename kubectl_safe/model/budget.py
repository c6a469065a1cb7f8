"""Disruption budgets."""

from dataclasses import dataclass

from kubectl_safe.model.selector import Labels, LabelSelector


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A PodDisruptionBudget with what its controller last counted."""

    namespace: str
    name: str
    selector: LabelSelector | None
    """None selects nothing (policy/v1)."""
    min_available: int | str | None = None
    max_unavailable: int | str | None = None
    expected_pods: int = 0
    """How many pods there are to be, by their controllers."""
    disruptions_allowed: int
    current_healthy: int
    desired_healthy: int
    disrupted: frozenset[str] = frozenset()
    """Names of pods whose eviction was allowed and not seen yet."""

    def selects(self, namespace: str, labels: Labels) -> bool:
        """Tell whether a pod of that namespace with these labels is under it."""
        return self.selector is not None and namespace == self.namespace and self.selector.matches(labels)
