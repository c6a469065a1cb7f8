"""Requests, losses and capacity over time, as bars and steps whose places are percentages: they fit any width."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil, log10

from kubectl_safe.render.report.markup import Markup, element, together
from kubectl_safe.render.report.scale import Scale, number
from kubectl_safe.render.report.words import lost_words, missing_for, short_name
from kubectl_safe.render.timeline import NO_LOSS, Capacity, Level, Timeline, Traffic

MOST_BARS = 300
SENT_HEIGHT, LOST_HEIGHT, CAPACITY_HEIGHT = 40, 72, 60
COLOURS = 6
"""So many reasons of losses are told apart by colour; all are told apart by words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """What the tops of the charts stand for, the same for every timeline of a page; requests a second."""

    sent: float
    lost: float
    reasons: tuple[str, ...]
    """All reasons of losses, in the order of their colours."""


def ceilings(timelines: Sequence[Timeline]) -> Ceilings:
    """Return what the charts of a page have in common."""
    bars = [bar for timeline in timelines for bar in _bars(timeline.traffic)]
    reasons = {reason: None for timeline in timelines for reason in timeline.lost}
    return Ceilings(
        sent=_round_up(max((_rate(bar, bar.sent) for bar in bars), default=1.0)),
        lost=_round_up(max((_rate(bar, sum(bar.lost.values())) for bar in bars), default=1.0)),
        reasons=tuple(reasons),
    )


def sent_chart(timeline: Timeline, scale: Scale, tops: Ceilings) -> Markup:
    """Return how many requests were sent a second."""
    bars = [
        _bar(scale, bar, part=_rate(bar, bar.sent) / tops.sent, height=SENT_HEIGHT, kind="sent")
        for bar in _bars(timeline.traffic)
    ]
    words = f"{timeline.sent} {timeline.counted} in all, up to {number(tops.sent)} a second"
    return _chart(SENT_HEIGHT, "Requests a second", words, bars)


def lost_chart(timeline: Timeline, scale: Scale, tops: Ceilings) -> Markup:
    """Return how many requests were lost a second, by reason."""
    groups = [_stack(bar, scale, tops) for bar in _bars(timeline.traffic) if bar.lost]
    if not groups:
        groups = [element("text", "no request was lost", x="8", y=str(LOST_HEIGHT // 2 + 4), class_="good")]
    return _chart(LOST_HEIGHT, "Requests lost a second", f"{lost_words(timeline.lost)} lost in all", groups)


def reason_class(reason: str, tops: Ceilings) -> str:
    """Return the class of a reason's colour."""
    return f"loss r{tops.reasons.index(reason) % COLOURS}"


def capacity_chart(capacity: Capacity, timeline: Timeline, scale: Scale) -> Markup:
    """Return how many pods of a workload were in service, and how many were wanted."""
    levels = _visible(capacity.levels, scale.began)
    top = max([1, *(max(level.in_service, level.wanted) for level in levels)])
    ends = [level.at for level in levels[1:]] + [timeline.ended]
    parts: list[Markup] = []
    told = []
    for level, end in zip(levels, ends, strict=True):
        parts += _step(level, end, top, scale)
        told.append(f"{level.in_service} of {level.wanted} from {scale.seconds(level.at)}")
    lowest = capacity.lowest
    if lowest and lowest.in_service < lowest.wanted:
        parts.append(_lowest(lowest, top, scale))
    missing = missing_for(capacity, timeline.ended).total_seconds()
    desc = f"{'; '.join(told)}; below the wanted number for {number(missing)}s"
    return _chart(CAPACITY_HEIGHT, f"Pods of {short_name(capacity.workload)} in service", desc, parts)


def _step(level: Level, end: datetime, top: int, scale: Scale) -> Iterable[Markup]:
    x, width = scale.x(level.at), scale.width(level.at, end)
    served, wanted = (_height(count, top, CAPACITY_HEIGHT) for count in (level.in_service, level.wanted))
    title = element("title", f"{level.in_service} of {level.wanted} in service from {scale.seconds(level.at)}")
    yield element(
        "rect", title, x=x, width=width, y=number(CAPACITY_HEIGHT - served), height=number(served), class_="served"
    )
    if wanted > served:
        height = number(wanted - served)
        y = number(CAPACITY_HEIGHT - wanted)
        yield element("rect", title, x=x, width=width, y=y, height=height, class_="missing")
    y = number(CAPACITY_HEIGHT - wanted)
    yield element("line", x1=x, x2=number(scale.percent(end)) + "%", y1=y, y2=y, class_="wanted")


def _lowest(lowest: Level, top: int, scale: Scale) -> Markup:
    y = CAPACITY_HEIGHT - _height(lowest.in_service, top, CAPACITY_HEIGHT) + 13
    words = f"only {lowest.in_service} of {lowest.wanted}"
    is_right = scale.percent(lowest.at) > 80  # noqa: PLR2004 - further right it would be cut
    return element(
        "text",
        words,
        x=scale.x(lowest.at),
        dx="-4" if is_right else "4",
        y=number(min(y, CAPACITY_HEIGHT - 4)),
        text_anchor="end" if is_right else None,
        class_="told",
    )


def _stack(bar: Traffic, scale: Scale, tops: Ceilings) -> Markup:
    parts: list[Markup] = [element("title", f"{scale.seconds(bar.at)}: {lost_words(bar.lost)} of {bar.sent} lost")]
    below = 0.0
    for reason in (r for r in tops.reasons if r in bar.lost):
        part = _rate(bar, bar.lost[reason]) / tops.lost
        kind = reason_class(reason, tops)
        parts.append(_bar(scale, bar, below=below, part=part, height=LOST_HEIGHT, kind=kind))
        below += part
    return element("g", *parts)


def _bar(scale: Scale, bar: Traffic, *, below: float = 0.0, part: float, height: int, kind: str) -> Markup:
    return element(
        "rect",
        x=scale.x(bar.at),
        width=scale.width(bar.at, bar.at + bar.lasted),
        y=number(height * (1 - below - part)),
        height=number(height * part),
        class_=kind,
    )


def _chart(height: int, title: str, desc: str, parts: Iterable[Markup]) -> Markup:
    head = (element("title", title), element("desc", desc))
    return element(
        "svg",
        *head,
        together(parts),
        class_="chart",
        width="100%",
        height=str(height),
        role="img",
        aria_label=f"{title}: {desc}",
    )


def _visible(levels: Sequence[Level], began: datetime) -> Sequence[Level]:
    """Return the levels from the beginning on; the one that held then is among them."""
    before = [index for index, level in enumerate(levels) if level.at <= began]
    return levels[before[-1] :] if before else levels


def _height(count: int, top: int, height: int) -> float:
    return (height - 2) * count / top


def _rate(bar: Traffic, count: int) -> float:
    return count / max(0.001, bar.lasted.total_seconds())


def _bars(traffic: Sequence[Traffic]) -> list[Traffic]:
    """Return buckets, several in one where there are more than a page can show.

    A part of a second is put to the one before it: as a bar of its own it would be as high as it is short.
    """
    size = max(1, ceil(len(traffic) / MOST_BARS))
    groups = [list(traffic[start : start + size]) for start in range(0, len(traffic), size)]
    if len(groups) > 1 and sum(b.lasted.total_seconds() for b in groups[-1]) < 1:
        part = groups.pop()
        groups[-1] += part
    return [_sum(group) for group in groups]


def _sum(group: Sequence[Traffic]) -> Traffic:
    lost: dict[str, int] = {}
    for bucket in group:
        for reason, count in bucket.lost.items():
            lost[reason] = lost.get(reason, 0) + count
    last = group[-1]
    return Traffic(
        at=group[0].at,
        sent=sum(bucket.sent for bucket in group),
        lost=lost or NO_LOSS,
        lasted=last.at + last.lasted - group[0].at,
    )


def _round_up(value: float) -> float:
    """Return a round number that isn't smaller: 1, 2, 5, 10, 20, 50 and so on."""
    base = 10.0 ** ceil(log10(max(value, 1.0)) - 1)
    return next(base * step for step in (1, 2, 2.5, 3, 4, 5, 6, 8, 10) if base * step >= value or step == 10)  # noqa: PLR2004
