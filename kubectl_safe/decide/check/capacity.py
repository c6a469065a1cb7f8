"""Whether there is enough left while a pod is moved, or fails: rollouts, replicas, nodes and autoscalers."""

from collections.abc import Iterator, Mapping
from functools import partial

from kubectl_safe.decide.check.facts import Facts, is_live
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.remedies import in_pods, in_spec
from kubectl_safe.decide.check.subject import Subject, of_workload
from kubectl_safe.decide.check.words import counted
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.workload import Workload, resolve

RESIZABLE = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}
_RECREATE = "Recreate"


def served(facts: Facts) -> Iterator[Workload]:
    """Return the checked workloads that Services lead requests to, of several ReplicaSets of one owner the largest."""
    pods = (pod for its in facts.served for pod in its.pods)
    found = {workload.uid for pod in pods if (workload := facts.snapshot.workload_of(pod))}
    its = [its for its in facts.workloads if its.uid in found and not its.is_terminating]
    largest = {of_workload(one): one for one in sorted(its, key=lambda one: one.replicas)}
    return (one for one in its if largest[of_workload(one)] is one)


def matched(workload: Workload) -> Mapping[str, str]:
    """Return the labels by which all pods of a workload are known, whichever revision they are of."""
    labels = workload.selector.match_labels.items()
    return {key: value for key, value in sorted(labels) if not (workload.owner and key.endswith("pod-template-hash"))}


def pods_of(workload: Workload, facts: Facts) -> list[Pod]:
    """Return all of its pods that serve or are to, also those that are not checked."""
    return list(filter(is_live, facts.snapshot.pods_of(workload)))


def taken_first(workload: Workload) -> int:
    """Return how many pods a plain rollout of a Deployment takes away before others are ready.

    A percentage is rounded down; where that leaves neither surge nor absence, it is one (kubernetes
    pkg/controller/deployment/util, ResolveFenceposts).
    """
    value = workload.max_unavailable
    count = value if isinstance(value, int) else int(value.removesuffix("%")) * workload.replicas // 100
    return count or int(resolve(workload.max_surge, workload.replicas) == 0)


def _rollout_downtime(facts: Facts) -> Iterator[Finding]:
    for workload in served(facts):
        if workload.kind != "Deployment" or not workload.replicas:
            continue
        if workload.strategy == _RECREATE:
            fact = f"strategy Recreate stops {_all(workload)} before another one starts"
        elif taken_first(workload) >= workload.replicas:
            fact = f"maxUnavailable {workload.max_unavailable} lets a rollout stop {_all(workload)} at once"
        else:
            continue
        yield Finding(code="rollout-downtime", subject=of_workload(workload), fact=fact, remedy=_rolling(workload))


def _all(workload: Workload) -> str:
    return "its only pod" if workload.replicas == 1 else f"all of its {workload.replicas} pods"


def _rolling(workload: Workload) -> str:
    surge = workload.max_surge if resolve(workload.max_surge, workload.replicas) else 1
    return in_spec(
        of_workload(workload),
        "strategy:",
        "  type: RollingUpdate",
        f"  rollingUpdate: {{maxSurge: {surge}, maxUnavailable: 0}}",
    )


def _rollout_capacity(facts: Facts) -> Iterator[Finding]:
    for workload in served(facts):
        if workload.kind != "Deployment" or workload.strategy == _RECREATE:
            continue
        taken = taken_first(workload)
        if 0 < taken < workload.replicas:
            yield Finding(
                code="rollout-capacity",
                subject=of_workload(workload),
                fact=f"maxUnavailable {workload.max_unavailable} lets a plain rollout stop {taken} of "
                f"{counted(workload.replicas, 'pod')} before others are ready",
                remedy=_rolling(workload),
            )


def _single_replica(facts: Facts) -> Iterator[Finding]:
    for workload in served(facts):
        if workload.kind in RESIZABLE and workload.replicas == 1:
            yield Finding(
                code="single-replica",
                subject=of_workload(workload),
                fact="it has 1 replica",
                remedy=f"kubectl scale {_named(of_workload(workload))} -n {workload.namespace} --replicas=2",
            )


def _named(subject: Subject) -> str:
    """Return what commands take, without the group of what Kubernetes has itself."""
    return f"{subject.kind.removesuffix('.apps')}/{subject.name}"


def _one_node(facts: Facts) -> Iterator[Finding]:
    """Tell of pods that could be elsewhere: where another node is known that pods may go to.

    A check of one namespace reads no nodes; its other pods tell of those that they run on.
    """
    known = facts.snapshot.nodes
    free = {name for name, node in known.items() if not node.is_unschedulable}
    free |= {pod.node for pod in facts.snapshot.pods.values() if pod.node and pod.node not in known}
    for workload in served(facts):
        pods = pods_of(workload, facts)
        nodes = {pod.node for pod in pods if pod.node}
        if workload.kind == "DaemonSet" or len(pods) <= 1 or len(nodes) != 1 or not free - nodes:
            continue
        if not all(pod.node for pod in pods):
            continue
        # In quotes: a label may look like a number, or like `true`.
        labels = ", ".join(f'{key}: "{value}"' for key, value in matched(workload).items())
        yield Finding(
            code="all-on-one-node",
            subject=of_workload(workload),
            fact=f"all of its {len(pods)} pods are on node {nodes.pop()}",
            remedy=in_pods(
                of_workload(workload),
                "topologySpreadConstraints:",
                "- topologyKey: kubernetes.io/hostname",
                "  maxSkew: 1",
                "  whenUnsatisfiable: ScheduleAnyway",
                f"  labelSelector: {{matchLabels: {{{labels}}}}}",
            ),
        )


def _autoscaler_at_maximum(facts: Facts) -> Iterator[Finding]:
    checked = {(its.kind, its.namespace, its.name) for its in facts.workloads}
    checked |= {(its.owner.kind, its.namespace, its.owner.name) for its in facts.workloads if its.owner}
    for its in facts.setup.autoscalers or ():
        is_full = its.is_limited or (its.minimum < its.maximum <= its.current)
        if (its.kind, its.namespace, its.target) not in checked or not is_full:
            continue
        patch = f'{{"spec":{{"maxReplicas":{its.maximum + max(1, its.maximum // 2)}}}}}'
        more = ", and would have more" if its.is_limited else ""
        yield Finding(
            code="autoscaler-at-maximum",
            subject=Subject(kind="horizontalpodautoscaler.autoscaling", name=its.name, namespace=its.namespace),
            fact=f"{its.kind.lower()}/{its.target} has {its.current} replicas of at most {its.maximum}{more}",
            remedy=f"kubectl patch hpa {its.name} -n {its.namespace} --type=merge -p '{patch}'",
        )


_warning, _note = partial(Rule, severity=Severity.WARNING), partial(Rule, severity=Severity.NOTE)

RULES = (
    _warning(
        code="rollout-downtime",
        title="A rollout that leaves no pod",
        why="A plain rollout, as any change of the pod template starts, stops everything before its replacement is "
        "ready: requests find nobody. Source: kubernetes.io, Deployments, Strategy.",
        find=_rollout_downtime,
    ),
    _warning(
        code="single-replica",
        title="A single replica behind a Service",
        why="Where it or its node fails, or others evict it, nobody answers until another one is ready. Source: "
        "kubernetes.io, Disruptions.",
        find=_single_replica,
    ),
    _warning(
        code="all-on-one-node",
        title="All replicas on one node",
        why="Where the node fails, or is drained by others, all of them are away at once. Source: kubernetes.io, Pod "
        "Topology Spread Constraints.",
        find=_one_node,
    ),
    _warning(
        code="autoscaler-at-maximum",
        title="An autoscaler that can add nothing",
        why="The pods carry more than they are meant to and no more come: while one is moved or fails, the others are "
        "overloaded, and requests time out. Source: kubernetes.io, Horizontal Pod Autoscaling.",
        find=_autoscaler_at_maximum,
    ),
    _note(
        code="rollout-capacity",
        title="A rollout at reduced capacity",
        why="A plain rollout, as any change of the pod template starts, stops pods before others are ready: those that "
        "are left carry more, and lose requests where they can't. kubectl safe rollout restart doesn't: its "
        "--max-unavailable is 0. Source: kubernetes.io, Deployments, Strategy.",
        find=_rollout_capacity,
    ),
)
