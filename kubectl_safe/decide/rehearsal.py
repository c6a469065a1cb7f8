"""What is tried as a dry run before the first write: each kind of write once for each workload."""

from collections.abc import Iterator
from itertools import islice

from kubectl_safe.decide.actions import Action, AskEviction, ExcludeNode, Nudge, Release, Withdraw
from kubectl_safe.decide.alone import leaves
from kubectl_safe.decide.decision import Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.node_first import is_to_exclude, nodes_of
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.preflight import workloads_of
from kubectl_safe.decide.step import release_label, step_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


def rehearsals(intent: Intent, snapshot: Snapshot) -> Iterator[Action]:
    """Return the writes to try: on nodes that come first, and on each workload's first pod that is not begun."""
    yield from (ExcludeNode(node=node) for node in nodes_of(intent, snapshot) if is_to_exclude(node, snapshot))
    for workload in workloads_of(intent, snapshot):
        pod = _first_queued(workload, intent, snapshot)
        if pod is None:
            continue
        label = release_label(pod, snapshot)
        owner = reference_to(workload)
        if label:
            yield Release(pod=pod, drop=label, owner=owner, targets=snapshot.targets_of(pod), in_service=0)
        drop = labels_to_withdraw(pod, snapshot)
        if drop:
            yield Withdraw(pod=pod, drop=drop, targets=snapshot.targets_of(pod), owner=owner, in_service=0)
        yield AskEviction(pod=pod, is_deletion=intent.settings.disable_eviction)
        if intent.settings.nudge:
            yield from (Nudge(binding=binding) for binding in snapshot.bindings_of(pod))
    alone = (pod for planned in intent.pods if not planned.workload and (pod := snapshot.pods.get(planned.uid)))
    leaving = (found for pod in alone if step_of(pod) is Step.QUEUED and (found := leaves(pod, snapshot)))
    yield from islice(leaving, 1)


def _first_queued(workload: Workload, intent: Intent, snapshot: Snapshot) -> Pod | None:
    for planned in intent.pods:
        pod = snapshot.pods.get(planned.uid)
        if pod and planned.workload and planned.workload.uid == workload.uid and step_of(pod) is Step.QUEUED:
            return pod
    return None
