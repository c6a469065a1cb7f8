"""What is said of a run that did not do everything: why, which pods, where they stand, and what to do next."""

from collections.abc import Iterable, Iterator

from kubectl_safe.decide.ending import Ending, LeftPod, Standing
from kubectl_safe.decide.giving_up import Look
from kubectl_safe.decide.intent import Intent, Planned
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


def given_up_lines(look: Look, after: Intent, stop: str) -> Iterator[str]:
    """Return a line for each reason for which pods are given up where a look leads to that intent.

    That the whole run is stopped, for the reason in `stop`, is told once for all.
    """
    new: dict[str, list[Planned]] = {}
    for planned in look.intent.pods:
        why = after.given_up.get(planned.uid, stop)
        if why not in {stop, look.intent.given_up.get(planned.uid)} and look.can_turn_back(planned):
            new.setdefault(why, []).append(planned)
    for why, (first, *others) in new.items():
        yield f"pod {first} {f'and {len(others)} more are' if others else 'is'} given up: {why}"


def _grouped(left: Iterable[LeftPod]) -> dict[str, list[LeftPod]]:
    found: dict[str, list[LeftPod]] = {}
    for entry in left:
        found.setdefault(entry.why, []).append(entry)
    return found
