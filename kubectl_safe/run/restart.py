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
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.lease import lease_of_workload
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload
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
    deployments = _chosen(request, session.observer.look())
    if not deployments:
        session.audience.warn(f"No resources found in {request.namespace} namespace.")
        return
    snapshot = session.observer.look()
    going_on = under_way(deployments, request.settings.fingerprint, snapshot)
    _refuse(_conflict(d, going_on[d.uid], request) if d.uid in going_on else refusal(d, snapshot) for d in deployments)
    pods = tuple(planned for d in deployments for planned in plan_restart(d, going_on.get(d.uid), snapshot))
    intent = Intent(pods=pods, settings=request.settings)
    for deployment in deployments:
        if deployment.uid in going_on and not _of(deployment, intent):
            session.audience.warn(
                f"{deployment.subject}: the pods of the restart that was begun at "
                f"{going_on[deployment.uid].started} are all gone; for another restart run the same command again"
            )
    operation = _operation(going_on, deployments, request, session, began)
    session.prepare(intent, [r for d in deployments if (r := _record(d, operation, deployments, intent, snapshot))])
    if session.terms.dry_run is DryRun.NONE:
        _move(deployments, intent, operation, request, session, began=began)
    for deployment in deployments:
        session.audience.say(
            f"{deployment.kind.lower()}.apps/{deployment.name} restarted{session.terms.dry_run.suffix}"
        )


def _move(
    deployments: list[Workload],
    intent: Intent,
    operation: Operation,
    request: Restart,
    session: Session,
    *,
    began: datetime,
) -> None:
    """Hand over all pods, under the record of the restart."""
    leases = {lease_of_workload(d.kind, d.namespace, d.name): d.subject for d in deployments}
    session.hold(leases, began=began)
    # Who had them until now may have begun a restart of their own.
    going_on = under_way(deployments, operation.options, session.observer.look())
    _refuse(_conflict(d, going_on[d.uid], request) for d in deployments if d.uid in going_on)
    session.interruption.arm()
    for deployment in deployments:
        session.write(partial(_record, deployment, operation, deployments, intent))
    ending = session.carry_out(intent, began=began)
    known = session.observer.look().workloads
    there = [d for d in deployments if (now := known.get(d.uid)) and not now.is_terminating]
    left = {entry.pod.workload.uid for entry in ending.left if entry.pod.workload} & {d.uid for d in there}
    failure = session.failure(ending, subject=subject_of(there), has_record=bool(left), can_go_on=bool(left))
    if not left:
        for deployment in deployments:
            forget(deployment, session)
    gone = [
        f"{d.subject} was deleted meanwhile: nothing of it is left to restart" for d in deployments if d not in there
    ]
    if failure is not None:
        raise type(failure)("\n".join([str(failure), *gone])) from failure
    if gone:
        raise KubectlSafeError("\n".join(gone))


def _of(deployment: Workload, intent: Intent) -> list[Planned]:
    return [p for p in intent.pods if p.workload and p.workload.uid == deployment.uid]


def _refuse(reasons: Iterable[str]) -> None:
    refused = [why for why in reasons if why]
    if refused:
        raise KubectlSafeError("\n".join(refused))


def subject_of(deployments: list[Workload]) -> str:
    """Return what `kubectl safe abort` takes to end a restart of Deployments of one namespace."""
    names = " ".join(d.named for d in deployments)
    return f"{names} -n {deployments[0].namespace}" if deployments else ""


def find(names: tuple[str, ...], namespace: str, snapshot: Snapshot, *, kind: str = "Deployment") -> list[Workload]:
    """Return workloads of a kind by their names.

    Raises:
        KubectlSafeError: one is not there.
    """
    known = {d.name: d for d in snapshot.workloads.values() if (d.kind, d.namespace) == (kind, namespace)}
    for name in names:
        if name not in known:
            raise KubectlSafeError(f'{kind.lower()}s.apps "{name}" not found')
    return [known[name] for name in dict.fromkeys(names)]


def _chosen(request: Restart, snapshot: Snapshot) -> list[Workload]:
    if request.selector is not None:
        return _select(request.selector, request, snapshot)
    return find(request.names, request.namespace, snapshot, kind=request.kind)


def _select(selector: LabelSelector, request: Restart, snapshot: Snapshot) -> list[Workload]:
    where = request.kind, request.namespace
    known = (d for d in snapshot.workloads.values() if (d.kind, d.namespace) == where and selector.matches(d.labels))
    return sorted(known, key=lambda d: d.name)


def _conflict(deployment: Workload, operation: Operation, request: Restart) -> str:
    """Return why the restart that is under way is not the one that is asked for; empty where it is."""
    if operation.options == request.settings.fingerprint:
        return ""
    return (
        f"{deployment.subject} is being restarted since {operation.started} "
        f"with {operation.options or 'default options'}: wait for it; if it died, run that command again to complete "
        f"it, or end it with: "
        f"kubectl safe abort {deployment.named} -n {deployment.namespace}"
    )


def _operation(
    going_on: Mapping[str, Operation],
    deployments: list[Workload],
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
        deployments=frozenset(d.name for d in deployments),
    )


def _record(
    deployment: Workload, operation: Operation, deployments: list[Workload], intent: Intent, snapshot: Snapshot
) -> Record | None:
    """Return the record to write before the first pod is touched; None where the restart is being continued."""
    bearer = bearer_of(deployment, snapshot)
    planned = _of(deployment, intent)
    is_over = not any(p.uid in snapshot.pods for p in planned)
    if bearer is None or is_over or deployment.uid in under_way(deployments, operation.options, snapshot):
        return None
    return Record(bearer=bearer, operation=replace(operation, pods=uid_prefixes(planned)))


def forget(deployment: Workload, session: Session) -> None:
    """Take away the records of a Deployment's restarts; a signal that wants out at once is not kept for that."""
    snapshot = session.observer.look()
    for _ in (*snapshot.replica_sets, deployment):
        if session.interruption.is_urgent or _forgetting(deployment, session.observer.look()) is None:
            return
        session.write(partial(_forgetting, deployment))


def _forgetting(deployment: Workload, snapshot: Snapshot) -> RemoveRecord | None:
    record = recorded(deployment, snapshot) or left_behind(deployment, snapshot)
    return RemoveRecord(bearer=record) if record else None
