"""The closing line: what was handed over, the longest wait, the lowest capacity, and what is left."""

from collections import Counter
from datetime import datetime

from kubectl_safe.decide.decision import For, Step
from kubectl_safe.decide.giving_up import INTERRUPTED
from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Longest, Progress
from kubectl_safe.render.durations import pods, short

SHOWN = 5
"""As many pods as fit a line."""

NAMES = {
    For.CACHE: "for the cluster to be seen",
    For.LEASE: "for another run to let go",
    For.NODE: "for its node to leave target groups",
    For.SURGE: "in the queue",
    For.STRAY: "for a pod that another run left",
    For.RELEASE: "for its controller to let it go",
    For.REPLACEMENT: "for its replacement",
    For.ROOM: "for the room of pods that drain",
    For.UNDO: "to be given back",
    For.DRAINING_SLOT: "for a draining slot",
    For.BUDGET: "for its disruption budget",
    For.ENDPOINTS: "to leave its EndpointSlices",
    For.SETTLE: "to settle",
    For.TARGETS: "to leave its target groups",
    For.TERMINATION: "to terminate",
}


def closing_line(progress: Progress, at: datetime) -> str:
    """Return the one line that ends a run."""
    planned, there = progress.intent.pods, progress.left
    if planned and progress.intent.given_up.keys() >= progress.intent.uids:
        return _closing_of_abort(progress, at)
    parts = [f"{len(planned) - len(there)} of {pods(len(planned))} handed over in {short(at - progress.began)}"]
    if longest := _longest(progress, at):
        parts.append(f"longest wait {short(longest.lasted)} {NAMES[longest.on]} ({longest.pod.name})")
    parts += [f"lowest capacity {it.in_service} of {it.wanted} {it.workload}" for it in progress.lowest.values()]
    left = [pod for pod in there if pod.uid not in progress.skipped]
    if skipped := [pod for pod in there if pod.uid in progress.skipped]:
        parts.append(f"not waited for: {_named(skipped, progress)}")
    elif not left:
        parts.append("nothing left")
    if left:
        parts.append(f"left: {_named(left, progress)}; run the same command again to go on")
    return "; ".join(parts)


def _named(found: list[Planned], progress: Progress) -> str:
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return ", ".join(f"{pod.name} ({_step(pod, progress)})" for pod in found[:SHOWN]) + more


def _closing_of_abort(progress: Progress, at: datetime) -> str:
    """Return the line that ends an abort, which sets out to hand over nothing."""
    given_back = [p for p in progress.left if progress.steps.get(p.uid) is Step.QUEUED]
    left = [p for p in progress.left if p not in given_back]
    ended = len(progress.intent.pods) - len(progress.left)
    told = f"{pods(len(given_back))} given back, {ended} handed over in {short(at - progress.began)}"
    return f"{told}; left: {', '.join(f'{p.name} ({_step(p, progress)})' for p in left)}" if left else told


def stopping_line(why: str, outcome: Outcome) -> str:
    """Return the line that tells that a run is being stopped, and what it still does."""
    steps = Counter(outcome.steps.values())
    still = [
        f"{pods(steps[step])} {what}"
        for step, what in (
            (Step.RELEASED, "released, to be given back or finished"),
            (Step.WITHDRAWN, "withdrawn, to be finished"),
            (Step.TERMINATING, "stopping"),
        )
        if steps[step]
    ]
    hint = " (the same signal once more leaves at once)" if why.startswith(INTERRUPTED) else ""
    rest = f"; {', '.join(still)}{hint}" if still else ""
    return f"{why}: no further pod is begun{rest}"


def _longest(progress: Progress, at: datetime) -> Longest | None:
    """Return the longest wait, of those too that never ended; standing in the queue is none."""
    known = [progress.longest] if progress.longest else []
    for pod in progress.left:
        on, since = progress.waits.get(pod.uid, (For.SURGE, at))
        if on is not For.SURGE:
            known.append(Longest(pod=pod, on=on, lasted=at - since))
    return max(known, key=lambda wait: wait.lasted, default=None)


def _step(pod: Planned, progress: Progress) -> str:
    step = progress.steps.get(pod.uid)
    return step.value if step else "untouched"
