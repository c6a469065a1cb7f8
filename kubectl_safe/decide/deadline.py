"""When a wait has lasted too long to go on in silence."""

from datetime import timedelta

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.model.snapshot import Snapshot

DEREGISTRATION_MARGIN = timedelta(minutes=2)
"""What a target may take beyond its group's deregistration delay."""


def deadline(planned: Planned, wait: Wait, snapshot: Snapshot) -> timedelta | None:
    """Return how long such a wait may last; None where nothing but `--timeout` ends it.

    - a replacement: the Deployment's `progressDeadlineSeconds`,
    - a target that is to leave: the longest deregistration delay of its groups, and two minutes.
    """
    if wait.on in {For.REPLACEMENT, For.RELEASE}:
        deployment = snapshot.deployments.get(planned.workload.uid) if planned.workload else None
        return deployment.progress_deadline if deployment else None
    if wait.on in {For.TARGETS, For.ENDPOINTS}:
        pod = snapshot.pods.get(planned.uid)
        targets = snapshot.targets_of(pod) if pod else ()
        delays = [snapshot.groups[t.group].deregistration_delay for t in targets if t.group in snapshot.groups]
        return max(delays, default=timedelta(0)) + DEREGISTRATION_MARGIN
    return None
