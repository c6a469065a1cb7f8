"""How long a wait may last before the pod is given up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.model.snapshot import Snapshot

DEREGISTRATION_MARGIN = timedelta(minutes=2)
"""What a target may take beyond its group's deregistration delay."""

PATIENCE = timedelta(seconds=30)
"""What giving a pod back may take, and what a stopped run waits for beyond what it knows to last."""

ORIGINS: Mapping[For, str] = {
    **dict.fromkeys((For.REPLACEMENT, For.RELEASE, For.STRAY), "progressDeadlineSeconds"),
    **dict.fromkeys((For.TARGETS, For.ENDPOINTS), "deregistration delay and 2m"),
}
"""Where deadlines that readers can change come from."""


def deadline(planned: Planned, wait: Wait, snapshot: Snapshot, *, is_given_up: bool = False) -> timedelta | None:
    """Return how long such a wait may last; None where nothing but `--timeout` ends it.

    - A replacement, or a pod that a dead run left: the Deployment's `progressDeadlineSeconds`.
    - A target that is to leave: the longest deregistration delay of its groups, and two minutes.
    - To be given back: `PATIENCE`.
    - Of a pod that is given up, whatever else may never end: `PATIENCE`, and its grace period where it is stopping.
    """
    match wait.on:
        case For.REPLACEMENT | For.RELEASE | For.STRAY:
            deployment = snapshot.deployments.get(planned.workload.uid) if planned.workload else None
            return deployment.progress_deadline if deployment else None
        case For.TARGETS | For.ENDPOINTS:
            pod = snapshot.pods.get(planned.uid)
            targets = snapshot.targets_of(pod) if pod else ()
            delays = [snapshot.groups[t.group].deregistration_delay for t in targets if t.group in snapshot.groups]
            return max(delays, default=timedelta(0)) + DEREGISTRATION_MARGIN
        case For.UNDO:
            return PATIENCE
        case For.BUDGET | For.CACHE | For.LEASE:
            return PATIENCE if is_given_up else None
        case For.TERMINATION:
            pod = snapshot.pods.get(planned.uid)
            grace = timedelta(seconds=pod.grace_period_seconds if pod else 0)
            return grace + PATIENCE if is_given_up else None
        case For.SURGE | For.SETTLE | For.DRAINING_SLOT:
            return None
        case _:
            assert_never(wait.on)
