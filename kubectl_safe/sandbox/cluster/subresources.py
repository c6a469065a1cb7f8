"""What subresources do beyond their object: scales, bindings, the end of a namespace; and patches of either."""

from typing import Any

from kubectl_safe.sandbox.cluster import refusals
from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.merging import json_patch, merge_patch
from kubectl_safe.sandbox.cluster.model import Model
from kubectl_safe.sandbox.cluster.objects import Json, is_terminating, labels_of, stamp
from kubectl_safe.sandbox.cluster.requests import Request
from kubectl_safe.sandbox.cluster.resources import Resource
from kubectl_safe.sandbox.cluster.strategic import strategic_merge

_STRATEGIC = "application/strategic-merge-patch+json"
_MERGE = "application/merge-patch+json"
_JSON_PATCH = "application/json-patch+json"
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")
_SCALE_KIND = {"kind": "Scale", "apiVersion": "autoscaling/v1"}


def bind(model: Model, namespace: str, name: str, node: str) -> None:
    """Bind a pod to a node.

    Raises:
        RefusalError: it is bound already, or on its way out.
    """
    pod = model.get(kinds.PODS, namespace, name)
    if is_terminating(pod):
        raise refusals.conflict("", "pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        raise refusals.conflict(
            "", "pods/binding", name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        )
    scheduled = {"type": "PodScheduled", "status": "True", "lastTransitionTime": stamp(model.now())}
    placed = model.find(kinds.NODES, "", node)
    # The PodTopologyLabels admission plugin has a pod know where it is.
    where = {key: value for key, value in labels_of(placed).items() if key in _TOPOLOGY} if placed else {}
    others = [its for its in pod["status"].get("conditions") or [] if its["type"] != "PodScheduled"]
    model.store.put(
        kinds.PODS,
        {
            **pod,
            "metadata": {**pod["metadata"], **({"labels": {**labels_of(pod), **where}} if where else {})},
            "spec": {**pod["spec"], "nodeName": node},
            "status": {**pod["status"], "conditions": [*others, scheduled]},
        },
    )


def finalize(model: Model, name: str, finalizers: list[str]) -> Json:
    """Set what a namespace waits for; without anything, one that is being deleted is gone."""
    namespace = model.get(kinds.NAMESPACES, "", name)
    after = {**namespace, "spec": {**namespace["spec"], "finalizers": finalizers}}
    if is_terminating(after) and not finalizers and not after["metadata"].get("finalizers"):
        return model.store.remove(kinds.NAMESPACES, after)
    return model.store.put(kinds.NAMESPACES, after)


def object_of(body: Any) -> Json:
    """Return a request's body, which is to be an object.

    Raises:
        RefusalError: it is none.
    """
    if not isinstance(body, dict):
        raise refusals.bad_request("the request's body is not an object")
    return body


def patched(before: Json, request: Request, resource: Resource) -> Json:
    """Return what a request's patch makes of an object.

    Raises:
        RefusalError: its kind is not known for the resource, or it can't be applied.
    """
    kind = request.content_type.partition(";")[0].strip()
    supported = [_JSON_PATCH, _MERGE, *([] if resource.is_custom else [_STRATEGIC])]
    if kind == _JSON_PATCH:
        return json_patch(before, request.body)
    if kind == _MERGE:
        merged: Json = merge_patch(before, object_of(request.body))
        return merged
    if kind == _STRATEGIC and not resource.is_custom:
        return strategic_merge(before, object_of(request.body))
    raise refusals.unsupported_media(kind, ", ".join(supported))


def scaled(before: Json, request: Request, resource: Resource) -> Json:
    """Return an object with the replicas that a request for its scale asks for."""
    current = scale_of(before)
    wanted = request.body if request.method == "PUT" else patched(current, request, resource)
    version = wanted.get("metadata", {}).get("resourceVersion") or before["metadata"]["resourceVersion"]
    return {
        **before,
        "metadata": {**before["metadata"], "resourceVersion": version},
        "spec": {**before["spec"], "replicas": wanted.get("spec", {}).get("replicas", 0)},
    }


def scale_of(subject: Json) -> Json:
    """Return an object's Scale."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = subject["spec"].get("selector") or {}
    labels = selector.get("matchLabels", selector if "matchExpressions" not in selector else {})
    return {
        **_SCALE_KIND,
        "metadata": {key: value for key, value in subject["metadata"].items() if key in kept},
        "spec": {"replicas": subject["spec"].get("replicas", 0)},
        "status": {
            "replicas": subject.get("status", {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        },
    }
