"""How long a wait may last before the pod is given up."""

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot

DEREGISTRATION_MARGIN = timedelta(minutes=2)
"""What a target may take beyond its group's deregistration delay."""

USUAL_DELAY = timedelta(minutes=5)
"""AWS's default deregistration delay, for a group that was bound in the middle of a run."""

STOPPING_MARGIN = timedelta(minutes=2)
"""What a pod may take beyond its grace period: its node kills it then, unless nobody is there to do so."""

PATIENCE = timedelta(seconds=30)
"""What giving a pod back may take, and what a stopped run waits for beyond what it knows to last."""

ORIGINS: Mapping[For, str] = {
    **dict.fromkeys((For.REPLACEMENT, For.RELEASE, For.STRAY), "progressDeadlineSeconds"),
    **dict.fromkeys((For.TARGETS, For.ENDPOINTS), "deregistration delay and 2m"),
}
"""Where deadlines that readers can change come from."""


def deadline(planned: Planned, wait: Wait, snapshot: Snapshot, *, is_given_up: bool = False) -> timedelta | None:
    """Return how long such a wait may last; None where nothing but `--timeout` ends it.

    - A replacement, or a pod that a dead run left: the workload's `progressDeadlineSeconds`.
    - A target that is to leave: the longest deregistration delay of its groups, and two minutes.
    - To be given back: `PATIENCE`.
    - To begin to terminate: `PATIENCE`, for an accepted eviction and garbage collection take no time.
    - A pod that stops: its grace period, and two minutes; of a node that died it never ends.
    - Of a pod that is given up, whatever else may never end: `PATIENCE`, and its grace period where it is stopping.
    """
    match wait.on:
        case For.REPLACEMENT | For.RELEASE | For.STRAY:
            workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
            return workload.progress_deadline if workload else None
        case For.TARGETS | For.ENDPOINTS:
            pod = snapshot.pods.get(planned.uid)
            targets = snapshot.targets_of(pod) if pod else ()
            known = snapshot.groups
            delays = [known[t.group].deregistration_delay if t.group in known else USUAL_DELAY for t in targets]
            return max(delays, default=timedelta(0)) + DEREGISTRATION_MARGIN
        case For.UNDO:
            return PATIENCE
        case For.BUDGET | For.CACHE | For.LEASE | For.ROOM:
            return PATIENCE if is_given_up else None
        case For.TERMINATION:
            return _to_terminate(snapshot.pods.get(planned.uid), is_given_up=is_given_up)
        case For.SURGE | For.SETTLE | For.DRAINING_SLOT | For.NODE:
            return None
        case _:
            assert_never(wait.on)


def _to_terminate(pod: Pod | None, *, is_given_up: bool) -> timedelta | None:
    if pod is None or not pod.is_terminating:
        return PATIENCE if is_given_up or pod else None
    return timedelta(seconds=pod.grace_period_seconds) + (PATIENCE if is_given_up else STOPPING_MARGIN)
