"""The readiness gate of a pod behind a target group, which the load balancer controller sets."""

from kubectl_safe.sandbox import moment
from kubectl_safe.sandbox.api import Api, ApiError
from kubectl_safe.sandbox.elbv2 import HEALTHY, TargetHealth
from kubectl_safe.sandbox.endpoints import condition
from kubectl_safe.sandbox.informer import Object, key_of

BINDING_DELETED = TargetHealth("healthy", "", "Target Group Binding is deleted")
"""What a gate tells once nothing is left to wait for."""


async def set_gate(api: Api, pod: Object, gate: str, health: TargetHealth | None) -> None:
    """Make a pod's gate tell its target's health; a pod that is gone needs none."""
    status = "Unknown" if health is None else "True" if health.state == HEALTHY.state else "False"
    wanted = {
        "status": status,
        "reason": health.reason if health else "",
        "message": health.description if health else "",
    }
    current = condition(pod, gate)
    if current is not None and all(current.get(name, "") == value for name, value in wanted.items()):
        return
    since = moment.stamp()
    if current is not None and current["status"] == status:
        since = current.get("lastTransitionTime", since)
    namespace, name = key_of(pod)
    new = {"type": gate, "lastTransitionTime": since, **wanted}
    # The UID is a precondition: a StatefulSet's next pod has the same name.
    body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": {"conditions": [new]}}
    try:
        await api.patch(f"/api/v1/namespaces/{namespace}/pods/{name}/status", body)
    except ApiError as error:
        if error.status != 404:
            raise
