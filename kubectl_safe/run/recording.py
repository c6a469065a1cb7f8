"""`--report`: what an audience is told of a run is followed too, and at the end a page is made of it.

A report is an extra: whatever is wrong with it is a warning, and neither ends a run nor changes its exit code.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from kubectl_safe.decide.actions import Action, Cordon, ExcludeNode, IncludeNode, Uncordon, Undo
from kubectl_safe.decide.decision import Left
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.durations import pods
from kubectl_safe.render.recorder import Recorder
from kubectl_safe.render.whole import write_whole
from kubectl_safe.run.audience import Audience


class Recorded:
    """An audience that is told everything as it is, while a recorder follows.

    Args:
        audience: who is told.
        recorder: what follows.
        path: of the report, written when the command is over; a run that never had a plan leaves none.
        now: reads the clock.
    """

    def __init__(self, audience: Audience, recorder: Recorder, *, path: Path, now: Callable[[], datetime]) -> None:
        self.audience = audience
        self.recorder = recorder
        self._path = path
        self._now = now
        self._given_up: set[str] = set()
        self._told: set[str] = set()
        self._trouble = ""

    def say(self, line: str) -> None:
        """Tell a line."""
        self.audience.say(line)

    def warn(self, message: str) -> None:
        """Tell a warning."""
        self.audience.warn(message)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:
        """Follow the pods of the plan."""
        self.audience.planned(intent, snapshot, estimate)
        self._follow(lambda: self._look(intent, snapshot))

    def acted(self, action: Action) -> None:
        """Note what is no step of a pod; steps show in the snapshots."""
        self.audience.acted(action)
        match action:
            case Cordon(node=node):
                self.recorder.mark(self._now(), f"{node.name} cordoned")
            case Uncordon(node=node):
                self.recorder.mark(self._now(), f"{node.name} uncordoned")
            case ExcludeNode(node=node):
                self.recorder.mark(self._now(), f"{node.name} excluded from load balancers")
            case IncludeNode(node=node):
                self.recorder.mark(self._now(), f"{node.name} excluded no more")
            case Undo(pod=pod):
                self.recorder.mark(self._now(), f"{pod.name} given back")
            case _:
                pass

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """Tell that a pod is gone."""
        self.audience.gone(planned, was_evicted=was_evicted)

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """Follow what a look shows, and note which pods are given up."""
        self.audience.looked(snapshot, outcome, progress)
        self._follow(lambda: self._look(progress.intent, snapshot))
        self._mark_given_up(snapshot, outcome)

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:
        """Note what stopped the run: Ctrl-C, a failed probe."""
        self.audience.stopping(why, snapshot, outcome)
        self._told.add(why)
        self.recorder.mark(snapshot.at, why)

    def ended(self, progress: Progress, at: datetime) -> None:
        """Tell the end of the handoffs."""
        self.audience.ended(progress, at)

    def finished(self, code: int, error: str) -> None:
        """Write the report; then tell the end, as that is the very last call."""
        if self.recorder.began is not None:
            self._write(error)
        self.audience.finished(code, error)

    def _look(self, intent: Intent, snapshot: Snapshot) -> None:
        self.recorder.follow(intent.pods)
        self.recorder.look(snapshot)

    def _follow(self, look: Callable[[], None]) -> None:
        if self._trouble:
            return
        try:
            look()
        except Exception as error:  # noqa: BLE001 - a picture of a run never ends it
            self._trouble = f"{type(error).__name__}: {error}"

    def _mark_given_up(self, snapshot: Snapshot, outcome: Outcome) -> None:
        """Note for each reason how many pods are given up for it, where the reason isn't noted already."""
        new = {
            uid: decision.why
            for uid, decision in outcome.decisions.items()
            if isinstance(decision, Left) and uid not in self._given_up
        }
        self._given_up |= new.keys()
        for why in dict.fromkeys(new.values()):
            if why not in self._told:
                count = sum(other == why for other in new.values())
                self.recorder.mark(snapshot.at, f"{pods(count)} given up: {why}")

    def _write(self, error: str) -> None:
        from kubectl_safe.render import report

        try:
            write_whole(self._path, report.page([self.recorder.timeline(self._now(), error=error)]))
        except OSError as fault:
            self.warn(f"Warning: report {self._path} could not be written: {fault.strerror or fault}")
        except Exception as fault:  # noqa: BLE001 - the run is over, and what came of it stands
            self.warn(f"Warning: report {self._path} could not be written: {type(fault).__name__}: {fault}")
        else:
            if self._trouble:
                self.warn(f"Warning: report {self._path} is not whole: {self._trouble}")
            self.say(f"report: {self._path}")
