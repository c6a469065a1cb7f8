"""The one question of the run loop: what is to be done now, and what does everyone else wait for?"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kubectl_safe.decide.actions import Action, Evict, Nudge, RemoveNudge, RemoveTouch
from kubectl_safe.decide.alone import decide_alone
from kubectl_safe.decide.budgets import touches
from kubectl_safe.decide.decision import Act, Blocked, Decision, For, Gone, Left, Skipped, Step, Wait
from kubectl_safe.decide.handoff import Handoffs
from kubectl_safe.decide.health import POLL, Wish, both, wishes
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.policies import policy_change
from kubectl_safe.decide.remedies import with_remedy
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.stateful import after_it_is_gone, wakes, wakes_to_remove
from kubectl_safe.decide.step import skipped, step_of, stopping
from kubectl_safe.decide.unseen import waits_for_gate
from kubectl_safe.decide.warnings import in_their_words
from kubectl_safe.decide.withdrawal import finish, withdraw
from kubectl_safe.model.marks import TOUCH
from kubectl_safe.model.pod import OwnerReference, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload

LEAVING = frozenset({Step.WITHDRAWN, Step.TERMINATING})
"""The steps from which a pod only goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one look at the cluster led to."""

    decisions: Mapping[str, Decision]
    """By UID, in the order of the plan."""
    steps: Mapping[str, Step]
    """By UID: where each planned pod is."""
    chores: tuple[Action, ...] = ()
    """Writes that are no step of a pod: nudges, touches, and taking both away in the end."""
    wishes: Mapping[str, Wish] = field(default_factory=dict)
    """What to ask of target groups, by ARN."""
    in_service: Mapping[str, int] = field(default_factory=dict)
    """Pods in service by UID of the workload, where it is known of each of its pods."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Everything to be done now; chores first, as a budget is counted anew only while who left it is there."""
        return self.chores + tuple(d.action for d in self.decisions.values() if isinstance(d, Act))

    @property
    def is_done(self) -> bool:
        """Whether every pod is gone, given up or skipped, and nothing of ours is left to take away."""
        return not self.chores and all(isinstance(d, Gone | Left | Skipped) for d in self.decisions.values())


def next_actions(snapshot: Snapshot, intent: Intent) -> Outcome:
    """Decide on every planned pod and on the chores that go with them."""
    alive = {planned.uid: pod for planned in intent.pods if (pod := snapshot.pods.get(planned.uid))}
    steps = {planned.uid: step_of(alive.get(planned.uid)) for planned in intent.pods}
    if snapshot.stale:
        held = _hold(intent, snapshot)
        return Outcome(decisions={p.uid: _ended(p, held[p.uid], intent) for p in intent.pods}, steps=steps)
    decisions: dict[str, Decision] = {}
    in_service: dict[str, int] = {}
    apart = _skipped(alive, snapshot, intent)
    slots, leaving = _draining_slots(intent, steps, apart), set[str]()
    draining = [pod for uid, pod in alive.items() if steps[uid] in LEAVING and uid not in {*intent.overdue, *apart}]
    workloads = _workloads(intent, alive, snapshot)
    for workload, pods in workloads:
        handoffs = Handoffs(
            workload=workload,
            snapshot=snapshot,
            settings=intent.settings,
            draining_slots=slots,
            leaving=leaving,
            given_up=intent.given_up,
            draining=draining,
        )
        decisions |= handoffs.decide(pods)
        slots = handoffs.draining_slots
        if handoffs.in_service_before is not None:
            in_service[workload.uid] = handoffs.in_service_before
    ordered, rooms = {}, dict[tuple[str, str], str]()
    for planned in intent.pods:
        decision = apart.get(planned.uid) or decisions.get(planned.uid)
        decision = decision or _without_workload(planned, alive, snapshot, intent)
        told = with_remedy(planned, in_their_words(planned, decision, snapshot), snapshot, intent, rooms=rooms)
        ordered[planned.uid] = _ended(planned, told, intent)
    is_under_way = not all(isinstance(decision, Gone | Left | Skipped) for decision in ordered.values())
    return Outcome(
        decisions=ordered,
        steps=steps,
        chores=tuple(_chores(intent, workloads, snapshot, is_under_way=is_under_way)),
        wishes=_wishes(workloads, [pod for uid, pod in alive.items() if uid not in decisions], snapshot, intent),
        in_service=in_service,
    )


def _hold(intent: Intent, snapshot: Snapshot) -> dict[str, Decision]:
    why = f"the watch on {', '.join(sorted(snapshot.stale))} is interrupted; what is known may be over"
    return {p.uid: Wait(on=For.CACHE, why=why) for p in intent.pods}


def _ended(planned: Planned, decision: Decision, intent: Intent) -> Decision:
    """End the wait for a pod that is overdue; one whose eviction may be asked for now still gets it."""
    why = intent.overdue.get(planned.uid)
    if why is None or isinstance(decision, Gone | Skipped):
        return decision
    if isinstance(decision, Act) and isinstance(decision.action, Evict):
        return decision
    return Left(why=why)


def _workloads(intent: Intent, alive: Mapping[str, Pod], snapshot: Snapshot) -> list[tuple[Workload, list[Pod]]]:
    """Return each workload that still is, with its planned pods that still are, in the order of the plan.

    One that is being deleted is none: a pod that is released to it now would be garbage collected with it, even where
    the pods that it had are spared. Those are set free first, and that may be seen before its deletion is.
    """
    freed = {p.workload.uid for p in intent.pods if p.workload and _is_freed(alive.get(p.uid), p.workload)}
    found: dict[str, list[Pod]] = {}
    for planned in intent.pods:
        workload = planned.workload
        if workload and planned.uid in alive and workload.uid not in freed and _is_there(workload, snapshot):
            found.setdefault(workload.uid, []).append(alive[planned.uid])
    return [(snapshot.workloads[uid], pods) for uid, pods in found.items()]


def _is_freed(pod: Pod | None, workload: OwnerReference) -> bool:
    """Tell whether a pod has lost the owner that its release gave it; a StatefulSet itself may take that from it."""
    return pod is not None and pod.is_released and not pod.owners and workload.kind != "StatefulSet"


def _is_there(owner: OwnerReference, snapshot: Snapshot) -> bool:
    workload = snapshot.workloads.get(owner.uid)
    return workload is not None and not workload.is_terminating


def _without_workload(planned: Planned, alive: Mapping[str, Pod], snapshot: Snapshot, intent: Intent) -> Decision:
    """Decide on a pod to which no replacement is owed: one without a handoff, or whose Deployment is gone."""
    pod = alive.get(planned.uid)
    if pod is None:
        return after_it_is_gone(planned, snapshot)
    if pod.is_terminating:
        return stopping(pod)
    if step_of(pod) is Step.QUEUED and planned.uid in intent.given_up:
        return Left(why=intent.given_up[planned.uid])
    if planned.workload is None:
        return policy_change(pod, None, intent.settings, snapshot) or decide_alone(pod, snapshot, intent.settings)
    if planned.workload.uid in snapshot.taken:
        return Wait(on=For.LEASE, why=snapshot.taken[planned.workload.uid])
    return _of_gone_workload(pod, planned.workload, snapshot, intent.settings)


def _of_gone_workload(pod: Pod, workload: OwnerReference, snapshot: Snapshot, settings: Settings) -> Decision:
    if pod.is_withdrawn:
        return finish(pod, snapshot, settings, owner=workload)
    if _is_left_behind(pod, snapshot):
        why = (
            f"{workload.kind.lower()} {pod.namespace}/{workload.name} was deleted without its pods (--cascade=orphan): "
            "nobody can tell when they are replaced; delete them once others serve in their place"
        )
        return Blocked(reason="unknown-owner", why=why)
    # While it is there, whether it takes its pods with it is still to be seen.
    if step_of(pod) is Step.QUEUED or workload.uid in snapshot.workloads:
        state = "being deleted" if workload.uid in snapshot.workloads else "gone"
        why = f"{workload.kind.lower()} {workload.name} is {state}; pod {pod} is to be garbage collected"
        return Wait(on=For.TERMINATION, why=why)
    return withdraw(pod, snapshot, settings, owner=workload, in_service=0)


def _is_left_behind(pod: Pod, snapshot: Snapshot) -> bool:
    """Tell whether a pod was cut off from a workload that is gone, so that garbage collection spares it."""
    if not pod.owners:
        return True
    controller = pod.controller
    replica_set = snapshot.replica_sets.get(controller.uid) if controller else None
    return replica_set is not None and replica_set.owner is None


def _skipped(alive: Mapping[str, Pod], snapshot: Snapshot, intent: Intent) -> dict[str, Decision]:
    """Return the pods, by UID, that terminate for longer than is waited for: nobody else waits for their end either."""
    longest = intent.settings.skip_wait_for_delete
    found = {uid: skipped(pod, longest, snapshot.at) for uid, pod in alive.items()}
    return {uid: decision for uid, decision in found.items() if decision}


def _draining_slots(intent: Intent, steps: Mapping[str, Step], apart: Collection[str]) -> int | None:
    cap = intent.settings.max_draining
    if cap is None:
        return None
    handed_over = {p.uid for p in intent.pods if p.workload and p.uid not in apart}
    return cap - sum(s in LEAVING for uid, s in steps.items() if uid in handed_over)


def _chores(
    intent: Intent, workloads: Iterable[tuple[Workload, list[Pod]]], snapshot: Snapshot, *, is_under_way: bool
) -> Iterable[Action]:
    # Without the right to an annotation, one of an earlier run can't be taken away either.
    nudges, touched, woken = intent.settings.nudge, intent.settings.touch, intent.settings.wake
    if is_under_way:
        if woken:
            yield from wakes(intent, snapshot)
        if touched:
            yield from touches(intent.uids, snapshot)
        if nudges:
            yield from _nudges([d for d, _ in workloads if d.uid not in snapshot.taken], snapshot)
        return
    # Those of a run that died, too: nobody else takes them away, and nobody needs them once they were seen. What this
    # run has set it takes away also where it was denied to set more.
    ours = snapshot.nudged_at
    bindings = (b for b in snapshot.bindings if b.is_nudged and (nudges or b.key in ours))
    pods = (p for p in snapshot.pods.values() if TOUCH in p.annotations and (touched or snapshot.touched_at))
    yield from (RemoveNudge(binding=binding) for binding in bindings)
    yield from (RemoveTouch(pod=pod) for pod in pods)
    if woken or snapshot.woken_at:
        yield from wakes_to_remove(snapshot.workloads.values())


def _nudges(workloads: Iterable[Workload], snapshot: Snapshot) -> Iterable[Nudge]:
    """Return a nudge for each binding whose target AWS calls healthy while the gate isn't True yet.

    The AWS Load Balancer Controller looks at new targets every 15 s; a change of the binding makes it look at once.
    """
    waiting = {
        binding.key: binding
        for workload in workloads
        for pod in snapshot.pods_of(workload)
        if pod.unmet_gates and not pod.is_withdrawn and not pod.is_terminating
        for binding in snapshot.bindings_of(pod)
        if waits_for_gate(pod, binding)
        and (target := snapshot.target_in(binding, pod))
        and (health := snapshot.fresh_health(target))
        and health.is_healthy
    }
    for key, binding in waiting.items():
        last = snapshot.nudged_at.get(key)
        if last is None or snapshot.at - last >= POLL:
            yield Nudge(binding=binding)


def _wishes(
    workloads: Iterable[tuple[Workload, list[Pod]]], without: Iterable[Pod], snapshot: Snapshot, intent: Intent
) -> dict[str, Wish]:
    """Return what to ask of target groups for the pods of workloads, and for those whose workload is gone."""
    confirming, undoing = list[Pod](), list[Pod]()
    leaving = [pod for pod in without if pod.is_withdrawn]
    for workload, planned in workloads:
        serving = [pod for pod in planned if step_of(pod) in {Step.QUEUED, Step.RELEASED}]
        undoes = any(pod.is_released and pod.uid in intent.given_up for pod in serving)
        (undoing if undoes else confirming if serving else leaving).extend(snapshot.pods_of(workload))
    found: dict[str, Wish] = {}
    for asked in (
        wishes(confirming, confirms=True, snapshot=snapshot),
        wishes(undoing, confirms=True, undoes=True, snapshot=snapshot),
        wishes(leaving, confirms=False, snapshot=snapshot),
    ):
        for group, wish in asked.items():
            other = found.get(group)
            found[group] = wish if other is None else both(wish, other)
    return found
