"""A cluster in memory and in virtual time: it implements what the run loop looks at, acts with and waits on.

It does what the real one is known to do after each write, after set delays, and nothing else. What a test scripts for
an action goes before that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from kubectl_safe.aws.errors import AwsError
from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    ExcludeNode,
    IncludeNode,
    Nudge,
    Record,
    Release,
    RemoveNudge,
    RemoveRecord,
    RemoveTouch,
    RemoveWake,
    Touch,
    Uncordon,
    Undo,
    Wake,
    Withdraw,
)
from kubectl_safe.decide.ending import Ending
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.health import Wish
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.observed import Observed
from kubectl_safe.kube.outcome import Done, Result
from kubectl_safe.model.marks import CORDONED, EXCLUDED, HANDOFF, OPERATION, TOUCH, WITHDRAWN, Handoff
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL, State, Target, TargetHealth
from kubectl_safe.model.workload import Node, ReplicaSet, Workload
from tests.support.builders import NOT_REGISTERED, NOW, a_deployment, a_pod, a_replica_set, a_service, an_endpoint, uid

LONGEST_RUN = timedelta(hours=3)


@dataclass
class World(Signal):
    """The cluster, its clock, the hands that write to it and the signal that tells of changes."""

    at: datetime = NOW
    pods: dict[str, Pod] = field(default_factory=dict)
    replica_sets: dict[str, ReplicaSet] = field(default_factory=dict)
    workloads: dict[str, Workload] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)
    services: tuple[Any, ...] = ()
    bindings: tuple[Any, ...] = ()
    budgets: tuple[Any, ...] = ()
    stale: frozenset[str] = frozenset()
    health: dict[Target, TargetHealth] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    heard: Mapping[str, AwsError | None] = field(default_factory=dict)
    start_seconds: float | None = 10
    """From a pod's creation to Ready; None never gets there."""
    slice_seconds: float = 0.5
    """From a pod's change to that of its EndpointSlices."""
    stop_seconds: float = 2
    scripted: dict[type, list[Result]] = field(default_factory=dict)
    """What comes of the next actions of a type, instead of being carried out."""
    before: Callable[[Action], None] = lambda _: None
    """Called before each action in earnest, to change the world in between."""
    done: list[Action] = field(default_factory=list)
    """Everything that was carried out."""
    tried: list[tuple[datetime, Action, bool]] = field(default_factory=list)
    """Everything that was sent: when, what, and whether as a dry run."""
    looks: int = 0
    wanted: Mapping[str, Wish] = field(default_factory=dict)
    _endpoints: dict[str, bool] = field(default_factory=dict)
    _due: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    _born: int = 100

    def __post_init__(self) -> None:
        self._sync()

    def now(self) -> datetime:
        return self.at

    def wait(self, timeout: float | None = None) -> bool:
        """Let time pass until something happens, `timeout` seconds at most."""
        until = self.at + timedelta(seconds=timeout or 0)
        assert self.at - NOW < LONGEST_RUN, "the run never ends"
        due = sorted((entry for entry in self._due if entry[0] <= until), key=lambda entry: entry[0])
        if not due:
            self.at = until
            return False
        self.at = max(self.at, due[0][0])
        self._due.remove(due[0])
        due[0][1]()
        return True

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Have something happen later."""
        self._due.append((self.at + timedelta(seconds=seconds), happen))

    def observe(self) -> Observed:
        self.looks += 1
        assert self.looks < 50_000, "the loop spins"
        return Observed(
            pods=dict(self.pods),
            replica_sets=dict(self.replica_sets),
            workloads=dict(self.workloads),
            nodes=dict(self.nodes),
            services=self.services,
            endpoints=tuple(
                an_endpoint(self.pods[key], service.name, ready=ready)
                for key, ready in self._endpoints.items()
                if key in self.pods
                for service in self.services
            ),
            budgets=self.budgets,
            bindings=self.bindings,
            stale=self.stale,
        )

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Answer what may be asked by now; the others when their time has come."""
        self.wanted = wishes

    def act(self, action: Action, *, dry_run: bool = False) -> Result:
        if not dry_run:
            self.before(action)
        self.tried.append((self.at, action, dry_run))
        script = self.scripted.get(type(action))
        if script:
            return script.pop(0)
        if not dry_run:
            self._carry_out(action)
            self.done.append(action)
        return Done()

    def add(self, *pods: Pod) -> None:
        """Put pods there, in their slices if they are ready; for more of a ReplicaSet's it was scaled up."""
        for pod in pods:
            if pod.uid not in self.pods and pod.controller and pod.controller.uid in self.replica_sets:
                self._scale(pod.controller.uid)
        self.pods |= {pod.uid: pod for pod in pods}
        self._sync()

    def _scale(self, uid: str) -> None:
        """Have a ReplicaSet keep one pod more, and so its Deployment."""
        known = self.replica_sets[uid]
        self.replica_sets[uid] = replace(known, replicas=known.replicas + 1)
        owner = self.workloads.get(known.owner.uid) if known.owner else None
        if owner:
            self.workloads[owner.uid] = replace(owner, replicas=owner.replicas + 1)

    def story(self, *kinds: type) -> list[str]:
        """Return what was carried out in order, as `Release web-1`; of these kinds, or all but questions."""
        kept = (a for a in self.done if (isinstance(a, kinds) if kinds else not isinstance(a, AskEviction)))
        return [f"{type(action).__name__} {_name(action)}" for action in kept]

    def when(self, kind: type) -> list[float]:
        """Return when actions of a kind were sent in earnest, in seconds since the beginning."""
        return [(at - NOW).total_seconds() for at, action, dry in self.tried if isinstance(action, kind) and not dry]

    def gaps(self, kind: type) -> list[float]:
        """Return the seconds between actions of a kind."""
        return [round(later - earlier, 3) for earlier, later in pairwise(self.when(kind))]

    def _carry_out(self, action: Action) -> None:
        match action:
            case Release():
                self._release(action)
            case Withdraw():
                self._withdraw(action)
            case Evict(pod=pod):
                ends = self.at + timedelta(seconds=pod.grace_period_seconds)
                self.pods[pod.uid] = replace(self.pods[pod.uid], is_terminating=True, deletion_timestamp=ends)
                self.after(self.stop_seconds, lambda: self._remove(pod))
            case Undo():
                self._undo(action)
            case Cordon() | Uncordon() | ExcludeNode() | IncludeNode() | Record() | RemoveRecord():
                self._mark(action)
            case RemoveTouch(pod=pod):
                self.pods[pod.uid] = replace(pod, annotations={k: v for k, v in pod.annotations.items() if k != TOUCH})
            case AskEviction() | Nudge() | RemoveNudge() | Touch() | Wake() | RemoveWake():
                pass

    def _release(self, action: Release) -> None:
        pod = self.pods[action.pod.uid]
        handoff = Handoff(dropped={action.drop: pod.labels[action.drop]}, in_service=action.in_service)
        self.pods[pod.uid] = replace(
            pod,
            labels={k: v for k, v in pod.labels.items() if k != action.drop},
            owners=(action.owner,),
            annotations={**pod.annotations, HANDOFF: handoff.dumps()},
        )
        self._create(pod)

    def _undo(self, action: Undo) -> None:
        """Give a pod back; its ReplicaSet deletes one that is not Ready for it, or else the youngest."""
        pod = self.pods[action.pod.uid]
        assert pod.handoff is not None
        controllers = (o for other in self.pods.values() for o in other.owners if o.is_controller)
        self.pods[pod.uid] = replace(
            pod,
            labels={**pod.labels, **pod.handoff.dropped},
            owners=(next(controllers),),
            annotations={k: v for k, v in pod.annotations.items() if k != HANDOFF},
        )
        owned = [other for other in self.pods.values() if other.controller is not None]
        if len(owned) > next(iter(self.workloads.values())).replicas:
            self._remove(min(owned, key=lambda other: other.is_ready))

    def _withdraw(self, action: Withdraw) -> None:
        pod = self.pods[action.pod.uid]
        known = pod.handoff
        dropped = {**(known.dropped if known else {}), **{key: pod.labels[key] for key in action.drop}}
        handoff = Handoff(dropped=dropped, in_service=known.in_service if known else action.in_service)
        labels = {k: v for k, v in pod.labels.items() if k not in action.drop}
        self.pods[pod.uid] = replace(
            pod,
            labels={**labels, WITHDRAWN: ""},
            annotations={**pod.annotations, HANDOFF: handoff.dumps()},
        )
        self.after(self.slice_seconds, self._sync)

    def _create(self, old: Pod) -> None:
        self._born += 1
        new = a_pod(f"web-{self._born}", ready=False, gates={}, node="node-9", since=self.at)
        new = replace(new, owners=old.owners, labels=old.labels)
        self.pods[new.uid] = new
        if self.start_seconds is not None:
            self.after(self.start_seconds, lambda: self._become_ready(new))

    def _become_ready(self, pod: Pod) -> None:
        self.pods[pod.uid] = replace(
            a_pod(pod.name, gates={}, since=self.at, node=pod.node), owners=pod.owners, labels=pod.labels
        )
        self.after(self.slice_seconds, self._sync)

    def _remove(self, pod: Pod) -> None:
        self.pods.pop(pod.uid, None)
        self._sync()

    def _mark(self, action: Cordon | Uncordon | ExcludeNode | IncludeNode | Record | RemoveRecord) -> None:
        match action:
            case ExcludeNode(node=node) | IncludeNode(node=node):
                is_excluded = isinstance(action, ExcludeNode)
                self.nodes[node.name] = _labelled(self.nodes[node.name], is_excluded=is_excluded)
            case Cordon(node=node):
                self.nodes[node.name] = replace(
                    node, is_unschedulable=True, annotations={**node.annotations, CORDONED: "now"}
                )
            case Uncordon(node=node):
                others = {key: value for key, value in node.annotations.items() if key != CORDONED}
                self.nodes[node.name] = replace(node, is_unschedulable=False, annotations=others)
            case Record(bearer=ReplicaSet() as owner, operation=operation):
                self.replica_sets[owner.uid] = replace(owner, annotations={OPERATION: operation.dumps()})
            case RemoveRecord(bearer=ReplicaSet() as owner):
                self.replica_sets[owner.uid] = replace(owner, annotations={})
            case _:
                raise AssertionError("this world has no StatefulSets")

    def _sync(self) -> None:
        """Let EndpointSlices follow the pods."""
        self._endpoints = {
            pod.uid: pod.is_ready
            for pod in self.pods.values()
            if any(service.selects(pod.namespace, pod.labels) for service in self.services)
        }


def a_world(*names: str, **changes: Any) -> World:
    """Return a world with Deployment `web`, its Service, and pods of these names on node-1; no load balancer."""
    pods = [a_pod(name, gates={}) for name in names or ("web-1", "web-2", "web-3")]
    values: dict[str, Any] = {
        "pods": {pod.uid: pod for pod in pods},
        "replica_sets": {uid("web-5d4f8c7b9"): a_replica_set(replicas=len(pods))},
        "workloads": {uid("web"): a_deployment(replicas=len(pods))},
        "nodes": {name: Node(name=name, resource_version="1") for name in ("node-1", "node-2")},
        "services": (a_service(),),
    }
    return World(**values | changes)


def _labelled(node: Node, *, is_excluded: bool) -> Node:
    """Return a node with our label and annotation, or without."""
    labels = {key: value for key, value in node.labels.items() if key != EXCLUDE_LABEL}
    annotations = {key: value for key, value in node.annotations.items() if key != EXCLUDED}
    if is_excluded:
        labels, annotations = {**labels, EXCLUDE_LABEL: "true"}, {**annotations, EXCLUDED: "now"}
    return replace(node, labels=labels, annotations=annotations)


def unused(asked_at: datetime) -> TargetHealth:
    """Return the answer for a target that is gone."""
    return TargetHealth(state=State.UNUSED, reason=NOT_REGISTERED, asked_at=asked_at)


@dataclass
class Heard:
    """An audience that remembers."""

    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    gone_pods: list[tuple[str, bool]] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    plans: list[Estimate] = field(default_factory=list)
    endings: list[Progress] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    ending: Ending | None = None
    ends: list[tuple[int, str]] = field(default_factory=list)

    def say(self, line: str) -> None:
        self.lines.append(line)

    def warn(self, message: str) -> None:
        self.warnings.append(message)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:  # noqa: ARG002 - Audience
        self.plans.append(estimate)

    def acted(self, action: Action) -> None:
        self.actions.append(action)

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:  # noqa: ARG002 - Audience
        self.outcomes.append(outcome)

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:  # noqa: ARG002 - Audience
        self.stops.append(why)

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        self.gone_pods.append((planned.name, was_evicted))

    def ended(self, progress: Progress, at: datetime) -> None:  # noqa: ARG002 - Audience
        self.endings.append(progress)

    def finished(self, code: int, error: str) -> None:
        self.ends.append((code, error))


def _name(action: Action) -> str:
    match action:
        case Cordon(node=node) | Uncordon(node=node) | ExcludeNode(node=node) | IncludeNode(node=node):
            return node.name
        case Record(bearer=owner) | RemoveRecord(bearer=owner):
            return owner.name
        case Nudge(binding=binding) | RemoveNudge(binding=binding):
            return binding.name
        case Wake(workload=workload) | RemoveWake(workload=workload):
            return workload.name
        case _:
            return action.pod.name
