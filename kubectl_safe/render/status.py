"""How it stands with pods, for people: who is at work on them, and a table as kubectl prints it.

Gates, slices and targets stand beside the other columns, or below them where the terminal is too narrow for that.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from kubectl_safe.decide.overview import Overview
from kubectl_safe.decide.status import Gate, PodStatus, TargetStatus
from kubectl_safe.model.service import Endpoint
from kubectl_safe.render.durations import short
from kubectl_safe.render.runs import run_lines
from kubectl_safe.render.text import cells, plain, wrap

NONE = "<none>"
_LINES = 1000
"""More than any text has: nothing is cut off."""
_WAYS = ("gate", "slice", "target")


def status_lines(
    seen: Overview,
    *,
    width: int | None,
    is_wide: bool = False,
    has_ages: bool = True,
    has_namespaces: bool = False,
) -> list[str]:
    """Return all of it in lines of at most `width` cells, where names allow it.

    Args:
        seen: what there is to show.
        width: of the terminal; None breaks no line.
        is_wide: whether to say everything, as with kubectl's `-o wide`.
        has_ages: whether to say how old things are, which changes without anything happening.
        has_namespaces: whether to say the namespace of each pod, as kubectl does with `--all-namespaces`.
    """
    at = seen.at if has_ages else None
    above = list(run_lines(seen, width=width, has_ages=has_ages))
    leading = {"NAMESPACE": [plain(its.pod.namespace) for its in seen.pods]} if has_namespaces else {}
    table = _table(seen.pods, at, leading=leading, width=width, is_wide=is_wide)
    return [*above, *([""] if above and table else []), *table]


def name_lines(seen: Overview) -> list[str]:
    """Return the names as `-o name` has them."""
    return [f"pod/{plain(its.pod.name)}" for its in seen.pods]


def _table(
    pods: Sequence[PodStatus],
    at: datetime | None,
    *,
    leading: dict[str, list[str]],
    width: int | None,
    is_wide: bool,
) -> list[str]:
    if not pods:
        return []
    ways = [_ways(its, at, is_wide=is_wide) for its in pods]
    columns = {**leading, **_columns(pods, at, is_wide=is_wide)}
    beside = _tabulated({**columns, **{way.upper(): ["\n".join(its[way]) for its in ways] for way in _WAYS}})
    if width is None or max(map(cells, beside)) <= width:
        return beside
    head, *rows = _tabulated(columns)
    if max(map(cells, (head, *rows))) > width and (nodes := columns.pop("NODE", None)):
        head, *rows = _tabulated(columns)
        ways = [{"node": [node], **its} for node, its in zip(nodes, ways, strict=True)]
    shown = [way for way in ("node", *_WAYS) if any(its.get(way, [NONE]) != [NONE] for its in ways)]
    indent = 2 + max(map(len, shown), default=0) + 2
    found = [head]
    for row, its in zip(rows, ways, strict=True):
        # That a pod is in no slice any more says something; that it never had a gate or a target doesn't.
        told = [way for way in shown if is_wide or way not in {"gate", "target"} or its[way] != [NONE]]
        found += [row, *_below({way: its[way] for way in told}, indent, width)]
    return found


def _below(ways: dict[str, list[str]], indent: int, width: int) -> Iterator[str]:
    for way, texts in ways.items():
        for text in texts:
            first, *more = wrap(text, max(1, width - indent), _LINES)
            yield f"  {way}".ljust(indent) + first
            yield from (" " * indent + line for line in more)


def _tabulated(columns: dict[str, list[str]]) -> list[str]:
    from tabulate import tabulate

    text = tabulate(columns, headers="keys", tablefmt="plain", disable_numparse=True)
    return [line.rstrip() for line in text.split("\n")]


def _columns(pods: Sequence[PodStatus], at: datetime | None, *, is_wide: bool) -> dict[str, list[str]]:
    """Return the columns of which each pod has one value."""
    return {
        "NAME": [plain(its.pod.name) for its in pods],
        "READY": [_ready(its) for its in pods],
        "STEP": [its.step.value if its.step else "-" for its in pods],
        **({"AGE": [_age(its, at) for its in pods]} if at else {}),
        **({"IP": [",".join(its.pod.ips) or NONE for its in pods]} if is_wide else {}),
        "NODE": [plain(its.pod.node or NONE) for its in pods],
    }


def _ready(its: PodStatus) -> str:
    why = plain(its.why_not_ready)
    value = its.ready.value or "False"
    return f"{value} ({why})" if why else value


def _age(its: PodStatus, at: datetime) -> str:
    return short(at - its.pod.created) if its.pod.created else "<unknown>"


def _ways(its: PodStatus, at: datetime | None, *, is_wide: bool) -> dict[str, list[str]]:
    return {
        "gate": [_gate(gate, is_wide=is_wide) for gate in its.gates] or [NONE],
        "slice": _places(its.places, is_wide=is_wide) or [NONE],
        "target": [_target(target, at if is_wide else None) for target in its.targets] or [NONE],
    }


def _gate(gate: Gate, *, is_wide: bool) -> str:
    name = gate.type if is_wide else gate.type.rpartition("/")[2]
    text = f"{name} {gate.value or 'unset'}"
    told = gate.condition
    if told is None or (told.is_true and not is_wide):
        return plain(text)
    why = ": ".join(filter(None, (told.reason, told.message if is_wide else "")))
    return plain(f"{text} ({why})" if why else text).replace("\n", " ")


def _places(places: Iterable[Endpoint], *, is_wide: bool) -> list[str]:
    """Return the places of a pod; one of each IP family of a Service is told once where they are alike."""
    texts = (f"{its.slice if is_wide else its.service or its.slice} {_conditions(its)}" for its in places)
    return [plain(text) for text in dict.fromkeys(texts)]


def _conditions(place: Endpoint) -> str:
    told = {
        "ready": place.is_ready,
        "serving": place.is_serving and not place.is_ready,
        "terminating": place.is_terminating,
    }
    words = [word for word, is_so in told.items() if is_so]
    return ", ".join(words if place.is_ready or place.is_serving else ["not ready", *words])


def _target(target: TargetStatus, at: datetime | None) -> str:
    text = f"{target.group} {target.target.at} {target.state}"
    text += f" ({target.why})" if target.why else ""
    if at and target.health:
        text += f", asked {short(at - target.health.asked_at)} ago"
    return plain(text).replace("\n", " ")
