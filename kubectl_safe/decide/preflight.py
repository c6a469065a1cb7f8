"""What can be seen to be impossible before the first write."""

from collections.abc import Iterator

from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Intent
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Deployment


def blockers(intent: Intent, snapshot: Snapshot) -> list[Blocked]:
    """Return everything that forbids to begin, each with its remedy."""
    found: dict[str, Blocked] = {}
    for deployment in deployments_of(intent, snapshot):
        for blocked in (*_downtime(deployment, intent), *_unseen(deployment, snapshot)):
            found.setdefault(blocked.why, blocked)
    return list(found.values())


def deployments_of(intent: Intent, snapshot: Snapshot) -> list[Deployment]:
    """Return the Deployments whose pods are planned, in the order of the plan."""
    uids = dict.fromkeys(planned.workload.uid for planned in intent.pods if planned.workload)
    return [snapshot.deployments[uid] for uid in uids if uid in snapshot.deployments]


def _downtime(deployment: Deployment, intent: Intent) -> Iterator[Blocked]:
    settings = intent.settings
    if settings.surge_of(deployment) > 0 or deployment.replicas == 0:
        return
    if deployment.replicas - settings.unavailable_of(deployment, is_withdraw_first=True) >= 1:
        return
    remedy = (
        "its strategy is Recreate, so two pods must never run at once; scale it up first"
        if deployment.strategy == "Recreate"
        else "give it --max-surge 1"
    )
    yield Blocked(
        reason="downtime",
        why=f"deployment {deployment} may run no pod beyond its {deployment.replicas}, so none would be in service: "
        f"{remedy}",
    )


def _unseen(deployment: Deployment, snapshot: Snapshot) -> Iterator[Blocked]:
    for pod in snapshot.pods_of(deployment):
        for binding in snapshot.bindings_of(pod):
            if binding.target_type != "ip":
                yield Blocked(
                    reason="unseen-load-balancer",
                    why=f"targetgroupbinding {binding.namespace}/{binding.name} registers nodes "
                    f"(targetType {binding.target_type}): a pod can't be taken out of its group; only ip targets can",
                )
            elif not binding.group:
                yield Blocked(
                    reason="unseen-load-balancer",
                    why=f"targetgroupbinding {binding.namespace}/{binding.name} names no targetGroupARN: "
                    "its target group can't be asked",
                )
