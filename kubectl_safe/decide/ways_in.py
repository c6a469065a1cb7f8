"""Load balancers and other clusters that lead requests to pods themselves, and that nobody can ask when they stop."""

from collections.abc import Iterator

from kubectl_safe.decide.allow import UNSEEN_LOAD_BALANCER
from kubectl_safe.decide.decision import Blocked, Step
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.step import step_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

ENDPOINT_GROUP = "a Google Cloud network endpoint group"
FOREIGN_GATES = {
    "cloud.google.com/load-balancer-neg-ready": ENDPOINT_GROUP,
    "application-networking.k8s.aws/pod-readiness-gate": "Amazon VPC Lattice",
}
"""Readiness gates that load balancers set which send requests to pods themselves, and that can't be asked here.

Sources: the documentation of GKE's container-native load balancing, and of the AWS Gateway API Controller.
"""
ANSWER = f"--allow {UNSEEN_LOAD_BALANCER} --settle 5m"


def planned_pods(intent: Intent, snapshot: Snapshot) -> list[Pod]:
    """Return the pods that are still to leave their Services, in the order of the plan."""
    pods = (pod for planned in intent.pods if (pod := snapshot.pods.get(planned.uid)))
    return [pod for pod in pods if step_of(pod) in {Step.QUEUED, Step.RELEASED} and not pod.is_finished]


def unseen_load_balancers(workload: Workload, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse what target groups lead requests to that don't tell when they have let go of a pod."""
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


def unseen_senders(intent: Intent, snapshot: Snapshot) -> Iterator[Blocked]:
    """Refuse what somebody else leads requests to who doesn't tell when it has let go of a pod, telling each once.

    A load balancer that registers nodes, as clouds have for a Service of type LoadBalancer, has nothing to let go of:
    the nodes stay, and send what they get on to the pods that kube-proxy knows.
    """
    if UNSEEN_LOAD_BALANCER in intent.settings.allow:
        return
    pods = planned_pods(intent, snapshot)
    for who, whom, by in dict.fromkeys(found for pod in pods for found in _unseen(pod, snapshot)):
        yield Blocked(
            reason=UNSEEN_LOAD_BALANCER,
            why=f"{who} sends requests to {whom} ({by}), and does not tell when it has stopped to: answer for it, "
            f"with a time that it takes, by {ANSWER}",
        )
    if snapshot.network.unlisted_exports and (pod := next((p for p in pods if snapshot.services_of(p)), None)):
        yield Blocked(
            reason=UNSEEN_LOAD_BALANCER,
            why=f"other clusters may send requests to {_whom(pod, snapshot)}, as ServiceExports can't be listed: "
            f"{snapshot.network.unlisted_exports}; have that allowed, or answer for it by {ANSWER}",
        )


def _unseen(pod: Pod, snapshot: Snapshot) -> Iterator[tuple[str, str, str]]:
    """Return who sends requests to a pod without telling when it stops to, to whom in words, and what shows that."""
    whom = _whom(pod, snapshot)
    for gate in pod.readiness_gates:
        if gate in FOREIGN_GATES:
            yield FOREIGN_GATES[gate], whom, f"readiness gate {gate}"
    for service in snapshot.services_of(pod):
        if service.is_in_endpoint_group:
            yield ENDPOINT_GROUP, whom, f"by annotations of service {service.namespace}/{service.name}"
        if (service.namespace, service.name) in snapshot.network.exported:
            yield "another cluster", whom, f"serviceexport {service.namespace}/{service.name}"
    for place in snapshot.endpoints_by_pod.get(pod.uid, ()):
        if place.is_exported:
            yield "another cluster", whom, f"endpointslice {place.namespace}/{place.slice} of a Multi-Cluster Service"


def _whom(pod: Pod, snapshot: Snapshot) -> str:
    workload = snapshot.workload_of(pod)
    return f"the pods of {workload.subject}" if workload else f"pod {pod}"
