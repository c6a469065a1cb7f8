"""The API server's JSON as values of `model`: the only place that knows the field names of what is read.

What a field's absence means is said where it is not what one would guess.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kubectl_safe.kube.foreign import is_in_endpoint_group, mesh_of
from kubectl_safe.model import marks
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.pod import Condition, ContainerPort, OwnerReference, Pod
from kubectl_safe.model.selector import LabelSelector, Operator, Requirement
from kubectl_safe.model.service import TRAFFIC_POLICIES, Endpoint, Service, ServicePort
from kubectl_safe.model.target import CONTROLLER_API, Role, TargetGroupBinding, canonical
from kubectl_safe.model.volume import Claim
from kubectl_safe.model.workload import Node, ReplicaSet, Workload

Json = Mapping[str, Any]

_MIRROR = "kubernetes.io/config.mirror"
_SERVICE_NAME = "kubernetes.io/service-name"
_SLICE_MANAGER = "endpointslice.kubernetes.io/managed-by"
_EXPORTED_SERVICE = "multicluster.kubernetes.io/service-name"
_STARTING = {"ContainerCreating", "PodInitializing"}


def pod(raw: Json) -> Pod:
    """Return a Pod."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    annotations = meta.get("annotations") or {}
    waiting = _waiting(status)
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        labels=meta.get("labels") or {},
        annotations=annotations,
        owners=_owners(meta),
        node=spec.get("nodeName") or None,
        ips=_ips(status),
        phase=status.get("phase") or "Pending",
        created=instant(meta.get("creationTimestamp")),
        is_terminating="deletionTimestamp" in meta,
        conditions={c["type"]: _condition(c) for c in status.get("conditions") or ()},
        readiness_gates=tuple(gate["conditionType"] for gate in spec.get("readinessGates") or ()),
        ports=_container_ports(spec),
        grace_period_seconds=_grace_period(meta, spec),
        waiting_reason=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        mesh=mesh_of(annotations, _long_running(spec)),
        has_empty_dir=any("emptyDir" in volume for volume in spec.get("volumes") or ()),
        is_mirror=_MIRROR in annotations,
    )


def service(raw: Json) -> Service:
    """Return a Service; one of type ExternalName has no endpoints, so its selector selects nothing."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    return Service(
        namespace=meta["namespace"],
        name=meta["name"],
        selector={} if spec.get("type") == "ExternalName" else spec.get("selector") or {},
        ports=tuple(
            ServicePort(
                name=port.get("name") or "",
                port=port["port"],
                target_port=_default(port.get("targetPort"), port["port"]),
                protocol=port.get("protocol") or "TCP",
                node_port=port.get("nodePort") or None,
            )
            for port in spec.get("ports") or ()
        ),
        ip_families=tuple(spec.get("ipFamilies") or ()),
        is_headless=spec.get("clusterIP") == "None",
        publishes_unready=bool(spec.get("publishNotReadyAddresses")),
        local_policies=frozenset(policy for policy in TRAFFIC_POLICIES if spec.get(policy) == "Local"),
        is_in_endpoint_group=is_in_endpoint_group(meta.get("annotations") or {}),
    )


def endpoints(raw: Json) -> tuple[Endpoint, ...]:
    """Return the pods in an EndpointSlice; `ready` that is not told means ready (API reference, EndpointConditions)."""
    meta = raw["metadata"]
    labels = meta.get("labels") or {}
    return tuple(
        Endpoint(
            namespace=meta["namespace"],
            service=labels.get(_SERVICE_NAME, ""),
            slice=meta["name"],
            address_type=raw.get("addressType") or "",
            pod_uid=reference["uid"],
            is_ready=(endpoint.get("conditions") or {}).get("ready") is not False,
            zone=endpoint.get("zone") or "",
            manager=labels.get(_SLICE_MANAGER, ""),
            is_exported=_EXPORTED_SERVICE in labels,
        )
        for endpoint in raw.get("endpoints") or ()
        if (reference := endpoint.get("targetRef") or {}).get("kind") == "Pod" and reference.get("uid")
    )


def replica_set(raw: Json) -> ReplicaSet:
    """Return a ReplicaSet."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    return ReplicaSet(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        selector=selector(spec.get("selector") or {}),
        replicas=_default(spec.get("replicas"), 1),
        annotations=meta.get("annotations") or {},
        template_labels=_template_labels(spec),
        owner=next((owner for owner in _owners(meta) if owner.is_controller), None),
        min_ready=timedelta(seconds=spec.get("minReadySeconds") or 0),
        claims=_claims(spec),
        is_terminating="deletionTimestamp" in meta,
        failure=_failure(raw.get("status") or {}),
    )


def replication_controller(raw: Json) -> ReplicaSet:
    """Return a ReplicationController, which is to its pods what a ReplicaSet is."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    return ReplicaSet(
        kind="ReplicationController",
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        selector=LabelSelector(match_labels=spec.get("selector") or {}),
        replicas=_default(spec.get("replicas"), 1),
        annotations=meta.get("annotations") or {},
        template_labels=_template_labels(spec),
        owner=next((owner for owner in _owners(meta) if owner.is_controller), None),
        min_ready=timedelta(seconds=spec.get("minReadySeconds") or 0),
        claims=_claims(spec),
        is_terminating="deletionTimestamp" in meta,
        failure=_failure(raw.get("status") or {}),
    )


def deployment(raw: Json) -> Workload:
    """Return a Deployment."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    strategy = spec.get("strategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    return Workload(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        labels=meta.get("labels") or {},
        selector=selector(spec.get("selector") or {}),
        replicas=_default(spec.get("replicas"), 1),
        strategy=strategy.get("type") or "RollingUpdate",
        max_surge=_default(rolling.get("maxSurge"), "25%"),
        max_unavailable=_default(rolling.get("maxUnavailable"), "25%"),
        min_ready=timedelta(seconds=spec.get("minReadySeconds") or 0),
        claims=_claims(spec),
        progress_deadline=timedelta(seconds=_default(spec.get("progressDeadlineSeconds"), 600)),
        is_paused=bool(spec.get("paused")),
        is_terminating="deletionTimestamp" in meta,
        generation=meta.get("generation") or 0,
        observed_generation=status.get("observedGeneration") or 0,
        updated_replicas=status.get("updatedReplicas") or 0,
        status_replicas=status.get("replicas") or 0,
    )


def stateful_set(raw: Json) -> Workload:
    """Return a StatefulSet; it has no progress deadline, so it gets a Deployment's."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    return Workload(
        kind="StatefulSet",
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        selector=selector(spec.get("selector") or {}),
        template_labels=_template_labels(spec),
        replicas=_default(spec.get("replicas"), 1),
        strategy=strategy.get("type") or "RollingUpdate",
        max_surge=0,
        max_unavailable=1,
        min_ready=timedelta(seconds=spec.get("minReadySeconds") or 0),
        claims=_claims(spec),
        is_terminating="deletionTimestamp" in meta,
        generation=meta.get("generation") or 0,
        observed_generation=status.get("observedGeneration") or 0,
        updated_replicas=status.get("updatedReplicas") or 0,
        status_replicas=status.get("replicas") or 0,
        governing_service=spec.get("serviceName") or "",
        first_ordinal=(spec.get("ordinals") or {}).get("start") or 0,
        partition=(strategy.get("rollingUpdate") or {}).get("partition") or 0,
        current_revision=status.get("currentRevision") or "",
        update_revision=status.get("updateRevision") or "",
    )


def daemon_set(raw: Json) -> Workload:
    """Return a DaemonSet; its replicas are the nodes that are to run a pod of it."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    rolling = strategy.get("rollingUpdate") or {}
    wanted = status.get("desiredNumberScheduled") or 0
    return Workload(
        kind="DaemonSet",
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        selector=selector(spec.get("selector") or {}),
        template_labels=_template_labels(spec),
        replicas=wanted,
        strategy=strategy.get("type") or "RollingUpdate",
        max_surge=_default(rolling.get("maxSurge"), 0),
        max_unavailable=_default(rolling.get("maxUnavailable"), 1),
        min_ready=timedelta(seconds=spec.get("minReadySeconds") or 0),
        claims=_claims(spec),
        is_terminating="deletionTimestamp" in meta,
        generation=meta.get("generation") or 0,
        observed_generation=status.get("observedGeneration") or 0,
        updated_replicas=status.get("updatedNumberScheduled") or 0,
        status_replicas=wanted,
    )


def claim(raw: Json) -> Claim:
    """Return a PersistentVolumeClaim."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    modes = frozenset(spec.get("accessModes") or ())
    return Claim(namespace=meta["namespace"], name=meta["name"], access_modes=modes)


def node(raw: Json) -> Node:
    """Return a Node."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    return Node(
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        is_unschedulable=bool(spec.get("unschedulable")),
        labels=meta.get("labels") or {},
        annotations=meta.get("annotations") or {},
        instance_id=_instance_id(spec.get("providerID") or ""),
    )


def budget(raw: Json) -> Budget:
    """Return a PodDisruptionBudget; in policy/v1 an empty selector selects every pod, and none at all selects none."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    selects = spec.get("selector")
    return Budget(
        namespace=meta["namespace"],
        name=meta["name"],
        selector=None if selects is None else selector(selects),
        disruptions_allowed=status.get("disruptionsAllowed") or 0,
        current_healthy=status.get("currentHealthy") or 0,
        desired_healthy=status.get("desiredHealthy") or 0,
        disrupted=frozenset(status.get("disruptedPods") or ()),
    )


def binding(raw: Json, *, api: str = CONTROLLER_API) -> TargetGroupBinding:
    """Return a TargetGroupBinding of an API group; that of EKS Auto Mode has the same fields.

    A `targetType` or `targetGroupARN` that is not told stays empty: the controller's webhook fills both in by asking
    AWS, and taking an instance group for an `ip` group would read an address it never had as deregistered.
    """
    meta, spec = raw["metadata"], raw.get("spec") or {}
    reference, role = spec.get("serviceRef") or {}, spec.get("iamRoleArnToAssume")
    return TargetGroupBinding(
        namespace=meta["namespace"],
        name=meta["name"],
        resource_version=meta["resourceVersion"],
        api=api,
        group=spec.get("targetGroupARN") or spec.get("targetGroupName") or "",
        role=Role(arn=role, external_id=spec.get("assumeRoleExternalId") or "") if role else None,
        target_type=spec.get("targetType") or "",
        service=reference.get("name") or "",
        service_port=_default(reference.get("port"), ""),
        is_ipv6=spec.get("ipAddressType") == "ipv6",
        node_selector=None if spec.get("nodeSelector") is None else selector(spec["nodeSelector"]),
        is_nudged=marks.NUDGE in (meta.get("annotations") or {}),
    )


def instant(text: str | None) -> datetime | None:
    """Return a `metav1.Time` or `MicroTime` as an instant in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _template_labels(spec: Json) -> Mapping[str, str]:
    return ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}


def _claims(spec: Json) -> tuple[str, ...]:
    """Return the claims that a template names; one that each pod gets for itself is none."""
    volumes = ((spec.get("template") or {}).get("spec") or {}).get("volumes") or ()
    return tuple(its["claimName"] for volume in volumes if (its := volume.get("persistentVolumeClaim")))


def _instance_id(provider_id: str) -> str:
    """Return the EC2 instance of a provider ID (`aws:///ZONE/i-...`); one of Fargate or of another cloud has none."""
    instance = provider_id.rpartition("/")[2]
    return instance if provider_id.startswith("aws://") and instance.startswith("i-") else ""


def _failure(status: Json) -> str:
    """Return why a ReplicaSet can't have the pods that it wants."""
    failures = (c for c in status.get("conditions") or () if c["type"] == "ReplicaFailure" and c["status"] == "True")
    return next((failure.get("message") or failure.get("reason") or "" for failure in failures), "")


def _grace_period(meta: Json, spec: Json) -> int:
    """Return how many seconds a pod has, or would have, to stop: whoever deletes it may give it others."""
    usual = _default(spec.get("terminationGracePeriodSeconds"), 30)
    return int(_default(meta.get("deletionGracePeriodSeconds"), usual))


def _owners(meta: Json) -> tuple[OwnerReference, ...]:
    return tuple(
        OwnerReference(
            api_version=owner["apiVersion"],
            kind=owner["kind"],
            name=owner["name"],
            uid=owner["uid"],
            is_controller=bool(owner.get("controller")),
        )
        for owner in meta.get("ownerReferences") or ()
    )


def _ips(status: Json) -> tuple[str, ...]:
    ips = tuple(canonical(str(entry["ip"])) for entry in status.get("podIPs") or () if entry.get("ip"))
    return ips or ((canonical(status["podIP"]),) if status.get("podIP") else ())


def _condition(raw: Json) -> Condition:
    return Condition(
        is_true=raw.get("status") == "True",
        since=instant(raw.get("lastTransitionTime")),
        reason=raw.get("reason") or "",
        message=raw.get("message") or "",
    )


def _long_running(spec: Json) -> list[Json]:
    """Return the containers that run as long as the pod does, sidecars (init containers restarted always) too."""
    sidecars = (c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
    return [*(spec.get("containers") or ()), *sidecars]


def _container_ports(spec: Json) -> tuple[ContainerPort, ...]:
    return tuple(
        ContainerPort(name=port.get("name") or "", number=port["containerPort"], protocol=port.get("protocol") or "TCP")
        for container in _long_running(spec)
        for port in container.get("ports") or ()
    )


def _waiting(status: Json) -> Json:
    """Return the state of the first container that doesn't run; that it is only being started is no reason."""
    statuses = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    states: list[Json] = [(c.get("state") or {}).get("waiting") or {} for c in statuses]
    return next((state for state in states if state.get("reason") and state["reason"] not in _STARTING), {})


def selector(raw: Json) -> LabelSelector:
    """Return a `metav1.LabelSelector`."""
    return LabelSelector(
        match_labels=raw.get("matchLabels") or {},
        match_expressions=tuple(
            Requirement(
                key=entry["key"], operator=Operator(entry["operator"]), values=frozenset(entry.get("values") or ())
            )
            for entry in raw.get("matchExpressions") or ()
        ),
    )


def _default(value: Any, default: Any) -> Any:
    """Return the default only for what is not told: 0 is a value."""
    return default if value is None else value


Parse = Callable[[Json], Any]
