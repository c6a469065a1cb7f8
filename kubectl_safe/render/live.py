"""The live view: lines as they happen, and below them a table that is redrawn in place."""

import shutil
from datetime import datetime, timedelta

import click
from tabulate import tabulate

from kubectl_safe.decide.actions import Action
from kubectl_safe.decide.decision import Step
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.durations import short
from kubectl_safe.render.lines import Lines
from kubectl_safe.render.table import HEADERS, rows

UP_AND_CLEAR = "\x1b[1A\x1b[2K"
REDRAW = timedelta(milliseconds=200)


class Live:
    """Tells what `Lines` tells, and keeps a table of all pods below it. Only for terminals."""

    def __init__(self, *, shows_plan: bool) -> None:
        self._lines = Lines(shows_plan=shows_plan)
        self._drawn = 0
        self._drawn_at: datetime | None = None
        self._total: Estimate | None = None

    def say(self, line: str) -> None:
        """Print a line above the table."""
        self._erase()
        self._lines.say(line)

    def warn(self, message: str) -> None:
        """Print a warning above the table."""
        self._erase()
        self._lines.warn(message)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:
        """Print the plan or its estimate."""
        self._total = estimate
        self._lines.planned(intent, snapshot, estimate)

    def acted(self, action: Action) -> None:
        """Tell of an action above the table."""
        self._erase()
        self._lines.acted(action)

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """Tell that a pod is gone, above the table."""
        self._erase()
        self._lines.gone(planned, was_evicted=was_evicted)

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """Redraw the table, a few times a second at most."""
        if self._drawn and self._drawn_at and snapshot.at - self._drawn_at < REDRAW:
            return
        self._drawn_at = snapshot.at
        width, height = shutil.get_terminal_size()
        lines = [self._headline(snapshot, progress), *_table(snapshot, outcome, progress, height - 3)]
        self._erase()
        for line in lines:
            click.echo(line[: width - 1])
        self._drawn = len(lines)

    def ended(self, progress: Progress, at: datetime) -> None:
        """Take the table away and print the closing line."""
        self._erase()
        self._lines.ended(progress, at)

    def _headline(self, snapshot: Snapshot, progress: Progress) -> str:
        took = snapshot.at - progress.began
        gone = len(progress.intent.pods) - len(progress.left)
        line = f"{gone} of {len(progress.intent.pods)} pods handed over in {short(took)}"
        if self._total is None or took >= self._total.total:
            return line
        return f"{line}, about {short(self._total.total - took)} to go"

    def _erase(self) -> None:
        if self._drawn:
            click.echo(UP_AND_CLEAR * self._drawn, nl=False)
            self._drawn = 0


def _table(snapshot: Snapshot, outcome: Outcome, progress: Progress, room: int) -> list[str]:
    """Return the table's lines; where they don't fit, those pods come first that are under way."""
    drawn = rows(snapshot, outcome, progress)
    if len(drawn) + 1 > room:
        order = {Step.GONE.value: 2, Step.QUEUED.value: 1}
        drawn = sorted(drawn, key=lambda row: order.get(row[2], 0))
        hidden = len(drawn) - max(1, room - 2)
        drawn = drawn[: max(1, room - 2)]
        return [*_lines(drawn), f"... and {hidden} more"]
    return _lines(drawn)


def _lines(drawn: list[tuple[str, ...]]) -> list[str]:
    return tabulate(drawn, headers=HEADERS, tablefmt="plain", disable_numparse=True).splitlines()
