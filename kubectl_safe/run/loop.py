"""Observe, decide, act, and wait until something changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from kubectl_safe.decide.actions import (
    Action,
    AskEviction,
    Cordon,
    Evict,
    Nudge,
    Record,
    Release,
    RemoveNudge,
    RemoveRecord,
    RemoveTouch,
    Touch,
    Uncordon,
    Undo,
    Withdraw,
    subject_of,
)
from kubectl_safe.decide.decision import Gone as GonePod
from kubectl_safe.decide.decision import Left, Wait
from kubectl_safe.decide.ending import Ending, ending_of
from kubectl_safe.decide.giving_up import Limits, Look, Troubles, give_up
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.decide.settings import RETRY
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Done, Gone, Refused, Result, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.snapshot import EvictionAnswer, Snapshot
from kubectl_safe.render.ending import given_up_lines
from kubectl_safe.render.words import refused_line
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.warnings import Warnings

LOOK_AGAIN = timedelta(seconds=1)
"""The loop looks at least this often."""

LOOK_AT_MOST = timedelta(milliseconds=50)
"""Between two looks of which the first led to nothing, unless something changes."""

STALE_AFTER = timedelta(seconds=1)
"""Actions decided on a snapshot older than this are decided anew; or than twice that, where it took so long."""

HOLD = timedelta(milliseconds=200)
"""After a conflict: by then the cache has the newer object."""


class Hands(Protocol):
    """What carries out actions."""

    def act(self, action: Action, *, dry_run: bool = False) -> Result:
        """Carry out one action, and return what came of it."""


class Signal(Protocol):
    """What tells that something changed."""

    def wait(self, timeout: float) -> bool:
        """Return once something changed, or after `timeout` seconds."""


class Reporter(Protocol):
    """Who tells the reader."""

    def acted(self, action: Action) -> None:
        """An action was carried out."""

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """The cluster was looked at."""

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """A planned pod is gone."""

    def warn(self, message: str) -> None:
        """Something needs the reader's eye, and the run goes on."""

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:
        """No further pod is begun from now on; what is under way is ended."""


class Brake(Protocol):
    """What may stop a run."""

    @property
    def stop(self) -> str:
        """Why no further pod is to be begun; empty while there is no reason.

        Raises:
            KubectlSafeError: nothing at all may be written any more.
        """


class Loop:
    """Carries out an intent."""

    def __init__(
        self,
        *,
        observer: Observer,
        hands: Hands,
        signal: Signal,
        reporter: Reporter,
        now: Callable[[], datetime],
        limits: Limits | None = None,
        brake: Brake | None = None,
        warnings: Warnings | None = None,
    ) -> None:
        self._observer = observer
        self._hands = hands
        self._signal = signal
        self._reporter = reporter
        self._now = now
        self._limits = limits or Limits()
        self._brake = brake
        self._warnings = warnings
        self._evicted: set[str] = set()
        self._given_back: set[str] = set()
        self._held_back: set[str] = set()
        self._held: dict[tuple[str, str], datetime] = {}
        self._unanswered: dict[tuple[str, str], str] = {}
        self._refused: dict[str, str] = {}
        self._stale_after = STALE_AFTER

    def run(self, intent: Intent, progress: Progress) -> Ending:
        """Hand over every pod of the intent, but for those that are given up.

        Raises:
            KubectlSafeError: it can't go on; nothing that serves is harmed by that.
        """
        stop = ""
        while True:
            snapshot = self._observer.look()
            outcome = next_actions(snapshot, intent)
            for planned in progress.count(snapshot, outcome):
                self._reporter.gone(planned, was_evicted=planned.uid in self._evicted)
            stop = stop or self._stop(snapshot, outcome)
            further = self._give_up(Look(intent=intent, outcome=outcome, progress=progress, snapshot=snapshot), stop)
            if further is not intent:
                intent, outcome = further, next_actions(snapshot, further)
            self._reporter.looked(snapshot, outcome, progress)
            if outcome.is_done:
                return ending_of(intent, outcome, given_back=frozenset(self._given_back), stop=stop)
            self._ask_for(intent, outcome)
            intent, has_acted = self._act(intent, outcome, snapshot)
            if not has_acted:
                self._signal.wait(self._until_next_look(outcome).total_seconds())

    def _stop(self, snapshot: Snapshot, outcome: Outcome) -> str:
        """Return why the run is to be stopped from now on, and tell so; empty where it isn't."""
        stop = self._brake.stop if self._brake else ""
        if stop:
            self._reporter.stopping(stop, snapshot, outcome)
        return stop

    def _ask_for(self, intent: Intent, outcome: Outcome) -> None:
        """Say what is needed for what is left to be done: Leases of workloads, answers of target groups."""
        if self._observer.holdings:
            self._observer.holdings.keep(_workloads(intent, outcome))
        self._observer.want(outcome.wishes)

    def _give_up(self, look: Look, stop: str) -> Intent:
        """Give up what is to be given up, and tell why where nobody asked for it."""
        unanswered = next(iter(self._unanswered.values()), "")
        troubles = Troubles(stop=stop, refused=dict(self._refused), unanswered=unanswered)
        self._refused.clear()
        after = give_up(look, self._limits, troubles)
        heard = self._warnings.listen(look, after) if self._warnings else look
        if heard is not look:
            self._observer.warnings = heard.snapshot.warnings
            look, after = heard, give_up(heard, self._limits, troubles)
        for line in given_up_lines(look, after, stop):
            self._reporter.warn(line)
        return after

    def _act(self, intent: Intent, outcome: Outcome, snapshot: Snapshot) -> tuple[Intent, bool]:
        """Carry out what was decided, as long as the snapshot it was decided on is fresh; tell whether to look at once.

        Where even the first action comes too late, deciding took that long: the next one gets twice the time. A process
        that was stopped for a while looks again all the same.
        """
        has_acted = False
        keys = {_key(action) for action in outcome.actions}
        self._unanswered = {key: why for key, why in self._unanswered.items() if key in keys}
        for number, action in enumerate(outcome.actions):
            if self._now() - snapshot.at > self._stale_after:
                if number == 0:
                    self._stale_after *= 2
                return intent, True
            self._stale_after = STALE_AFTER
            if self._now() < self._held.get(_key(action), snapshot.at):
                continue
            if isinstance(action, Evict):
                self._reporter.acted(action)
            result = self._hands.act(action)
            has_acted = has_acted or isinstance(result, Done | Gone)
            if isinstance(action, Nudge | RemoveNudge | Touch | RemoveTouch) and isinstance(result, Denied):
                intent = self._do_without(action, result.message, intent)
            else:
                self._take(action, result)
        return intent, has_acted

    def _do_without(self, action: Nudge | RemoveNudge | Touch | RemoveTouch, message: str, intent: Intent) -> Intent:
        """Return the intent without a chore that is denied: it only makes things quicker."""
        if isinstance(action, Nudge | RemoveNudge):
            self._reporter.warn(f"Warning: bindings are not nudged from now on: {message}")
            return replace(intent, settings=replace(intent.settings, nudge=False))
        self._reporter.warn(f"Warning: budgets are not made to be counted anew from now on: {message}")
        return replace(intent, settings=replace(intent.settings, touch=False))

    def _until_next_look(self, outcome: Outcome) -> timedelta:
        """Return how long to wait where nothing changes: until time alone ends a wait, and `LOOK_AGAIN` at most."""
        now = self._now()
        due = [d.until for d in outcome.decisions.values() if isinstance(d, Wait) and d.until]
        due += [held for action in outcome.actions if (held := self._held.get(_key(action)))]
        return min(LOOK_AGAIN, max(LOOK_AT_MOST, min(due, default=now + LOOK_AGAIN) - now))

    def _take(self, action: Action, result: Result) -> None:
        """Remember what came of an action."""
        key = _key(action)
        trouble = self._unanswered.pop(key, "")
        match result:
            case Done():
                self._note(action)
            case Gone():
                pass
            case Conflict():
                self._held[key] = self._now() + HOLD
            case Refused(message=message):
                self._answer(action, message, is_tried_again=True)
            case Busy(message=message, retry_after=seconds):
                self._held[key] = self._now() + timedelta(seconds=seconds)
                self._unanswered[key] = message
                if message != trouble:
                    self._reporter.warn(f"{subject_of(action)} could not be written to (will retry): {message}")
            case Denied() | Undone() | Untried():
                self._give_in(action, result)
            case _:
                assert_never(result)

    def _give_in(self, action: Action, result: Denied | Undone | Untried) -> None:
        """Take note of what trying again won't change."""
        if isinstance(action, AskEviction) and isinstance(result, Untried):
            # The budgets' own counts have to do.
            self._observer.memory.answers[action.pod.uid] = EvictionAnswer(
                at=self._now(), is_dry_run=True, is_allowed=True, is_untried=True, message=result.message
            )
        else:
            self._refuse(action, result.message)

    def _note(self, action: Action) -> None:
        memory, at = self._observer.memory, self._now()
        match action:
            case AskEviction(pod=pod):
                memory.answers[pod.uid] = EvictionAnswer(at=at, is_dry_run=True, is_allowed=True)
                return
            case Evict(pod=pod):
                memory.answers[pod.uid] = EvictionAnswer(at=at, is_dry_run=False, is_allowed=True)
                self._evicted.add(pod.uid)
                return
            case Undo(pod=pod):
                self._given_back.add(pod.uid)
            case Nudge(binding=binding):
                memory.nudged_at[binding.namespace, binding.name] = at
            case Touch(budget=budget):
                memory.touched_at[budget.namespace, budget.name] = at
            case _:
                pass
        self._reporter.acted(action)

    def _answer(self, action: Action, message: str, *, is_tried_again: bool = False) -> None:
        if isinstance(action, AskEviction | Evict):
            answer = EvictionAnswer(
                at=self._now(), is_dry_run=isinstance(action, AskEviction), is_allowed=False, message=message
            )
            before = self._observer.memory.answers.get(action.pod.uid)
            self._observer.memory.answers[action.pod.uid] = answer
            # Asked beforehand, it is told once it lasts: a budget's count is often a moment behind.
            lasts = before is not None and not before.is_allowed and action.pod.uid not in self._held_back
            if isinstance(action, Evict) or lasts:
                self._held_back.add(action.pod.uid)
                self._reporter.warn(refused_line(action.pod, message, is_tried_again=is_tried_again))

    def _refuse(self, action: Action, message: str) -> None:
        """Take note that a write can't be done: the pod is given up, and what would come of it is not tried at once."""
        self._held[_key(action)] = self._now() + RETRY
        match action:
            case Evict(pod=pod):
                self._refused[pod.uid] = message
                self._answer(action, message)
            case Release(pod=pod) | Undo(pod=pod) | Withdraw(pod=pod) | AskEviction(pod=pod):
                self._refused[pod.uid] = message
            case Touch() | RemoveTouch() | Nudge() | RemoveNudge() | Cordon() | Uncordon() | Record() | RemoveRecord():
                raise KubectlSafeError(message)
            case _:
                assert_never(action)


def _workloads(intent: Intent, outcome: Outcome) -> frozenset[str]:
    """Return the workloads (by UID) of which a pod is neither gone nor left."""
    return frozenset(
        planned.workload.uid
        for planned in intent.pods
        if planned.workload and not isinstance(outcome.decisions[planned.uid], GonePod | Left)
    )


def _key(action: Action) -> tuple[str, str]:
    return type(action).__name__, subject_of(action)
