"""Pods in a service mesh, whose clients are told of endpoints by the mesh's control plane and not by kube-proxy.

- A client's proxy, or a ztunnel, goes on with the endpoints that it has until the control plane has pushed others.
  That waits while there are more changes, for 10 s at most, and pushes to a number of proxies at a time (Istio
  documentation, pilot-discovery: PILOT_DEBOUNCE_MAX, PILOT_PUSH_THROTTLE). Nobody tells when all have them.
- Istio makes a sidecar's inbound listeners from the Services of its pod (istio/istio#14367), and does so anew when the
  pod's labels change (istio/istio#40186). Those of a pod that has left its Services go, and what is open on them is
  ended by Envoy after `drainDuration`, 45 s by default (Istio reference, ProxyConfig).
- AuthorizationPolicies, PeerAuthentications and subsets of DestinationRules select pods by labels, as Linkerd's Servers
  do: one that selects by a label that is dropped applies no more to what the pod still answers.
"""

from collections.abc import Iterator

from kubectl_safe.decide.allow import MESH
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.ways_in import planned_pods
from kubectl_safe.model.snapshot import Snapshot


def meshes(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to withdraw pods of a mesh from their Services, telling one pod of each mesh."""
    if MESH in intent.settings.allow:
        return
    told: set[str] = set()
    for pod in planned_pods(intent, snapshot):
        services = snapshot.services_to_leave(pod)
        if pod.mesh and services and pod.mesh not in told:
            told.add(pod.mesh)
            yield Blocked(
                reason=MESH,
                why=f"pod {pod} is in a mesh ({pod.mesh}), whose control plane tells the clients "
                f"of service {services[0].namespace}/{services[0].name} of its endpoints, and what its own proxy lets "
                "in goes by its labels: answer for it, with a time that the mesh takes to tell all of them, by "
                f"--allow {MESH} --settle 1m",
            )
