"""The rights on a cluster that a command needs: all that it reads, and all that `actions` lets it write.

A run without one of them would get stuck half-way, with pods that are withdrawn and can't be evicted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kubectl_safe.model.network import EXPORTING
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.policy import POLICY_KINDS
from kubectl_safe.model.target import AUTO_MODE_API, CONTROLLER_API

NODE_LEASES = "kube-node-lease"
"""The namespace that holds the Lease of a node's drain."""
CONTROLLER_HOME = "kube-system"
"""The namespace that the AWS Load Balancer Controller is installed in, where nobody chose another."""
EVERY_NODE = ("",)
"""In the place of nodes' names: whichever they are, as the right to one then names none."""

_NETWORK_POLICIES = ("networking.k8s.io", "networkpolicies")
_OF_PODS = (
    ("", "pods"),
    ("", "services"),
    ("discovery.k8s.io", "endpointslices"),
    ("apps", "replicasets"),
)
"""Where pods are, and what leads requests to them."""
_READ = (
    *_OF_PODS,
    ("apps", "deployments"),
    ("policy", "poddisruptionbudgets"),
    _NETWORK_POLICIES,
    (CONTROLLER_API, "targetgroupbindings"),
    (AUTO_MODE_API, "targetgroupbindings"),
)
_STATEFUL_SETS = ("apps", "statefulsets")
_REPLICATION_CONTROLLERS = ("", "replicationcontrollers")
_NODES = ("", "nodes")
_REPLICA_SETS = ("apps", "replicasets")
_CHOOSING: Mapping[str, tuple[tuple[str, str], ...]] = {
    # The pods of a Deployment are those of its ReplicaSets.
    "Deployment": (("apps", "deployments"), _REPLICA_SETS),
    "StatefulSet": (_STATEFUL_SETS,),
    "DaemonSet": (("apps", "daemonsets"),),
    "ReplicaSet": (_REPLICA_SETS,),
    "ReplicationController": (_REPLICATION_CONTROLLERS,),
    "Node": (_NODES,),
}
"""What has to be read to find the pods of each kind."""
_CONTROLLERS = (
    ("apps", "deployments"),
    _REPLICA_SETS,
    _STATEFUL_SETS,
    ("apps", "daemonsets"),
    _REPLICATION_CONTROLLERS,
)
_LEASE_GROUP = "coordination.k8s.io"
_LEASE_VERBS = ("get", "create", "update", "delete")
_OF_THE_CLUSTER = frozenset({"nodes", "namespaces", "mutatingwebhookconfigurations"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One verb on one resource, as RBAC grants it."""

    verb: str
    resource: str
    group: str = ""
    """Empty for the core API."""
    subresource: str = ""
    namespace: str | None = None
    """None for all namespaces, or for a resource that is in none."""
    name: str = ""
    """Of the one object; empty for every one."""

    @property
    def is_of_bindings(self) -> bool:
        """Whether it is about TargetGroupBindings, which not every cluster serves."""
        return self.resource == "targetgroupbindings"

    @property
    def question(self) -> str:
        """The `kubectl auth can-i` that asks for it."""
        part = f" --subresource={self.subresource}" if self.subresource else ""
        return f"kubectl auth can-i {self.verb} {self._kind}{f'/{self.name}' if self.name else ''}{part}{self._flag}"

    @property
    def _kind(self) -> str:
        return f"{self.resource}.{self.group}" if self.group else self.resource

    @property
    def _flag(self) -> str:
        if self.resource in _OF_THE_CLUSTER and not self.namespace:
            return ""
        return f" -n {self.namespace}" if self.namespace else " -A"

    def __str__(self) -> str:
        words = f"{self.verb} {self._kind}{f'/{self.subresource}' if self.subresource else ''}"
        words += f" {self.name}" if self.name else ""
        if self.resource in _OF_THE_CLUSTER:
            return words
        return f"{words} in namespace {self.namespace}" if self.namespace else f"{words} in all namespaces"


_UNSEEN_PEERS = "policies of other namespaces can't be seen that name pods of this one as peers"
_UNSEEN_POLICIES = "where the cluster serves them, what takes labels off pods is refused (policy-change)"
_UNSEEN_EXPORTS = "where the cluster serves them, pods behind Services are refused (unseen-load-balancer)"
_UNCHECKED_CONTROLLER = "a check does not look at the load balancer controller"
_UNCHECKED_WEBHOOK = "a check does not look at the webhook that injects readiness gates"
_WAKE = Right(verb="patch", group="apps", resource="statefulsets")
_SWEEP = Right(verb="list", group=_LEASE_GROUP, resource="leases")
_OF_DRAINS: Mapping[Right, str] = {
    _WAKE: "StatefulSets can't be woken, and may take minutes to create a pod anew",
    _SWEEP: "the Leases of dead drains stay behind, run out",
}
"""What drains do better with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a command asks the cluster for before anything else."""

    required: tuple[Right, ...]
    of_pods: tuple[Right, ...] = ()
    """Needed where the pods of `nodes` are, which is only known once these are listed: in all namespaces, or there."""
    optional: Mapping[Right, str] = field(default_factory=dict)
    """What is lost without them."""
    tried: Mapping[Right, str] = field(default_factory=dict)
    """Not asked for but tried, as not every cluster serves these kinds, or as those of the namespace have to do: what
    comes of their lack."""
    nodes: tuple[str, ...] = ()
    command: str = ""
    """What `kubectl safe rbac --for` calls the command."""

    @property
    def grant(self) -> str:
        """The command that prints a role with all of it, and nothing else."""
        namespace = next((right.namespace for right in self.required if not self.nodes), None)
        where = f"-n {namespace}" if namespace else "--cluster"
        command = f" --for {self.command}" if self.command else ""
        return f"kubectl safe rbac {where}{command}{' --disable-eviction' if self.deletes else ''}"

    @property
    def deletes(self) -> bool:
        """Whether pods are deleted in place of being evicted."""
        return any((right.verb, right.resource) == ("delete", "pods") for right in self.of_pods)


def to_restart(namespace: str | None, *, kind: str = "Deployment", writes: bool, nudges: bool) -> Needs:
    """Return what a restart needs: all of it in the one namespace of its workloads, which are of one kind.

    Without a namespace it is what restarts need wherever they are.
    """
    itself = "" if kind == "Deployment" else f"{kind.lower()}s"
    required = [*_reading(namespace, *_READ, *([("apps", itself)] if itself else []))]
    if writes:
        bearer = itself or "replicasets"
        required += _writing(namespace)
        required.append(Right(verb="patch", group="apps", resource=bearer, namespace=namespace))
    peers = _reading(None, _NETWORK_POLICIES) if namespace else ()
    return Needs(
        required=tuple(required),
        optional=_optional(namespace, nudges=writes and nudges),
        tried={**dict.fromkeys(peers, _UNSEEN_PEERS), **_tried(namespace)},
        command="restart",
    )


def to_watch_rollouts(namespace: str | None, *, kinds: Iterable[str]) -> Needs:
    """Return what telling how far rollouts of some kinds are needs: to read pods, and what leads requests to them.

    Target groups are known by their bindings alone, and are gone without where these may not be read.
    """
    themselves = [("apps", f"{kind.lower()}s") for kind in kinds]
    return Needs(
        required=tuple(_reading(namespace, *dict.fromkeys((*themselves, *_OF_PODS)))),
        optional=dict.fromkeys(_bindings(namespace), "target groups are not seen, nor waited for"),
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
    required = dict.fromkeys(_reading(namespace, *dict.fromkeys((("", "pods"), *chosen))))
    lost = {
        **dict.fromkeys(_reading(namespace, ("", "services")), "Services and target groups are not shown"),
        **dict.fromkeys(_reading(namespace, ("discovery.k8s.io", "endpointslices")), "slices are not shown"),
        **dict.fromkeys(_bindings(namespace), "target groups are not shown"),
        **dict.fromkeys(_reading(namespace, *_CONTROLLERS), "their pods are not known to be theirs"),
        **dict.fromkeys(_reading(namespace, ("policy", "poddisruptionbudgets")), "nobody is said to wait for one"),
    }
    if namespace is None:
        lost |= dict.fromkeys(_reading(None, _NODES), "cordons of drains are not seen")
    return Needs(
        required=tuple(required),
        optional={right: words for right, words in lost.items() if right not in required},
        tried={replace(_SWEEP, namespace=its): "runs are not shown" for its in dict.fromkeys((namespace, NODE_LEASES))},
        command="status",
    )


def to_drain(nodes: Iterable[str], *, writes: bool, nudges: bool, deletes: bool = False) -> Needs:
    """Return what a drain needs: to read everything everywhere, and to write to its nodes and to their pods.

    One that deletes pods does not evict them.
    """
    names = tuple(dict.fromkeys(nodes))
    required = [Right(verb=verb, resource="nodes") for verb in ("list", "watch")]
    required += _reading(None, *_READ, _STATEFUL_SETS, _REPLICATION_CONTROLLERS)
    if writes:
        required += [Right(verb="patch", resource="nodes", name=name) for name in names]
        required += _leases(NODE_LEASES)
    return Needs(
        required=tuple(required),
        of_pods=(*(_writing(None, deletes=deletes) if writes else ()), _daemon_sets(None)),
        optional={**_optional(None, nudges=writes and nudges), **(_OF_DRAINS if writes else {})},
        tried=_tried(None),
        nodes=names,
        command="drain",
    )


def to_abort(nodes: Iterable[str], kinds: Iterable[str], namespace: str | None) -> Needs:
    """Return what ending drains of nodes needs, and restarts of kinds in a namespace: what they need themselves.

    What only decides whether a handoff may begin is of no interest to its end.
    """
    names = tuple(nodes)
    restarts = [to_restart(namespace, kind=kind, writes=True, nudges=False) for kind in kinds]
    drains = [to_drain(names, writes=True, nudges=False)] if names else []
    every = [*drains, *restarts]
    return Needs(
        required=tuple(dict.fromkeys(right for needs in every for right in needs.required)),
        of_pods=tuple(right for needs in drains for right in needs.of_pods),
        optional=every[0].optional if every else {},
        nodes=names,
        command="abort",
    )


def to_check(namespace: str | None, *, has_nodes: bool) -> Needs:
    """Return what a check watches of the cluster, as every command does.

    Args:
        namespace: whose workloads are checked; None for those of all.
        has_nodes: whether nodes are looked at.
    """
    nodes = [Right(verb=verb, resource="nodes") for verb in ("list", "watch")] if has_nodes else []
    kinds = (_STATEFUL_SETS, ("apps", "daemonsets"), _REPLICATION_CONTROLLERS)
    return Needs(
        required=(*nodes, *_reading(namespace, *_READ)),
        optional={
            **dict.fromkeys(_reading(namespace, *kinds), "their pods are not known to be theirs"),
            **_optional(namespace, nudges=False),
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
        **{replace(_SWEEP, namespace=its): "a check does not find what dead runs left" for its in homes},
    }


def to_uncordon(nodes: Iterable[str]) -> Needs:
    """Return what it needs to take back the cordon of nodes."""
    names = tuple(dict.fromkeys(nodes))
    rights = (Right(verb=verb, resource="nodes", name=name) for name in names for verb in ("get", "patch"))
    return Needs(required=tuple(rights), nodes=names, command="uncordon")


def on_pods(pods: Iterable[Pod], *, deletes: bool = False) -> tuple[Right, ...]:
    """Return what a drain needs in each namespace where it may not do everything everywhere, by the pods of its nodes.

    A pod of a DaemonSet stays, and so does a mirror pod: nothing is written in a namespace that has no others.
    """
    moved, kept = set(), set()
    for pod in pods:
        is_kept = pod.controller is not None and pod.controller.kind == "DaemonSet"
        if is_kept:
            kept.add(pod.namespace)
        if not pod.is_mirror and (not is_kept or pod.is_finished):
            moved.add(pod.namespace)
    written = (right for namespace in sorted(moved) for right in _writing(namespace, deletes=deletes))
    return (*written, *(_daemon_sets(namespace) for namespace in sorted(kept)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """Rights for a command that somebody does not have."""

    missing: Mapping[Right, str]
    """With the server's reason, which may be empty."""
    grant: str
    """The command that prints a role with all that its command needs."""


def refusal(missing: Mapping[Right, str], needs: Needs) -> str:
    """Return what is told of rights that are missing, each with the server's reason where it gives one.

    Args:
        missing: which, and why.
        needs: all that the command needs.
    """
    lines = [f"  {right}{f' ({reason})' if reason else ''}" for right, reason in missing.items()]
    remedy = f"have a Role or ClusterRole with them bound to you, as {needs.grant} prints it"
    return "\n".join(
        [
            "these rights are missing, and nothing was changed:",
            *lines,
            f"{remedy} ({next(iter(missing)).question})",
        ]
    )


def _reading(namespace: str | None, *kinds: tuple[str, str]) -> Iterable[Right]:
    for group, resource in kinds or _READ:
        for verb in ("list", "watch"):
            yield Right(verb=verb, group=group, resource=resource, namespace=namespace)


def _bindings(namespace: str | None) -> list[Right]:
    return [right for right in _reading(namespace, *_READ) if right.is_of_bindings]


def _writing(namespace: str | None, *, deletes: bool = False) -> Iterable[Right]:
    yield Right(verb="get", resource="pods", namespace=namespace)
    yield Right(verb="patch", resource="pods", namespace=namespace)
    if deletes:
        yield Right(verb="delete", resource="pods", namespace=namespace)
    else:
        yield Right(verb="create", resource="pods", subresource="eviction", namespace=namespace)
    yield from _leases(namespace)


def _leases(namespace: str | None) -> list[Right]:
    return [Right(verb=verb, group=_LEASE_GROUP, resource="leases", namespace=namespace) for verb in _LEASE_VERBS]


def _daemon_sets(namespace: str | None) -> Right:
    return Right(verb="get", group="apps", resource="daemonsets", namespace=namespace)


def _tried(namespace: str | None) -> dict[Right, str]:
    """Return the rights to kinds that few clusters serve: policies apply across namespaces, exports are of one."""
    policies = ((group, resource) for group, resources in POLICY_KINDS.items() for resource in resources)
    exports = (Right(verb="list", group=api, resource="serviceexports", namespace=namespace) for api in EXPORTING)
    return {**dict.fromkeys(_reading(None, *policies), _UNSEEN_POLICIES), **dict.fromkeys(exports, _UNSEEN_EXPORTS)}


def _optional(namespace: str | None, *, nudges: bool) -> dict[Right, str]:
    patches = (
        Right(verb="patch", group=group, resource="targetgroupbindings", namespace=namespace)
        for group in (CONTROLLER_API, AUTO_MODE_API)
    )
    events = Right(verb="list", resource="events", namespace=namespace)
    lost = dict.fromkeys(patches, "bindings can't be nudged, which costs up to 15s a batch") if nudges else {}
    claims = [Right(verb=verb, resource="persistentvolumeclaims", namespace=namespace) for verb in ("list", "watch")]
    lost |= dict.fromkeys(claims, "each volume is taken for one that two pods can't share: its pod goes first")
    return {**lost, events: "failures can't be told in the words of their events"}
