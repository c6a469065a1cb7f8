"""`rollout restart`: every pod of a Deployment is handed over to a new one."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import uuid4

from kubectl_safe.decide.actions import Record, RemoveRecord
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.restart import current_replica_set, left_behind, plan_restart, recorded, refusal, uid_prefixes
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.lease import lease_of_deployment
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Deployment
from kubectl_safe.run.session import Session
from kubectl_safe.run.terms import DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """Which Deployments of a namespace to restart: by name, or by a selector."""

    namespace: str
    names: tuple[str, ...] = ()
    selector: LabelSelector | None = None
    settings: Settings


def restart(request: Restart, session: Session) -> None:
    """Restart Deployments, or go on with a restart that a dead process left.

    Raises:
        KubectlSafeError: one can't be restarted, or the run could not be completed.
    """
    began = session.now()
    deployments = _chosen(request, session.observer.look())
    if not deployments:
        session.audience.warn(f"No resources found in {request.namespace} namespace.")
        return
    snapshot = session.observer.look()
    _refuse(_refusal(deployment, request, snapshot) for deployment in deployments)
    pods = tuple(planned for d in deployments for planned in plan_restart(d, snapshot))
    intent = Intent(pods=pods, settings=request.settings)
    started = began + session.client.clock_offset
    session.prepare(intent, [r for d in deployments if (r := _record(d, request, intent, started, snapshot))])
    if session.terms.dry_run is DryRun.NONE:
        _move(deployments, intent, request, session, began=began)
    for deployment in deployments:
        session.audience.say(f"deployment.apps/{deployment.name} restarted{session.terms.dry_run.suffix}")


def _move(
    deployments: list[Deployment], intent: Intent, request: Restart, session: Session, *, began: datetime
) -> None:
    """Hand over all pods, under the record of the restart."""
    started = began + session.client.clock_offset
    leases = {lease_of_deployment(d.namespace, d.name): f"deployment {d}" for d in deployments}
    session.hold(leases, began=began)
    # Who had them until now may have begun a restart of their own.
    snapshot = session.observer.look()
    _refuse(_conflict(deployment, request, snapshot) for deployment in deployments)
    session.interruption.arm()
    for deployment in deployments:
        session.write(partial(_record, deployment, request, intent, started))
    ending = session.carry_out(intent, began=began)
    there = session.observer.look().deployments.keys()
    left = {entry.pod.workload.uid for entry in ending.left if entry.pod.workload} & there
    for deployment in deployments:
        # The record of what is not done yet lets the same command go on.
        if deployment.uid not in left and not session.interruption.is_urgent:
            session.write(partial(forgetting, deployment))
    subject = subject_of([d for d in deployments if d.uid in left])
    failure = session.failure(ending, subject=subject, has_record=bool(left), can_go_on=bool(left))
    notes = [
        f"deployment {d} was deleted meanwhile: nothing of it is left to restart"
        for d in deployments
        if d.uid not in there
    ]
    if failure is not None:
        raise type(failure)("\n".join([str(failure), *notes])) from failure
    if notes:
        raise KubectlSafeError("\n".join(notes))


def _refuse(reasons: Iterable[str]) -> None:
    refused = [why for why in reasons if why]
    if refused:
        raise KubectlSafeError("\n".join(refused))


def subject_of(deployments: list[Deployment]) -> str:
    """Return what `kubectl safe abort` takes to end a restart of Deployments of one namespace."""
    names = " ".join(f"deployment/{d.name}" for d in deployments)
    return f"{names} -n {deployments[0].namespace}" if deployments else ""


def find(names: tuple[str, ...], namespace: str, snapshot: Snapshot) -> list[Deployment]:
    """Return Deployments by their names.

    Raises:
        KubectlSafeError: one is not there.
    """
    known = {d.name: d for d in snapshot.deployments.values() if d.namespace == namespace}
    for name in names:
        if name not in known:
            raise KubectlSafeError(f'deployments.apps "{name}" not found')
    return [known[name] for name in dict.fromkeys(names)]


def _chosen(request: Restart, snapshot: Snapshot) -> list[Deployment]:
    if request.selector is not None:
        return _select(request.selector, request.namespace, snapshot)
    return find(request.names, request.namespace, snapshot)


def _select(selector: LabelSelector, namespace: str, snapshot: Snapshot) -> list[Deployment]:
    known = (d for d in snapshot.deployments.values() if d.namespace == namespace and selector.matches(d.labels))
    return sorted(known, key=lambda d: d.name)


def _refusal(deployment: Deployment, request: Restart, snapshot: Snapshot) -> str:
    """Return why a Deployment can't be restarted now; empty where it can, or its restart is to be continued."""
    if recorded(deployment, snapshot) is None:
        return refusal(deployment, snapshot)
    return _conflict(deployment, request, snapshot)


def _conflict(deployment: Deployment, request: Restart, snapshot: Snapshot) -> str:
    """Return why the restart that is under way is not the one that is asked for; empty where there is no such."""
    record = recorded(deployment, snapshot)
    operation = record.operation if record else None
    if operation is None or operation.options == request.settings.fingerprint:
        return ""
    return (
        f"deployment {deployment} is being restarted since {operation.started} "
        f"with {operation.options or 'default options'}: wait for it; if it died, run that command again to complete "
        f"it, or end it with: "
        f"kubectl safe abort deployment/{deployment.name} -n {deployment.namespace}"
    )


def _record(
    deployment: Deployment, request: Restart, intent: Intent, started: datetime, snapshot: Snapshot
) -> Record | None:
    """Return the record to write before the first pod is touched; None where the restart is being continued."""
    replica_set = current_replica_set(deployment, snapshot)
    planned = [p for p in intent.pods if p.workload and p.workload.uid == deployment.uid]
    is_over = not any(p.uid in snapshot.pods for p in planned)
    if replica_set is None or is_over or recorded(deployment, snapshot):
        return None
    operation = Operation(
        id=uuid4().hex[:8],
        started=started.isoformat(timespec="seconds"),
        options=request.settings.fingerprint,
        pods=uid_prefixes(planned),
    )
    return Record(replica_set=replica_set, operation=operation)


def forgetting(deployment: Deployment, snapshot: Snapshot) -> RemoveRecord | None:
    """Choose to take away the record of a restart, where there is one."""
    record = recorded(deployment, snapshot) or left_behind(deployment, snapshot)
    return RemoveRecord(replica_set=record) if record else None
