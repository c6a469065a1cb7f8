"""Ways into pods that nobody can see closed, or that lead to one node's pods only."""

from collections.abc import Iterator

from kubectl_safe.decide.allow import LOCAL_TRAFFIC_POLICY, UNSEEN_LOAD_BALANCER
from kubectl_safe.decide.decision import Blocked
from kubectl_safe.decide.intent import Intent
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.service import TRAFFIC_POLICIES, Service
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

EXTERNAL, _ = TRAFFIC_POLICIES
FOREIGN_GATES = {
    "cloud.google.com/load-balancer-neg-ready": "a Google Cloud network endpoint group",
    "application-networking.k8s.aws/pod-readiness-gate": "Amazon VPC Lattice",
}
"""Readiness gates that load balancers set which send requests to pods themselves, and that can't be asked here.

Sources: the documentation of GKE's container-native load balancing, and of the AWS Gateway API Controller.
"""


def unseen_load_balancers(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse what a load balancer leads requests to that doesn't tell when it has let go of a pod."""
    for pod in snapshot.pods_of(workload):
        for binding in snapshot.bindings_of(pod):
            if binding.is_of_nodes:
                # Its requests come through the nodes' kube-proxy, which goes by the EndpointSlices.
                continue
            if binding.target_type not in {"ip", ""}:
                yield Blocked(
                    reason=UNSEEN_LOAD_BALANCER,
                    why=f"targetgroupbinding {binding.namespace}/{binding.name} registers neither pods nor nodes "
                    f"(targetType {binding.target_type}): what its target group sends requests to is not known",
                )
            elif not binding.group:
                yield Blocked(
                    reason=UNSEEN_LOAD_BALANCER,
                    why=f"targetgroupbinding {binding.namespace}/{binding.name} has neither targetGroupARN nor "
                    "targetGroupName: its target group can't be asked",
                )
    if UNSEEN_LOAD_BALANCER in intent.settings.allow:
        return
    gates = {gate: FOREIGN_GATES[gate] for pod in _planned(workload, intent, snapshot) for gate in _foreign(pod)}
    for gate, balancer in gates.items():
        yield Blocked(
            reason=UNSEEN_LOAD_BALANCER,
            why=f"{balancer} sends requests to the pods of {workload.subject} (readiness gate {gate}), and does not "
            "tell when it has stopped to: answer for it, with a time that it takes, by "
            f"--allow {UNSEEN_LOAD_BALANCER} --settle 5m",
        )


def local_traffic_policies(workload: Workload, intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse to leave a node without a pod of a Service by which it asks its own pods only, telling one pod of each."""
    if LOCAL_TRAFFIC_POLICY in intent.settings.allow:
        return
    told: set[str] = set()
    for pod in _planned(workload, intent, snapshot):
        for service in snapshot.original_services_of(pod):
            policies = sorted(_policies(service, snapshot))
            if policies and service.name not in told and not _others_serve_there(pod, service, intent, snapshot):
                told.add(service.name)
                yield Blocked(
                    reason=LOCAL_TRAFFIC_POLICY,
                    why=f"node {pod.node} would be left without a pod of service {service.namespace}/{service.name}, "
                    f"whose {' and '.join(policies)} {'is' if len(policies) == 1 else 'are'} Local: what is sent to "
                    f"it there goes to pod {pod.name} or nowhere; set it to Cluster, or answer for it with "
                    f"--allow {LOCAL_TRAFFIC_POLICY}",
                )


def _planned(workload: Workload, intent: Intent, snapshot: Snapshot) -> list[Pod]:
    return [pod for pod in snapshot.pods_of(workload) if pod.uid in intent.uids and not pod.is_withdrawn]


def _foreign(pod: Pod) -> list[str]:
    return [gate for gate in pod.readiness_gates if gate in FOREIGN_GATES]


def _policies(service: Service, snapshot: Snapshot) -> frozenset[str]:
    """Return which policies of a Service are Local and matter: a balancer with ip targets asks no node."""
    ours = {(binding.namespace, binding.service) for binding in snapshot.bindings if binding.target_type == "ip"}
    is_bound = (service.namespace, service.name) in ours
    return service.local_policies - {EXTERNAL} if is_bound else service.local_policies


def _others_serve_there(pod: Pod, service: Service, intent: Intent, snapshot: Snapshot) -> bool:
    return any(
        other.is_ready and other.node == pod.node and service.selects(other.namespace, other.labels)
        for other in snapshot.pods.values()
        if other.uid not in intent.uids and not other.is_terminating
    )
