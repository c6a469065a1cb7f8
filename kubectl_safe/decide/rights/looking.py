"""The rights that commands need which only look."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kubectl_safe.decide.rights.pieces import (
    CONTROLLER_HOME,
    NODE_LEASES,
    NODES,
    OF_PODS,
    READ,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
    SWEEP,
    bindings,
    optional,
    reading,
)
from kubectl_safe.decide.rights.right import Needs, Right

_CHOOSING: Mapping[str, tuple[tuple[str, str], ...]] = {
    # The pods of a Deployment are those of its ReplicaSets.
    "Deployment": (("apps", "deployments"), REPLICA_SETS),
    "StatefulSet": (STATEFUL_SETS,),
    "DaemonSet": (("apps", "daemonsets"),),
    "ReplicaSet": (REPLICA_SETS,),
    "ReplicationController": (REPLICATION_CONTROLLERS,),
    "Node": (NODES,),
}
"""What has to be read to find the pods of each kind."""
_CONTROLLERS = (
    ("apps", "deployments"),
    REPLICA_SETS,
    STATEFUL_SETS,
    ("apps", "daemonsets"),
    REPLICATION_CONTROLLERS,
)
_UNCHECKED_CONTROLLER = "a check does not look at the load balancer controller"
_UNCHECKED_WEBHOOK = "a check does not look at the webhook that injects readiness gates"


def to_watch_rollouts(namespace: str | None, *, kinds: Iterable[str]) -> Needs:
    """Return what telling how far rollouts of some kinds are needs: to read pods, and what leads requests to them.

    Target groups are known by their bindings alone, and are gone without where these may not be read.
    """
    themselves = [("apps", f"{kind.lower()}s") for kind in kinds]
    return Needs(
        required=tuple(reading(namespace, *dict.fromkeys((*themselves, *OF_PODS)))),
        optional=dict.fromkeys(bindings(namespace), "target groups are not seen, nor waited for"),
        command="rollout-status",
    )


def to_look(namespace: str | None, *, kinds: Iterable[str] = ()) -> Needs:
    """Return what showing how it stands with pods needs: to read pods, and the kinds that they are chosen by.

    Whatever else may not be read is left out of what is shown.

    Args:
        namespace: whose pods are shown; None for those of all.
        kinds: `Deployment`, `Node`...: those whose names choose pods.
    """
    chosen = [resource for kind in kinds for resource in _CHOOSING.get(kind, ())]
    required = dict.fromkeys(reading(namespace, *dict.fromkeys((("", "pods"), *chosen))))
    lost = {
        **dict.fromkeys(reading(namespace, ("", "services")), "Services and target groups are not shown"),
        **dict.fromkeys(reading(namespace, ("discovery.k8s.io", "endpointslices")), "slices are not shown"),
        **dict.fromkeys(bindings(namespace), "target groups are not shown"),
        **dict.fromkeys(reading(namespace, *_CONTROLLERS), "their pods are not known to be theirs"),
        **dict.fromkeys(reading(namespace, ("policy", "poddisruptionbudgets")), "nobody is said to wait for one"),
    }
    if namespace is None:
        lost |= dict.fromkeys(reading(None, NODES), "cordons of drains are not seen")
    return Needs(
        required=tuple(required),
        optional={right: words for right, words in lost.items() if right not in required},
        tried={replace(SWEEP, namespace=its): "runs are not shown" for its in dict.fromkeys((namespace, NODE_LEASES))},
        command="status",
    )


def to_check(namespace: str | None, *, has_nodes: bool) -> Needs:
    """Return what a check watches of the cluster, as every command does.

    Args:
        namespace: whose workloads are checked; None for those of all.
        has_nodes: whether nodes are looked at.
    """
    nodes = [Right(verb=verb, resource="nodes") for verb in ("list", "watch")] if has_nodes else []
    kinds = (STATEFUL_SETS, ("apps", "daemonsets"), REPLICATION_CONTROLLERS)
    return Needs(
        required=(*nodes, *reading(namespace, *READ)),
        optional={
            **dict.fromkeys(reading(namespace, *kinds), "their pods are not known to be theirs"),
            **optional(namespace, nudges=False),
        },
        command="check",
    )


def beside_check(namespace: str | None) -> Mapping[Right, str]:
    """Return what a check reads beside that, each with what it leaves out where it may not read it."""
    own = Right(verb="get", resource="namespaces", namespace=namespace, name=namespace) if namespace else None
    hooks = Right(verb="list", group="admissionregistration.k8s.io", resource="mutatingwebhookconfigurations")
    scalers = Right(verb="list", group="autoscaling", resource="horizontalpodautoscalers", namespace=namespace)
    homes = dict.fromkeys((namespace, NODE_LEASES) if namespace else (None,))
    return {
        own or Right(verb="list", resource="namespaces"): "a check can't tell where pods get readiness gates",
        Right(verb="list", group="apps", resource="deployments", namespace=CONTROLLER_HOME): _UNCHECKED_CONTROLLER,
        Right(
            verb="list", group="discovery.k8s.io", resource="endpointslices", namespace=CONTROLLER_HOME
        ): _UNCHECKED_WEBHOOK,
        hooks: _UNCHECKED_WEBHOOK,
        scalers: "a check does not look at autoscalers",
        **{replace(SWEEP, namespace=its): "a check does not find what dead runs left" for its in homes},
    }
