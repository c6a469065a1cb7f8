"""Whole runs from seeds, on a cluster in miniature instead of API objects: what decides, and nothing that writes.

A run may be stopped, or killed between two writes and begun again or aborted by another process. Every action is held
against the truth. `python -m tests.support.abstract SEED` replays one, and tells what it did.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Self

from kubectl_safe.decide.aborting import plan_abort
from kubectl_safe.decide.actions import Action, AskEviction, Evict, Release, Undo, Withdraw
from kubectl_safe.decide.decision import Wait
from kubectl_safe.decide.giving_up import INTERRUPTED, Limits, Look, Troubles, give_up
from kubectl_safe.decide.health import POLL, Wish
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import EvictionAnswer
from kubectl_safe.model.target import Target, TargetHealth
from kubectl_safe.run.observer import Observer
from tests.support.abstract_scenario import DELAYS, Scenario, a_scenario
from tests.support.builders import NOW, a_group, arn, in_words
from tests.support.miniature import OWNER, PODS, TARGETS, Miniature

SECOND = timedelta(seconds=1)
GROUPS = {delay: {arn(): a_group(delay=delay.total_seconds())} for delay in DELAYS}

ANSWERED = 0.9
"""How likely a target group answers."""

LOOKS = 400
"""A run that needs more doesn't end."""

AT_MOST = timedelta(seconds=10)
"""From one look to the next, where nothing is known to change: deadlines are not told beforehand."""


@dataclass(kw_only=True)
class Answers:
    """What one process was told by the target group."""

    asked_at: datetime
    health: dict[Target, TargetHealth] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    heard: Mapping[str, None] = field(default_factory=dict)
    due: datetime | None = None
    """When it is asked next."""

    def want(self, wishes: Mapping[str, Wish]) -> None:
        """Say what is to be asked from now on."""
        wish = wishes.get(arn())
        self.due = None if wish is None else max(wish.not_before, self.asked_at + POLL)

    def ask(self, cluster: Miniature, *, is_answered: bool) -> None:
        """Ask if it is time to."""
        if self.due and self.due <= cluster.at:
            self.asked_at = cluster.at
            if is_answered:
                self.health |= cluster.ask()

    def is_healthy(self, uid: str) -> bool:
        """Tell whether a pod's target was last told to be healthy."""
        told = self.health.get(TARGETS[uid])
        return told is not None and told.is_healthy


@dataclass(kw_only=True)
class Run:
    """A run of a scenario, checked on the way."""

    scenario: Scenario
    cluster: Miniature
    random: Random
    say: Callable[[str], None] | None = None
    looks: int = 0
    evicted: list[str] = field(default_factory=list)
    """UIDs."""

    @classmethod
    def of(cls, seed: int, say: Callable[[str], None] | None = None) -> Self:
        """Return the run of a seed; `say` is told all that it does."""
        scenario, random = a_scenario(seed), Random(seed)
        cluster = Miniature(
            replicas=scenario.replicas,
            surge=scenario.surge,
            delay=scenario.delay,
            starting=scenario.starting,
            random=random,
        )
        return cls(scenario=scenario, cluster=cluster, random=random, say=say)

    @property
    def planned(self) -> list[str]:
        """The UIDs of the pods that are to be handed over."""
        return [pod.uid for pod in PODS[: self.scenario.planned]]

    def go(self) -> None:
        """Run until the end, and hold what must be held.

        Raises:
            AssertionError: an invariant is broken.
        """
        settings = self.scenario.settings
        plan = Intent(pods=tuple(_planned(pod) for pod in PODS[: self.scenario.planned]), settings=settings)
        end = self._work(plan)
        if end is None:
            self._live_until(self.cluster.at + timedelta(seconds=self.random.randint(2, 30)))
            if self.scenario.is_aborted:
                seen = Observer(self.cluster, now=lambda: self.cluster.at).look()
                plan = plan_abort(seen.pods.values(), seen, settings)
            end = self._work(plan)
        assert end is not None, "a run is killed once"
        self._check_end(end)

    def _work(self, intent: Intent) -> Intent | None:
        """Do as one process does; return what it gave up, too, or None where it is killed."""
        observer = Observer(self.cluster, now=lambda: self.cluster.at)
        observer.target_health = answers = Answers(asked_at=self.cluster.at - POLL)
        observer.groups = GROUPS[self.scenario.delay]
        progress, stop = Progress(intent=intent, began=self.cluster.at), ""
        while True:
            self._begin_look()
            stop = stop or (INTERRUPTED if self.looks == self.scenario.stop_at else "")
            snapshot = observer.look()
            outcome = next_actions(snapshot, intent)
            progress.count(snapshot, outcome)
            look = Look(intent=intent, outcome=outcome, progress=progress, snapshot=snapshot)
            further = give_up(look, Limits(), Troubles(stop=stop))
            if further is not intent:
                intent, outcome = further, next_actions(snapshot, further)
            if self.say:
                self._tell(outcome)
            if outcome.is_done:
                return intent
            answers.want(outcome.wishes)
            self._check_floor([a for a in outcome.actions if isinstance(a, Withdraw)], answers)
            is_killed = self.looks == self.scenario.kill_at
            lasts = self.random.randint(0, len(outcome.actions)) if is_killed else None
            for action in outcome.actions[:lasts]:
                self._act(action, observer.memory.answers)
            if is_killed:
                return None
            self._live_until(self._next_look(outcome, answers))
            answers.ask(self.cluster, is_answered=self.random.random() < ANSWERED)

    def _begin_look(self) -> None:
        """Claim I8, and let fate have its way."""
        self.looks += 1
        assert self.looks <= LOOKS, "it doesn't end"
        if self.looks in self.scenario.crashes and self.cluster.pods:
            self.cluster.crash()

    def _next_look(self, outcome: Outcome, answers: Answers) -> datetime:
        """Return when to look next: when anything can have changed, or a moment later."""
        now = self.cluster.at
        if outcome.actions:
            return now + SECOND * self.random.randint(0, 1)
        waits = [d.until for d in outcome.decisions.values() if isinstance(d, Wait)]
        due = [at for at in (self.cluster.next_change, answers.due, *waits) if at]
        at = min(max(min(due, default=now + AT_MOST), now + SECOND), now + AT_MOST)
        # Whole seconds: what happens in the same one takes one look.
        return at.replace(microsecond=0) + SECOND * self.random.randint(0 if at.microsecond == 0 else 1, 2)

    def _live_until(self, at: datetime) -> None:
        self.cluster.live_until(at)

    def _act(self, action: Action, answers: dict[str, EvictionAnswer]) -> None:
        """Claim I4, and do what is to be done."""
        match action:
            case Release(pod=pod, drop=drop, in_service=count):
                assert pod.uid in self.planned, "only planned pods are released"
                self.cluster.release(pod.uid, drop=drop, in_service=count)
            case Undo(pod=pod):
                self.cluster.undo(pod.uid)
            case Withdraw(pod=pod, drop=labels, in_service=count):
                self.cluster.withdraw(pod.uid, drop=labels, in_service=count)
            case AskEviction(pod=pod):
                answers[pod.uid] = self._answer(is_dry_run=True)
            case Evict(pod=pod):
                self._check_eviction(pod.uid)
                answers[pod.uid] = self._answer(is_dry_run=False)
                if answers[pod.uid].is_allowed:
                    self.evicted.append(pod.uid)
                    self.cluster.evict(pod.uid)
            case _:
                raise AssertionError(f"{action} was not called for")

    def _answer(self, *, is_dry_run: bool) -> EvictionAnswer:
        is_allowed = self.random.random() < self.scenario.is_allowed
        return EvictionAnswer(at=self.cluster.at, is_dry_run=is_dry_run, is_allowed=is_allowed)

    def _check_floor(self, withdrawals: list[Withdraw], answers: Answers) -> None:
        """Claim I1: those that leave at once leave enough behind, and never an empty target group.

        One that came back since its target was asked for goes as it was seen: out of service, and without a floor.
        """
        if not withdrawals:
            return
        serving = {uid for uid in self.cluster.pods if self.cluster.serves(uid)}
        floors = [self._floor(a.pod) for a in withdrawals if a.pod.uid in serving and answers.is_healthy(a.pod.uid)]
        for gone, owed in enumerate(sorted(floors, reverse=True), start=1):
            assert len(serving) - gone >= owed, f"{len(serving)} serve, {gone} leave, {owed} are owed"

    def _floor(self, pod: Pod) -> int:
        unavailable = self.scenario.settings.max_unavailable
        assert unavailable is None or isinstance(unavailable, int)
        floor = self.scenario.replicas - (1 if unavailable is None and pod.handoff is None else unavailable or 0)
        return max(1, min(floor, pod.handoff.in_service) if pod.handoff and self.cluster.has_lost else floor)

    def _check_eviction(self, uid: str) -> None:
        """Claim I2 and I4."""
        assert uid in self.planned, "only planned pods are evicted"
        assert uid not in self.evicted, "a pod is evicted once"
        left, settle = self.cluster.left_slices_at(uid), self.scenario.settings.settle
        assert left is not None, "a pod in a slice is not evicted"
        assert settle is not None
        assert self.cluster.at - left >= settle, "a pod settles before it is evicted"
        assert not self.cluster.is_registered(uid), "a target is left before its pod is evicted"

    def _check_end(self, end: Intent) -> None:
        """Claim I3, I6 and I8: all is gone or given back, and as many serve as before."""
        left = [pod for pod in self.cluster.pods.values() if pod.is_released]
        assert not [pod for pod in left if pod.uid not in end.overdue], "nothing of ours is left"
        if end.uids and not end.given_up and not end.overdue:
            assert sorted(self.evicted) == self.planned, "all that was planned was evicted"
            assert not [uid for uid in self.planned if uid in self.cluster.pods], "all that was evicted is gone"
        self._live_until(self.cluster.at + timedelta(minutes=5))
        serving = sum(self.cluster.serves(uid) for uid in self.cluster.pods)
        assert serving >= self.scenario.replicas, f"{serving} of {self.scenario.replicas} serve in the end"

    def _tell(self, outcome: Outcome) -> None:
        assert self.say
        self.say(f"look {self.looks} at {self.cluster.at:%H:%M:%S}, {len(self.cluster.pods)} pods")
        for uid, decision in outcome.decisions.items():
            self.say(f"  {uid} is {outcome.steps[uid].value}: {in_words(decision)} {getattr(decision, 'why', '')}")


def _planned(pod: Pod) -> Planned:
    return Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node=pod.node or "", workload=OWNER)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        run = Run.of(int(argument), say=print)
        sys.stdout.write(f"{run.scenario}\n")
        run.go()
        sys.stdout.write(f"{run.looks} looks, {run.cluster.at - NOW} of virtual time\n")
