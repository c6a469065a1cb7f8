"""Moments at which somebody looks, with the Leases of whoever is at work."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from kubectl_safe.decide.overview import Overview, overview
from kubectl_safe.model.lease import Lease, LeaseName, lease_of_node, lease_of_workload
from kubectl_safe.model.marks import OPERATION, Operation
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import NOW, REPLICAS, a_replica_set, ago, uid

OF_WEB = lease_of_workload("Deployment", "shop", "web")
OF_NODE = lease_of_node("node-1")


def a_lease(name: LeaseName = OF_WEB, *, renewed: float = 3, **changes: Any) -> Lease:
    """Return the Lease of a restart by Alice, renewed some seconds ago."""
    known = Lease(
        name=name,
        uid=str(name),
        resource_version="1",
        holder="alice@laptop pid 4711 1f2e3d4c",
        about="rollout restart deployment/web",
        since=ago(125).isoformat(),
        renewed=ago(renewed).isoformat(),
        duration=timedelta(seconds=30),
    )
    return replace(known, **changes)


def with_record(snapshot: Snapshot, *, options: str = "", planned: int = REPLICAS) -> Snapshot:
    """Return a moment of a restart: of the first pods, with these options."""
    pods = frozenset(uid(f"web-{n}")[:8] for n in range(1, planned + 1))
    operation = Operation(id="1", started="2026-11-23T11:58:00Z", options=options, pods=pods)
    replica_set = a_replica_set(annotations={OPERATION: operation.dumps()})
    return replace(snapshot, replica_sets={replica_set.uid: replica_set})


def looked_at(snapshot: Snapshot, *leases: Lease, **changes: Any) -> Overview:
    """Return what is seen of all pods."""
    values: dict[str, Any] = {
        "pods": tuple(sorted(snapshot.pods.values(), key=lambda pod: pod.name)),
        "workloads": tuple(snapshot.workloads.values()),
        "nodes": (),
        "leases": leases,
        "server_time": NOW,
    }
    return overview(snapshot, **values | changes)
