"""What is said of a run that did not do everything: why, which pods, where they stand, and what to do next."""

from collections.abc import Iterable

from kubectl_safe.decide.ending import Ending, LeftPod, Standing
from kubectl_safe.render.durations import pods

SHOWN = 8
"""As many names as a reader takes in."""


def explained(ending: Ending, *, subject: str, has_record: bool = False, can_go_on: bool = True) -> str:
    """Return the text of an ending that left pods: each reason once, below it the pods by where they stand.

    Args:
        ending: with pods that were left.
        subject: what `kubectl safe abort` takes to end the run, such as `node/node-a`; empty for an abort itself.
        has_record: whether the run is noted in the cluster as not ended, even where no pod is under way.
        can_go_on: whether the same command has anything left to go on with.
    """
    # An abort leaves on purpose what serves with its controller.
    entries = ending.left if subject else ending.under_way
    verb = "was" if len(entries) == 1 else "were"
    what = "not handed over" if subject else "neither given back nor handed over"
    lines = [f"{len(entries)} of {pods(ending.planned)} {verb} {what}"]
    for why, left in _grouped(entries).items():
        lines.append(why)
        for standing in Standing:
            names = [str(entry.pod) for entry in left if entry.standing is standing]
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                lines.append(f"  {standing.value}: {', '.join(names[:SHOWN])}{more}")
    if not can_go_on:
        return "\n".join(lines)
    ends = f", or end it with: kubectl safe abort {subject}" if subject and (ending.under_way or has_record) else ""
    return "\n".join([*lines, f"run the same command again to go on{ends}"])


def _grouped(left: Iterable[LeftPod]) -> dict[str, list[LeftPod]]:
    found: dict[str, list[LeftPod]] = {}
    for entry in left:
        found.setdefault(entry.why, []).append(entry)
    return found
