"""Services, their EndpointSlices, and the bindings that have them registered in target groups."""

from kubectl_safe.kube.foreign import is_in_endpoint_group
from kubectl_safe.kube.parse.common import Json, default, instant, selector
from kubectl_safe.model import marks
from kubectl_safe.model.service import TRAFFIC_POLICIES, Endpoint, Service, ServicePort
from kubectl_safe.model.target import CONTROLLER_API, Role, TargetGroupBinding

_SERVICE_NAME = "kubernetes.io/service-name"
_SLICE_MANAGER = "endpointslice.kubernetes.io/managed-by"
_EXPORTED_SERVICE = "multicluster.kubernetes.io/service-name"


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
                target_port=default(port.get("targetPort"), port["port"]),
                protocol=port.get("protocol") or "TCP",
                app_protocol=port.get("appProtocol") or "",
                node_port=port.get("nodePort") or None,
            )
            for port in spec.get("ports") or ()
        ),
        ip_families=tuple(spec.get("ipFamilies") or ()),
        keeps_clients=spec.get("sessionAffinity") == "ClientIP",
        is_headless=spec.get("clusterIP") == "None",
        publishes_unready=bool(spec.get("publishNotReadyAddresses")),
        local_policies=frozenset(policy for policy in TRAFFIC_POLICIES if spec.get(policy) == "Local"),
        is_in_endpoint_group=is_in_endpoint_group(meta.get("annotations") or {}),
    )


def endpoints(raw: Json) -> tuple[Endpoint, ...]:
    """Return the pods in an EndpointSlice.

    `ready` that is not told means ready, `serving` then is what `ready` is, and `terminating` is not so (API reference,
    EndpointConditions).
    """
    meta = raw["metadata"]
    labels = meta.get("labels") or {}
    return tuple(
        Endpoint(
            namespace=meta["namespace"],
            service=labels.get(_SERVICE_NAME, ""),
            slice=meta["name"],
            address_type=raw.get("addressType") or "",
            pod_uid=reference["uid"],
            **_conditions(endpoint),
            zone=endpoint.get("zone") or "",
            manager=labels.get(_SLICE_MANAGER, ""),
            is_exported=_EXPORTED_SERVICE in labels,
        )
        for endpoint in raw.get("endpoints") or ()
        if (reference := endpoint.get("targetRef") or {}).get("kind") == "Pod" and reference.get("uid")
    )


def _conditions(endpoint: Json) -> dict[str, bool]:
    told = endpoint.get("conditions") or {}
    is_ready = told.get("ready") is not False
    return {
        "is_ready": is_ready,
        "is_serving": bool(default(told.get("serving"), is_ready)),
        "is_terminating": told.get("terminating") is True,
    }


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
        service_port=default(reference.get("port"), ""),
        is_ipv6=spec.get("ipAddressType") == "ipv6",
        node_selector=None if spec.get("nodeSelector") is None else selector(spec["nodeSelector"]),
        is_shared=bool(spec.get("multiClusterTargetGroup")),
        is_nudged=marks.NUDGE in (meta.get("annotations") or {}),
        created=instant(meta.get("creationTimestamp")),
    )
