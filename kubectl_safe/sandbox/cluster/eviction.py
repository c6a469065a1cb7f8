"""The Eviction API: deletes a pod where no disruption budget forbids it.

The order of its questions is that of pkg/registry/core/pod/storage/eviction.go.
"""

from dataclasses import replace

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.deletion import DeleteOptions, check_preconditions, delete
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import (
    Json,
    condition,
    is_finished,
    is_ready,
    is_terminating,
    key_of,
    labels_of,
    phase,
    stamp,
)
from kubectl_safe.sandbox.cluster.selectors import selects

_MOST_DISRUPTED = 2000

_TWO_BUDGETS = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
_EVICTED = "EvictionByEvictionAPI", "Eviction API: evicting"


def evict(model: Model, namespace: str, name: str, options: DeleteOptions) -> None:
    """Evict a pod.

    Raises:
        RefusalError: there is none, a precondition doesn't hold, or a budget forbids it.
    """
    pod = model.get(kinds.PODS, namespace, name)
    if is_finished(pod) or phase(pod) == "Pending" or is_terminating(pod):
        disrupt(model, pod, *_EVICTED, options)
        return
    budgets = [
        budget
        for budget in model.all(kinds.BUDGETS, namespace)
        if selects(budget["spec"].get("selector"), labels_of(pod))
    ]
    if len(budgets) > 1:
        raise refusals.RefusalError(500, "", _TWO_BUDGETS)
    if budgets and not _is_unguarded(pod, budgets[0]):
        _charge(model, budgets[0], pod, is_dry_run=options.is_dry_run)
    disrupt(model, pod, *_EVICTED, options)


def _is_unguarded(pod: Json, budget: Json) -> bool:
    """Tell whether a pod that isn't ready may go without being counted."""
    if is_ready(pod):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget["status"]
    desired: int = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def _charge(model: Model, budget: Json, pod: Json, *, is_dry_run: bool) -> None:
    """Take one disruption off a budget.

    Raises:
        RefusalError: it has none to give, or was not looked at since its last change.
    """
    name, status = budget["metadata"]["name"], budget["status"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise refusals.over_budget(
            f"The disruption budget {name} is still being processed by the server.", retry_after=10
        )
    if len(status.get("disruptedPods") or {}) > _MOST_DISRUPTED:
        raise refusals.forbidden(
            f'poddisruptionbudgets.policy "{name}" is forbidden: DisruptedPods map too big - too many evictions not '
            "confirmed by PDB controller",
            "policy",
            "poddisruptionbudget",
            name,
        )
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        raise refusals.over_budget(_why_not(name, budget))
    if is_dry_run:
        return
    charged = {
        **status,
        "disruptionsAllowed": allowed - 1,
        "disruptedPods": {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: stamp(model.now())},
    }
    model.set_status(kinds.BUDGETS, budget, with_verdict(charged, budget, stamp(model.now())))


def _why_not(name: str, budget: Json) -> str:
    status = budget["status"]
    found = condition(budget, "DisruptionAllowed") or {}
    if found.get("reason") == "SyncFailed" and found.get("message"):
        return (
            f"The disruption budget {name} does not allow evicting pods currently because it failed sync: "
            f"{found['message']}"
        )
    current, desired = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
    if current <= desired:
        return f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"
    return f"The disruption budget {name} does not allow evicting pods currently"


def with_verdict(status: Json, budget: Json, now: str) -> Json:
    """Return a budget's status with the condition that tells whether it allows a disruption."""
    is_allowed = status["disruptionsAllowed"] > 0
    before = condition(budget, "DisruptionAllowed")
    verdict = {
        "type": "DisruptionAllowed",
        "status": "True" if is_allowed else "False",
        "reason": "SufficientPods" if is_allowed else "InsufficientPods",
        "message": "",
        "observedGeneration": budget["metadata"].get("generation", 1),
        "lastTransitionTime": now,
    }
    if before is not None and before["status"] == verdict["status"]:
        verdict["lastTransitionTime"] = before["lastTransitionTime"]
    return {**status, "conditions": [verdict]}


def disrupt(model: Model, pod: Json, reason: str, message: str, options: DeleteOptions) -> None:
    """Mark a pod as disrupted and delete it; preconditions count here, after a budget has been charged.

    Raises:
        RefusalError: there is none, or a precondition doesn't hold.
    """
    namespace, name = key_of(pod)
    check_preconditions(kinds.PODS, pod, options)
    if not options.is_dry_run:
        mark = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}
        marked = model.update(
            kinds.PODS, namespace, name, lambda before: _marked(before, mark, stamp(model.now())), subresource="status"
        )
        if options.resource_version:
            options = replace(options, resource_version=marked["metadata"]["resourceVersion"])
    delete(model, kinds.PODS, namespace, name, options)


def _marked(pod: Json, mark: Json, now: str) -> Json:
    others = [its for its in pod["status"].get("conditions") or [] if its["type"] != mark["type"]]
    known = condition(pod, mark["type"])
    mark = {**mark, "lastTransitionTime": (known or {}).get("lastTransitionTime", now)}
    return {**pod, "status": {**pod["status"], "conditions": [*others, mark]}}
