"""Model objects for the claims about writes."""

from typing import Any

from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.target import TargetGroupBinding
from kubectl_safe.model.workload import Node, ReplicaSet, Workload

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2d6bc24d8a067"
HASH = "pod-template-hash"
OWNER = OwnerReference(api_version="apps/v1", kind="Deployment", name="web", uid="uid-web")
PLAIN_OWNER = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "name": "web",
    "uid": "uid-web",
    "controller": False,
    "blockOwnerDeletion": False,
}


def a_pod(**changes: Any) -> Pod:
    """Return a pod of the Deployment `web`."""
    labels = {"app": "web", HASH: "1"}
    fields = {"namespace": "default", "name": "a", "uid": "uid-a", "resource_version": "7", "labels": labels}
    return Pod(**{**fields, **changes})


def a_replica_set() -> ReplicaSet:
    return ReplicaSet(
        namespace="default",
        name="web-1",
        uid="uid-web-1",
        resource_version="7",
        selector=LabelSelector(match_labels={}),
        replicas=1,
    )


def a_stateful_set() -> Workload:
    return Workload(
        kind="StatefulSet",
        namespace="default",
        name="db",
        uid="uid-db",
        resource_version="7",
        selector=LabelSelector(match_labels={}),
        replicas=1,
    )


def a_binding() -> TargetGroupBinding:
    return TargetGroupBinding(
        namespace="default",
        name="web",
        resource_version="7",
        group=ARN,
        target_type="ip",
        service="web",
        service_port=80,
    )


def a_node() -> Node:
    return Node(name="node-a", resource_version="7")
