"""Who is told what a command does, from its plan to its end."""

from datetime import datetime
from typing import Protocol

from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.run.loop import Reporter


class Audience(Reporter, Protocol):
    """Who is told the plan and the end besides what happens."""

    def say(self, line: str) -> None:
        """Print a line in kubectl's words."""

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:
        """The plan stands."""

    def ended(self, progress: Progress, at: datetime) -> None:
        """The run is over, one way or the other."""

    def finished(self, code: int, error: str) -> None:
        """The command is over, with an exit code and perhaps an error: the very last call, whatever happened."""
