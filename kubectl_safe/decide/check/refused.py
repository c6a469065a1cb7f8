"""Tries in mind what commands would refuse: a restart of each workload, and a drain of each node."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from kubectl_safe.decide import restart
from kubectl_safe.decide.allow import UNSEEN_TARGETS
from kubectl_safe.decide.check.subject import Subject, of_workload
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.drain import Options, plan_node
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.owners import without_handoff, workload_of
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import group_name
from kubectl_safe.model.workload import Workload

RESTARTABLE = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
"""The kinds that `rollout restart` takes; pods of others are moved by a drain only."""
_ALL = Options(ignore_daemon_sets=True, delete_empty_dir_data=True, force=True)

_SETTINGS = Settings(drain_wait=timedelta(days=1))
"""The defaults; a group that can't be asked is told of as such, and not once more for the time that stands in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What would be refused, and the command line that refuses it."""

    subject: Subject
    blocked: Blocked
    command: str


def refused(
    snapshot: Snapshot, workloads: Iterable[Workload], pods: Iterable[Pod], nodes: Iterable[str]
) -> tuple[Refusal, ...]:
    """Return all that would be refused, each thing once; what several commands refuse is told of the first."""
    known, chosen = tuple(pods), tuple(workloads)
    found: dict[tuple[str, str], Refusal] = {}
    for its in (
        *_restarts(snapshot, chosen),
        *_unasked(snapshot, chosen),
        *_unowned(snapshot, known),
        *_drains(snapshot, known, nodes),
    ):
        found.setdefault((its.blocked.reason, its.blocked.why), its)
    return tuple(found.values())


def _restarts(snapshot: Snapshot, workloads: Iterable[Workload]) -> Iterator[Refusal]:
    for workload in workloads:
        intent = Intent(pods=restart.plan_restart(workload, None, snapshot), settings=_SETTINGS)
        for blocked in blockers(intent, snapshot) if intent.pods else ():
            yield Refusal(subject=of_workload(workload), blocked=blocked, command=_moving(workload))


def _unasked(snapshot: Snapshot, workloads: Iterable[Workload]) -> Iterator[Refusal]:
    """Tell the target groups that AWS doesn't let us ask, as a handoff would that asks them first."""
    for workload in workloads:
        groups = {target.group for pod in snapshot.pods_of(workload) for target in snapshot.targets_of(pod)}
        for group in sorted(groups & snapshot.unseen):
            why = snapshot.stale_health.get(group, "it gave no answer")
            blocked = Blocked(
                reason=UNSEEN_TARGETS,
                why=f"target group {group_name(group)} of {workload.subject} can't be asked: {why}",
            )
            yield Refusal(subject=of_workload(workload), blocked=blocked, command=_moving(workload))


def _moving(workload: Workload) -> str:
    """Return the command that moves the pods of a workload."""
    if workload.kind in RESTARTABLE:
        return f"kubectl safe rollout restart {workload.named} -n {workload.namespace}"
    return _drain("NODE")


def _unowned(snapshot: Snapshot, pods: Iterable[Pod]) -> Iterator[Refusal]:
    """Tell one pod of each owner that is not known."""
    told: set[str] = set()
    for pod in pods:
        owner = None if without_handoff(pod) or pod.is_mirror else workload_of(pod, snapshot)
        key = next((its.uid for its in pod.owners), pod.uid)
        if isinstance(owner, Blocked) and key not in told:
            told.add(key)
            subject = Subject(kind="pod", name=pod.name, namespace=pod.namespace)
            yield Refusal(subject=subject, blocked=owner, command=_drain(pod.node or "NODE"))


def _drains(snapshot: Snapshot, pods: Iterable[Pod], nodes: Iterable[str]) -> Iterator[Refusal]:
    on_node: dict[str, list[Pod]] = {name: [] for name in nodes}
    for pod in pods:
        if pod.node in on_node:
            on_node[pod.node].append(pod)
    for name, its in on_node.items():
        plan = plan_node(name, its, snapshot, _ALL)
        # What has an owner that is not known was told with all the others.
        for blocked in blockers(Intent(pods=plan.pods, nodes=(name,), settings=_SETTINGS), snapshot):
            yield Refusal(subject=Subject(kind="node", name=name), blocked=blocked, command=_drain(name))


def _drain(node: str) -> str:
    return f"kubectl safe drain {node} --ignore-daemonsets"
