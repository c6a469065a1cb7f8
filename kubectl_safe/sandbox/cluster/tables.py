"""Rows for `kubectl get`, for what one looks at during a drain; anything else gets its name and its age. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from kubectl_safe.sandbox.cluster import resources as kinds
from kubectl_safe.sandbox.cluster.objects import Json, condition, instant, is_terminating, labels_of
from kubectl_safe.sandbox.cluster.resources import Resource

Cells = Callable[[Json], list[Any]]


def table(resource: Resource, items: Sequence[Json], metadata: Json, *, now: datetime) -> Json:
    """Return a Table of objects."""
    titles, cells = _LAYOUTS.get(resource) or _custom(resource)
    plain = sum(not title.startswith("*") for title in titles)
    columns = ["Name", *titles[:plain], "Age", *titles[plain:]]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": title.removeprefix("*"),
                "type": "string",
                "format": "name" if title == "Name" else "",
                "description": "",
                "priority": int(title.startswith("*")),
            }
            for title in columns
        ],
        "rows": [
            {
                "cells": [item["metadata"]["name"], *(row := cells(item))[:plain], _age(item, now), *row[plain:]],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": item["metadata"],
                },
            }
            for item in items
        ],
    }


def _age(item: Json, now: datetime) -> str:
    seconds = max(0, int((now - instant(item["metadata"]["creationTimestamp"])).total_seconds()))
    for size, letter in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def _custom(resource: Resource) -> tuple[list[str], Cells]:
    return [title for title, _ in resource.columns], lambda item: [_at(item, path) for _, path in resource.columns]


def _at(item: Json, path: str) -> str:
    value: Any = item
    for name in path.strip(".").split("."):
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)


def _pod(pod: Json) -> list[Any]:
    status = pod.get("status", {})
    containers = status.get("containerStatuses") or []
    ready = sum(bool(its.get("ready")) for its in containers)
    waiting = next((w["reason"] for its in containers if (w := its.get("state", {}).get("waiting"))), None)
    ended = {"Succeeded": "Completed", "Failed": "Error"}.get(status.get("phase", ""))
    text = "Terminating" if is_terminating(pod) else ended or waiting or status.get("phase", "Pending")
    gates = pod["spec"].get("readinessGates") or []
    passed = sum((condition(pod, gate["conditionType"]) or {}).get("status") == "True" for gate in gates)
    return [
        f"{ready}/{len(pod['spec']['containers'])}",
        text,
        str(sum(its.get("restartCount", 0) for its in containers)),
        status.get("podIP", "<none>"),
        pod["spec"].get("nodeName", "<none>"),
        "<none>",
        f"{passed}/{len(gates)}" if gates else "<none>",
    ]


def _node(node: Json) -> list[Any]:
    ready = (condition(node, "Ready") or {}).get("status")
    text = {"True": "Ready", "False": "NotReady"}.get(ready or "", "Unknown")
    if node.get("spec", {}).get("unschedulable"):
        text += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = ",".join(label.removeprefix(prefix) for label in labels_of(node) if label.startswith(prefix))
    return [text, roles or "<none>", node.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")]


def _deployment(deployment: Json) -> list[Any]:
    status, wanted = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    return [
        f"{status.get('readyReplicas', 0)}/{wanted}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
    ]


def _replica_set(owner: Json) -> list[Any]:
    status = owner.get("status", {})
    return [owner["spec"].get("replicas", 1), status.get("replicas", 0), status.get("readyReplicas", 0)]


def _stateful_set(owner: Json) -> list[Any]:
    return [f"{owner.get('status', {}).get('readyReplicas', 0)}/{owner['spec'].get('replicas', 1)}"]


def _daemon_set(owner: Json) -> list[Any]:
    status = owner.get("status", {})
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    return [status.get(name, 0) for name in names]


def _service(service: Json) -> list[Any]:
    spec = service["spec"]
    ports = ",".join(f"{port['port']}/{port['protocol']}" for port in spec.get("ports") or ())
    return [spec.get("type", ""), spec.get("clusterIP", "<none>"), "<none>", ports or "<none>"]


def _budget(budget: Json) -> list[Any]:
    spec = budget["spec"]
    return [
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        budget.get("status", {}).get("disruptionsAllowed", 0),
    ]


def _event(event: Json) -> list[Any]:
    about = event.get("involvedObject", {})
    return [
        event.get("type", ""),
        event.get("reason", ""),
        f"{about.get('kind', '').lower()}/{about.get('name', '')}",
        event.get("message", ""),
    ]


_LAYOUTS: dict[Resource, tuple[list[str], Cells]] = {
    kinds.PODS: (["Ready", "Status", "Restarts", "*IP", "*Node", "*Nominated Node", "*Readiness Gates"], _pod),
    kinds.NODES: (["Status", "Roles", "Version"], _node),
    kinds.DEPLOYMENTS: (["Ready", "Up-to-date", "Available"], _deployment),
    kinds.REPLICA_SETS: (["Desired", "Current", "Ready"], _replica_set),
    kinds.STATEFUL_SETS: (["Ready"], _stateful_set),
    kinds.DAEMON_SETS: (["Desired", "Current", "Ready", "Up-to-date", "Available"], _daemon_set),
    kinds.SERVICES: (["Type", "Cluster-IP", "External-IP", "Port(s)"], _service),
    kinds.BUDGETS: (["Min Available", "Max Unavailable", "Allowed Disruptions"], _budget),
    kinds.NAMESPACES: (["Status"], lambda its: [its.get("status", {}).get("phase", "")]),
    kinds.EVENTS: (["Type", "Reason", "Object", "Message"], _event),
}
