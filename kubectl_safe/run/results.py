"""What came of the writes of a run, and what follows from that for the next ones."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, assert_never

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
    subject_of,
)
from kubectl_safe.decide.settings import RETRY
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Done, Gone, Refused, Result, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.snapshot import EvictionAnswer
from kubectl_safe.render.words import refused_line
from kubectl_safe.run.observer import Memory

HOLD = timedelta(milliseconds=200)
"""After a conflict: by then the cache has the newer object."""

DENIALS = 3
"""How often in a row a chore has to be denied before it is done without."""

PUT_BACK = 4
"""How often a release or a withdrawal is done again that somebody has taken back."""

_Key = tuple[str, str]


class Listener(Protocol):
    """Who is told of what was done, and of what could not be."""

    def acted(self, action: Action) -> None:
        """An action was carried out."""

    def warn(self, message: str) -> None:
        """Something needs the reader's eye, and the run goes on."""


class Results:
    """Takes the results of a run's writes.

    Args:
        memory: what the next snapshots know of them.
        listener: who is told.
        now: reads the clock.
    """

    def __init__(self, memory: Memory, listener: Listener, *, now: Callable[[], datetime]) -> None:
        self.evicted: set[str] = set()
        """UIDs of pods whose eviction was accepted."""
        self.given_back: set[str] = set()
        """UIDs of pods whose release was taken back."""
        self._memory = memory
        self._listener = listener
        self._now = now
        self._held: dict[_Key, datetime] = {}
        self._held_back: set[str] = set()
        self._unanswered: dict[_Key, str] = {}
        self._refused: dict[str, str] = {}
        self._denied: Counter[_Key] = Counter()
        self._done: Counter[_Key] = Counter()

    def held_until(self, action: Action) -> datetime | None:
        """Return until when an action is not to be tried again."""
        return self._held.get(key_of(action))

    def unanswered(self, actions: Iterable[Action]) -> str:
        """Return why one of the actions that are still to be done has no answer, in the server's words."""
        keys = {key_of(action) for action in actions}
        self._unanswered = {key: why for key, why in self._unanswered.items() if key in keys}
        return next(iter(self._unanswered.values()), "")

    def take_refused(self) -> Mapping[str, str]:
        """Return why writes to pods (by UID) were refused for good since this was asked last."""
        refused, self._refused = self._refused, {}
        return refused

    def is_denied_for_good(self, action: Action) -> bool:
        """Take note that a chore is denied; tell whether there is no use in trying again.

        An API server that can't ask who may do what denies everything for a moment.
        """
        key = key_of(action)
        self._denied[key] += 1
        self._held[key] = self._now() + RETRY
        return self._denied[key] >= DENIALS

    def forget_marks(self, action: RemoveNudge | RemoveTouch | RemoveWake) -> None:
        """Take note that marks of a kind are not ours to take away any more."""
        match action:
            case RemoveNudge():
                self._memory.nudged_at.clear()
            case RemoveTouch():
                self._memory.touched_at.clear()
            case RemoveWake():
                self._memory.woken_at.clear()
            case _:
                assert_never(action)

    def take(self, action: Action, result: Result) -> None:
        """Remember what came of an action."""
        key = key_of(action)
        trouble = self._unanswered.pop(key, "")
        self._denied.pop(key, None)
        match result:
            case Done():
                self._note(action)
                self._count(action)
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
                    self._listener.warn(f"{subject_of(action)} could not be written to (will retry): {message}")
            case Denied() | Undone() | Untried():
                self._give_in(action, result)
            case _:
                assert_never(result)

    def _count(self, action: Action) -> None:
        """Give up a pod from which somebody else takes off again and again what a handoff puts on it."""
        if isinstance(action, Release | Withdraw):
            key = key_of(action)
            self._done[key] += 1
            if self._done[key] > PUT_BACK:
                self._refused[action.pod.uid] = (
                    f"{subject_of(action)} was changed back {PUT_BACK} times: somebody else, an operator or a policy, "
                    "keeps its labels as they were; stop that, and run the same command again"
                )

    def _give_in(self, action: Action, result: Denied | Undone | Untried) -> None:
        """Take note of what trying again won't change."""
        if isinstance(action, AskEviction) and isinstance(result, Untried):
            # The budgets' own counts have to do.
            self._memory.answers[action.pod.uid] = EvictionAnswer(
                at=self._now(), is_dry_run=True, is_allowed=True, is_untried=True, message=result.message
            )
        else:
            self._refuse(action, result.message)

    def _note(self, action: Action) -> None:
        memory, at = self._memory, self._now()
        match action:
            case AskEviction(pod=pod):
                memory.answers[pod.uid] = EvictionAnswer(at=at, is_dry_run=True, is_allowed=True)
                return
            case Evict(pod=pod):
                memory.answers[pod.uid] = EvictionAnswer(at=at, is_dry_run=False, is_allowed=True)
                self.evicted.add(pod.uid)
                return
            case Undo(pod=pod):
                self.given_back.add(pod.uid)
            case Nudge(binding=binding):
                memory.nudged_at[binding.key] = at
            case Touch(budget=budget):
                memory.touched_at[budget.namespace, budget.name] = at
            case Wake(workload=workload):
                memory.woken_at[workload.namespace, workload.name] = at
            case _:
                pass
        self._listener.acted(action)

    def _answer(self, action: Action, message: str, *, is_tried_again: bool = False) -> None:
        if isinstance(action, AskEviction | Evict):
            answer = EvictionAnswer(
                at=self._now(), is_dry_run=isinstance(action, AskEviction), is_allowed=False, message=message
            )
            before = self._memory.answers.get(action.pod.uid)
            self._memory.answers[action.pod.uid] = answer
            # Asked beforehand, it is told once it lasts: a budget's count is often a moment behind.
            lasts = before is not None and not before.is_allowed and action.pod.uid not in self._held_back
            if isinstance(action, Evict) or lasts:
                self._held_back.add(action.pod.uid)
                self._listener.warn(refused_line(action, message, is_tried_again=is_tried_again))

    def _refuse(self, action: Action, message: str) -> None:
        """Take note that a write can't be done: the pod is given up, and what would come of it is not tried at once."""
        self._held[key_of(action)] = self._now() + RETRY
        match action:
            case Evict(pod=pod):
                self._refused[pod.uid] = message
                self._answer(action, message)
            case Release(pod=pod) | Undo(pod=pod) | Withdraw(pod=pod) | AskEviction(pod=pod):
                self._refused[pod.uid] = message
            case Touch() | RemoveTouch() | Nudge() | RemoveNudge() | Wake() | RemoveWake():
                raise KubectlSafeError(message)
            case Cordon() | Uncordon() | ExcludeNode() | IncludeNode() | Record() | RemoveRecord():
                raise KubectlSafeError(message)
            case _:
                assert_never(action)


def key_of(action: Action) -> _Key:
    """Return what makes two actions the same."""
    return type(action).__name__, subject_of(action)
