"""The live view: lines as they happen, and below them a table that is redrawn in place."""

from collections.abc import Callable
from datetime import datetime, timedelta

from kubectl_safe.decide.actions import Action
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.durations import short
from kubectl_safe.render.in_place import InPlace
from kubectl_safe.render.lines import Lines
from kubectl_safe.render.table import table
from kubectl_safe.render.text import plain

REDRAW = timedelta(milliseconds=200)


class Live:
    """Tells what `Lines` tells, and keeps a table of all pods below it. Only for terminals that understand ANSI."""

    def __init__(self, *, shows_plan: bool, size: Callable[[], tuple[int, int]] | None = None) -> None:
        self._lines = Lines(shows_plan=shows_plan)
        # What is asked and answered in the background is told by other threads.
        self._in_place = InPlace(size=size) if size else InPlace()
        self._drawn_at: datetime | None = None
        self._total: Estimate | None = None

    def say(self, line: str) -> None:
        """Print a line above the table."""
        with self._in_place.above():
            self._lines.say(line)

    def warn(self, message: str) -> None:
        """Print a warning above the table, from any thread."""
        with self._in_place.above():
            self._lines.warn(message)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:
        """Print the plan or its estimate."""
        self._total = estimate
        with self._in_place.above():
            self._lines.planned(intent, snapshot, estimate)

    def acted(self, action: Action) -> None:
        """Tell of an action above the table."""
        with self._in_place.above():
            self._lines.acted(action)

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """Tell that a pod is gone, above the table."""
        with self._in_place.above():
            self._lines.gone(planned, was_evicted=was_evicted)

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """Redraw the table, a few times a second at most."""
        if not progress.intent.pods:
            return
        if not self._in_place.is_empty and self._drawn_at and snapshot.at - self._drawn_at < REDRAW:
            return
        self._drawn_at = snapshot.at
        width, rows = self._in_place.room
        headline = plain(self._headline(snapshot, outcome, progress))
        self._in_place.draw([headline, *table(snapshot, outcome, progress, width=width, height=rows - 1)])

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:
        """Tell above the table that no further pod is begun."""
        with self._in_place.above():
            self._lines.stopping(why, snapshot, outcome)

    def ended(self, progress: Progress, at: datetime) -> None:
        """Take the table away and print the closing line."""
        with self._in_place.above():
            self._lines.ended(progress, at)

    def finished(self, code: int, error: str) -> None:
        """Tell nothing more: the error goes to stderr, and the exit code to the shell."""

    def _headline(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> str:
        took = snapshot.at - progress.began
        gone = len(progress.intent.pods) - len(progress.left)
        line = f"{gone} of {len(progress.intent.pods)} pods handed over in {short(took)}{self._to_go(took)}"
        capacity = [
            f"{count} of {workload.replicas} {workload.name}"
            for uid, count in outcome.in_service.items()
            if (workload := snapshot.workloads.get(uid))
        ]
        return f"{line}; in service: {', '.join(capacity)}" if capacity else line

    def _to_go(self, took: timedelta) -> str:
        total = self._total.total if self._total else timedelta(0)
        if not total:
            return ""
        return f", about {short(total - took)} to go" if took < total else f", longer than the {short(total)} estimated"
