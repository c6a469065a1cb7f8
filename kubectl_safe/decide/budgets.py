"""Disruption budgets whose count is over.

The disruption controller counts a budget anew when a pod that it selects changes. A pod that leaves it by a label is no
such pod any more: until another one changes, the budget counts one healthy pod too many, and allows one eviction
too many.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from datetime import datetime

from kubectl_safe.decide.actions import Touch
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.settings import RETRY
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.marks import TOUCH
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot


def stale_budget(pod: Pod, drop: frozenset[str], snapshot: Snapshot) -> Budget | None:
    """Return a budget that the pod would leave by these labels, and that still counts another that left."""
    labels = {key: value for key, value in pod.labels.items() if key not in drop}
    return next(
        (
            budget
            for budget in snapshot.budgets
            if budget.selects(pod.namespace, pod.labels)
            and not budget.selects(pod.namespace, labels)
            and is_stale(budget, snapshot)
        ),
        None,
    )


def exhausted_budget(pod: Pod, snapshot: Snapshot) -> Budget | None:
    """Return a budget of the pod that allows no disruption by its own count, and would count the pod.

    One that is not Ready may be let go all the same.
    """
    if not pod.is_ready:
        return None
    mine = (budget for budget in snapshot.budgets if budget.selects(pod.namespace, pod.labels))
    return next((budget for budget in mine if budget.disruptions_allowed < 1), None)


def spent_budget(pod: Pod, leaving: AbstractSet[str], snapshot: Snapshot) -> Budget | None:
    """Return a budget of the pod that allows no more than what just leaves: each was asked for alone, and allowed."""
    others = [snapshot.pods[uid] for uid in leaving]
    for budget in snapshot.budgets:
        taken = sum(other.is_ready and budget.selects(other.namespace, other.labels) for other in others)
        if taken >= max(1, budget.disruptions_allowed) and budget.selects(pod.namespace, pod.labels):
            return budget
    return None


def bypassed(intent: Intent, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the budgets that would be asked before planned pods are stopped, and are not, as these are deleted."""
    if not intent.settings.disable_eviction:
        return ()
    pods = [pod for planned in intent.pods if (pod := snapshot.pods.get(planned.uid)) and not pod.is_finished]
    named = (b for b in snapshot.budgets if any(b.selects(pod.namespace, pod.original_labels) for pod in pods))
    return tuple(sorted(f"{budget.namespace}/{budget.name}" for budget in named))


def has_left_since(pod: Pod, moment: datetime, snapshot: Snapshot) -> bool:
    """Tell whether a pod has left a budget of this one since a moment: what the arbiter allowed before is over."""
    budgets = [budget for budget in snapshot.budgets if budget.selects(pod.namespace, pod.labels)]
    left = {uid for uid, since in snapshot.withdrawn_since.items() if since >= moment}
    left |= {uid for uid, it in snapshot.answers.items() if it.is_allowed and not it.is_dry_run and it.at >= moment}
    # Nothing is known any more of one that is gone: it may have been of any budget.
    return any(
        other is None or budget.selects(other.namespace, other.original_labels)
        for other in map(snapshot.pods.get, left - {pod.uid})
        for budget in budgets
    )


def is_stale(budget: Budget, snapshot: Snapshot) -> bool:
    """Tell whether a withdrawn pod left the budget and it counts more healthy pods than there are."""
    left = any(pod.is_withdrawn and _has_left(pod, budget) for pod in snapshot.pods.values())
    return left and budget.current_healthy > len(_healthy(budget, snapshot))


def touches(planned: Iterable[str], snapshot: Snapshot) -> list[Touch]:
    """Return what makes stale budgets of planned pods be counted anew: one pod of each that stays.

    At once when a pod has left one, for until then others are let evict one pod too many; and again every `RETRY`.
    """
    planned = frozenset(planned)
    ours = [pod for uid in planned if (pod := snapshot.pods.get(uid))]
    found = []
    for budget in snapshot.budgets:
        is_ours = any(budget.selects(pod.namespace, pod.original_labels) for pod in ours)
        if is_ours and _is_touch_due(budget, snapshot) and is_stale(budget, snapshot):
            staying = [pod for pod in _healthy(budget, snapshot) if pod.uid not in planned]
            if staying:
                # One that was touched before, so that one annotation is taken away in the end, not many.
                pod = min(staying, key=lambda p: (TOUCH not in p.annotations, p.name))
                found.append(Touch(pod=pod, budget=budget))
    return found


def _is_touch_due(budget: Budget, snapshot: Snapshot) -> bool:
    last = snapshot.touched_at.get((budget.namespace, budget.name))
    if last is None or snapshot.at - last >= RETRY:
        return True
    left = (
        snapshot.pods[uid] for uid, since in snapshot.withdrawn_since.items() if since > last and uid in snapshot.pods
    )
    return any(_has_left(pod, budget) for pod in left)


def _has_left(pod: Pod, budget: Budget) -> bool:
    return budget.selects(pod.namespace, pod.original_labels) and not budget.selects(pod.namespace, pod.labels)


def _healthy(budget: Budget, snapshot: Snapshot) -> list[Pod]:
    """Return the pods that the disruption controller counts as healthy."""
    return [
        pod
        for pod in snapshot.pods.values()
        if budget.selects(pod.namespace, pod.labels)
        and pod.is_ready
        and not pod.is_terminating
        and pod.name not in budget.disrupted
    ]
