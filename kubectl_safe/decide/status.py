"""How it stands with pods, each by itself: its step, and every way by which requests get to it.

What is not known is told as that: a readiness gate that nobody set, a target that AWS was not asked for.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from kubectl_safe.decide.decision import Step
from kubectl_safe.decide.node_targets import NodeTarget, node_targets_of
from kubectl_safe.decide.step import step_of
from kubectl_safe.decide.target_words import reason_of
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.service import Endpoint
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import State, Target, TargetHealth, group_name
from kubectl_safe.model.workload import Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A readiness gate."""

    type: str
    condition: Condition | None
    """None while nobody has set it."""

    @property
    def value(self) -> str | None:
        """The `status` of its condition."""
        return self.condition.value if self.condition else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetStatus:
    """What a pod is in a target group, or its node in one that registers nodes."""

    target: Target
    health: TargetHealth | None
    """None where AWS was not asked, or has not answered."""
    why: str
    """The reason of its state, or why that is not known; empty where there is nothing to say."""
    is_of_node: bool = False
    """Whether it is the node's, and not the pod's own."""

    @property
    def group(self) -> str:
        """The name of its group."""
        return group_name(self.target.group)

    @property
    def state(self) -> str:
        """Its state as AWS calls it; `unknown` where it isn't known."""
        return self.health.state.value if self.health else "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodStatus:
    """How it stands with a pod."""

    pod: Pod
    workload: Workload | None
    step: Step | None
    """None for a pod that is not on its way, and not to be."""
    gates: tuple[Gate, ...]
    places: tuple[Endpoint, ...]
    """In EndpointSlices."""
    targets: tuple[TargetStatus, ...]

    @property
    def ready(self) -> Gate:
        """Its condition `Ready`, in the form of a gate."""
        return Gate(type="Ready", condition=self.pod.conditions.get("Ready"))

    @property
    def is_steady(self) -> bool:
        """Whether it is in no handoff, and in service wherever requests get to it, as far as that is known."""
        places = all(its.is_ready and not its.is_terminating for its in self.places)
        targets = all(its.health is None or its.health.state is State.HEALTHY for its in self.targets)
        gates = all(its.condition and its.condition.is_true for its in self.gates)
        is_serving = self.pod.is_finished or (self.pod.is_ready and gates and places and targets)
        return self.step in {None, Step.QUEUED} and is_serving

    @property
    def why_not_ready(self) -> str:
        """Why it is not Ready, in a word; empty where it is, or nobody says."""
        if self.pod.is_ready:
            return ""
        ready = self.ready.condition
        return self.pod.waiting_reason or (ready.reason if ready else "")


def by_urgency(pods: Iterable[PodStatus]) -> tuple[PodStatus, ...]:
    """Return those first that are in a handoff or not fully in service, and otherwise keep the order."""
    return tuple(sorted(pods, key=lambda its: its.is_steady))


def status_of(pods: Iterable[Pod], snapshot: Snapshot, *, queued: Collection[str] = ()) -> tuple[PodStatus, ...]:
    """Return how it stands with pods, in their order; `queued` are the UIDs of those that a run is yet to begin."""
    return tuple(_status(pod, snapshot, is_queued=pod.uid in queued) for pod in pods)


def _status(pod: Pod, snapshot: Snapshot, *, is_queued: bool) -> PodStatus:
    step = step_of(pod)
    places = snapshot.endpoints_by_pod.get(pod.uid, ())
    return PodStatus(
        pod=pod,
        workload=snapshot.workload_of(pod),
        step=None if step is Step.QUEUED and not is_queued else step,
        gates=tuple(Gate(type=gate, condition=pod.conditions.get(gate)) for gate in pod.readiness_gates),
        places=tuple(sorted(places, key=lambda place: (place.service, place.address_type, place.slice))),
        targets=(
            *(_target(target, snapshot) for target in snapshot.targets_of(pod)),
            *(_node_target(its, snapshot) for its in node_targets_of(pod, snapshot)),
        ),
    )


def _node_target(its: NodeTarget, snapshot: Snapshot) -> TargetStatus:
    if its.unknown:
        return TargetStatus(target=its.target, health=None, why=its.unknown, is_of_node=True)
    return replace(_target(its.target, snapshot), is_of_node=True)


def _target(target: Target, snapshot: Snapshot) -> TargetStatus:
    # An answer is shown however old it is, as nobody asks all the time for what drains; that AWS fails is told with it.
    health, trouble = snapshot.health.get(target), snapshot.stale_health.get(target.group, "")
    if target.group in snapshot.unseen:
        return TargetStatus(target=target, health=None, why="its group can't be asked")
    if health is None:
        return TargetStatus(target=target, health=None, why=trouble or "AWS has not answered yet")
    last = f"last known; {trouble}" if trouble else ""
    return TargetStatus(
        target=target, health=health, why="; ".join(filter(None, (_reason(health, target, snapshot), last)))
    )


def _reason(health: TargetHealth, target: Target, snapshot: Snapshot) -> str:
    # What AWS says beside the reasons of other states only repeats them.
    is_unhealthy = health.state in {State.UNHEALTHY, State.UNHEALTHY_DRAINING}
    return reason_of(health, snapshot.groups.get(target.group)) if is_unhealthy else health.reason
