"""Which pods have to go for one that is more important, as the scheduler chooses them. Pure.

It follows pkg/scheduler/framework/preemption and plugins/defaultpreemption of Kubernetes 1.37.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kubectl_safe.sandbox.cluster.objects import Json, is_terminating, labels_of
from kubectl_safe.sandbox.cluster.selectors import selects

Fits = Callable[[list[Json]], bool]
"""Tells whether a pod would fit if these were the pods that are placed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Victims:
    """The pods of one node that would go."""

    node: str
    pods: tuple[Json, ...]
    violations: int
    """How many of them no budget allows to go."""

    @property
    def cost(self) -> tuple[int, ...]:
        """What the node with the least of is chosen: violations, then how important its victims are, then how many."""
        priorities = [priority_of(pod) for pod in self.pods]
        return self.violations, max(priorities), sum(priorities), len(priorities)


def priority_of(pod: Json) -> int:
    """Return how important a pod is."""
    return int(pod["spec"].get("priority") or 0)


def why_ineligible(pod: Json, placed: Iterable[Json]) -> str:
    """Return why no others may go for a pod now: some already do, where it is to come; empty if they may."""
    if pod["spec"].get("preemptionPolicy") == "Never":
        return "not eligible due to preemptionPolicy=Never."
    nominated = pod["status"].get("nominatedNodeName")
    is_awaiting = nominated and any(
        other["spec"]["nodeName"] == nominated and is_terminating(other) and priority_of(other) < priority_of(pod)
        for other in placed
    )
    return "not eligible due to a terminating pod on the nominated node." if is_awaiting else ""


def victims_on(node: str, pod: Json, placed: Sequence[Json], fits: Fits, budgets: Sequence[Json]) -> Victims | None:
    """Return which pods of a node have to go for a pod, none without need; None where even all of them don't help.

    Those that a budget does not allow to go are spared first, and of the others the more important ones.
    """
    lower = [o for o in placed if o["spec"]["nodeName"] == node and priority_of(o) < priority_of(pod)]
    left = [other for other in placed if other not in lower]
    if not lower or not fits(left):
        return None
    guarded, free = _by_budgets(sorted(lower, key=_importance, reverse=True), budgets)
    gone: list[Json] = []
    violations = 0
    for other in (*guarded, *free):
        if fits([*left, other]):
            left.append(other)
            continue
        gone.append(other)
        violations += other in guarded
    return Victims(node=node, pods=tuple(gone), violations=violations)


def _by_budgets(pods: Iterable[Json], budgets: Iterable[Json]) -> tuple[list[Json], list[Json]]:
    """Return the pods that a budget does not allow to go after those before them, and the others."""
    allowed = {id(budget): budget.get("status", {}).get("disruptionsAllowed", 0) for budget in budgets}
    guarded: list[Json] = []
    free: list[Json] = []
    for pod in pods:
        over = False
        for budget in budgets:
            is_its = budget["metadata"]["namespace"] == pod["metadata"]["namespace"]
            if is_its and selects(budget["spec"].get("selector"), labels_of(pod)):
                allowed[id(budget)] -= 1
                over = over or allowed[id(budget)] < 0
        (guarded if over else free).append(pod)
    return guarded, free


def _importance(pod: Json) -> tuple[int, list[int]]:
    """Return what the more important pod has more of: its priority, and then how long ago it was started."""
    started = str(pod["status"].get("startTime") or "9")
    return priority_of(pod), [-ord(char) for char in started]
