"""Plain lines as things happen: for pipes, logs and CI, and above the live view."""

from datetime import datetime, timedelta

from kubectl_safe.decide.actions import Action, Evict
from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.closing import closing_line, stopping_line
from kubectl_safe.render.durations import about, pods, short
from kubectl_safe.render.output import echo
from kubectl_safe.render.plan import plan_lines
from kubectl_safe.render.text import plain
from kubectl_safe.render.words import words_for

FIRST = timedelta(seconds=10)
"""A wait is told once it has lasted so long; most of a handoff's are shorter."""

REMIND = timedelta(seconds=30)
"""One that goes on is told again this often."""

SOON = timedelta(seconds=2)
"""A wait for another run is told sooner: the reader may know nothing of it, and a Lease that is free takes less."""


class Lines:
    """Prints what a run tells, a line at a time: kubectl's words to stdout, warnings to stderr."""

    def __init__(self, *, shows_plan: bool) -> None:
        self._shows_plan = shows_plan
        self._told: dict[str, tuple[For, datetime | None]] = {}
        self._deleted: set[str] = set()

    def say(self, line: str) -> None:
        """Print a line to stdout."""
        echo(plain(line))

    def warn(self, message: str) -> None:
        """Print a line to stderr."""
        echo(plain(message), err=True)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:
        """Print the plan where it was asked for, else how long it will take."""
        if self._shows_plan:
            for line in plan_lines(intent, snapshot, estimate):
                self.say(line)
        elif intent.pods:
            time = f"{about(estimate.total)}: " if estimate.total else ""
            self.say(f"{pods(len(intent.pods))} to move, {time}{estimate.why}")

    def acted(self, action: Action) -> None:
        """Tell of an action."""
        if isinstance(action, Evict) and action.is_deletion:
            self._deleted.add(action.pod.uid)
        line = words_for(action)
        if line:
            self.say(line)

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """Tell that a pod is gone, as kubectl does."""
        stopped = "deleted" if planned.uid in self._deleted else "evicted"
        self.say(f"pod/{planned.name} {stopped if was_evicted else 'is gone'}")

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """Tell of waits that have begun to be long, and again while they last; of each kind in one line."""
        waiting: dict[For, list[tuple[Planned, Wait, datetime]]] = {}
        due: dict[For, None] = {}
        for planned in progress.intent.pods:
            decision, since = outcome.decisions[planned.uid], progress.waiting_since(planned)
            if not isinstance(decision, Wait) or decision.on is For.SURGE:
                if since is None or isinstance(decision, Wait):
                    self._told.pop(planned.uid, None)
                continue
            assert since is not None, "a wait is counted before it is told"
            on, told = self._told.get(planned.uid, (decision.on, None))
            if on is not decision.on:
                on, told = decision.on, None
            self._told[planned.uid] = (on, told)
            waiting.setdefault(on, []).append((planned, decision, since))
            if snapshot.at - (told or since) >= (REMIND if told else SOON if on is For.LEASE else FIRST):
                due[on] = None
        for on in due:
            self._tell_waits(waiting[on], snapshot.at)

    def _tell_waits(self, waiting: list[tuple[Planned, Wait, datetime]], at: datetime) -> None:
        """Tell of all that wait for the same, by the one that has waited longest."""
        for planned, wait, _ in waiting:
            self._told[planned.uid] = (wait.on, at)
        planned, wait, since = min(waiting, key=lambda entry: entry[2])
        others = f" and {pods(len(waiting) - 1, 'more ')}" if len(waiting) > 1 else ""
        verb = "wait" if others else "waits"
        self.say(f"pod/{planned.name}{others} {verb} since {short(at - since)}: {wait.told}")

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:  # noqa: ARG002 - Reporter's
        """Tell that no further pod is begun, and what is still to be ended."""
        self.warn(stopping_line(why, outcome))

    def ended(self, progress: Progress, at: datetime) -> None:
        """Print the closing line."""
        self.say(closing_line(progress, at))

    def finished(self, code: int, error: str) -> None:
        """Tell nothing more: the error goes to stderr, and the exit code to the shell."""
