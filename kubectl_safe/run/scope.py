"""What commands that only look are about: all of a namespace, or of all of them, or what is named or labelled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from kubectl_safe.decide.check.leftovers import is_readable
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node, Workload

_Named = TypeVar("_Named", Pod, Workload, Node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What to look at: all of a namespace, or of all of them, or what is named or labelled of it."""

    namespace: str | None
    """None for all."""
    named: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Names by kind: `Deployment`, `Node`, `Pod`...; none for all of a kind."""
    selector: LabelSelector | None = None
    """Of the kinds that are named, or of pods."""

    @property
    def watched(self) -> str | None:
        """The namespace to watch; None for all, and nodes: pods of any may be on a node."""
        return None if "Node" in self.named else self.namespace

    def has(self, it: Pod | Workload | Node, labels: Labels) -> bool:
        """Tell whether something is in the namespace, and selected."""
        is_there = isinstance(it, Node) or self.namespace in {None, it.namespace}
        return is_there and (self.selector is None or self.selector.matches(labels))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What there is of a scope: workloads stand for their pods, and pods for their workloads."""

    workloads: tuple[Workload, ...]
    pods: tuple[Pod, ...]
    nodes: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """What is named and not there, such as `pods "web-1"`."""


def readable(snapshot: Snapshot) -> tuple[Snapshot, tuple[Pod, ...]]:
    """Return a snapshot without the pods whose marks can't be read, and these: nothing can be decided on them."""
    strange = tuple(pod for pod in snapshot.pods.values() if not is_readable(pod))
    if not strange:
        return snapshot, ()
    left = snapshot.pods.keys() - {pod.uid for pod in strange}
    return replace(snapshot, pods={uid: snapshot.pods[uid] for uid in snapshot.pods if uid in left}), strange


def choose(scope: Scope, snapshot: Snapshot) -> Chosen:
    """Return what there is of a scope, each once and in order."""
    if scope.named:
        return _named(scope, snapshot)
    pods = [pod for pod in snapshot.pods.values() if scope.has(pod, pod.original_labels)]
    if scope.selector is None:
        workloads = [its for its in snapshot.workloads.values() if scope.has(its, its.labels)]
    else:
        workloads = [w for pod in pods if (w := snapshot.workload_of(pod))]
    return _ordered(workloads, pods, snapshot.nodes if scope.namespace is None else ())


def _named(scope: Scope, snapshot: Snapshot) -> Chosen:
    nodes = [node for node in snapshot.nodes.values() if scope.has(node, node.labels)]
    nodes = _by_name(nodes, scope.named.get("Node"))
    pods = [pod for pod in snapshot.pods.values() if scope.has(pod, pod.original_labels)]
    pods = _by_name(pods, scope.named.get("Pod"))
    known: dict[str, Iterable[Pod | Workload | Node]] = {"Node": nodes, "Pod": pods}
    on_nodes = {node.name for node in nodes}
    pods = [*pods, *(pod for pod in snapshot.pods.values() if pod.node in on_nodes)]
    workloads = [w for pod in pods if (w := snapshot.workload_of(pod))]
    for kind in sorted(scope.named.keys() - {"Node", "Pod"}):
        of_kind = [w for w in snapshot.workloads.values() if w.kind == kind and scope.has(w, w.labels)]
        known[kind] = found = _by_name(of_kind, scope.named[kind])
        workloads += found
        pods += [pod for workload in found for pod in snapshot.pods_of(workload)]
    missing = tuple(
        called(kind, name)
        for kind, names in scope.named.items()
        for name in names
        if name not in {its.name for its in known[kind]}
    )
    return replace(_ordered(workloads, pods, [node.name for node in nodes]), missing=missing)


def called(kind: str, name: str) -> str:
    """Return what kubectl calls an object that is not there, such as `deployments.apps "web"`."""
    group = "" if kind in {"Node", "Pod", "ReplicationController"} else ".apps"
    return f'{kind.lower()}s{group} "{name}"'


def _by_name(known: Iterable[_Named], names: tuple[str, ...] | None) -> list[_Named]:
    """Return those of these names that are there, in that order; all where it is all of a kind that is named."""
    by_name = {its.name: its for its in known}
    return [] if names is None else [by_name[name] for name in names or by_name if name in by_name]


def _ordered(workloads: Iterable[Workload], pods: Iterable[Pod], nodes: Iterable[str]) -> Chosen:
    by_uid = {its.uid: its for its in workloads}
    return Chosen(
        workloads=tuple(sorted(by_uid.values(), key=lambda its: (its.namespace, its.name, its.kind))),
        pods=tuple(sorted({pod.uid: pod for pod in pods}.values(), key=lambda pod: (pod.namespace, pod.name))),
        nodes=tuple(nodes),
    )
