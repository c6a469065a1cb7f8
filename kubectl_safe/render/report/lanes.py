"""A row for each pod: what it was to its clients, and below that, where it was listed and how its targets were."""

from itertools import groupby

from kubectl_safe.render.report.markup import Markup, element, together
from kubectl_safe.render.report.scale import Scale
from kubectl_safe.render.report.words import LABELS
from kubectl_safe.render.timeline import Health, Interval, Phase, PodLine, Timeline

ROW_HEIGHT = 28
BAR_Y, BAR_HEIGHT = 3, 15
LISTED_Y, TARGET_Y, LINE_HEIGHT = 20, 24, 3

NARROWEST = 500
"""Pixels of the narrowest page's rows: a word that doesn't fit its bar there is left out."""

LETTER = 6.0
"""Pixels of a letter, about."""

RIGHT = 86
"""Percent: what stands further right is written to the left of its place."""


def rows(timeline: Timeline, scale: Scale) -> Markup:
    """Return the rows of all pods, under the names of their workloads."""
    unchanged = {capacity.workload: capacity.unchanged for capacity in timeline.capacity}
    has_nodes = len({pod.node for pod in timeline.pods}) > 1
    parts: list[Markup] = []
    for workload, pods in groupby(timeline.pods, key=lambda pod: pod.workload):
        parts.append(element("h3", workload or "pods without a Deployment"))
        parts += [_row(pod, scale, has_node=has_nodes) for pod in pods]
        if others := unchanged.get(workload, 0):
            noun = "other pod was" if others == 1 else "other pods were"
            parts.append(element("p", f"{others} {noun} in service all along", class_="others"))
    return together(parts)


def phase_class(phase: Phase) -> str:
    """Return the class of a phase's colour and pattern."""
    return f"p-{phase.name.lower().replace('_', '-')}"


def health_class(health: Health) -> str:
    """Return the class of a target's colour."""
    return f"h-{health.name.lower()}"


def _row(pod: PodLine, scale: Scale, *, has_node: bool) -> Markup:
    about = [f"on {pod.node}"] if has_node and pod.node else []
    about += [f"for {pod.replaces}"] if pod.replaces else []
    name = element("span", pod.name, class_="name", title=pod.name)
    notes = element("small", ", ".join(about), title=", ".join(about)) if about else Markup("")
    is_new = "" if pod.is_planned else " new"
    return element("div", element("div", name, notes, class_=f"label{is_new}"), _lane(pod, scale), class_="row")


def _lane(pod: PodLine, scale: Scale) -> Markup:
    told = "; ".join(_told(interval, scale) for interval in pod.phases)
    gone = f"; gone at {scale.seconds(pod.gone)}" if pod.gone else ""
    cut = "; it changed more often than is shown" if pod.is_cut else ""
    parts = [element("title", pod.name), element("desc", f"{told}{gone}{cut}")]
    parts += [_phase(interval, scale) for interval in pod.phases]
    for span in pod.listed:
        words = f"in an EndpointSlice {scale.seconds(span.since)} to {scale.seconds(span.until)}"
        parts.append(_line(LISTED_Y, scale.x(span.since), scale.width(span.since, span.until), "listed", words))
    for interval in pod.targets:
        assert isinstance(interval.state, Health)
        words = f"target {_told(interval, scale)}"
        x, width = scale.x(interval.since), scale.width(interval.since, interval.until)
        parts.append(_line(TARGET_Y, x, width, health_class(interval.state), words))
    if pod.gone:
        parts.append(_gone(pod, scale))
    return element("svg", *parts, class_="lane", width="100%", height=str(ROW_HEIGHT), role="img")


def _phase(interval: Interval, scale: Scale) -> Markup:
    assert isinstance(interval.state, Phase)
    label = LABELS[interval.state]
    part = scale.percent(interval.until) - scale.percent(interval.since)
    fits = part / 100 * NARROWEST > len(label) * LETTER + 8
    kind = phase_class(interval.state)
    height = str(BAR_HEIGHT)
    rect = element("rect", width="100%", height=height, class_=kind)
    word = element("text", label, x="5", y="11.5", class_=f"t {kind}-t") if fits else Markup("")
    title = element("title", _told(interval, scale))
    # A nested picture cuts off what is wider than its bar.
    return element(
        "svg",
        title,
        rect,
        word,
        x=scale.x(interval.since),
        y=str(BAR_Y),
        width=scale.width(interval.since, interval.until),
        height=height,
    )


def _line(y: int, x: str, width: str, kind: str, words: str) -> Markup:
    title = element("title", words)
    return element("rect", title, x=x, y=str(y), width=width, height=str(LINE_HEIGHT), class_=kind)


def _gone(pod: PodLine, scale: Scale) -> Markup:
    """Return the words that end a pod's row, behind whatever is still drawn of it."""
    last = pod.phases[-1].until if pod.phases else pod.gone
    assert last is not None
    is_right = scale.percent(last) > RIGHT
    phases = {interval.state for interval in pod.phases}
    words = "cut off, gone" if Phase.CUT_OFF in phases else "gone"
    words += ", no target any more" if Phase.ORPHANED in phases else ""
    return element(
        "text",
        f"✕ {words}",
        x=scale.x(last),
        dx="-5" if is_right else "5",
        y="15",
        text_anchor="end" if is_right else None,
        class_="gone bad" if Phase.CUT_OFF in phases else "gone",
    )


def _told(interval: Interval, scale: Scale) -> str:
    return f"{interval.state.value} {scale.seconds(interval.since)} to {scale.seconds(interval.until)}"
