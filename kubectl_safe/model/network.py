"""What leads requests to pods beside Services, as it was when a run began."""

from dataclasses import dataclass

EXPORTING = ("multicluster.x-k8s.io", "net.gke.io", "application-networking.k8s.aws")
"""API groups with ServiceExports: the Multi-Cluster Services API, GKE's own, and that of Amazon VPC Lattice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What the API server tells of a cluster's network, apart from what is watched."""

    has_cilium: bool = False
    """Whether Cilium is installed, which leads requests to the pods of Services beside kube-proxy, or instead of it."""
    exported: frozenset[tuple[str, str]] = frozenset()
    """Services (namespace and name) that other clusters send requests to (ServiceExport)."""
    unlisted_exports: str = ""
    """Why it can't be told which Services are exported; empty where it is known."""
