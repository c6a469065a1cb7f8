"""What runs left that died: marks on pods, records of restarts, cordons and Leases, each with the command that ends it.

A run that is alive holds Leases that it renews every 10 s; what it works on is no leftover.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Finding, Rule, Severity, Subject
from kubectl_safe.decide.check.naming import by_subject
from kubectl_safe.decide.check.refused import RESTARTABLE
from kubectl_safe.decide.check.subject import of_workload
from kubectl_safe.decide.check.words import counted, named
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.lease import Lease, LeaseName, lease_of_node, lease_of_workload
from kubectl_safe.model.marks import HANDOFF, NUDGE, OPERATION, TOUCH, WAKE, Operation
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node, ReplicaSet, Workload


def age_of(lease: Lease, at: datetime) -> float | None:
    """Return how long ago a Lease was renewed, in seconds; None where it says no moment.

    Clocks may be some seconds apart: for people that is good enough, and nothing is taken over by it.
    """
    try:
        return (at - datetime.fromisoformat(lease.renewed)).total_seconds()
    except (ValueError, TypeError):
        return None


def is_alive(lease: Lease, at: datetime) -> bool:
    """Tell whether a Lease was renewed lately, as of an instant of the server's clock: its run is under way."""
    age = age_of(lease, at)
    return bool(lease.holder) and age is not None and age <= 2 * lease.duration.total_seconds()


def _alive(facts: Facts) -> Mapping[LeaseName, Lease] | None:
    """Return the Leases of runs that are alive; None where that can't be told."""
    if facts.setup.leases is None or facts.setup.at is None:
        return None
    return {its.name: its for its in facts.setup.leases if is_alive(its, facts.setup.at)}


def _is_worked_on(pod: Pod, facts: Facts, alive: Mapping[LeaseName, Lease]) -> bool:
    workload = facts.snapshot.workload_of(pod)
    names = [lease_of_node(pod.node)] if pod.node else []
    if workload:
        names.append(lease_of_workload(workload.kind, workload.namespace, workload.name))
    return any(name in alive for name in names)


def _handoffs(facts: Facts) -> Iterator[Finding]:
    alive = _alive(facts)
    if alive is None:
        return
    pods = [p for p in facts.pods if p.is_released and not p.is_terminating and not _is_worked_on(p, facts, alive)]
    for subject, its in by_subject(pods, facts).items():
        withdrawn = sum(pod.is_withdrawn for pod in its)
        yield Finding(
            code="leftover-handoff",
            subject=subject,
            fact=f"{counted(len(its), 'pod')} in the middle of a handoff that nobody goes on with, "
            f"{len(its) - withdrawn} released and {withdrawn} withdrawn: {named(its)}",
            remedy=_ending(subject, its, facts),
        )


def _ending(subject: Subject, pods: list[Pod], facts: Facts) -> str:
    """Return the commands that end handoffs: those of a drain where its cordon is there."""
    nodes = sorted({pod.node for pod in pods if pod.node})
    drained = [name for name in nodes if (node := facts.snapshot.nodes.get(name)) and node.is_cordoned_by_us]
    kind = subject.kind.partition(".")[0]
    if not drained and kind in {known.lower() for known in RESTARTABLE}:
        return f"kubectl safe abort {kind}/{subject.name} -n {subject.namespace}"
    return "\n".join(f"kubectl safe abort node/{name}" for name in drained or nodes)


def _records(facts: Facts) -> Iterator[Finding]:
    alive = _alive(facts)
    if alive is None:
        return
    for workload in facts.workloads:
        operation = operation_of(workload, facts.snapshot)
        name = lease_of_workload(workload.kind, workload.namespace, workload.name)
        if operation is not None and name not in alive:
            left = sum(operation.plans(pod.uid) for pod in facts.snapshot.pods_of(workload))
            yield Finding(
                code="leftover-record",
                subject=of_workload(workload),
                fact=f"a restart that began at {operation.started} has no run any more, and "
                f"{counted(left, 'pod')} of its {len(operation.pods)} left to replace",
                remedy=f"kubectl safe rollout restart {workload.named} -n {workload.namespace}"
                f"{f' {operation.options}' if operation.options else ''}  # goes on with it\n"
                f"kubectl safe abort {workload.named} -n {workload.namespace}  # ends it",
            )


def _bearers(workload: Workload, snapshot: Snapshot) -> Iterator[Workload | ReplicaSet]:
    yield workload
    yield from snapshot.replica_sets_of(workload)


def operation_of(workload: Workload, snapshot: Snapshot) -> Operation | None:
    """Return the record of a restart; one that can't be read is told of as such."""
    for bearer in _bearers(workload, snapshot):
        text = bearer.annotations.get(OPERATION)
        if text is not None and not mark_trouble(bearer):
            return Operation.loads(text)
    return None


def mark_trouble(bearer: Pod | Workload | ReplicaSet) -> str:
    """Return why a mark of ours can't be read, with the remedy; empty where it can."""
    try:
        _ = bearer.handoff if isinstance(bearer, Pod) else bearer.operation
    except KubectlSafeError as error:
        return str(error)
    return ""


def is_readable(pod: Pod) -> bool:
    """Tell whether the mark of a handoff on a pod is ours; without one there is nothing to read."""
    return not mark_trouble(pod)


def _unreadable(facts: Facts) -> Iterator[Finding]:
    found: list[tuple[Subject, str]] = [
        (Subject(kind="pod", name=pod.name, namespace=pod.namespace), mark_trouble(pod)) for pod in facts.unreadable
    ]
    for workload in facts.workloads:
        found += [
            (of_workload(workload), its)
            for bearer in _bearers(workload, facts.snapshot)
            if (its := mark_trouble(bearer))
        ]
    for subject, trouble in found:
        fact, _, remedy = trouble.rpartition("; take it off: ")
        yield Finding(code="mark-unreadable", subject=subject, fact=fact, remedy=remedy)


def _cordons(facts: Facts) -> Iterator[Finding]:
    alive = _alive(facts)
    for name in facts.nodes if alive is not None else ():
        node = facts.snapshot.nodes.get(name)
        marks = _marks_of(node) if node else ""
        if marks and alive is not None and lease_of_node(name) not in alive:
            yield Finding(
                code="leftover-cordon",
                subject=Subject(kind="node", name=name),
                fact=f"it is {marks} by kubectl safe drain, and no drain of it is under way",
                remedy=f"kubectl safe uncordon {name}",
            )


def _marks_of(node: Node) -> str:
    marks = {"cordoned": node.is_cordoned_by_us, "excluded from load balancers": node.is_excluded_by_us}
    return " and ".join(mark for mark, is_ours in marks.items() if is_ours)


def _leases(facts: Facts) -> Iterator[Finding]:
    for its in facts.setup.leases or ():
        if not its.holder or facts.setup.at is None or is_alive(its, facts.setup.at):
            continue
        age = age_of(its, facts.setup.at)
        since = f", renewed {go_duration(facts.setup.at - datetime.fromisoformat(its.renewed))} ago" if age else ""
        yield Finding(
            code="leftover-lease",
            subject=Subject(kind="lease.coordination.k8s.io", name=its.name.name, namespace=its.name.namespace),
            fact=f"it is held by {its.held_by}{since}: that run is over, or cut off",
            remedy=f"kubectl delete lease {its.name.name} -n {its.name.namespace}  # or leave it: whoever needs it "
            "next takes it over",
        )


def _annotations(facts: Facts) -> Iterator[Finding]:
    """Tell of the annotations that wake others up, which a run takes away within seconds."""
    if _alive(facts) != {}:
        return
    found = [
        (Subject(kind=f"targetgroupbinding.{its.api}", name=its.name, namespace=its.namespace), NUDGE)
        for its in {b.key: b for bindings in facts.bindings.values() for b in bindings if b.is_nudged}.values()
    ]
    found += [
        (Subject(kind="pod", name=pod.name, namespace=pod.namespace), TOUCH)
        for pod in facts.pods
        if TOUCH in pod.annotations
    ]
    found += [(of_workload(its), WAKE) for its in facts.workloads if WAKE in its.annotations]
    for subject, mark in found:
        yield Finding(
            code="leftover-annotation",
            subject=subject,
            fact=f"annotation {mark} of a run that is over",
            remedy=f"kubectl annotate {subject.kind} {subject.name} -n {subject.namespace} {mark}-",
        )


RULES = (
    Rule(
        code="leftover-handoff",
        severity=Severity.ERROR,
        title="Pods that a dead run left in the middle of a handoff",
        why="A released pod has no controller, and a withdrawn one gets no requests: nobody replaces the first where "
        "it fails, and the second takes up room for nothing.",
        find=_handoffs,
    ),
    Rule(
        code="mark-unreadable",
        severity=Severity.ERROR,
        title="A mark of kubectl safe that somebody else wrote",
        why=f"Annotations {HANDOFF} and {OPERATION} say how far a handoff is: while one can't be read, every command "
        "on these pods is refused.",
        find=_unreadable,
    ),
    Rule(
        code="leftover-record",
        severity=Severity.WARNING,
        title="A restart that nobody goes on with",
        why="Some pods were replaced and others were not, which nobody looks after any more.",
        find=_records,
    ),
    Rule(
        code="leftover-cordon",
        severity=Severity.NOTE,
        title="A node that a drain left cordoned",
        why="Nothing is scheduled on it. That is meant to be so after a drain, as with kubectl, and not once the node "
        "is to serve again.",
        find=_cordons,
    ),
    Rule(
        code="leftover-lease",
        severity=Severity.NOTE,
        title="A Lease of a run that is over",
        why="It keeps nobody out: whoever needs it next waits 30 s and takes it over.",
        find=_leases,
    ),
    Rule(
        code="leftover-annotation",
        severity=Severity.NOTE,
        title="An annotation by which a run woke a controller",
        why="It does nothing any more, and a run takes it away at its end.",
        find=_annotations,
    ),
)
