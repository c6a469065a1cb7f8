"""Nodes, volumes and budgets: where pods may run, and when they may leave."""

from kubectl_safe.kube.parse.common import Json, selector
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.volume import Claim
from kubectl_safe.model.workload import Node


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


def _instance_id(provider_id: str) -> str:
    """Return the EC2 instance of a provider ID (`aws:///ZONE/i-...`); one of Fargate or of another cloud has none."""
    instance = provider_id.rpartition("/")[2]
    return instance if provider_id.startswith("aws://") and instance.startswith("i-") else ""


def claim(raw: Json) -> Claim:
    """Return a PersistentVolumeClaim."""
    meta, spec = raw["metadata"], raw.get("spec") or {}
    modes = frozenset(spec.get("accessModes") or ())
    return Claim(namespace=meta["namespace"], name=meta["name"], access_modes=modes)


def budget(raw: Json) -> Budget:
    """Return a PodDisruptionBudget; in policy/v1 an empty selector selects every pod, and none at all selects none."""
    meta, spec, status = raw["metadata"], raw.get("spec") or {}, raw.get("status") or {}
    selects = spec.get("selector")
    return Budget(
        namespace=meta["namespace"],
        name=meta["name"],
        selector=None if selects is None else selector(selects),
        min_available=spec.get("minAvailable"),
        max_unavailable=spec.get("maxUnavailable"),
        expected_pods=status.get("expectedPods") or 0,
        disruptions_allowed=status.get("disruptionsAllowed") or 0,
        current_healthy=status.get("currentHealthy") or 0,
        desired_healthy=status.get("desiredHealthy") or 0,
        disrupted=frozenset(status.get("disruptedPods") or ()),
    )
