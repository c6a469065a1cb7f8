"""How far a rollout is, with what its controller leaves out: old pods that drain, gates, targets.

A controller is done once enough new pods are available. Old ones may answer requests then for minutes, which end with
them, and a load balancer may know of none of the new ones.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubectl_safe.decide.decision import Step
from kubectl_safe.decide.native_rollout import Complete, Failed, Progressing, native_rollout, waiting_for
from kubectl_safe.decide.node_targets import node_targets_of, not_led_to
from kubectl_safe.decide.remedies import to_mend
from kubectl_safe.decide.restart import recorded
from kubectl_safe.decide.stateful import is_wanted
from kubectl_safe.decide.step import step_of
from kubectl_safe.decide.verdict import InService, OutOfService, Verdict, verdict_of_seen
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target
from kubectl_safe.model.workload import Workload

_ON_THEIR_WAY = (Step.RELEASED, Step.WITHDRAWN, Step.TERMINATING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """It is not finished."""

    line: str
    """What its controller still does, in kubectl's words; empty where that is done."""
    lacks: str
    """What is left out there, as a line like kubectl's; empty where there is nothing."""


Status = Complete | Waiting | Failed


def rollout_status(
    workload: Workload, snapshot: Snapshot, *, revision: int = 0, seen: frozenset[Target] = frozenset()
) -> Status:
    """Return how far a rollout is.

    It is complete once its controller says so, and

    - no pod that its restart plans is left,
    - no other pod of it is on its way out: released, withdrawn or terminating,
    - no target group knows a target of these, or of pods that are gone since they were seen,
    - every other pod is in service: its gates are True, in every EndpointSlice, healthy in every target group; in one
      that registers nodes, a node that leads to it is,
    - and nothing of this is known from a watch without a connection.

    Args:
        workload: whose rollout it is.
        snapshot: what is known of it.
        revision: of a Deployment, to be waited for; 0 for the newest.
        seen: what `not_gone` has told earlier.
    """
    told = native_rollout(workload, revision=revision)
    if isinstance(told, Failed):
        return told
    pods = [pod for pod in snapshot.pods_of(workload) if not pod.is_finished]
    old = [*_old_pods(pods), *_old_targets(not_gone(workload, snapshot, seen=seen), pods, snapshot)]
    lacks = "; ".join(
        [
            *_restart(workload, pods, snapshot),
            *([", ".join(old)] if old else []),
            *_new_pods(pods, workload, snapshot),
            *(f"{kind} can't be seen now" for kind in sorted(snapshot.stale)),
        ]
    )
    if isinstance(told, Complete) and not lacks:
        return told
    return Waiting(
        line=told.line if isinstance(told, Progressing) else "", lacks=waiting_for(workload, lacks) if lacks else ""
    )


def not_gone(workload: Workload, snapshot: Snapshot, *, seen: frozenset[Target] = frozenset()) -> frozenset[Target]:
    """Return the targets of a workload's pods, and those `seen` earlier of pods that are gone, as far as they are left.

    A pod may be gone for minutes before its target is.
    """
    now = {target for pod in snapshot.pods_of(workload) for target in snapshot.targets_of(pod)}
    known = {target for target in now | seen if target.group not in snapshot.unseen}
    serving = _serving(known, snapshot)
    return frozenset(target for target in known if target in serving or not _is_gone(target, snapshot))


def _is_gone(target: Target, snapshot: Snapshot) -> bool:
    health = snapshot.fresh_health(target)
    return health is not None and health.is_gone


def _serving(targets: Iterable[Target], snapshot: Snapshot) -> set[Target]:
    """Return the targets of pods that are to get requests; another pod may have the address of one that is gone."""
    known = (its for group in {target.group for target in targets} for its in snapshot.pods_in_group(group))
    return {t for pod, t in known if step_of(pod) in {Step.QUEUED, Step.RELEASED} and not pod.is_finished}


def _restart(workload: Workload, pods: Iterable[Pod], snapshot: Snapshot) -> Iterable[str]:
    """Tell of the restart that is under way: it makes no new revision, so that the controller knows nothing of it."""
    record = recorded(workload, snapshot)
    operation = record.operation if record else None
    left = sum(operation.plans(pod.uid) for pod in pods) if operation else 0
    if operation and left:
        planned = len(operation.pods)
        yield f"{planned - left} out of {planned} pods have been handed over by kubectl safe rollout restart"


def _old_pods(pods: Iterable[Pod]) -> Iterable[str]:
    steps = [step_of(pod) for pod in pods]
    for step in _ON_THEIR_WAY:
        if count := steps.count(step):
            yield f"{count} old {'pod is' if count == 1 else 'pods are'} {step.value}"


def _old_targets(known: frozenset[Target], pods: Iterable[Pod], snapshot: Snapshot) -> Iterable[str]:
    old = sorted(known - _serving(known, snapshot))
    if not old:
        return
    first, state = old[0], _state_of(old[0], snapshot)
    leaving = [pod for pod in pods if step_of(pod) in _ON_THEIR_WAY]
    if len(old) > 1:
        yield f"{len(old)} targets of old pods are not gone: {first} {state}"
    elif len(leaving) == 1 and first in snapshot.targets_of(leaving[0]):
        yield f"its target {first} {state}"
    else:
        yield f"target {first} of an old pod {state}"


def _state_of(target: Target, snapshot: Snapshot) -> str:
    health, trouble = snapshot.health.get(target), snapshot.stale_health.get(target.group)
    if health is None or health.is_gone or trouble:
        return f"has no fresh health{f': {trouble}' if trouble else ' yet'}"
    # What drains does so for minutes: nobody asks for it all the time.
    return f"is {health.state.value}" if health.state is State.DRAINING else f"is still registered: {health}"


def _new_pods(pods: Iterable[Pod], workload: Workload, snapshot: Snapshot) -> Iterable[str]:
    new = [pod for pod in pods if step_of(pod) is Step.QUEUED and is_wanted(pod, workload)]
    unreached = not_led_to(new, snapshot)
    told = [(pod, _verdict(pod, workload, snapshot, unreached)) for pod in new]
    out = [(pod, found) for pod, found in told if not isinstance(found, InService)]
    # What is seen to be lacking says more than what nobody knows.
    first = next((it for it in out if isinstance(it[1], OutOfService)), next(iter(out), None))
    if first:
        pod, found = first
        counted = f"{len(new) - len(out)} of {len(new)} pods are"
        if isinstance(found, OutOfService):
            remedy = to_mend(pod, workload, snapshot) if _is_seen(pod, snapshot, unreached) else ""
            yield f"{counted} in service: {found.why}{f' ({remedy})' if remedy else ''}"
        else:
            yield f"{counted} known to be in service: {found.why}"


def _is_seen(pod: Pod, snapshot: Snapshot, unreached: Mapping[str, str]) -> bool:
    """Tell whether what a pod lacks was seen; of nodes that nobody has an answer about, nobody has to do anything."""
    known = (snapshot.fresh_health(its.target) for its in node_targets_of(pod, snapshot))
    return pod.uid not in unreached or any(known)


def _verdict(pod: Pod, workload: Workload, snapshot: Snapshot, unreached: Mapping[str, str]) -> Verdict:
    found = verdict_of_seen(pod, workload, snapshot)
    if isinstance(found, InService) and pod.uid in unreached:
        return OutOfService(why=unreached[pod.uid])
    return found
