"""What a run came to as one JSON document, and the pieces that its events share with it.

The names and meanings of all fields are a promise to programs: `output.schema.json` has them. Fields may be added; none
is taken away or changes its meaning without a new `apiVersion`. Strings of the cluster and of AWS stay as they came.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kubectl_safe.decide.actions import Action, subject_of
from kubectl_safe.decide.decision import Act, Decision, For, Gone, Wait
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Lowest, Progress, Waited
from kubectl_safe.model.pod import OwnerReference

API_VERSION = "kubectl-safe/v1"

INTERRUPTED = 130

Json = dict[str, object]


@dataclass(kw_only=True)
class Warned:
    """A warning, and how often it was told: some come back every few seconds for hours."""

    message: str
    first: datetime
    last: datetime
    count: int = 1


@dataclass(kw_only=True)
class Account:
    """What was told of a run until now."""

    command: tuple[str, ...]
    """The arguments, as they were given."""
    dry_run: str | None
    """None where the command line could not be read so far."""
    began: datetime
    plan: tuple[Intent, Estimate] | None = None
    messages: list[tuple[datetime, str]] = field(default_factory=list)
    warnings: dict[str, Warned] = field(default_factory=dict)
    runs: list[Progress] = field(default_factory=list)
    """One; a drain has another one for the pods that came in before the cordon."""
    decisions: dict[str, Decision] = field(default_factory=dict)
    """By UID, the last one of each pod."""
    evicted: set[str] = field(default_factory=set)
    ended_at: datetime | None = None
    """When the last look was over, whatever came after it."""

    def warn(self, message: str, at: datetime) -> None:
        """Count a warning."""
        known = self.warnings.setdefault(message, Warned(message=message, first=at, last=at, count=0))
        known.last, known.count = at, known.count + 1

    def follow(self, progress: Progress, outcome: Outcome | None = None) -> None:
        """Take up how far a run is."""
        if not any(known is progress for known in self.runs):
            self.runs.append(progress)
        if outcome is not None:
            self.decisions |= outcome.decisions

    def document(self, code: int, error: str, at: datetime) -> Json:
        """Return the whole account, once the run is over with an exit code and perhaps an error."""
        pods = self._pods()
        return {
            "apiVersion": API_VERSION,
            "kind": "Report",
            "command": list(self.command),
            "dryRun": self.dry_run,
            "startedAt": instant(self.began),
            "endedAt": instant(at),
            "durationSeconds": seconds(at - self.began),
            "outcome": self._outcome(code),
            "exitCode": code,
            "error": error or None,
            "plan": plan_of(*self.plan) if self.plan else None,
            "pods": [self._pod(planned, progress, at) for planned, progress in pods],
            "left": [self._left(p, run) for p, run in pods if run is None or p in run.left],
            "lowestCapacity": [_capacity(lowest) for run in self.runs for lowest in run.lowest.values()],
            "messages": [{"time": instant(told), "message": message} for told, message in self.messages],
            "warnings": [_warning(warned) for warned in self.warnings.values()],
        }

    def _outcome(self, code: int) -> str:
        if code == 0:
            return "succeeded"
        if code == INTERRUPTED:
            return "interrupted"
        # Whatever is refused is refused before the plan is told, and nothing is moved before that.
        return "failed" if self.plan else "refused"

    def _pods(self) -> list[tuple[Planned, Progress | None]]:
        """Return every planned pod with the run that moved it, if one began."""
        found: dict[str, tuple[Planned, Progress | None]] = {}
        if self.plan:
            found |= {planned.uid: (planned, None) for planned in self.plan[0].pods}
        for run in self.runs:
            found |= {planned.uid: (planned, run) for planned in run.intent.pods}
        return list(found.values())

    def _pod(self, planned: Planned, run: Progress | None, at: datetime) -> Json:
        steps = run.reached.get(planned.uid, {}) if run else {}
        return {
            **planned_pod(planned),
            "step": _step(planned, run),
            "steps": [{"step": step.value, "time": instant(seen)} for step, seen in steps.items()],
            "waits": [_wait(w) for w in run.waits_of(planned, self.ended_at or at)] if run else [],
            "evicted": planned.uid in self.evicted,
        }

    def _left(self, planned: Planned, run: Progress | None) -> Json:
        return {**pod_ref(planned), "step": _step(planned, run), "why": _why(self.decisions.get(planned.uid))}


def instant(at: datetime) -> str:
    """Return an instant in RFC 3339, UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds(duration: timedelta) -> float:
    """Return a duration in seconds, to the millisecond; none where a clock was set back meanwhile."""
    return max(0.0, round(duration.total_seconds(), 3))


def camel(words: str) -> str:
    """Return words as Kubernetes writes the names of fields: `draining slot` as `drainingSlot`."""
    first, *others = words.split()
    return first + "".join(word.capitalize() for word in others)


def pod_ref(planned: Planned) -> Json:
    """Return which pod it is."""
    return {"namespace": planned.namespace, "name": planned.name, "uid": planned.uid}


def planned_pod(planned: Planned) -> Json:
    """Return a pod as the plan has it."""
    return {**pod_ref(planned), "node": planned.node, "workload": _owner(planned.workload)}


def plan_of(intent: Intent, estimate: Estimate) -> Json:
    """Return the plan."""
    return {
        "estimateSeconds": seconds(estimate.total),
        "estimateReason": estimate.why,
        "pods": [planned_pod(planned) for planned in intent.pods],
    }


def object_of(action: Action) -> Json:
    """Return the object that an action is about; what has no namespace has null for it."""
    kind, *namespace, name = subject_of(action).split("/")
    return {"kind": kind, "namespace": namespace[0] if namespace else None, "name": name}


def wait_name(on: For) -> str:
    """Return what a wait is for."""
    return camel(on.value)


def _owner(workload: OwnerReference | None) -> Json | None:
    if workload is None:
        return None
    return {
        "apiVersion": workload.api_version,
        "kind": workload.kind,
        "name": workload.name,
        "uid": workload.uid,
    }


def _step(planned: Planned, run: Progress | None) -> str | None:
    step = run.steps.get(planned.uid) if run else None
    return step.value if step else None


def _why(decision: Decision | None) -> str | None:
    match decision:
        case None | Act() | Gone():
            return None
        case Wait():
            return decision.told
        case _:
            return decision.why


def _wait(waited: Waited) -> Json:
    return {
        "for": wait_name(waited.on),
        "since": instant(waited.since),
        "times": waited.times,
        "seconds": seconds(waited.total),
        "longestSeconds": seconds(waited.longest),
    }


def _capacity(lowest: Lowest) -> Json:
    return {"workload": lowest.workload, "inService": lowest.in_service, "wanted": lowest.wanted}


def _warning(warned: Warned) -> Json:
    return {
        "message": warned.message,
        "count": warned.count,
        "firstTime": instant(warned.first),
        "lastTime": instant(warned.last),
    }
