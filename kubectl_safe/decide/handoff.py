"""The handoff of the pods of one workload: who goes next, and what everyone else waits for.

A pod goes from queued to released to withdrawn to evicted to gone. A release can be taken back while that costs nobody
anything; there is no way back from a withdrawal. Where a pod is on that way is read off the pod; nothing is remembered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import assert_never

from kubectl_safe.decide.actions import AskEviction, Release
from kubectl_safe.decide.adoption import adoption
from kubectl_safe.decide.alone import ANSWER_MAX_AGE
from kubectl_safe.decide.budgets import exhausted_budget, has_left_since, spent_budget, stale_budget
from kubectl_safe.decide.decision import Act, Decision, For, Left, Step, Wait
from kubectl_safe.decide.floor import below_floor
from kubectl_safe.decide.group_floor import group_below_floor
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.owners import by_hand, reference_to
from kubectl_safe.decide.policies import policy_change
from kubectl_safe.decide.remedies import check, for_replacement
from kubectl_safe.decide.room import room_comes_free
from kubectl_safe.decide.service_floor import is_owed, service_below_floor
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.stateful import ordinal
from kubectl_safe.decide.step import release_label, step_of, stopping
from kubectl_safe.decide.undo import safe_undo
from kubectl_safe.decide.verdict import InService, OutOfService, Unknown, Verdict, is_changing, is_out_for_long, verdict
from kubectl_safe.decide.withdrawal import finish, wait_after_answer, withdraw
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload


@dataclass
class Handoffs:
    """Decides on the planned pods of one workload, one after the other, on one snapshot.

    What an earlier pod was allowed counts against the later ones, as if it had happened.
    """

    workload: Workload
    snapshot: Snapshot
    settings: Settings
    draining_slots: int | None
    """How many more pods may be withdrawn; None for any number."""
    leaving: set[str] = field(default_factory=set)
    """UIDs of pods that were allowed to leave since the snapshot was taken, of other workloads too."""
    given_up: Mapping[str, str] = field(default_factory=dict)
    """Why a pod (by UID) is to go no further where it can still stay."""
    draining: Sequence[Pod] = ()
    """Pods of any workload that are on their way out and waited for."""
    undone: set[str] = field(init=False, default_factory=set)
    """UIDs of pods that are given back at this instant."""
    verdicts: dict[str, Verdict] = field(init=False)
    extra: int = field(init=False)
    """Pods that serve beyond the wanted number because they were released."""
    strays: list[Pod] = field(init=False, default_factory=list)
    """Those of them that are not planned."""

    def __post_init__(self) -> None:
        pods = self.snapshot.pods_of(self.workload)
        self.verdicts = {pod.uid: verdict(pod, self.workload, self.snapshot) for pod in pods}
        self.extra = sum(step_of(pod) is Step.RELEASED for pod in pods)

    @property
    def in_service_before(self) -> int | None:
        """How many pods were in service when the snapshot was taken; None where one of them can't be told."""
        if any(isinstance(v, Unknown) for v in self.verdicts.values()):
            return None
        return sum(isinstance(v, InService) for v in self.verdicts.values())

    @cached_property
    def _remedy(self) -> str:
        """What helps where others are missing; the same for all that wait for them."""
        return for_replacement(self.workload, self.verdicts, self.snapshot)

    def decide(self, planned: Sequence[Pod]) -> dict[str, Decision]:
        """Return a decision for each planned pod, by UID.

        Those furthest along come first, and pods that are out of service before those that serve: moving them costs
        nothing. Among equals the highest number goes first, where pods have one: as their controller itself goes.
        """
        ours = {pod.uid for pod in planned}
        released = (p for p in self.snapshot.pods_of(self.workload) if step_of(p) is Step.RELEASED)
        self.strays = [pod for pod in released if pod.uid not in ours]
        order = [Step.TERMINATING, Step.WITHDRAWN, Step.RELEASED, Step.QUEUED]
        ranked = sorted(
            planned,
            key=lambda p: (
                order.index(step_of(p)),
                not isinstance(self.verdicts.get(p.uid), OutOfService),
                -(ordinal(p, self.workload) or 0),
            ),
        )
        return {pod.uid: self._decide(pod) for pod in ranked}

    def _decide(self, pod: Pod) -> Decision:
        match step_of(pod):
            case Step.TERMINATING:
                return stopping(pod)
            case Step.QUEUED if pod.uid in self.given_up:
                return self._stay(pod)
            case Step.WITHDRAWN | Step.RELEASED | Step.QUEUED if self.workload.uid in self.snapshot.taken:
                return Wait(on=For.LEASE, why=self.snapshot.taken[self.workload.uid])
            case Step.WITHDRAWN:
                return self._finish(pod)
            case Step.RELEASED | Step.QUEUED as step:
                return self._go_on(pod, step)
            case Step.GONE:
                raise AssertionError("a pod that is gone is not decided on")
            case _ as step:
                assert_never(step)

    def _finish(self, pod: Pod) -> Decision:
        """Finish a withdrawn pod; whoever leads requests to it again has to have others for them."""
        missing = self._below_floor(pod) if labels_to_withdraw(pod, self.snapshot) else ""
        if missing:
            why = f"a Service selects pod {pod} again, which is withdrawn; {missing}"
            return Wait(on=For.REPLACEMENT, why=why, remedy=self._remedy)
        return finish(pod, self.snapshot, self.settings, owner=reference_to(self.workload))

    def _go_on(self, pod: Pod, step: Step) -> Decision:
        """Decide on a pod that still serves."""
        if step is Step.QUEUED and pod.controller is None:
            why = f"pod {pod} is controlled by nothing, and bears no mark of a handoff"
            return Wait(on=For.RELEASE, why=why, remedy=by_hand(pod))
        if pod.uid not in self.verdicts:
            why = f"pod {pod} is of no ReplicaSet that {self.workload.subject} is known to have"
            return Wait(on=For.RELEASE, why=why, remedy=f"see kubectl describe pod {pod.name} -n {pod.namespace}")
        if step is Step.QUEUED:
            return self._start(pod)
        return self._give_back(pod) if pod.uid in self.given_up else self._withdraw_when_confirmed(pod)

    def _stay(self, pod: Pod) -> Decision:
        """Leave a pod that is given up, once its controller has it."""
        if pod.controller is None:
            why = f"pod {pod} was given back, and its controller has not adopted it yet"
            return Wait(on=For.UNDO, why=why, remedy=f"if it never does, {by_hand(pod)}")
        return Left(why=self.given_up[pod.uid])

    def _give_back(self, pod: Pod) -> Decision:
        """Take a release back; where that can't be done, the pod goes on, as nothing else can."""
        if undo := safe_undo(pod, self.workload, self.snapshot, undone=self.undone):
            self.undone.add(pod.uid)
            return Act(action=undo)
        onward = self._withdraw_when_confirmed(pod)
        if not isinstance(onward, Wait):
            return onward
        why = (
            f"pod {pod} can't be given back while its controller would delete a pod for it that gets requests, or may "
            f"at any moment: {onward.why}"
        )
        return Wait(on=For.UNDO, why=why, until=onward.until, remedy=onward.remedy)

    def _start(self, pod: Pod) -> Decision:
        """Release a queued pod, or withdraw it at once where nothing may serve beyond the wanted number."""
        found, selector = self.verdicts[pod.uid], self.snapshot.selector_of(pod)
        if isinstance(found, Unknown):
            return Wait(on=For.CACHE, why=found.why)
        if pod.controller and selector and not selector.matches(pod.labels):
            named = f"{pod.controller.kind.lower()} {pod.controller.name}"
            why = f"pod {pod} bears no mark of a handoff, and {named} does not select it any more"
            return Wait(on=For.RELEASE, why=why, remedy=f"put its labels back, or {by_hand(pod)}")
        about = pod, self.workload, self.settings, self.snapshot
        blocked = adoption(*about) or policy_change(*about)
        if blocked is not None:
            return blocked
        surge = self.settings.surge_of(self.workload)
        label = release_label(pod, self.snapshot)
        if surge == 0 or label is None:
            return self._withdraw_when_confirmed(pod)
        if self.extra >= surge:
            return self._wait_for_turn(surge)
        return self._wait_for_count() or self._release(pod, label)

    def _wait_for_turn(self, surge: int) -> Wait:
        """Wait for one of the places beyond the wanted number; those that a dead run holds come free by no one here."""
        if len(self.strays) < surge:
            why = f"{self.extra} of {surge} pods of {self.workload.subject} serve beyond the wanted number"
            return Wait(on=For.SURGE, why=why)
        stray = self.strays[0]
        where = f"node/{stray.node}" if stray.node else f"{self.workload.named} -n {stray.namespace}"
        why = f"pod {stray} was released by another run, which did not end it"
        return Wait(on=For.STRAY, why=why, remedy=f"run that again, or kubectl safe abort {where}")

    def _wait_for_count(self) -> Wait | None:
        """Wait until it is known how many pods are in service, where a lower number would be noted as all there was."""
        unknown = next((v for v in self.verdicts.values() if isinstance(v, Unknown)), None)
        if unknown is None or self._in_service() >= self.workload.replicas:
            return None
        return Wait(on=For.CACHE, why=unknown.why)

    def _release(self, pod: Pod, label: str) -> Decision:
        self.extra += 1
        return Act(
            action=Release(
                pod=pod,
                drop=label,
                owner=reference_to(self.workload),
                targets=self.snapshot.targets_of(pod),
                in_service=self._owed(),
            )
        )

    def _withdraw_when_confirmed(self, pod: Pod) -> Decision:
        # A pod that is never released bears the note of a withdrawal that somebody took back.
        if pod.is_released and pod.controller is not None and not self.workload.replaces_in_place:
            why = f"pod {pod} is still controlled by {pod.controller.kind.lower()} {pod.controller.name}"
            return Wait(on=For.RELEASE, why=why, remedy="it is let go at once where kube-controller-manager works")
        return self._wait_for_floor(pod) or self._wait_for_leave(pod) or self._withdraw(pod)

    def _wait_for_floor(self, pod: Pod) -> Wait | None:
        match self.verdicts[pod.uid]:
            case Unknown(why=why):
                return Wait(on=For.CACHE, why=why)
            case OutOfService() if is_out_for_long(pod, self.snapshot):
                missing = group_below_floor(
                    pod, leaving=self.leaving, snapshot=self.snapshot, allow=self.settings.allow
                )
                if not missing and is_owed(self.workload, self.settings):
                    missing = service_below_floor(pod, leaving=self.leaving, snapshot=self.snapshot)
            case OutOfService() | InService():
                missing = self._below_floor(pod)
            case _ as found:
                assert_never(found)
        if missing:
            comes_free = room_comes_free(self.workload, self.draining, self.snapshot)
            if comes_free:
                return Wait(on=For.ROOM, why=missing)
            return Wait(on=For.REPLACEMENT, why=missing, remedy=self._remedy)
        if self.draining_slots is not None and self.draining_slots <= 0:
            why = f"as many pods are draining as --max-draining {self.settings.max_draining} allows"
            return Wait(on=For.DRAINING_SLOT, why=why)
        return None

    def _below_floor(self, pod: Pod) -> str:
        return below_floor(
            pod,
            self.workload,
            self.verdicts,
            leaving=self.leaving,
            snapshot=self.snapshot,
            settings=self.settings,
        )

    def _wait_for_leave(self, pod: Pod) -> Decision | None:
        """Ask the Eviction API beforehand, as there is no way back from a withdrawal; a deletion is not asked for."""
        if self.settings.disable_eviction:
            return None
        drop = labels_to_withdraw(pod, self.snapshot) or frozenset[str]()
        budget = stale_budget(pod, drop, self.snapshot)
        if budget:
            why = f"budget {budget.namespace}/{budget.name} counts a pod that has left it; its next count is awaited"
            return Wait(on=For.BUDGET, why=why)
        budget = spent_budget(pod, self.leaving, self.snapshot)
        if budget:
            why = f"budget {budget.namespace}/{budget.name} allows no more pods to leave before its next count"
            return Wait(on=For.BUDGET, why=why)
        answer = self.snapshot.answers.get(pod.uid)
        if answer and answer.is_allowed and (budget := exhausted_budget(pod, self.snapshot)):
            # Since the answer, somebody else may have taken what it allowed.
            why = f"budget {budget.namespace}/{budget.name} allows no disruption now, by its status"
            untried = f"; asking is no use: {answer.message}" if answer.is_untried else ""
            return Wait(on=For.BUDGET, why=f"{why}{untried}", remedy=check(pod.namespace, self.workload))
        is_fresh = answer is not None and self.snapshot.at - answer.at < ANSWER_MAX_AGE
        if answer and answer.is_allowed and is_fresh and not has_left_since(pod, answer.at, self.snapshot):
            return None
        return wait_after_answer(pod, self.snapshot) or Act(action=AskEviction(pod=pod))

    def _withdraw(self, pod: Pod) -> Decision:
        self.leaving.add(pod.uid)
        if self.draining_slots is not None:
            self.draining_slots -= 1
        owner = reference_to(self.workload)
        return withdraw(pod, self.snapshot, self.settings, owner=owner, in_service=self._owed())

    def _in_service(self) -> int:
        return sum(isinstance(v, InService) for uid, v in self.verdicts.items() if uid not in self.leaving)

    def _owed(self) -> int:
        """Return how many pods are in service, or may be at any moment: a pod that leaves owes these their number.

        Counted without the latter, a workload whose pods all became Ready a moment ago would be owed none.
        """
        return self._in_service() + sum(
            isinstance(found, OutOfService)
            and uid not in self.leaving
            and is_changing(self.snapshot.pods[uid], self.workload, self.snapshot)
            for uid, found in self.verdicts.items()
        )
