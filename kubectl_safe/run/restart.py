"""`rollout restart`: every pod of a Deployment is handed over to a new one."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import uuid4

from kubectl_safe.decide.actions import Record, RemoveRecord
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.restart import current_replica_set, plan_restart, recorded, refusal, uid_prefixes
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import Operation
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Deployment
from kubectl_safe.run.session import DryRun, Session


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
    started = began + session.client.clock_offset
    snapshot = session.observer.look()
    deployments = _find(request, snapshot)
    if not deployments:
        session.audience.warn(f"No resources found in {request.namespace} namespace.")
        return
    refused = [why for d in deployments if (why := _refusal(d, request, snapshot))]
    if refused:
        raise KubectlSafeError("\n".join(refused))
    pods = tuple(planned for d in deployments for planned in plan_restart(d, snapshot))
    intent = Intent(pods=pods, settings=request.settings)
    records = [r for d in deployments if (r := _record(d, request, intent, started, snapshot))]
    session.prepare(intent, records)
    if session.terms.dry_run is DryRun.NONE:
        for deployment in deployments:
            session.write(partial(_record, deployment, request, intent, started))
        ending = session.carry_out(intent, began=began)
        failure = session.failure(ending, subject=subject_of(deployments))
        if failure is not None:
            raise failure
        for deployment in deployments:
            session.write(partial(_forget, deployment))
    for deployment in deployments:
        session.audience.say(f"deployment.apps/{deployment.name} restarted{session.terms.dry_run.suffix}")


def subject_of(deployments: list[Deployment]) -> str:
    """Return what `kubectl safe abort` takes to end a restart of Deployments of one namespace."""
    names = " ".join(f"deployment/{d.name}" for d in deployments)
    return f"{names} -n {deployments[0].namespace}"


def _find(request: Restart, snapshot: Snapshot) -> list[Deployment]:
    known = {d.name: d for d in snapshot.deployments.values() if d.namespace == request.namespace}
    if request.selector is not None:
        return [d for _, d in sorted(known.items()) if request.selector.matches(d.labels)]
    for name in request.names:
        if name not in known:
            raise KubectlSafeError(f'deployments.apps "{name}" not found')
    return [known[name] for name in dict.fromkeys(request.names)]


def _refusal(deployment: Deployment, request: Restart, snapshot: Snapshot) -> str:
    record = recorded(deployment, snapshot)
    operation = record.operation if record else None
    if operation is None:
        return refusal(deployment, snapshot)
    if operation.options != request.settings.fingerprint:
        return (
            f"deployment {deployment} is being restarted since {operation.started} "
            f"with {operation.options or 'default options'}: run that command again to complete it"
        )
    return ""


def _record(
    deployment: Deployment, request: Restart, intent: Intent, started: datetime, snapshot: Snapshot
) -> Record | None:
    """Return the record to write before the first pod is touched; None where the restart is being continued."""
    replica_set = current_replica_set(deployment, snapshot)
    if replica_set is None or recorded(deployment, snapshot):
        return None
    operation = Operation(
        id=uuid4().hex[:8],
        started=started.isoformat(timespec="seconds"),
        options=request.settings.fingerprint,
        pods=uid_prefixes(p for p in intent.pods if p.workload and p.workload.uid == deployment.uid),
    )
    return Record(replica_set=replica_set, operation=operation)


def _forget(deployment: Deployment, snapshot: Snapshot) -> RemoveRecord | None:
    record = recorded(deployment, snapshot)
    return RemoveRecord(replica_set=record) if record else None
