"""Everything that is known at one instant. Every command shows and decides on this, and on nothing else."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TypeVar

from kubectl_safe.model.budget import Budget
from kubectl_safe.model.event import Subject
from kubectl_safe.model.governing import IDENTITY, governing_service_of, lost_by
from kubectl_safe.model.network import Network
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.policy import Policies
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.service import Endpoint, Service, ServicePort
from kubectl_safe.model.target import Role, Target, TargetGroup, TargetGroupBinding, TargetHealth, group_name
from kubectl_safe.model.workload import Node, ReplicaSet, Workload

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionAnswer:
    """What the Eviction API said of a pod when it was last asked, in a dry run or in earnest."""

    at: datetime
    is_dry_run: bool
    is_allowed: bool
    is_untried: bool = False
    """Whether it could not be asked, for a webhook on its way knows no dry run; it counts as allowed."""
    message: str = ""
    """The server's own words for a refusal."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The cluster and its target groups at `at`, with what was observed of them up to then."""

    at: datetime
    pods: Mapping[str, Pod] = field(default_factory=dict)
    """By UID."""
    replica_sets: Mapping[str, ReplicaSet] = field(default_factory=dict)
    """By UID."""
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    """By UID."""
    nodes: Mapping[str, Node] = field(default_factory=dict)
    """By name."""
    services: tuple[Service, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    budgets: tuple[Budget, ...] = ()
    policies: Policies = field(default_factory=Policies)
    bindings: tuple[TargetGroupBinding, ...] = ()
    groups: Mapping[str, TargetGroup] = field(default_factory=dict)
    """By ARN."""
    health: Mapping[Target, TargetHealth] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)
    """By ARN: what bindings named that were seen before, and may be gone by now."""
    stale: frozenset[str] = frozenset()
    """Kinds whose watch has no connection: what is known of them may be over."""
    stale_health: Mapping[str, str] = field(default_factory=dict)
    """Why a target group (by ARN) could not be asked, in AWS's words."""
    unseen: frozenset[str] = frozenset()
    """Target groups (ARNs) that can't be asked for want of rights or credentials, and that we go on without."""
    kept_slices: frozenset[tuple[str, str]] = frozenset()
    """EndpointSlices (namespace and name) that others keep, and that no pod is waited for to leave."""
    network: Network = field(default_factory=Network)
    began: datetime | None = None
    """When this process looked first: what it found then is older, nobody knows by how much."""
    absent_since: Mapping[str, datetime] = field(default_factory=dict)
    """Since when a pod (by UID) was seen in no EndpointSlice, without a break, by this process."""
    withdrawn_since: Mapping[str, datetime] = field(default_factory=dict)
    """When a pod (by UID) was first seen withdrawn, by this process."""
    excluded_since: Mapping[str, datetime] = field(default_factory=dict)
    """When a node (by name) was first seen excluded from load balancers, by this process."""
    ready_since: Mapping[str, datetime] = field(default_factory=dict)
    """When a pod (by UID) was seen to become ContainersReady, by this process."""
    answers: Mapping[str, EvictionAnswer] = field(default_factory=dict)
    """By pod UID."""
    nudged_at: Mapping[tuple[str, str, str], datetime] = field(default_factory=dict)
    """By the key of the binding."""
    touched_at: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """By namespace and name of the budget."""
    woken_at: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    """By namespace and name of the StatefulSet."""
    warnings: Mapping[Subject, str] = field(default_factory=dict)
    """What an object's last Warning event says, where that was asked for."""
    taken: Mapping[str, str] = field(default_factory=dict)
    """Workloads (by UID) whose Lease is not ours, and in words who has it."""
    health_max_age: timedelta = timedelta(seconds=15)
    """An older answer about a target's health is no answer."""

    @cached_property
    def pods_by_owner(self) -> Mapping[str, tuple[Pod, ...]]:
        """Pods by the UID of each owner reference, ordered by name."""
        found: dict[str, list[Pod]] = {}
        for pod in sorted(self.pods.values(), key=lambda p: (p.namespace, p.name)):
            for owner in pod.owners:
                found.setdefault(owner.uid, []).append(pod)
        return {uid: tuple(pods) for uid, pods in found.items()}

    @cached_property
    def endpoints_by_pod(self) -> Mapping[str, tuple[Endpoint, ...]]:
        """Places in EndpointSlices by pod UID."""
        return _grouped(self.endpoints, lambda endpoint: endpoint.pod_uid)

    def endpoints_of(self, service: Service) -> tuple[Endpoint, ...]:
        """Return the places in a Service's EndpointSlices."""
        return self._endpoints_by_service.get((service.namespace, service.name), ())

    def template_of(self, pod: Pod) -> Labels | None:
        """Return the labels that the pod's controller creates its pods with; None where that isn't known.

        A StatefulSet adds the pod's own name and number, which it will have again.
        """
        owner = pod.controller
        if owner is None:
            return None
        its = self.replica_sets.get(owner.uid) or self.workloads.get(owner.uid)
        if its is None or its.template_labels is None:
            return None
        return {**{key: value for key, value in pod.labels.items() if key in IDENTITY}, **its.template_labels}

    def workload_of(self, pod: Pod) -> Workload | None:
        """Return the workload whose pod this is, also after its release; None for any other pod."""
        controller = self._workload(pod.controller)
        if controller is not None:
            return controller
        for owner in pod.owners:
            if owner.kind == "ReplicaSet" and owner.is_controller:
                replica_set = self.replica_sets.get(owner.uid)
                return self._workload(replica_set.owner) if replica_set else None
        if not pod.is_released:
            return None
        return next((d for owner in pod.owners if (d := self._workload(owner))), lost_by(pod, self.workloads))

    def pods_of(self, workload: Workload) -> tuple[Pod, ...]:
        """Return the pods of a workload, ordered by name.

        Released and withdrawn ones are among them, and those that were given back and are about to be adopted.
        """
        known = self._pods_by_workload.get(workload.uid)
        if known is None:
            known = self._pods_by_workload[workload.uid] = self._find_pods(workload)
        return known

    def replica_sets_of(self, workload: Workload) -> tuple[ReplicaSet, ...]:
        """Return the ReplicaSets of a workload; one that belongs to nothing that we know is a workload itself."""
        itself = self.replica_sets.get(workload.uid)
        return (itself,) if itself else self._replica_sets_by_owner.get(workload.uid, ())

    def selector_of(self, pod: Pod) -> LabelSelector | None:
        """Return what the pod's controller knows its pods by; None where it has none that we know."""
        controller = pod.controller
        if controller is None:
            return None
        its = self.replica_sets.get(controller.uid) or self.workloads.get(controller.uid)
        return its.selector if its else None

    def selectors_of(self, workload: Workload) -> tuple[LabelSelector, ...]:
        """Return what a workload adopts pods by that nobody owns; a StatefulSet tells those by their names, too."""
        if workload.kind == "DaemonSet":
            return (workload.selector,)
        return tuple(replica_set.selector for replica_set in self.replica_sets_of(workload))

    def adopters_in(self, namespace: str) -> tuple[ReplicaSet | Workload, ...]:
        """Return what adopts pods of a namespace that nobody controls by their labels alone."""
        return self._adopters.get(namespace, ())

    def budgets_of(self, pod: Pod) -> tuple[Budget, ...]:
        """Return the disruption budgets that the pod is under now."""
        known = self._budgets_by_namespace.get(pod.namespace, ())
        return tuple(budget for budget in known if budget.selects(pod.namespace, pod.labels))

    def services_of(self, pod: Pod) -> tuple[Service, ...]:
        """Return the Services that select the pod now."""
        return self._selecting(pod, pod.labels)

    def original_services_of(self, pod: Pod) -> tuple[Service, ...]:
        """Return the Services that select the pod, or did before its handoff."""
        return self._selecting(pod, pod.original_labels)

    def service(self, namespace: str, name: str) -> Service | None:
        """Return a Service; None where there is none of that name."""
        return next((service for service in self._services_in(namespace) if service.name == name), None)

    def services_to_leave(self, pod: Pod) -> tuple[Service, ...]:
        """Return the Services that lead requests to the pod now: all but the governing one of its StatefulSet."""
        kept = governing_service_of(pod, self.workloads)
        return tuple(service for service in self.services_of(pod) if service.name != kept)

    def bindings_of(self, pod: Pod) -> tuple[TargetGroupBinding, ...]:
        """Return the bindings whose Service selects the pod, or did before its handoff."""
        return tuple(
            binding
            for service in self.original_services_of(pod)
            for binding in self._bindings_by_service.get((service.namespace, service.name), ())
        )

    def target_in(self, binding: TargetGroupBinding, pod: Pod) -> Target | None:
        """Return what the pod is in a binding's group; None before it has an address, or without the port."""
        port = self._port_of(binding)
        number = port.number_in(pod) if port else None
        ip = pod.ip_of(is_ipv6=binding.is_ipv6)
        if number is None or ip is None or binding.target_type not in {"ip", ""}:
            return None
        # By a name alone nobody can ask: such a target is not known to be healthy, and not known to be gone.
        group = group_name(binding.group) if binding.sought else binding.group
        return Target(group=group, ip=ip, port=number)

    def node_port_of(self, binding: TargetGroupBinding) -> int | None:
        """Return the port of every node that a binding leads requests to; None where its Service has none."""
        port = self._port_of(binding)
        return port.node_port if port else None

    def targets_of(self, pod: Pod) -> tuple[Target, ...]:
        """Return what the pod is, or was before its handoff, in target groups: by bindings now and by what it notes."""
        return self._targets[pod.uid]

    def zone_of(self, pod: Pod) -> str:
        """Return the zone that a pod is in, by its EndpointSlices; empty where none tells."""
        return next((place.zone for place in self.endpoints_by_pod.get(pod.uid, ()) if place.zone), "")

    @cached_property
    def has_groups_of_nodes(self) -> bool:
        """Whether any binding has nodes for targets."""
        return any(binding.is_of_nodes for binding in self.bindings)

    @cached_property
    def roles_by_group(self) -> Mapping[str, Role]:
        """The roles to ask target groups (ARNs) with; of several bindings of a group the first one's that has any."""
        found = {b.group: b.role for b in sorted(self.bindings, key=lambda b: b.key, reverse=True) if b.role}
        return {**self.roles, **found}

    def fresh_health(self, target: Target) -> TargetHealth | None:
        """Return what is known of a target's health; None where it was not asked, or too long ago."""
        health = self.health.get(target)
        return health if health and self.at - health.asked_at <= self.health_max_age else None

    def pods_in_group(self, group: str) -> tuple[tuple[Pod, Target], ...]:
        """Return the pods that are, or were before their handoff, targets of a group (an ARN)."""
        return self._pods_by_group.get(group, ())

    @cached_property
    def _endpoints_by_service(self) -> Mapping[tuple[str, str], tuple[Endpoint, ...]]:
        return _grouped(self.endpoints, lambda endpoint: (endpoint.namespace, endpoint.service))

    @cached_property
    def _pods_by_workload(self) -> dict[str, tuple[Pod, ...]]:
        """Pods by the UID of each workload that was asked for: of thousands, few are."""
        return {}

    def _find_pods(self, workload: Workload) -> tuple[Pod, ...]:
        selectors = self.selectors_of(workload)
        owners = [workload.uid, *(r.uid for r in self.replica_sets_of(workload))]
        found = {pod.uid: pod for owner in owners for pod in self.pods_by_owner.get(owner, ())}
        for pod in self._orphans:
            if pod.namespace == workload.namespace and any(it.matches(pod.labels) for it in selectors):
                found[pod.uid] = pod
            if lost_by(pod, {workload.uid: workload}):
                found[pod.uid] = pod
        return tuple(sorted(found.values(), key=lambda p: p.name))

    @cached_property
    def _replica_sets_by_owner(self) -> Mapping[str, tuple[ReplicaSet, ...]]:
        return _grouped(self.replica_sets.values(), lambda its: its.owner.uid if its.owner else "")

    @cached_property
    def _adopters(self) -> Mapping[str, tuple[ReplicaSet | Workload, ...]]:
        daemon_sets = (its for its in self.workloads.values() if its.kind == "DaemonSet")
        adopters: Iterable[ReplicaSet | Workload] = (*self.replica_sets.values(), *daemon_sets)
        return _grouped(adopters, lambda its: its.namespace)

    @cached_property
    def _orphans(self) -> tuple[Pod, ...]:
        """Pods that nobody owns: a ReplicaSet adopts those that it selects."""
        return tuple(pod for pod in self.pods.values() if not pod.owners and not pod.is_terminating)

    @cached_property
    def _targets(self) -> Mapping[str, tuple[Target, ...]]:
        return {uid: self._find_targets(pod) for uid, pod in self.pods.items()}

    @cached_property
    def _pods_by_group(self) -> Mapping[str, tuple[tuple[Pod, Target], ...]]:
        found = ((self.pods[uid], target) for uid, targets in self._targets.items() for target in targets)
        return _grouped(found, lambda its: its[1].group)

    @cached_property
    def _budgets_by_namespace(self) -> Mapping[str, tuple[Budget, ...]]:
        return _grouped(self.budgets, lambda budget: budget.namespace)

    @cached_property
    def _services_by_namespace(self) -> Mapping[str, tuple[Service, ...]]:
        return _grouped(self.services, lambda service: service.namespace)

    @cached_property
    def _bindings_by_service(self) -> Mapping[tuple[str, str], tuple[TargetGroupBinding, ...]]:
        return _grouped(self.bindings, lambda binding: (binding.namespace, binding.service))

    def _port_of(self, binding: TargetGroupBinding) -> ServicePort | None:
        service = next((s for s in self._services_in(binding.namespace) if s.name == binding.service), None)
        return service.port(binding.service_port) if service else None

    def _services_in(self, namespace: str) -> tuple[Service, ...]:
        return self._services_by_namespace.get(namespace, ())

    def _selecting(self, pod: Pod, labels: Labels) -> tuple[Service, ...]:
        return tuple(s for s in self._services_in(pod.namespace) if s.selects(pod.namespace, labels))

    def _find_targets(self, pod: Pod) -> tuple[Target, ...]:
        found = {t for binding in self.bindings_of(pod) if (t := self.target_in(binding, pod))}
        handoff = pod.handoff
        ip = pod.ip_of(is_ipv6=False)
        if handoff and ip:
            found |= {Target.from_note(note, ip) for note in handoff.targets}
        return tuple(sorted(found))

    def _workload(self, owner: OwnerReference | None) -> Workload | None:
        return self.workloads.get(owner.uid) if owner else None


def _grouped(items: Iterable[_V], key: Callable[[_V], _K]) -> dict[_K, tuple[_V, ...]]:
    found: dict[_K, list[_V]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return {name: tuple(its) for name, its in found.items()}
