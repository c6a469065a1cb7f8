"""Observe, decide, act, and wait until something changes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from kubectl_safe.decide.actions import (
    Action,
    Evict,
    Nudge,
    RemoveNudge,
    RemoveTouch,
    RemoveWake,
    Touch,
    Wake,
    subject_of,
)
from kubectl_safe.decide.decision import Gone as GonePod
from kubectl_safe.decide.decision import Left, Skipped, Wait
from kubectl_safe.decide.ending import Ending, ending_of
from kubectl_safe.decide.giving_up import Limits, Look, Troubles, give_up
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.kube.outcome import Denied, Done, Gone, Result
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.ending import given_up_lines
from kubectl_safe.run.observer import Observer
from kubectl_safe.run.results import Results
from kubectl_safe.run.warnings import Warnings

LOOK_AGAIN = timedelta(seconds=1)
"""The loop looks at least this often."""

LOOK_AT_MOST = timedelta(milliseconds=50)
"""Between two looks of which the first led to nothing, unless something changes."""

STALE_AFTER = timedelta(seconds=1)
"""Actions decided on a snapshot older than this are decided anew; or than twice that, where it took so long."""


Chore = Nudge | RemoveNudge | Touch | RemoveTouch | Wake | RemoveWake
"""What makes others look at once, and what takes that away: a run can do without."""


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
        self._results = Results(observer.memory, reporter, now=now)
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
                self._reporter.gone(planned, was_evicted=planned.uid in self._results.evicted)
            for why in progress.skip(outcome):
                self._reporter.warn(why)
            stop = stop or self._stop(snapshot, outcome)
            further = self._give_up(Look(intent=intent, outcome=outcome, progress=progress, snapshot=snapshot), stop)
            if further is not intent:
                intent, outcome = further, next_actions(snapshot, further)
            self._reporter.looked(snapshot, outcome, progress)
            if outcome.is_done:
                return ending_of(intent, outcome, given_back=frozenset(self._results.given_back), stop=stop)
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
        results = self._results
        troubles = Troubles(
            stop=stop, refused=results.take_refused(), unanswered=results.unanswered(look.outcome.actions)
        )
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
        for number, action in enumerate(outcome.actions):
            if self._now() - snapshot.at > self._stale_after:
                if number == 0:
                    self._stale_after *= 2
                return intent, True
            self._stale_after = STALE_AFTER
            if self._now() < (self._results.held_until(action) or snapshot.at):
                continue
            if isinstance(action, Evict):
                self._reporter.acted(action)
            result = self._hands.act(action)
            has_acted = has_acted or isinstance(result, Done | Gone)
            if isinstance(action, Chore) and isinstance(result, Denied):
                if self._results.is_denied_for_good(action):
                    intent = self._do_without(action, result.message, intent)
            else:
                self._results.take(action, result)
        return intent, has_acted

    def _do_without(self, action: Chore, message: str, intent: Intent) -> Intent:
        """Return the intent without a chore that is denied: it only makes things quicker."""
        match action:
            case Nudge() | RemoveNudge():
                what, settings = "bindings are not nudged", replace(intent.settings, nudge=False)
            case Touch() | RemoveTouch():
                what, settings = "budgets are not made to be counted anew", replace(intent.settings, touch=False)
            case Wake() | RemoveWake():
                what, settings = "statefulsets are not woken", replace(intent.settings, wake=False)
            case _:
                assert_never(action)
        if isinstance(action, RemoveNudge | RemoveTouch | RemoveWake):
            what = f"{subject_of(action)} keeps a mark of this run"
            self._results.forget_marks(action)
        else:
            what = f"{what} from now on"
        self._reporter.warn(f"Warning: {what}: {message}")
        return replace(intent, settings=settings)

    def _until_next_look(self, outcome: Outcome) -> timedelta:
        """Return how long to wait where nothing changes: until time alone ends a wait, and `LOOK_AGAIN` at most."""
        now = self._now()
        due = [d.until for d in outcome.decisions.values() if isinstance(d, Wait) and d.until]
        due += [held for action in outcome.actions if (held := self._results.held_until(action))]
        return min(LOOK_AGAIN, max(LOOK_AT_MOST, min(due, default=now + LOOK_AGAIN) - now))


def _workloads(intent: Intent, outcome: Outcome) -> frozenset[str]:
    """Return the workloads (by UID) of which a pod is neither gone nor left nor skipped."""
    return frozenset(
        planned.workload.uid
        for planned in intent.pods
        if planned.workload and not isinstance(outcome.decisions[planned.uid], GonePod | Left | Skipped)
    )
