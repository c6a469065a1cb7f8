"""A run told in events, for machines; what becomes of an event is the writer's business."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

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
)
from kubectl_safe.decide.decision import For, Step, Wait
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.closing import stopping_line
from kubectl_safe.render.document import (
    API_VERSION,
    Account,
    Json,
    instant,
    object_of,
    plan_of,
    pod_ref,
    wait_name,
)

OTHER_WAIT = timedelta(seconds=1)
"""A pod's wait for another thing is told this long after its last wait was told, and not before."""

OTHER_WORDS = timedelta(seconds=30)
"""The same for a wait whose words change: some name what changes with every look."""

NAMES: Mapping[type[Action], str] = {
    AskEviction: "evictionAsked",
    Cordon: "cordoned",
    Evict: "evicting",
    ExcludeNode: "excluded",
    IncludeNode: "included",
    Nudge: "nudged",
    Record: "recorded",
    Release: "released",
    RemoveNudge: "nudgeRemoved",
    RemoveRecord: "recordRemoved",
    RemoveTouch: "touchRemoved",
    RemoveWake: "wakeRemoved",
    Touch: "touched",
    Uncordon: "uncordoned",
    Undo: "givenBack",
    Wake: "woken",
    Withdraw: "withdrawn",
}
"""What actions are called: what was done, but for an eviction, which is told before it is tried."""


class Events:
    """Makes an event of everything that a run tells; the last one, `ended`, has the account of the whole run."""

    def __init__(
        self,
        *,
        write: Callable[[Json], None],
        warn: Callable[[str], None],
        now: Callable[[], datetime],
        command: tuple[str, ...] = (),
        dry_run: str | None = None,
    ) -> None:
        self._write = write
        self._warn = warn
        self._now = now
        self._account = Account(command=command, dry_run=dry_run, began=now())
        self._steps: dict[str, Step] = {}
        self._told: dict[str, tuple[Wait, datetime]] = {}
        self._gone: list[Json] = []

    def say(self, line: str) -> None:
        """Tell a line in kubectl's words."""
        at = self._now()
        self._account.messages.append((at, line))
        self._tell("message", at, {"message": line})

    def warn(self, message: str) -> None:
        """Tell a warning, to people too."""
        at = self._now()
        self._account.warn(message, at)
        self._tell("warning", at, {"message": message})
        self._warn(message)

    def planned(self, intent: Intent, snapshot: Snapshot, estimate: Estimate) -> None:  # noqa: ARG002 - Audience
        """Tell the plan."""
        self._account.plan = (intent, estimate)
        self._tell("planned", self._now(), {"plan": plan_of(intent, estimate)})

    def acted(self, action: Action) -> None:
        """Tell of an action."""
        self._tell("action", self._now(), {"action": name_of(action), "object": object_of(action)})

    def gone(self, planned: Planned, *, was_evicted: bool) -> None:
        """Keep that a pod is gone until its last step is told: a run tells it before the look that showed it."""
        if was_evicted:
            self._account.evicted.add(planned.uid)
        self._gone.append({"pod": pod_ref(planned), "evicted": was_evicted})

    def looked(self, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> None:
        """Tell which pods are in another step, which are gone, and which wait for something else than before."""
        self._account.follow(progress, outcome)
        for planned in progress.intent.pods:
            self._tell_step(planned, outcome.steps[planned.uid], snapshot.at)
        for gone in self._gone:
            self._tell("gone", snapshot.at, gone)
        self._gone.clear()
        for planned in progress.intent.pods:
            decision, since = outcome.decisions[planned.uid], progress.waiting_since(planned)
            if isinstance(decision, Wait) and since is not None:
                self._tell_wait(planned, decision, since, snapshot.at)

    def stopping(self, why: str, snapshot: Snapshot, outcome: Outcome) -> None:
        """Tell that no further pod is begun, to people too."""
        self._tell("stopping", snapshot.at, {"why": why})
        self._warn(stopping_line(why, outcome))

    def ended(self, progress: Progress, at: datetime) -> None:
        """Keep when the pods were last looked after; the account follows when the whole command is over."""
        self._account.follow(progress)
        self._account.ended_at = at

    def finished(self, code: int, error: str) -> None:
        """Tell the end, and the account of the whole run."""
        at = self._now()
        self._tell("ended", at, {"report": self._account.document(code, error, at)})

    def _tell(self, kind: str, at: datetime, content: Json) -> None:
        self._write({"apiVersion": API_VERSION, "type": kind, "time": instant(at), **content})

    def _tell_step(self, planned: Planned, step: Step, at: datetime) -> None:
        known = self._steps.get(planned.uid)
        if step is not known:
            self._steps[planned.uid] = step
            content: Json = {"pod": pod_ref(planned), "from": known.value if known else None, "to": step.value}
            self._tell("step", at, content)

    def _tell_wait(self, planned: Planned, wait: Wait, since: datetime, at: datetime) -> None:
        known = self._told.get(planned.uid)
        if known is not None and not _is_news(wait, known[0], at - known[1]):
            return
        self._told[planned.uid] = (wait, at)
        content: Json = {
            "pod": pod_ref(planned),
            "for": wait_name(wait.on),
            "why": wait.why,
            "remedy": wait.remedy or None,
            "since": instant(since),
            "until": instant(wait.until) if wait.until else None,
        }
        self._tell("waiting", at, content)


def _is_news(wait: Wait, known: Wait, passed: timedelta) -> bool:
    if wait.on is not known.on:
        return passed >= OTHER_WAIT
    # How far the queue is shows in the pods before it.
    return wait.told != known.told and wait.on is not For.SURGE and passed >= OTHER_WORDS


def name_of(action: Action) -> str:
    """Return what an action is called in events."""
    return NAMES[type(action)]
