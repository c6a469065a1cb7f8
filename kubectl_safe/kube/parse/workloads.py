"""What keeps pods."""

from datetime import timedelta
from typing import Any

from kubectl_safe.kube.parse.common import Json, default, owners, selector
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.workload import ReplicaSet, Workload


def replica_set(raw: Json) -> ReplicaSet:
    """Return a ReplicaSet."""
    return _replica_set(raw, "ReplicaSet", selector((raw.get("spec") or {}).get("selector") or {}))


def replication_controller(raw: Json) -> ReplicaSet:
    """Return a ReplicationController, which is to its pods what a ReplicaSet is."""
    labels = (raw.get("spec") or {}).get("selector") or {}
    return _replica_set(raw, "ReplicationController", LabelSelector(match_labels=labels))


def deployment(raw: Json) -> Workload:
    """Return a Deployment."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    return Workload(
        **_common(raw),
        replicas=default(spec.get("replicas"), 1),
        strategy=strategy.get("type") or "RollingUpdate",
        max_surge=default(rolling.get("maxSurge"), "25%"),
        max_unavailable=default(rolling.get("maxUnavailable"), "25%"),
        progress_deadline=timedelta(seconds=default(spec.get("progressDeadlineSeconds"), 600)),
        is_paused=bool(spec.get("paused")),
        updated_replicas=status.get("updatedReplicas") or 0,
        status_replicas=status.get("replicas") or 0,
        ready_replicas=status.get("readyReplicas") or 0,
        available_replicas=status.get("availableReplicas") or 0,
        progress=_progress(status),
    )


def stateful_set(raw: Json) -> Workload:
    """Return a StatefulSet; it has no progress deadline, so it gets a Deployment's."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    return Workload(
        kind="StatefulSet",
        **_common(raw),
        replicas=default(spec.get("replicas"), 1),
        strategy=strategy.get("type") or "RollingUpdate",
        max_surge=0,
        max_unavailable=1,
        updated_replicas=status.get("updatedReplicas") or 0,
        status_replicas=status.get("replicas") or 0,
        current_replicas=status.get("currentReplicas") or 0,
        ready_replicas=status.get("readyReplicas") or 0,
        available_replicas=status.get("availableReplicas") or 0,
        governing_service=spec.get("serviceName") or "",
        first_ordinal=(spec.get("ordinals") or {}).get("start") or 0,
        partition=(strategy.get("rollingUpdate") or {}).get("partition") or 0,
        is_partitioned="rollingUpdate" in strategy,
        current_revision=status.get("currentRevision") or "",
        update_revision=status.get("updateRevision") or "",
    )


def daemon_set(raw: Json) -> Workload:
    """Return a DaemonSet; its replicas are the nodes that are to run a pod of it."""
    spec, status = raw.get("spec") or {}, raw.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    wanted = status.get("desiredNumberScheduled") or 0
    return Workload(
        kind="DaemonSet",
        **_common(raw),
        replicas=wanted,
        strategy=strategy.get("type") or "RollingUpdate",
        max_surge=default(rolling.get("maxSurge"), 0),
        max_unavailable=default(rolling.get("maxUnavailable"), 1),
        updated_replicas=status.get("updatedNumberScheduled") or 0,
        status_replicas=wanted,
        ready_replicas=status.get("numberReady") or 0,
        available_replicas=status.get("numberAvailable") or 0,
    )


def _common(raw: Json) -> dict[str, Any]:
    """Return what workloads of every kind have."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    return {
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "resource_version": meta["resourceVersion"],
        "labels": meta.get("labels") or {},
        "annotations": meta.get("annotations") or {},
        "selector": selector(spec.get("selector") or {}),
        "template_labels": _template_labels(spec),
        "min_ready": timedelta(seconds=spec.get("minReadySeconds") or 0),
        "claims": _claims(spec),
        "is_terminating": "deletionTimestamp" in meta,
        "generation": meta.get("generation") or 0,
        "observed_generation": status.get("observedGeneration") or 0,
    }


def _replica_set(raw: Json, kind: str, selects: LabelSelector) -> ReplicaSet:
    meta, spec = raw["metadata"], raw.get("spec") or {}
    return ReplicaSet(
        kind=kind,
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        selector=selects,
        replicas=default(spec.get("replicas"), 1),
        annotations=meta.get("annotations") or {},
        template_labels=_template_labels(spec),
        owner=next((owner for owner in owners(meta) if owner.is_controller), None),
        min_ready=timedelta(seconds=spec.get("minReadySeconds") or 0),
        claims=_claims(spec),
        is_terminating="deletionTimestamp" in meta,
        failure=_failure(raw.get("status") or {}),
    )


def _template_labels(spec: Json) -> Labels:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _claims(spec: Json) -> tuple[str, ...]:
    """Return the claims that a template names; one that each pod gets for itself is none."""
    volumes = ((spec.get("template") or {}).get("spec") or {}).get("volumes") or ()
    return tuple(its["claimName"] for volume in volumes if (its := volume.get("persistentVolumeClaim")))


def _progress(status: Json) -> str:
    return next((c.get("reason") or "" for c in status.get("conditions") or () if c["type"] == "Progressing"), "")


def _failure(status: Json) -> str:
    """Return why a ReplicaSet can't have the pods that it wants."""
    failures = (c for c in status.get("conditions") or () if c["type"] == "ReplicaFailure" and c["status"] == "True")
    return next((failure.get("message") or failure.get("reason") or "" for failure in failures), "")
