"""Services by which a node asks its own pods only: the floor is one pod of each on every node that has one.

On a drained node nothing takes the place of a pod. On any other, a replacement may come to the same node or not: that
is the scheduler's to say, so it is waited for.
"""

from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet

from kubectl_safe.decide.allow import LOCAL_TRAFFIC_POLICY
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.step import release_label
from kubectl_safe.decide.ways_in import planned_pods
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import TRAFFIC_POLICIES, Service
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL

EXTERNAL, _ = TRAFFIC_POLICIES


def local_traffic_policies(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to leave a node without a pod of such a Service where that is certain, telling one pod of each Service.

    - On a drained node, where no pod stays that is not planned.
    - Elsewhere, where a pod has to leave before its replacement comes, and no other one is there.
    """
    if LOCAL_TRAFFIC_POLICY in intent.settings.allow:
        return
    told: set[tuple[str, str]] = set()
    for pod in planned_pods(intent, snapshot):
        leaving = _certain_to_leave(pod, intent, snapshot)
        for service in snapshot.services_to_leave(pod) if leaving else ():
            policies = local_policies_of(service, pod.node or "", snapshot, drained=intent.nodes)
            key = service.namespace, service.name
            if policies and key not in told and _is_last_on_node(pod, service, leaving=leaving, snapshot=snapshot):
                told.add(key)
                yield Blocked(reason=LOCAL_TRAFFIC_POLICY, why=_why(pod, service, policies))


def node_below_floor(pod: Pod, settings: Settings, *, leaving: AbstractSet[str], snapshot: Snapshot) -> str:
    """Return of which Service a node would be left without a pod; empty where of none.

    `leaving` has the UIDs of pods that were allowed to leave since the snapshot was taken.
    """
    if LOCAL_TRAFFIC_POLICY in settings.allow:
        return ""
    for service in snapshot.services_to_leave(pod):
        policies = local_policies_of(service, pod.node or "", snapshot, drained=())
        if policies and _is_last_on_node(pod, service, leaving=leaving, snapshot=snapshot):
            return _why(pod, service, policies)
    return ""


def _is_last_on_node(pod: Pod, service: Service, *, leaving: AbstractSet[str], snapshot: Snapshot) -> bool:
    """Tell whether its node asks this pod alone for a Service; one that is not ready is not asked."""
    return _is_asked(pod, service, snapshot) and not any(
        other.node == pod.node and _is_asked(other, service, snapshot)
        for other in snapshot.pods.values()
        if other.uid != pod.uid and other.uid not in leaving
    )


def local_policies_of(service: Service, node: str, snapshot: Snapshot, *, drained: Collection[str]) -> frozenset[str]:
    """Return which policies of a Service are Local and matter on a node.

    Of a headless one none does, as no node stands in between. What is said of requests from outside doesn't, where a
    load balancer sends them to the pods themselves, nor where it sends them to nodes, and to this one no more.
    """
    if service.is_headless or not service.local_policies:
        return frozenset()
    bindings = [b for b in snapshot.bindings if (b.namespace, b.service) == (service.namespace, service.name)]
    known = snapshot.nodes.get(node)
    is_out = node in drained or (known is not None and EXCLUDE_LABEL in known.labels)
    passes = any(b.target_type == "ip" or (is_out and b.is_of_nodes) for b in bindings)
    return service.local_policies - {EXTERNAL} if passes else service.local_policies


def _certain_to_leave(pod: Pod, intent: Intent, snapshot: Snapshot) -> frozenset[str]:
    """Return the UIDs of those that are certain to have left its node before another comes; none where that is open.

    A pod to which no replacement is owed owes its node nothing either.
    """
    workload = snapshot.workload_of(pod)
    if workload is None:
        return frozenset()
    if pod.node in intent.nodes:
        return intent.uids
    withdraws_first = intent.settings.surge_of(workload) == 0 or release_label(pod, snapshot) is None
    return frozenset({pod.uid}) if withdraws_first and not pod.is_released else frozenset()


def _is_asked(pod: Pod, service: Service, snapshot: Snapshot) -> bool:
    """Tell whether a node sends requests for a Service to a pod, and will go on to."""
    if pod.is_terminating or pod.is_withdrawn or not service.selects(pod.namespace, pod.labels):
        return False
    places = (place for place in snapshot.endpoints_by_pod.get(pod.uid, ()) if place.service == service.name)
    return any(place.is_ready for place in places)


def _why(pod: Pod, service: Service, policies: frozenset[str]) -> str:
    are = f"{' and '.join(sorted(policies))} {'is' if len(policies) == 1 else 'are'}"
    return (
        f"node {pod.node} would be left without a pod of service {service.namespace}/{service.name}, whose {are} "
        f"Local: what is sent to it there goes to pod {pod.name} or nowhere; set it to Cluster, or answer for it with "
        f"--allow {LOCAL_TRAFFIC_POLICY}"
    )
