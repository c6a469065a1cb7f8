"""Observe: one snapshot of the cluster and its target groups, with what only a process that keeps looking can know."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from kubectl_safe.decide.health import POLL, Wish
from kubectl_safe.kube.kinds import NODES, SLICES
from kubectl_safe.kube.observed import Observed
from kubectl_safe.model.governing import is_governing
from kubectl_safe.model.marks import HANDOFF
from kubectl_safe.model.network import Network
from kubectl_safe.model.service import Endpoint
from kubectl_safe.model.snapshot import EvictionAnswer, Snapshot
from kubectl_safe.model.target import (
    FoundGroup,
    GroupName,
    Role,
    Target,
    TargetGroup,
    TargetGroupBinding,
    TargetHealth,
    group_name,
)

if TYPE_CHECKING:
    from kubectl_safe.aws.errors import AwsError
    from kubectl_safe.model.event import Subject


_UNASKED = "its targetgroupbinding came meanwhile and tells no targetGroupARN; run the same command again"
"""Why there is no health of a target: names are looked up before the first write only."""


class ClusterView(Protocol):
    """What the watch caches hold."""

    def observe(self) -> Observed:
        """Return it as it is now."""


class HealthView(Protocol):
    """What target groups answered."""

    @property
    def health(self) -> Mapping[Target, TargetHealth]:
        """The latest answer for each target that was asked for."""

    @property
    def errors(self) -> Mapping[str, str]:
        """Why a target group (by ARN) could not be asked."""

    @property
    def heard(self) -> "Mapping[str, AwsError | None]":
        """What came of the last question to each group (by ARN) that was asked; None for an answer."""

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Say what is to be asked from now on, by ARN."""


class WorkloadView(Protocol):
    """Which workloads are ours to work on."""

    @property
    def taken(self) -> Mapping[str, str]:
        """Workloads (by UID) that are not, and in words who has them."""

    def keep(self, workloads: Iterable[str]) -> None:
        """Say which workloads (by UID) are still worked on."""


@dataclass(kw_only=True)
class Memory:
    """What was observed over time, by this process and since it began."""

    absent_since: dict[str, datetime] = field(default_factory=dict)
    withdrawn_since: dict[str, datetime] = field(default_factory=dict)
    excluded_since: dict[str, datetime] = field(default_factory=dict)
    ready_since: dict[str, datetime] = field(default_factory=dict)
    answers: dict[str, EvictionAnswer] = field(default_factory=dict)
    nudged_at: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    touched_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    woken_at: dict[tuple[str, str], datetime] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)


class Observer:
    """Makes snapshots."""

    def __init__(self, cluster: ClusterView, *, now: Callable[[], datetime]) -> None:
        self._cluster = cluster
        self._now = now
        self.target_health: HealthView | None = None
        self.begin_to_ask: Callable[[], object] | None = None
        """Sets `target_health`, where nobody had to before: a binding may be added in the middle of a run."""
        self.holdings: WorkloadView | None = None
        self.groups: Mapping[str, TargetGroup] = {}
        self.found: Mapping[GroupName, FoundGroup] = {}
        """What AWS says of groups that bindings only name."""
        self.unseen: frozenset[str] = frozenset()
        """Target groups (ARNs) that can't be asked, and that the run goes on without."""
        self.kept_slices: frozenset[tuple[str, str]] = frozenset()
        """EndpointSlices (namespace and name) that others keep, and that the run does not wait for."""
        self.network = Network()
        self.warnings: Mapping[Subject, str] = {}
        """What was complained of, as far as it was asked for."""
        self.memory = Memory()
        self._unready: set[str] = set()
        self._handoffs: dict[str, str] = {}
        """What is noted on withdrawn pods, by UID."""
        self._began: datetime | None = None

    def look(self) -> Snapshot:
        """Return everything that is known now."""
        # The instant is taken first: what is seen afterwards may be newer than it says, never older.
        at = self._now()
        seen = self._cluster.observe()
        self._remember(seen, self._now())
        health, memory = self.target_health, self.memory
        bindings = tuple(_completed(binding, self.found) for binding in seen.bindings)
        errors = dict(health.errors) if health else {}
        snapshot = Snapshot(
            at=at,
            pods=seen.pods,
            replica_sets=seen.replica_sets,
            workloads=seen.workloads,
            nodes=seen.nodes,
            services=seen.services,
            endpoints=seen.endpoints,
            budgets=seen.budgets,
            policies=seen.policies,
            bindings=bindings,
            stale=seen.stale,
            groups=self.groups,
            health=dict(health.health) if health else {},
            roles=memory.roles,
            stale_health={group_name(b.group): _UNASKED for b in bindings if b.sought} | errors,
            unseen=self.unseen,
            kept_slices=self.kept_slices,
            network=self.network,
            health_max_age=_health_max_age(len(self.groups)),
            began=self._began,
            warnings=dict(self.warnings),
            taken=self.holdings.taken if self.holdings else {},
            # Copies: what is learned while a snapshot is acted on is of the next one.
            absent_since=dict(memory.absent_since),
            withdrawn_since=dict(memory.withdrawn_since),
            excluded_since=dict(memory.excluded_since),
            ready_since=dict(memory.ready_since),
            answers=dict(memory.answers),
            nudged_at=dict(memory.nudged_at),
            touched_at=dict(memory.touched_at),
            woken_at=dict(memory.woken_at),
        )
        memory.roles = snapshot.roles_by_group
        return snapshot

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Say what is to be asked of target groups from now on, by ARN."""
        if wishes and self.target_health is None and self.begin_to_ask:
            self.begin_to_ask()
        if self.target_health:
            self.target_health.want(wishes)

    def _remember(self, seen: Observed, at: datetime) -> None:
        """Note what was first seen now; `at` is not before it was seen, or waits that count from it would end early."""
        self._began = self._began or at
        places = (its for its in seen.endpoints if (its.namespace, its.slice) not in self.kept_slices)
        present = {place.pod_uid for place in places if not _is_kept(place, seen)}
        # Without a connection nobody sees a pod come back to a slice and leave it again: its absence begins anew.
        absent = () if SLICES in seen.stale else (uid for uid in seen.pods if uid not in present)
        self.memory.absent_since = {uid: self.memory.absent_since.get(uid, at) for uid in absent}
        # The same of a node that is included for a moment, and excluded again.
        excluded = () if NODES in seen.stale else (name for name, node in seen.nodes.items() if node.is_excluded)
        self.memory.excluded_since = {name: self.memory.excluded_since.get(name, at) for name in excluded}
        for uid, pod in seen.pods.items():
            # Withdrawn once more, from a Service that was changed to select it, it was in a slice in between: for how
            # short a time, nobody may have seen.
            if pod.is_withdrawn and self._handoffs.get(uid) != pod.annotations.get(HANDOFF, ""):
                self._handoffs[uid] = pod.annotations.get(HANDOFF, "")
                self.memory.withdrawn_since[uid] = at
            elif not pod.is_withdrawn:
                # Somebody may have taken the mark off: withdrawn with the same note, it is withdrawn anew.
                self._handoffs.pop(uid, None)
            if not pod.has_ready_containers:
                self._unready.add(uid)
            elif uid in self._unready:
                self._unready.discard(uid)
                self.memory.ready_since[uid] = at


def _completed(binding: TargetGroupBinding, found: Mapping[GroupName, FoundGroup]) -> TargetGroupBinding:
    its = found.get(binding.sought) if binding.sought else None
    return binding.completed(its) if its else binding


def _is_kept(endpoint: Endpoint, seen: Observed) -> bool:
    """Tell whether it is in the Service by which the pods of its StatefulSet find each other: it never leaves that."""
    pod = seen.pods.get(endpoint.pod_uid)
    return pod is not None and is_governing(endpoint, pod, seen.workloads)


def _health_max_age(groups: int) -> timedelta:
    """Return how old an answer may be: three polls, or longer where each of many groups has to wait its turn."""
    return max(3 * POLL, timedelta(seconds=groups))
