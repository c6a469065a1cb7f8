"""The table of the live view: each pod with its step, what it waits for right now, since when, and an ETA."""

import re
from collections import Counter
from datetime import timedelta

from kubectl_safe.decide.decision import Act, Blocked, Decision, For, Gone, Left, Skipped, Step, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render.durations import short
from kubectl_safe.render.text import columns, plain, wrap

TEXT_CELLS = 40
"""As many a text needs to be worth reading; other columns give way to it."""

_LINES = 100
"""More than any text has that fits a terminal: nothing is cut off."""

COUNTED = re.compile(r"(\d+ of \d+) other pods of \S+ \S+ are in service: (.+)", re.DOTALL)
"""How `decide` says that pods are missing; why they are is what a reader looks for."""


SURGE = re.compile(r"(\d+ of \d+) pods of \S+ \S+ serve beyond the wanted number$")
"""How `decide` says that a pod is in the queue."""


def table(snapshot: Snapshot, outcome: Outcome, progress: Progress, *, width: int, height: int) -> list[str]:
    """Return the table's lines, of at most `width` cells and `height` lines.

    Where it doesn't fit, a text gets one line instead of two, then pods are left out that aren't under way.
    """
    pods = list(progress.intent.pods)
    shown = pods if len(pods) < height else _first(pods, outcome, max(1, height - 2))
    has_nodes = len({planned.node for planned in pods}) > 1
    has_namespaces = len({planned.namespace for planned in pods}) > 1
    cells = [_cells(planned, snapshot, outcome, progress) for planned in shown]
    fixed = _fixed(shown, cells, has_namespaces=has_namespaces, has_nodes=has_nodes)
    if has_nodes and width - _width(fixed) < TEXT_CELLS:
        fixed = _fixed(shown, cells, has_namespaces=has_namespaces, has_nodes=False)
    room = max(1, width - _width(fixed))
    texts = ["WAITS FOR", *(fact(planned, outcome.decisions[planned.uid], progress.intent) for planned in shown)]
    hidden = _hidden([p for p in pods if p not in shown], outcome)
    lines, lines_each = _joined(fixed, texts, room, lines_each=2), 2
    if len(lines) + len(hidden) > height:
        lines, lines_each = _joined(fixed, texts, room, lines_each=1), 1
    lines += hidden
    cut = {p.uid for p, text in zip(shown, texts[1:], strict=True) if len(wrap(text, room, _LINES)) > lines_each}
    return [*lines, *_remedies(shown, outcome, cut, width=width, height=height - len(lines))]


def fact(planned: Planned, decision: Decision, intent: Intent) -> str:
    """Return what a pod waits for in a row that names the pod: the fact first, and nothing that the row says already.

    The namespace goes where the whole run has but one; the pod's own name, and its own address, go always.
    """
    if not isinstance(decision, Wait | Blocked | Left | Skipped):
        return ""
    text = decision.why.replace(f"pod {planned} ", "").replace("\n", " ")
    if len({pod.namespace for pod in intent.pods}) == 1:
        text = re.sub(rf"(?<![\w./-]){re.escape(planned.namespace)}/(?=\w)", "", text)
    if isinstance(decision, Wait) and decision.on is For.TARGETS:
        text = re.sub(r"^target \S+ in ", "target in ", text)
    # What AWS says of the target tells more than that its gate is not True.
    text = re.sub(r" waits for its readiness gate \S+: target ", ": target ", text)
    if counted := COUNTED.fullmatch(text):
        text = f"{counted[2]} ({counted[1]} others in service)"
    elif surge := SURGE.match(text):
        text = f"its turn: {surge[1]} places beyond the replicas are taken"
    return plain(text)


def _remedies(shown: list[Planned], outcome: Outcome, cut: set[str], *, width: int, height: int) -> list[str]:
    """Return what helps against the waits that are shown, each once, and whole: a command is to be copied.

    With the whole reason, where the row of the pod (by UID) has it cut off, and there is room for that.
    """
    found: list[str] = []
    for planned in shown:
        wait = outcome.decisions[planned.uid]
        if not isinstance(wait, Wait) or not wait.remedy:
            continue
        short_text = f"what helps: {wait.remedy}"
        for text in (wait.told, short_text) if planned.uid in cut else (short_text,):
            lines = wrap(plain(text).replace("\n", " "), width, _LINES)
            if lines[0] in found:
                break
            if len(found) + len(lines) <= height:
                found += lines
                break
    return found


def _cells(planned: Planned, snapshot: Snapshot, outcome: Outcome, progress: Progress) -> tuple[str, str, str]:
    since = progress.waiting_since(planned)
    return (
        outcome.steps[planned.uid].value,
        short(snapshot.at - since) if since else "",
        _eta(planned, outcome.decisions[planned.uid], snapshot),
    )


def _fixed(
    shown: list[Planned], cells: list[tuple[str, str, str]], *, has_namespaces: bool, has_nodes: bool
) -> list[str]:
    """Return all columns but the last, as lines of the same width."""
    names = {"NAMESPACE": [plain(p.namespace) for p in shown], "POD": [plain(p.name) for p in shown]}
    names |= {"NODE": [plain(p.node) for p in shown]}
    left_out = {"NAMESPACE": not has_namespaces, "POD": False, "NODE": not has_nodes}
    kept = [(title, *values) for title, values in names.items() if not left_out[title]]
    rest = zip(("STEP", "SINCE", "ETA"), *cells, strict=True)
    lines = columns(zip(*kept, *rest, strict=True))
    width = max(len(line) for line in lines)
    return [f"{line:{width}}  " for line in lines]


def _width(fixed: list[str]) -> int:
    return len(fixed[0])


def _joined(fixed: list[str], texts: list[str], room: int, *, lines_each: int) -> list[str]:
    found = []
    for line, text in zip(fixed, texts, strict=True):
        first, *more = wrap(text, room, lines_each)
        found += [(line + first).rstrip(), *(" " * len(line) + rest for rest in more)]
    return found


def _first(pods: list[Planned], outcome: Outcome, count: int) -> list[Planned]:
    """Return those that are under way, then those in the queue, then those that are gone; each in the plan's order."""
    order = {Step.QUEUED: 1, Step.GONE: 2}
    return sorted(pods, key=lambda planned: order.get(outcome.steps[planned.uid], 0))[:count]


def _hidden(pods: list[Planned], outcome: Outcome) -> list[str]:
    if not pods:
        return []
    counts = Counter(outcome.steps[planned.uid] for planned in pods)
    told = ", ".join(f"{counts[step]} {step.value}" for step in Step if counts[step])
    return [f"... and {len(pods)} more: {told}"]


def _eta(planned: Planned, decision: Decision, snapshot: Snapshot) -> str:
    """Return in how long the present wait is over, where that can be told."""
    match decision:
        case Wait(until=until) if until:
            return short(until - snapshot.at)
        case Wait(on=For.TARGETS):
            return _until_deregistered(planned, snapshot)
        case Wait() | Act() | Blocked() | Left() | Skipped() | Gone():
            return ""


def _until_deregistered(planned: Planned, snapshot: Snapshot) -> str:
    since, pod = snapshot.withdrawn_since.get(planned.uid), snapshot.pods.get(planned.uid)
    if since is None or pod is None:
        return ""
    groups = (snapshot.groups.get(target.group) for target in snapshot.targets_of(pod))
    delays = [group.deregistration_delay for group in groups if group]
    left = since + max(delays, default=timedelta(0)) - snapshot.at
    return short(left) if left > timedelta(0) else ""
