"""`rollout restart`: every pod of a workload is handed over to a new one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import uuid4

from kubectl_safe.decide.actions import Record, RemoveRecord
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.restart import (
    bearer_of,
    left_behind,
    plan_restart,
    recorded,
    refusal,
    uid_prefixes,
    under_way,
)
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.errors import KubectlSafeError, NotFoundError
from kubectl_safe.model.lease import lease_of_workload
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload
from kubectl_safe.run.scope import called
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Which workloads of a namespace to restart: by name, or by a selector."""

    kind: str = "Deployment"
    """Or `StatefulSet`."""
    namespace: str
    names: tuple[str, ...] = ()
    selector: LabelSelector | None = None
    settings: Settings


def restart(request: Restart, session: Session) -> None:
    """Restart workloads, or go on with a restart that a dead process left.

    Raises:
        KubectlSafeError: one can't be restarted, or the run could not be completed.
    """
    began = session.now()
    workloads = _chosen(request, session.observer.look())
    if not workloads:
        session.audience.warn(f"No resources found in {request.namespace} namespace.")
        return
    snapshot = session.observer.look()
    going_on = under_way(workloads, request.settings.fingerprint, snapshot)
    _refuse(_conflict(w, going_on[w.uid], request) if w.uid in going_on else refusal(w, snapshot) for w in workloads)
    pods = tuple(planned for w in workloads for planned in plan_restart(w, going_on.get(w.uid), snapshot))
    intent = Intent(pods=pods, settings=request.settings)
    for workload in workloads:
        if workload.uid in going_on and not _of(workload, intent):
            session.audience.warn(
                f"{workload.subject}: the pods of the restart that was begun at "
                f"{going_on[workload.uid].started} are all gone; for another restart run the same command again"
            )
    operation = _operation(going_on, workloads, request, session, began)
    session.prepare(intent, [r for w in workloads if (r := _record(w, operation, workloads, intent, snapshot))])
    if session.terms.dry_run is DryRun.NONE:
        _move(workloads, intent, operation, request, session, began=began)
    for workload in workloads:
        session.audience.say(f"{workload.kind.lower()}.apps/{workload.name} restarted{session.terms.dry_run.suffix}")


def _move(
    workloads: list[Workload],
    intent: Intent,
    operation: Operation,
    request: Restart,
    session: Session,
    *,
    began: datetime,
) -> None:
    """Hand over all pods, under the record of the restart."""
    leases = {lease_of_workload(w.kind, w.namespace, w.name): w.subject for w in workloads}
    session.hold(leases, began=began)
    # Who had them until now may have begun a restart of their own.
    going_on = under_way(workloads, operation.options, session.observer.look())
    _refuse(_conflict(w, going_on[w.uid], request) for w in workloads if w.uid in going_on)
    session.interruption.arm()
    for workload in workloads:
        session.write(partial(_record, workload, operation, workloads, intent))
    ending = session.carry_out(intent, began=began)
    known = session.observer.look().workloads
    there = [w for w in workloads if (now := known.get(w.uid)) and not now.is_terminating]
    left = {entry.pod.workload.uid for entry in ending.left if entry.pod.workload} & {w.uid for w in there}
    failure = session.failure(ending, subject=subject_of(there), has_record=bool(left), can_go_on=bool(left))
    if not left:
        for workload in workloads:
            forget(workload, session)
    gone = [f"{w.subject} was deleted meanwhile: nothing of it is left to restart" for w in workloads if w not in there]
    if failure is not None:
        raise type(failure)("\n".join([str(failure), *gone])) from failure
    if gone:
        raise KubectlSafeError("\n".join(gone))


def _of(workload: Workload, intent: Intent) -> list[Planned]:
    return [p for p in intent.pods if p.workload and p.workload.uid == workload.uid]


def _refuse(reasons: Iterable[str]) -> None:
    refused = [why for why in reasons if why]
    if refused:
        raise KubectlSafeError("\n".join(refused))


def subject_of(workloads: list[Workload]) -> str:
    """Return what `kubectl safe abort` takes to end a restart of Deployments of one namespace."""
    names = " ".join(w.named for w in workloads)
    return f"{names} -n {workloads[0].namespace}" if workloads else ""


def find(names: tuple[str, ...], namespace: str, snapshot: Snapshot, *, kind: str = "Deployment") -> list[Workload]:
    """Return workloads of a kind by their names.

    Raises:
        NotFoundError: some are not there.
    """
    known = {w.name: w for w in snapshot.workloads.values() if (w.kind, w.namespace) == (kind, namespace)}
    if missing := [name for name in dict.fromkeys(names) if name not in known]:
        raise NotFoundError(*(called(kind, name) for name in missing))
    return [known[name] for name in dict.fromkeys(names)]


def _chosen(request: Restart, snapshot: Snapshot) -> list[Workload]:
    if request.selector is not None:
        return _select(request.selector, request, snapshot)
    return find(request.names, request.namespace, snapshot, kind=request.kind)


def _select(selector: LabelSelector, request: Restart, snapshot: Snapshot) -> list[Workload]:
    where = request.kind, request.namespace
    known = (w for w in snapshot.workloads.values() if (w.kind, w.namespace) == where and selector.matches(w.labels))
    return sorted(known, key=lambda w: w.name)


def _conflict(workload: Workload, operation: Operation, request: Restart) -> str:
    """Return why the restart that is under way is not the one that is asked for; empty where it is."""
    if operation.options == request.settings.fingerprint:
        return ""
    return (
        f"{workload.subject} is being restarted since {operation.started} "
        f"with {operation.options or 'default options'}: wait for it; if it died, run that command again to complete "
        f"it, or end it with: "
        f"kubectl safe abort {workload.named} -n {workload.namespace}"
    )


def _operation(
    going_on: Mapping[str, Operation],
    workloads: list[Workload],
    request: Restart,
    session: Session,
    began: datetime,
) -> Operation:
    """Return what the records of this command have in common; it goes on with what it finds."""
    known = next(iter(going_on.values()), None)
    return Operation(
        id=known.id if known else uuid4().hex[:8],
        started=(began + session.client.clock_offset).isoformat(timespec="seconds"),
        options=request.settings.fingerprint,
        pods=frozenset(),
        deployments=frozenset(w.name for w in workloads),
    )


def _record(
    workload: Workload, operation: Operation, workloads: list[Workload], intent: Intent, snapshot: Snapshot
) -> Record | None:
    """Return the record to write before the first pod is touched; None where the restart is being continued."""
    bearer = bearer_of(workload, snapshot)
    planned = _of(workload, intent)
    is_over = not any(p.uid in snapshot.pods for p in planned)
    if bearer is None or is_over or workload.uid in under_way(workloads, operation.options, snapshot):
        return None
    return Record(bearer=bearer, operation=replace(operation, pods=uid_prefixes(planned)))


def forget(workload: Workload, session: Session) -> None:
    """Take away the records of a Deployment's restarts; a signal that wants out at once is not kept for that."""
    snapshot = session.observer.look()
    for _ in (*snapshot.replica_sets, workload):
        if session.interruption.is_urgent or _forgetting(workload, session.observer.look()) is None:
            return
        session.write(partial(_forgetting, workload))


def _forgetting(workload: Workload, snapshot: Snapshot) -> RemoveRecord | None:
    record = recorded(workload, snapshot) or left_behind(workload, snapshot)
    return RemoveRecord(bearer=record) if record else None
