"""Pods."""

from kubectl_safe.kube.foreign import mesh_of
from kubectl_safe.kube.parse.common import Json, default, instant, owners
from kubectl_safe.kube.parse.containers import containers
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.target import canonical

_MIRROR = "kubernetes.io/config.mirror"
_STARTING = {"ContainerCreating", "PodInitializing"}


def pod(raw: Json) -> Pod:
    """Return a Pod."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    annotations = meta.get("annotations") or {}
    waiting = _waiting(status)
    running = containers(spec)
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        labels=meta.get("labels") or {},
        annotations=annotations,
        owners=owners(meta),
        node=spec.get("nodeName") or None,
        ips=_ips(status),
        phase=status.get("phase") or "Pending",
        created=instant(meta.get("creationTimestamp")),
        is_terminating="deletionTimestamp" in meta,
        deletion_timestamp=instant(meta.get("deletionTimestamp")),
        conditions={c["type"]: _condition(c) for c in status.get("conditions") or ()},
        readiness_gates=tuple(gate["conditionType"] for gate in spec.get("readinessGates") or ()),
        ports=tuple(port for container in running for port in container.ports),
        containers=running,
        grace_period_seconds=_grace_period(meta, spec),
        waiting_reason=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        mesh=mesh_of(annotations, _long_running(spec)),
        has_empty_dir=any("emptyDir" in volume for volume in spec.get("volumes") or ()),
        is_mirror=_MIRROR in annotations,
    )


def _grace_period(meta: Json, spec: Json) -> int:
    """Return how many seconds a pod has, or would have, to stop: whoever deletes it may give it others."""
    usual = default(spec.get("terminationGracePeriodSeconds"), 30)
    return int(default(meta.get("deletionGracePeriodSeconds"), usual))


def _ips(status: Json) -> tuple[str, ...]:
    ips = tuple(canonical(str(entry["ip"])) for entry in status.get("podIPs") or () if entry.get("ip"))
    return ips or ((canonical(status["podIP"]),) if status.get("podIP") else ())


def _condition(raw: Json) -> Condition:
    return Condition(
        is_true=raw.get("status") == "True",
        is_unknown=raw.get("status") not in {"True", "False"},
        since=instant(raw.get("lastTransitionTime")),
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
    )


def _long_running(spec: Json) -> list[Json]:
    """Return the containers that run as long as the pod does, sidecars (init containers restarted always) too."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    return [*(spec.get("containers") or ()), *sidecars]


def _waiting(status: Json) -> Json:
    """Return the state of the first container that doesn't run; that it is only being started is no reason."""
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    states: list[Json] = [(c.get("state") or {}).get("waiting") or {} for c in statuses]
    return next((state for state in states if state.get("reason") and state["reason"] not in _STARTING), {})
