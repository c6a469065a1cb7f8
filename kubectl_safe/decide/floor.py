"""The floor: how many other pods must be in service before one may leave."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.group_floor import group_below_floor
from kubectl_safe.decide.local_traffic import node_below_floor
from kubectl_safe.decide.service_floor import is_owed, service_below_floor
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.surplus import surplus
from kubectl_safe.decide.verdict import InService, OutOfService, Unknown, Verdict
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


def floor(pod: Pod, workload: Workload, settings: Settings) -> int:
    """Return how many other pods of the workload must be in service while this one leaves.

    The wanted number less `max-unavailable`; or, where fewer were in service when the pod was released, that number:
    what was missing then isn't ours to wait for. `max-unavailable` is not taken off that again, or each release would
    count what the one before it took away as missing, and lower the floor further.
    """
    handoff = pod.handoff
    is_withdraw_first = handoff is None or workload.replaces_in_place
    needed = workload.replicas - settings.unavailable_of(workload, is_withdraw_first=is_withdraw_first)
    return needed if handoff is None else min(needed, handoff.in_service)


def below_floor(
    pod: Pod,
    workload: Workload,
    verdicts: Mapping[str, Verdict],
    *,
    leaving: AbstractSet[str],
    snapshot: Snapshot,
    settings: Settings,
) -> str:
    """Return what is missing before a pod may leave; empty where nothing is.

    `verdicts` has every pod of the workload, by UID; `leaving` the UIDs of those that were allowed to leave since the
    snapshot was taken.
    """
    needed = floor(pod, workload, settings)
    others = [v for uid, v in verdicts.items() if uid != pod.uid and uid not in leaving]
    serving = sum(isinstance(v, InService) for v in others)
    if serving >= needed:
        missing = surplus(workload, snapshot) if needed > 0 else ""
        return missing or _others_below_floor(pod, workload, leaving=leaving, snapshot=snapshot, settings=settings)
    why = next((v.why for v in others if isinstance(v, Unknown)), "") or _first_missing(
        pod, workload, verdicts, snapshot
    )
    return f"{serving} of {needed} other pods of {workload.subject} are in service: {why}"


def _others_below_floor(
    pod: Pod, workload: Workload, *, leaving: AbstractSet[str], snapshot: Snapshot, settings: Settings
) -> str:
    """Return which target group, Service or node lacks a pod though its workload does not.

    Of a workload that was scaled to nothing, nothing is owed to them either.
    """
    missing = ""
    if is_owed(workload, settings):
        missing = group_below_floor(pod, leaving=leaving, snapshot=snapshot, allow=settings.allow)
        missing = missing or service_below_floor(pod, leaving=leaving, snapshot=snapshot)
    if not workload.replicas:
        return missing
    return missing or node_below_floor(pod, settings, leaving=leaving, snapshot=snapshot)


def _first_missing(pod: Pod, workload: Workload, verdicts: Mapping[str, Verdict], snapshot: Snapshot) -> str:
    """Return why the newest pod that could count doesn't, which is most often the replacement; or why there is none."""
    waiting = [
        (other, found.why)
        for uid, found in verdicts.items()
        if isinstance(found, OutOfService)
        and uid != pod.uid
        and not (other := snapshot.pods[uid]).is_withdrawn
        and not other.is_terminating
    ]
    # A pod that can't be created shows nowhere else, while one that is not ready can be looked at.
    failed = next((r for r in snapshot.replica_sets_of(workload) if r.failure), None)
    if failed:
        return f"replicaset {failed.name} can't create a pod: {failed.failure}"
    if not waiting:
        return "its replacement is not created yet"
    return max(waiting, key=lambda entry: (str(entry[0].created), entry[0].name))[1]
