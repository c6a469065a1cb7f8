"""`abort`: what a drain or a restart began and did not end is given back or finished, and nothing new is begun."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from kubectl_safe.decide.aborting import plan_abort
from kubectl_safe.decide.restart import recorded
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.lease import lease_of_node, lease_of_workload
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node, Workload
from kubectl_safe.run.drain import including, node_of, uncordoning
from kubectl_safe.run.restart import find, forget
from kubectl_safe.run.session import Session

NOTHING = "has nothing to abort"


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort:
    """Whose handoffs to end: those of nodes, and of workloads in a namespace."""

    nodes: tuple[str, ...] = ()
    namespace: str = "default"
    workloads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Their names by kind."""
    settings: Settings = field(default_factory=Settings)


def abort(request: Abort, session: Session) -> None:
    """End what is under way; then take back the marks of nodes and the record, where they are ours.

    Raises:
        KubectlSafeError: something is not there, or could not be ended.
    """
    began = session.now()
    snapshot = session.observer.look()
    for name in request.nodes:
        node_of(name, snapshot)
    workloads = [
        workload
        for kind, names in request.workloads.items()
        for workload in find(names, request.namespace, snapshot, kind=kind)
    ]
    subjects = {lease_of_node(name): f"node/{name}" for name in request.nodes}
    subjects |= {lease_of_workload(w.kind, w.namespace, w.name): w.subject for w in workloads}
    begun = plan_abort(_pods(request, workloads, snapshot), snapshot, request.settings)
    session.hold(subjects, began=began, before=begun.pods, is_by_force=True)
    snapshot = session.observer.look()
    intent = plan_abort(_pods(request, workloads, snapshot), snapshot, request.settings)
    if intent.pods:
        session.watch_targets(intent)
        failure = session.failure(session.carry_out(intent, began=began))
        if failure is not None:
            raise failure
    ended = {pod.workload.uid for pod in intent.pods if pod.workload}
    for workload in workloads:
        is_begun = workload.uid in ended or recorded(workload, session.observer.look()) is not None
        forget(workload, session)
        session.audience.say(f"{workload.kind.lower()}.apps/{workload.name} {'aborted' if is_begun else NOTHING}")
    if session.holdings:
        session.holdings.sweep()
    emptied = {pod.node for pod in intent.pods}
    for name in request.nodes:
        node = node_of(name, session.observer.look())
        session.write(partial(including, name))
        session.write(partial(uncordoning, name))
        session.audience.say(f"node/{name} {_end_of(node, is_begun=name in emptied or node.is_excluded_by_us)}")


def _end_of(node: Node, *, is_begun: bool) -> str:
    """Return what became of a drain, and of its cordon."""
    if node.is_unschedulable and node.is_cordoned_by_us:
        return "aborted and uncordoned"
    done = "aborted" if is_begun else NOTHING
    return f"{done}; it stays cordoned, which is somebody else's" if node.is_unschedulable else done


def _pods(request: Abort, workloads: list[Workload], snapshot: Snapshot) -> list[Pod]:
    nodes = frozenset(request.nodes)
    found = {pod.uid: pod for pod in snapshot.pods.values() if pod.node in nodes}
    found |= {pod.uid: pod for workload in workloads for pod in snapshot.pods_of(workload)}
    return sorted(found.values(), key=lambda pod: (pod.namespace, pod.name))
