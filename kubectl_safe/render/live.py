"""The live view: lines as they happen, and below them a table that is redrawn in place."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from kubectl_safe.decide.actions import Action
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.durations import short
from kubectl_safe.render.lines import Lines
from kubectl_safe.render.output import echo
from kubectl_safe.render.table import table
from kubectl_safe.render.text import cells, clip, plain

CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"
REDRAW = timedelta(milliseconds=200)


def _terminal_size() -> tuple[int, int]:
    return shutil.get_terminal_size()


class Live:
    """Tells what `Lines` tells, and keeps a table of all pods below it. Only for terminals that understand ANSI."""

    def __init__(self, *, shows_plan: bool, size: Callable[[], tuple[int, int]] = _terminal_size) -> None:
        self._lines = Lines(shows_plan=shows_plan)
        self._size = size
        # What is asked and answered in the background is told by other threads.
        self._lock = threading.RLock()
        self._drawn: list[str] = []
        self._drawn_at: datetime | None = None
        self._total: Estimate | None = None

    def say(self, line: str) -> None:
        """Print a line above the table."""
        with self._above():
            self._lines.say(line)

    def warn(self, message: str) -> None:
        """Print a warning above the table, from any thread."""
        with self._above():
            self._lines.warn(message)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:
        """Print the plan or its estimate."""
        self._total = estimate
        with self._above():
            self._lines.planned(intent, snapshot, estimate)

    def acted(self, action: Action) -> None:
        """Tell of an action above the table."""
        with self._above():
            self._lines.acted(action)

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """Tell that a pod is gone, above the table."""
        with self._above():
            self._lines.gone(planned, was_evicted=was_evicted)

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """Redraw the table, a few times a second at most."""
        if not progress.intent.pods:
            return
        if self._drawn and self._drawn_at and snapshot.at - self._drawn_at < REDRAW:
            return
        self._drawn_at = snapshot.at
        width, height = self._size()
        # The last column stays empty, where terminals differ in when they wrap; and the last line has the cursor.
        room, rows = width - 1, max(1, height - 2)
        headline = plain(self._headline(snapshot, outcome, progress))
        lines = [headline, *table(snapshot, outcome, progress, width=room, height=rows - 1)][:rows]
        drawn = [clip(line, room) for line in lines]
        text = "".join(f"{line}{CLEAR_LINE}\n" for line in drawn)
        with self._lock:
            _send(f"{self._to_top()}{text}{CLEAR_BELOW}")
            self._drawn = drawn

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:
        """Tell above the table that no further pod is begun."""
        with self._above():
            self._lines.stopping(why, snapshot, outcome)

    def ended(self, progress: Progress, at: datetime) -> None:
        """Take the table away and print the closing line."""
        with self._above():
            self._lines.ended(progress, at)

    def finished(self, code: int, error: str) -> None:
        """Tell nothing more: the error goes to stderr, and the exit code to the shell."""

    def _headline(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> str:
        took = snapshot.at - progress.began
        gone = len(progress.intent.pods) - len(progress.left)
        line = f"{gone} of {len(progress.intent.pods)} pods handed over in {short(took)}{self._to_go(took)}"
        capacity = [
            f"{count} of {deployment.replicas} {deployment.name}"
            for uid, count in outcome.in_service.items()
            if (deployment := snapshot.deployments.get(uid))
        ]
        return f"{line}; in service: {', '.join(capacity)}" if capacity else line

    def _to_go(self, took: timedelta) -> str:
        total = self._total.total if self._total else timedelta(0)
        if not total:
            return ""
        return f", about {short(total - took)} to go" if took < total else f", longer than the {short(total)} estimated"

    def _to_top(self) -> str:
        """Return what moves the cursor to where the table begins, also where it wraps since the window got narrower."""
        if not self._drawn:
            return ""
        width = max(1, self._size()[0])
        return f"\x1b[{sum(max(1, -(-cells(line) // width)) for line in self._drawn)}A\r"

    @contextmanager
    def _above(self) -> Iterator[None]:
        """Take the table away; what is printed meanwhile will be above it."""
        with self._lock:
            if self._drawn:
                _send(self._to_top() + CLEAR_BELOW)
                self._drawn = []
            yield


def _send(text: str) -> None:
    """Write to the terminal in one go, so that it doesn't flicker; whether it is one was decided before."""
    echo(text, nl=False, color=True)
