"""Whose Warning events can tell why a wait doesn't end, and a wait in their words."""

from collections.abc import Iterator
from dataclasses import replace

from kubectl_safe.decide.decision import Decision, For, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.unseen import waits_for_gate
from kubectl_safe.model.event import Subject
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetGroupBinding


def subjects_of(planned: Planned, decision: Decision, snapshot: Snapshot) -> tuple[Subject, ...]:
    """Return whose events to ask for.

    - Targets don't go: those of the bindings, whose controller is to take them out.
    - A replacement doesn't come: those of the newest pod that is not ready, and of the bindings of whose gates it
      lacks; or those of the ReplicaSet, where there is no such pod. The scheduler's words are in the pod itself.
    """
    if not isinstance(decision, Wait):
        return ()
    if decision.on is For.TARGETS:
        pod = snapshot.pods.get(planned.uid)
        return tuple(dict.fromkeys(map(_of_binding, snapshot.bindings_of(pod)))) if pod else ()
    return tuple(dict.fromkeys(_of_replacement(planned, snapshot))) if decision.on is For.REPLACEMENT else ()


def in_their_words(planned: Planned, decision: Decision, snapshot: Snapshot) -> Decision:
    """Return a decision with what is complained of added to the reason of its wait."""
    if not snapshot.warnings or not isinstance(decision, Wait):
        return decision
    subjects = subjects_of(planned, decision, snapshot)
    told = [f"{subject}: {words}" for subject in subjects if (words := snapshot.warnings.get(subject))]
    return replace(decision, why="; ".join([decision.why, *told]))


def _of_replacement(planned: Planned, snapshot: Snapshot) -> Iterator[Subject]:
    workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
    if workload is None:
        return
    pods = [pod for pod in snapshot.pods_of(workload) if _is_missing(pod) and pod.uid != planned.uid]
    if not pods:
        yield from (
            Subject(kind="ReplicaSet", namespace=r.namespace, name=r.name)
            for r in snapshot.replica_sets_of(workload)
            if r.replicas and not r.failure
        )
        return
    newest = max(pods, key=lambda pod: (str(pod.created), pod.name))
    if newest.node and not newest.waiting_message:
        yield Subject(kind="Pod", namespace=newest.namespace, name=newest.name)
    yield from (_of_binding(b) for b in snapshot.bindings_of(newest) if waits_for_gate(newest, b))


def _is_missing(pod: Pod) -> bool:
    return not (pod.is_ready or pod.is_withdrawn or pod.is_terminating or pod.is_finished)


def _of_binding(binding: TargetGroupBinding) -> Subject:
    return Subject(kind="TargetGroupBinding", namespace=binding.namespace, name=binding.name)
