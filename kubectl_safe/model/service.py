"""Services, and the endpoints that EndpointSlices list for them."""

from dataclasses import dataclass

from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import Labels, has_all

TRAFFIC_POLICIES = ("externalTrafficPolicy", "internalTrafficPolicy")
SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
"""What Kubernetes' own controller calls itself on the EndpointSlices that it keeps by the selectors of Services."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePort:
    """One entry of a Service's `spec.ports`."""

    name: str
    port: int
    target_port: int | str
    protocol: str = "TCP"
    app_protocol: str = ""
    """What is spoken over it (`appProtocol`): `kubernetes.io/ws`, `grpc`; empty where that isn't told."""
    node_port: int | None = None
    """The port of every node that leads to it; None where there is none."""

    def number_in(self, pod: Pod) -> int | None:
        """Return the port number in this pod; None where it names a port that the pod doesn't declare."""
        if isinstance(self.target_port, int):
            return self.target_port
        return next((p.number for p in pod.ports if p.name == self.target_port and p.protocol == self.protocol), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A Service; one with an empty selector selects no pod."""

    namespace: str
    name: str
    selector: Labels
    ports: tuple[ServicePort, ...] = ()
    ip_families: tuple[str, ...] = ()
    """`IPv4`, `IPv6` or both: it has slices of its own for each of them."""
    is_headless: bool = False
    keeps_clients: bool = False
    """Whether all requests of a client go to one pod (`sessionAffinity: ClientIP`)."""
    publishes_unready: bool = False
    """Whether its slices call every pod ready, whatever it says itself (`publishNotReadyAddresses`)."""
    local_policies: frozenset[str] = frozenset()
    """Which of `externalTrafficPolicy` and `internalTrafficPolicy` are Local: a node asks its own pods only."""
    is_in_endpoint_group: bool = False
    """Whether GKE puts its pods into network endpoint groups, to which load balancers send requests themselves."""

    def selects(self, namespace: str, labels: Labels) -> bool:
        """Tell whether a pod of that namespace with these labels becomes an endpoint of it."""
        return bool(self.selector) and namespace == self.namespace and has_all(labels, self.selector)

    def port(self, wanted: int | str) -> ServicePort | None:
        """Return its port of that number or name."""
        return next((p for p in self.ports if wanted in {p.port, p.name}), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A pod's place in one EndpointSlice. Pods are told apart by UID: an IP may serve another pod next."""

    namespace: str
    service: str
    slice: str
    address_type: str = ""
    """The IP family of its address: `IPv4` or `IPv6`."""
    pod_uid: str
    is_ready: bool
    """`conditions.ready`, where absent means True."""
    is_serving: bool = True
    """`conditions.serving`: whether it answers, also while it terminates."""
    is_terminating: bool = False
    """`conditions.terminating`."""
    zone: str = ""
    """Of the node that the pod is on; empty where that is not told."""
    manager: str = SLICE_CONTROLLER
    """Who keeps the slice (its label `endpointslice.kubernetes.io/managed-by`); empty where it doesn't say."""
    is_exported: bool = False
    """Whether the slice is of a Multi-Cluster Service, to whose endpoints other clusters send requests, too."""
