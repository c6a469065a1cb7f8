"""Connections that are cut when an endpoint is removed: a withdrawal removes one, and does not mark it as terminating.

- kube-proxy forgets the flows of UDP through a Service at once whose endpoint does not serve any more (kubernetes
  pkg/proxy/conntrack/cleanup.go; kubernetes/kubernetes#137986): what the pod still answers comes from another address
  than was asked, and the client's next datagram goes to another pod. For SCTP nobody promises more.
- Cilium deletes what it knows of a backend that is removed, and not only marked as terminating, and sends the packets
  of its connections to others (cilium/cilium#23761, #14844). With kube-proxy beside it, it still balances the requests
  of pods to ClusterIPs packet by packet: `kubeProxyReplacement=false` enables "only" that (Cilium documentation,
  Kubernetes Without kube-proxy). So whether kube-proxy runs says nothing, and that Cilium is installed says all.

Pods that are reached by `ip` targets only pass, as their load balancer drains them, and so do those of headless
Services, whose clients connect to the pods themselves.
"""

from collections.abc import Iterator

from kubectl_safe.decide.allow import DATA_PLANE
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.ways_in import planned_pods
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import Service, ServicePort
from kubectl_safe.model.snapshot import Snapshot

DNS_PORT = 53


def data_planes(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to withdraw pods from Services whose connections that would cut, telling one pod of each Service."""
    if DATA_PLANE in intent.settings.allow:
        return
    told: set[tuple[str, str]] = set()
    for pod, service, port in _proxied(intent, snapshot):
        why = _why_cut(port, snapshot)
        if why and (service.namespace, service.name) not in told:
            told.add((service.namespace, service.name))
            yield Blocked(
                reason=DATA_PLANE,
                why=f"pod {pod} is in service {service.namespace}/{service.name}, port {port.port}/{port.protocol}: "
                f"{why}, so what it has not answered yet may be lost; answer for it with --allow {DATA_PLANE}",
            )


def cautions(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    """Return what is let pass, and why that may be.

    DNS goes by UDP, and its clients ask again where they get no answer, as the protocol has them do (RFC 1035, 4.2.1).
    Nearly every cluster runs some, and nobody could drain a node if that were refused.
    """
    ports = (f"{s.namespace}/{s.name} (port {p.port}/UDP)" for _, s, p in _proxied(intent, snapshot) if _is_dns(p))
    for port in dict.fromkeys(ports):
        yield f"a question to service {port} may get no answer when a pod of it is withdrawn: clients of DNS ask again"


def _proxied(intent: Intent, snapshot: Snapshot) -> Iterator[tuple[Pod, Service, ServicePort]]:
    """Return the ports of Services by which nodes lead requests to planned pods."""
    for pod in planned_pods(intent, snapshot):
        for service in snapshot.services_to_leave(pod):
            bindings = (b for b in snapshot.bindings_of(pod) if b.service == service.name and b.target_type == "ip")
            bound = {binding.service_port for binding in bindings}
            if not service.is_headless:
                yield from ((pod, service, port) for port in service.ports if not bound & {port.port, port.name})


def _why_cut(port: ServicePort, snapshot: Snapshot) -> str:
    if snapshot.network.has_cilium:
        return "Cilium cuts the connections to an endpoint that is removed"
    if port.protocol == "TCP" or _is_dns(port):
        return ""
    return f"kube-proxy forgets the flows of {port.protocol} to an endpoint that is removed"


def _is_dns(port: ServicePort) -> bool:
    return port.protocol == "UDP" and (port.port == DNS_PORT or port.name.startswith("dns"))
