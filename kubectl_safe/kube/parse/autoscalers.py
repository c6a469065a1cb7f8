"""HorizontalPodAutoscalers."""

from kubectl_safe.kube.parse.common import Json, default
from kubectl_safe.model.autoscaler import Autoscaler


def autoscaler(raw: Json) -> Autoscaler:
    """Return a HorizontalPodAutoscaler of autoscaling/v2."""
    meta, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    target = spec["scaleTargetRef"]
    limited: Json = next((c for c in status.get("conditions") or () if c["type"] == "ScalingLimited"), {})
    return Autoscaler(
        namespace=meta["namespace"],
        name=meta["name"],
        kind=target["kind"],
        target=target["name"],
        minimum=default(spec.get("minReplicas"), 1),
        maximum=spec["maxReplicas"],
        current=status.get("currentReplicas") or 0,
        is_limited=limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas",
    )
