"""The runs that are at work on pods, and what dead ones left, for people."""

from collections.abc import Iterator

from kubectl_safe.decide.check.finding import Finding
from kubectl_safe.decide.decision import Act, Decision, Step, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.overview import Overview
from kubectl_safe.decide.runs import Run
from kubectl_safe.decide.status import PodStatus
from kubectl_safe.render.durations import short
from kubectl_safe.render.table import fact
from kubectl_safe.render.text import cells, columns, plain, wrap

TEXT_CELLS = 60
"""As many a text needs to be worth reading beside a name; where there are fewer, it goes below."""
_INDENT = "  "
_LINES = 1000
"""More than any text has: nothing is cut off."""


def run_lines(seen: Overview, *, width: int | None, has_ages: bool) -> Iterator[str]:
    """Yield who is at work since when, and what each pod waits for; then what nobody goes on with, and its remedy."""
    known = {its.pod.uid: its for its in seen.pods}
    for run in seen.runs:
        since = run.holder.since
        age = f" for {short(seen.at - since)}" if since and has_ages else ""
        about = f"{run.holder.about}, by {run.holder.who}" if run.holder.about else run.holder.who
        yield from _wrapped(f"{about}{age}{_silence(run, has_ages=has_ages)}:", "", width)
        yield from _pods(run, known, width)
    for finding in seen.left:
        yield from _left(finding, width)


def _silence(run: Run, *, has_ages: bool) -> str:
    if not run.is_silent or run.unheard is None:
        return ""
    return f", last heard of {short(run.unheard)} ago" if has_ages else ", not heard of lately"


def waits_for(planned: Planned, decision: Decision, intent: Intent) -> str:
    """Return what a pod waits for, in the words of the live view."""
    if isinstance(decision, Act):
        return "its next step, which is due"
    remedy = f"; {plain(decision.remedy)}" if isinstance(decision, Wait) and decision.remedy else ""
    return f"{fact(planned, decision, intent)}{remedy}"


def _pods(run: Run, known: dict[str, PodStatus], width: int | None) -> Iterator[str]:
    """Yield a line for each pod that is shown and under way, and one that counts the others in the queue."""
    shown = [planned for planned in run.intent.pods if planned.uid in known]
    steps = {planned.uid: known[planned.uid].step for planned in shown}
    moving = [planned for planned in shown if steps[planned.uid] not in {None, Step.QUEUED}]
    rows = [(plain(its.name), step.value) for its in moving if (step := steps[its.uid])]
    heads = [f"{_INDENT}{line}  " for line in columns(rows)] if rows else []
    longest = max(map(cells, heads), default=0)
    for head, planned in zip(heads, moving, strict=True):
        told = waits_for(planned, run.decisions[planned.uid], run.intent)
        if width is None or width - longest >= TEXT_CELLS:
            yield from _wrapped(told, head + " " * (longest - cells(head)), width)
        else:
            yield head.rstrip()
            yield from _wrapped(told, 2 * _INDENT, width)
    if queued := len(shown) - len(moving):
        yield f"{_INDENT}{queued} queued"


def _left(finding: Finding, width: int | None) -> Iterator[str]:
    subject = finding.subject
    where = f" in namespace {subject.namespace}" if subject.namespace else ""
    yield from _wrapped(f"{subject}{where}: {finding.fact}", "", width)
    # Commands are to be copied, and so never broken.
    yield from (f"{_INDENT}{plain(line)}" for line in finding.remedy.split("\n"))


def _wrapped(text: str, head: str, width: int | None) -> Iterator[str]:
    """Yield a text behind a head; what does not fit beside it goes on below itself."""
    told = plain(text).replace("\n", " ")
    first, *more = [told] if width is None else wrap(told, max(20, width - len(head)), _LINES)
    yield f"{head}{first}".rstrip()
    yield from (" " * max(len(head), 2) + line for line in more)
