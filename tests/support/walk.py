"""A cluster in miniature and in virtual time, that does what it is told and what clusters do by themselves.

It knows the truth (which slices and target groups still lead to a pod), shows a late view of it, and checks every
action against the truth. It shares no rule with what decides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from kubectl_safe.decide.actions import Action, AskEviction, Evict, Nudge, Release, Withdraw
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.marks import HANDOFF, WITHDRAWN, Handoff
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import EvictionAnswer, Snapshot
from kubectl_safe.model.target import State, Target, TargetHealth
from tests.support.builders import (
    NOT_REGISTERED,
    NOW,
    a_binding,
    a_deployment,
    a_group,
    a_pod,
    a_replica_set,
    a_service,
    a_target,
    an_endpoint,
    arn,
    uid,
)

TICK = timedelta(seconds=2)


@dataclass(kw_only=True)
class Sim:
    """The truth of one pod; instants are None where they have not come."""

    name: str
    up_at: datetime
    controlled: bool = True
    handoff: Handoff | None = None
    listed: bool = False
    registered_at: datetime | None = None
    withdrawn_at: datetime | None = None
    left_slices_at: datetime | None = None
    gone_from_group_at: datetime | None = None
    stops_at: datetime | None = None


@dataclass(kw_only=True)
class Walk:
    """One handoff from its first look to its end."""

    replicas: int
    surge: int
    settings: Settings
    planned: int
    delay: timedelta
    crashes: int
    """How many pods may still fail, and come back."""
    random: Random
    at: datetime = NOW
    pods: dict[str, Sim] = field(default_factory=dict)
    created: int = 0
    has_crashed: bool = False
    evicted: list[str] = field(default_factory=list)
    health: dict[Target, TargetHealth] = field(default_factory=dict)
    asked_at: datetime = NOW - timedelta(minutes=1)
    absent_since: dict[str, datetime] = field(default_factory=dict)
    withdrawn_since: dict[str, datetime] = field(default_factory=dict)
    answers: dict[str, EvictionAnswer] = field(default_factory=dict)
    nudged_at: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def run(self, *, at_most: timedelta) -> None:
        """Hand over the planned pods, and check every action on the way."""
        for _ in range(self.replicas):
            self._create(up_at=self.at - timedelta(minutes=5))
        for sim in self.pods.values():
            sim.registered_at = sim.up_at
        workload = reference_to(a_deployment())
        plan = tuple(
            Planned(uid=uid(name), namespace="shop", name=name, node="node-1", workload=workload)
            for name in list(self.pods)[: self.planned]
        )
        intent = Intent(pods=plan, settings=self.settings)
        while self.at - NOW < at_most:
            outcome = next_actions(self._look(), intent)
            if outcome.is_done:
                assert not intent.uids & {uid(name) for name in self.pods}
                return
            self._check_floor([a for a in outcome.actions if isinstance(a, Withdraw)])
            for action in outcome.actions:
                self._act(action, intent)
            self.at += TICK
            self._live()
        waits = {p.name: outcome.decisions[p.uid] for p in plan}
        raise AssertionError(f"not done after {at_most}: {waits}")

    def _check_floor(self, withdrawals: list[Withdraw]) -> None:
        """Claim I1: those that leave at once leave enough behind.

        One that came back since its target was asked for goes as it was seen: out of service, and without a floor.
        """
        serving = {name for name, sim in self.pods.items() if self._serves(sim)}
        seen = {name for name in serving if (told := self.health.get(a_target(name))) and told.is_healthy}
        floors = [self._floor(action.pod) for action in withdrawals if action.pod.name in seen]
        for gone, owed in enumerate(sorted(floors, reverse=True), start=1):
            assert len(serving) - gone >= owed, f"{len(serving)} serve, {gone} leave, {owed} are owed"

    def _floor(self, pod: Pod) -> int:
        unavailable = self.settings.max_unavailable
        assert unavailable is None or isinstance(unavailable, int)
        floor = self.replicas - (1 if unavailable is None and pod.handoff is None else unavailable or 0)
        return min(floor, pod.handoff.in_service) if pod.handoff and self.has_crashed else floor

    def _act(self, action: Action, intent: Intent) -> None:
        match action:
            case Release(pod=pod, drop=drop, in_service=count):
                sim = self.pods[pod.name]
                assert sim.handoff is None
                sim.handoff = Handoff(dropped={drop: pod.labels[drop]}, in_service=count)
            case Withdraw(pod=pod, drop=drop, in_service=count):
                sim = self.pods[pod.name]
                assert sim.withdrawn_at is None
                known = sim.handoff or Handoff(dropped={}, in_service=count)
                sim.handoff = replace(known, dropped={**known.dropped, **{key: pod.labels[key] for key in drop}})
                sim.withdrawn_at, sim.controlled = self.at, False
            case AskEviction(pod=pod):
                is_allowed = self.random.random() < 0.9
                self.answers[pod.uid] = EvictionAnswer(at=self.at, is_dry_run=True, is_allowed=is_allowed)
            case Evict(pod=pod):
                self._evict(pod, intent)
            case Nudge(binding=binding):
                last = self.nudged_at.get((binding.namespace, binding.name))
                assert last is None or self.at - last >= timedelta(seconds=5)
                self.nudged_at[binding.namespace, binding.name] = self.at
            case _:
                raise AssertionError(f"{action} was not called for")

    def _evict(self, pod: Pod, intent: Intent) -> None:
        """Claim I2 and I4."""
        sim = self.pods[pod.name]
        assert pod.uid in intent.uids, "only planned pods are evicted"
        assert sim.stops_at is None, "a pod that terminates is not evicted again"
        assert sim.left_slices_at is not None, "a pod in a slice is not evicted"
        assert self.settings.settle is not None
        assert self.at - sim.left_slices_at >= self.settings.settle, "a pod settles before it is evicted"
        assert sim.registered_at is None or (sim.gone_from_group_at or self.at + TICK) <= self.at, "a target is left"
        is_allowed = self.random.random() < 0.9
        self.answers[pod.uid] = EvictionAnswer(at=self.at, is_dry_run=False, is_allowed=is_allowed)
        if is_allowed:
            assert pod.name not in self.evicted, "a pod is evicted once"
            self.evicted.append(pod.name)
            sim.stops_at = self.at + TICK * self.random.randint(0, 5)

    def _live(self) -> None:
        """Let the controllers, the load balancer and fate do what they do by themselves."""
        for sim in list(self.pods.values()):
            if sim.stops_at and sim.stops_at <= self.at:
                del self.pods[sim.name]
                continue
            if sim.handoff and self.random.random() < 0.8:
                sim.controlled = False
            self._publish(sim)
        owned = sum(sim.controlled for sim in self.pods.values())
        for _ in range(self.replicas - owned):
            self._create(up_at=self.at + TICK * self.random.randint(0, 10))
        if self.crashes and self.random.random() < 0.05:
            self.crashes -= 1
            self.has_crashed = True
            victim = self.random.choice(list(self.pods.values()))
            victim.up_at = self.at + TICK * self.random.randint(1, 10)

    def _publish(self, sim: Sim) -> None:
        if sim.withdrawn_at is None:
            sim.listed = sim.listed or self.random.random() < 0.7
            if sim.registered_at is None and sim.listed and sim.up_at <= self.at and self.random.random() < 0.7:
                sim.registered_at = self.at
        elif sim.left_slices_at is None and self.random.random() < 0.6:
            sim.left_slices_at, sim.listed = self.at, False
            if sim.registered_at:
                sim.gone_from_group_at = self.at + self.delay + TICK * self.random.randint(0, 3)

    def _create(self, *, up_at: datetime) -> None:
        self.created += 1
        name = f"web-{self.created}"
        self.pods[name] = Sim(name=name, up_at=up_at, listed=up_at < self.at)

    def _is_healthy(self, sim: Sim) -> bool:
        registered = sim.registered_at
        return bool(registered and registered + 2 * TICK <= self.at and sim.up_at <= self.at)

    def _serves(self, sim: Sim) -> bool:
        is_leaving = sim.withdrawn_at or sim.stops_at
        return sim.listed and self._is_healthy(sim) and not is_leaving

    def _look(self) -> Snapshot:
        pods = {uid(sim.name): self._show(sim) for sim in self.pods.values()}
        if self.at - self.asked_at >= timedelta(seconds=5) and self.random.random() < 0.9:
            self.asked_at = self.at
            self.health |= dict(self._ask())
        listed = {uid(sim.name) for sim in self.pods.values() if sim.listed}
        self.absent_since = {u: self.absent_since.get(u, self.at) for u in pods if u not in listed}
        self.withdrawn_since |= {
            u: self.at for u, pod in pods.items() if pod.is_withdrawn and u not in self.withdrawn_since
        }
        deployment = a_deployment(replicas=self.replicas, max_surge=self.surge)
        replica_set = a_replica_set()
        return Snapshot(
            at=self.at,
            pods=pods,
            deployments={deployment.uid: deployment},
            replica_sets={replica_set.uid: replica_set},
            services=(a_service(),),
            endpoints=tuple(an_endpoint(pods[u], ready=pods[u].is_ready) for u in sorted(listed)),
            bindings=(a_binding(),),
            groups={arn(): a_group(delay=self.delay.total_seconds())},
            health=dict(self.health),
            absent_since=dict(self.absent_since),
            withdrawn_since=dict(self.withdrawn_since),
            answers=dict(self.answers),
            nudged_at=dict(self.nudged_at),
        )

    def _ask(self) -> Iterator[tuple[Target, TargetHealth]]:
        for sim in self.pods.values():
            state, reason = State.UNUSED, NOT_REGISTERED
            if sim.gone_from_group_at:
                if self.at < sim.gone_from_group_at:
                    state, reason = State.DRAINING, "Target.DeregistrationInProgress"
            elif sim.registered_at:
                state, reason = (State.HEALTHY if self._is_healthy(sim) else State.INITIAL), ""
            yield a_target(sim.name), TargetHealth(state=state, reason=reason, asked_at=self.at)

    def _show(self, sim: Sim) -> Pod:
        pod = a_pod(sim.name, ready=sim.up_at <= self.at, gates={}, since=sim.up_at)
        dropped = sim.handoff.dropped if sim.handoff else {}
        labels = {key: value for key, value in pod.labels.items() if key not in dropped}
        return replace(
            pod,
            labels={**labels, WITHDRAWN: ""} if sim.withdrawn_at else labels,
            annotations={HANDOFF: sim.handoff.dumps()} if sim.handoff else {},
            owners=(pod.owners if sim.controlled else ()) + ((reference_to(a_deployment()),) if sim.handoff else ()),
            is_terminating=sim.stops_at is not None,
        )
