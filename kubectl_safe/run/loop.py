"""Observe, decide, act, and wait until something changes."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from kubectl_safe.decide import decision as decided
from kubectl_safe.decide.actions import Action, AskEviction, Evict, Nudge, Touch, subject_of
from kubectl_safe.decide.deadline import deadline
from kubectl_safe.decide.decision import Blocked, Decision, For, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.decide.settings import RETRY
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Done, Gone, Refused, Result, Undone, Untried
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.snapshot import EvictionAnswer, Snapshot
from kubectl_safe.run.observer import Observer

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
    ) -> None:
        self._observer = observer
        self._hands = hands
        self._signal = signal
        self._reporter = reporter
        self._now = now
        self._evicted: set[str] = set()
        self._held: dict[tuple[str, str], datetime] = {}
        self._troubles: dict[tuple[str, str], str] = {}
        self._stale_after = STALE_AFTER

    def run(self, intent: Intent, progress: Progress, *, until: datetime | None = None) -> None:
        """Hand over every pod of the intent.

        Raises:
            KubectlSafeError: it can't go on, or `until` has passed; nothing that serves is harmed by that.
        """
        while True:
            snapshot = self._observer.look()
            outcome = next_actions(snapshot, intent)
            for planned in progress.count(snapshot, outcome):
                self._reporter.gone(planned, was_evicted=planned.uid in self._evicted)
            self._reporter.looked(snapshot, outcome, progress)
            if outcome.is_done:
                return
            self._give_up_if_overdue(intent, progress, outcome, snapshot, until)
            if self._observer.target_health:
                self._observer.target_health.want(outcome.wishes)
            intent, has_acted = self._act(intent, outcome, snapshot)
            if not has_acted:
                self._signal.wait(self._until_next_look(outcome).total_seconds())

    def _act(self, intent: Intent, outcome: Outcome, snapshot: Snapshot) -> tuple[Intent, bool]:
        """Carry out what was decided, as long as the snapshot it was decided on is fresh; tell whether to look at once.

        Where even the first action comes too late, deciding took that long: the next one gets twice the time. A process
        that was stopped for a while looks again all the same.
        """
        has_acted = False
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
            if isinstance(action, Nudge) and isinstance(result, Denied):
                self._reporter.warn(f"Warning: bindings are not nudged from now on: {result.message}")
                intent = replace(intent, settings=replace(intent.settings, nudge=False))
            else:
                self._take(action, result)
        return intent, has_acted

    def _until_next_look(self, outcome: Outcome) -> timedelta:
        """Return how long to wait where nothing changes: until time alone ends a wait, and `LOOK_AGAIN` at most."""
        now = self._now()
        due = [d.until for d in outcome.decisions.values() if isinstance(d, Wait) and d.until]
        due += [held for action in outcome.actions if (held := self._held.get(_key(action)))]
        return min(LOOK_AGAIN, max(LOOK_AT_MOST, min(due, default=now + LOOK_AGAIN) - now))

    def _take(self, action: Action, result: Result) -> None:
        """Remember what came of an action."""
        key = _key(action)
        trouble = self._troubles.pop(key, "")
        match result:
            case Done():
                self._note(action)
            case Gone():
                pass
            case Conflict():
                self._held[key] = self._now() + HOLD
            case Refused(message=message):
                self._answer(action, message)
            case Busy(message=message, retry_after=seconds):
                self._held[key] = self._now() + timedelta(seconds=seconds)
                self._troubles[key] = message
                if message != trouble:
                    self._reporter.warn(f"{subject_of(action)} could not be written to (will retry): {message}")
            case Denied(message=message) | Undone(message=message) | Untried(message=message):
                raise KubectlSafeError(message)
            case _:
                assert_never(result)

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
            case Nudge(binding=binding):
                memory.nudged_at[binding.namespace, binding.name] = at
            case Touch(budget=budget):
                memory.touched_at[budget.namespace, budget.name] = at
            case _:
                pass
        self._reporter.acted(action)

    def _answer(self, action: Action, message: str) -> None:
        if isinstance(action, AskEviction | Evict):
            answer = EvictionAnswer(
                at=self._now(), is_dry_run=isinstance(action, AskEviction), is_allowed=False, message=message
            )
            self._observer.memory.answers[action.pod.uid] = answer
            if isinstance(action, Evict):
                self._reporter.warn(
                    f'error when evicting pods/"{action.pod.name}" -n "{action.pod.namespace}" '
                    f"(will retry after {RETRY.total_seconds():.0f}s): {message}"
                )

    def _give_up_if_overdue(
        self, intent: Intent, progress: Progress, outcome: Outcome, snapshot: Snapshot, until: datetime | None
    ) -> None:
        for planned in intent.pods:
            decision = outcome.decisions[planned.uid]
            if isinstance(decision, Blocked):
                raise KubectlSafeError(f"Blocked({decision.reason}): {decision.why}")
            if isinstance(decision, Wait):
                self._give_up_on(planned, decision, progress, snapshot)
        if until is not None and snapshot.at >= until:
            why = next(iter(self._troubles.values()), "") or _what_blocks(intent, outcome.decisions)
            raise KubectlSafeError(f"global timeout reached: {why}")

    def _give_up_on(self, planned: Planned, wait: Wait, progress: Progress, snapshot: Snapshot) -> None:
        limit, since = deadline(planned, wait, snapshot), progress.waiting_since(planned)
        if limit is not None and since is not None and snapshot.at - since > limit:
            raise KubectlSafeError(f"pod {planned} waited longer than {limit.total_seconds():.0f}s: {wait.why}")


def _key(action: Action) -> tuple[str, str]:
    return type(action).__name__, subject_of(action)


def _what_blocks(intent: Intent, decisions: Mapping[str, Decision]) -> str:
    """Return why the first pod on its way is not gone; one in the queue only waits for those before it."""
    left = [planned for planned in intent.pods if not isinstance(decisions[planned.uid], decided.Gone)]
    for planned in sorted(left, key=lambda p: _is_queued(decisions[p.uid])):
        match decisions[planned.uid]:
            case Wait(why=why) | Blocked(why=why):
                return why
            case _:
                return f"pod {planned} is not handed over yet"
    return "annotations of ours are left to take away"


def _is_queued(decision: Decision) -> bool:
    return isinstance(decision, Wait) and decision.on in {For.SURGE, For.DRAINING_SLOT}
