"""The rows of the live view: each pod with its step, what it waits for right now, since when, and an ETA."""

from datetime import timedelta

from kubectl_safe.decide.decision import Act, Blocked, Decision, For, Gone, Wait
from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.durations import short

HEADERS = ("POD", "NODE", "STEP", "SINCE", "ETA", "WAITS FOR")


def rows(snapshot: Snapshot, outcome: Outcome, progress: Progress) -> list[tuple[str, ...]]:
    """Return a row for each planned pod, in the order of the plan."""
    found: list[tuple[str, ...]] = []
    for planned in progress.intent.pods:
        decision = outcome.decisions[planned.uid]
        since = progress.waiting_since(planned)
        found.append(
            (
                planned.name,
                planned.node,
                outcome.steps[planned.uid].value,
                short(snapshot.at - since) if since else "",
                _eta(planned, decision, snapshot),
                _what(decision),
            )
        )
    return found


def _what(decision: Decision) -> str:
    match decision:
        case Wait(why=why) | Blocked(why=why):
            return why
        case Act() | Gone():
            return ""


def _eta(planned: Planned, decision: Decision, snapshot: Snapshot) -> str:
    """Return when the present wait is over, where that can be told."""
    if not isinstance(decision, Wait):
        return ""
    if decision.until:
        return short(decision.until - snapshot.at)
    since = snapshot.withdrawn_since.get(planned.uid)
    pod = snapshot.pods.get(planned.uid)
    if decision.on is not For.TARGETS or since is None or pod is None:
        return ""
    groups = (snapshot.groups.get(target.group) for target in snapshot.targets_of(pod))
    delays = [group.deregistration_delay for group in groups if group]
    return short(since + max(delays, default=timedelta(0)) - snapshot.at)
