"""How far a controller is with its rollout, by its own account, in the words of `kubectl rollout status`.

The questions, their order and the words are kubectl's (k8s.io/kubectl v0.37, pkg/polymorphichelpers/rollout_status.go):
scripts that read them can read these.
"""

from collections.abc import Callable
from dataclasses import dataclass

from kubectl_safe.model.workload import Workload

REVISION = "deployment.kubernetes.io/revision"
"""Annotation of a Deployment: the number of its newest template (k8s.io/kubectl, pkg/util/deployment)."""

TIMED_OUT = "ProgressDeadlineExceeded"
"""The reason of `Progressing` once nothing has moved for `progressDeadlineSeconds`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """Nothing is left to be done."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressing:
    """Something is still to be done."""

    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It can't be waited for."""

    why: str


Rollout = Complete | Progressing | Failed


def native_rollout(workload: Workload, *, revision: int = 0) -> Rollout:
    """Return how far a controller is; `revision` is the one to wait for, 0 for the newest of a Deployment."""
    return _LADDERS[workload.kind](workload, revision)


def _of_deployment(its: Workload, revision: int) -> Rollout:
    running = its.annotations.get(REVISION) or "0"
    if revision and running != str(revision):
        return Failed(why=f"desired revision ({revision}) is different from the running revision ({running})")
    if its.generation > its.observed_generation:
        return Progressing(line="Waiting for deployment spec update to be observed...")
    if its.progress == TIMED_OUT:
        return Failed(why=f'deployment "{its.name}" exceeded its progress deadline')
    return _by_counts(its)


def _by_counts(its: Workload) -> Rollout:
    updated = its.updated_replicas
    if updated < its.replicas:
        return _waiting(its, f"{updated} out of {its.replicas} new replicas have been updated")
    if its.status_replicas > updated:
        return _waiting(its, f"{its.status_replicas - updated} old replicas are pending termination")
    if its.available_replicas < updated:
        return _waiting(its, f"{its.available_replicas} of {updated} updated replicas are available")
    return Complete(line=f'deployment "{its.name}" successfully rolled out')


def _of_daemon_set(its: Workload, _: int) -> Rollout:
    if its.strategy != "RollingUpdate":
        return _ON_DELETE
    if its.generation > its.observed_generation:
        return Progressing(line="Waiting for daemon set spec update to be observed...")
    if its.updated_replicas < its.replicas:
        return _waiting(its, f"{its.updated_replicas} out of {its.replicas} new pods have been updated")
    if its.available_replicas < its.replicas:
        return _waiting(its, f"{its.available_replicas} of {its.replicas} updated pods are available")
    return Complete(line=f'daemon set "{its.name}" successfully rolled out')


def _of_stateful_set(its: Workload, _: int) -> Rollout:
    if its.strategy != "RollingUpdate":
        return _ON_DELETE
    if its.observed_generation == 0 or its.generation > its.observed_generation:
        return Progressing(line="Waiting for statefulset spec update to be observed...")
    if its.ready_replicas < its.replicas:
        return Progressing(line=f"Waiting for {its.replicas - its.ready_replicas} pods to be ready...")
    return _partitioned(its) if its.is_partitioned else _whole(its)


def _partitioned(its: Workload) -> Rollout:
    updated, wanted = its.updated_replicas, its.replicas - its.partition
    if updated < wanted:
        told = f"{updated} out of {wanted} new pods have been updated"
        return Progressing(line=f"Waiting for partitioned roll out to finish: {told}...")
    return Complete(line=f"partitioned roll out complete: {updated} new pods have been updated...")


def _whole(its: Workload) -> Rollout:
    if its.update_revision != its.current_revision:
        told = f"{its.updated_replicas} pods at revision {its.update_revision}"
        return Progressing(line=f"waiting for statefulset rolling update to complete {told}...")
    told = f"{its.current_replicas} pods at revision {its.current_revision}"
    return Complete(line=f"statefulset rolling update complete {told}...")


_ON_DELETE = Failed(why="rollout status is only available for RollingUpdate strategy type")

_LADDERS: dict[str, Callable[[Workload, int], Rollout]] = {
    "Deployment": _of_deployment,
    "StatefulSet": _of_stateful_set,
    "DaemonSet": _of_daemon_set,
}

_CALLED = {"Deployment": "deployment", "StatefulSet": "statefulset", "DaemonSet": "daemon set"}
"""What kubectl calls the kinds in these lines."""


def waiting_for(workload: Workload, what: str) -> str:
    """Return the line of a rollout that is not finished, and what it lacks."""
    return f'Waiting for {_CALLED[workload.kind]} "{workload.name}" rollout to finish: {what}...'


def _waiting(workload: Workload, what: str) -> Progressing:
    return Progressing(line=waiting_for(workload, what))
