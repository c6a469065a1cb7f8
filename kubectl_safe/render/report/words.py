"""What a page says in words: headlines, the account beside them, and what the marks of the rows mean."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from kubectl_safe.render.durations import pods, short
from kubectl_safe.render.timeline import Capacity, Health, Phase, Timeline

LABELS: Mapping[Phase, str] = {
    Phase.STARTING: "starting",
    Phase.ARRIVING: "not yet in service",
    Phase.SERVING: "in service",
    Phase.RELEASED: "released",
    Phase.FAILING: "out of service",
    Phase.WITHDRAWN: "withdrawn",
    Phase.STOPPING: "stopping",
    Phase.CUT_OFF: "cut off",
    Phase.ORPHANED: "gone, still a target",
}
"""As short as a bar needs it."""

MEANINGS: Mapping[Phase, str] = {
    Phase.STARTING: "runs, is not ready",
    Phase.ARRIVING: "ready, and not yet known to all that send it requests",
    Phase.SERVING: "gets requests by every way that leads to it",
    Phase.RELEASED: "in service as before, while its replacement comes",
    Phase.FAILING: "not ready, or not healthy for a load balancer",
    Phase.WITHDRAWN: "gets no new requests, and finishes those it has",
    Phase.STOPPING: "told to stop when nobody sent it requests any more",
    Phase.CUT_OFF: "told to stop while it got requests: this is where they are lost",
    Phase.ORPHANED: "no process is left, and a load balancer still has its address",
}

HEALTH_MEANINGS: Mapping[Health, str] = {
    Health.INITIAL: "being checked",
    Health.HEALTHY: "healthy",
    Health.UNHEALTHY: "unhealthy",
    Health.DRAINING: "draining",
    Health.LEAVING: "leaving, not asked since",
}


def headline(timeline: Timeline) -> str:
    """Return what came of a run, in a line."""
    if timeline.traffic:
        lost = sum(timeline.lost.values())
        return f"{timeline.title}: {lost} of {timeline.sent} {timeline.counted} lost"
    if not timeline.planned:
        return f"{timeline.title}: no pod {'was' if timeline.error else 'had to be'} moved"
    count, _, after = _moved(timeline).partition(" after ")
    return f"{timeline.title}: {count} moved{f' in {after}' if after else ''}"


def facts(timeline: Timeline) -> list[tuple[str, str]]:
    """Return the account of a run: names and values."""
    found = []
    if timeline.traffic:
        found.append((timeline.counted, str(timeline.sent)))
        found.append(("lost", lost_words(timeline.lost)))
    if timeline.planned:
        found.append(("moved", _moved(timeline)))
    for capacity in timeline.capacity:
        name = short_name(capacity.workload)
        if lowest := capacity.lowest:
            found.append((f"lowest capacity of {name}", f"{lowest.in_service} of {lowest.wanted} in service"))
    if timeline.capacity:
        found.append(("below full capacity", _below(timeline)))
    return found


def lost_words(lost: Mapping[str, int]) -> str:
    """Return how many requests were lost, and of which reasons."""
    if not lost:
        return "0"
    return f"{sum(lost.values())} ({', '.join(f'{count} {reason}' for reason, count in lost.items())})"


def short_name(workload: str) -> str:
    """Return a workload's name without its kind and namespace."""
    return workload.rpartition("/")[2]


def missing_for(capacity: Capacity, ended: datetime) -> timedelta:
    """Return for how long fewer pods were in service than wanted."""
    levels = capacity.levels
    ends = [level.at for level in levels[1:]] + [ended]
    lengths = (end - level.at for level, end in zip(levels, ends, strict=True) if level.in_service < level.wanted)
    return sum(lengths, timedelta(0))


def _moved(timeline: Timeline) -> str:
    gone = [pod.gone for pod in timeline.pods if pod.is_planned and pod.gone]
    after = f" after {short(max(gone) - timeline.began)}" if gone else ""
    return f"{len(gone)} of {pods(timeline.planned)}{after}"


def _below(timeline: Timeline) -> str:
    longest = max((missing_for(capacity, timeline.ended), capacity.workload) for capacity in timeline.capacity)
    if not longest[0]:
        return "never"
    several = f" ({short_name(longest[1])})" if len(timeline.capacity) > 1 else ""
    return f"for {short(longest[0])}{several}"
