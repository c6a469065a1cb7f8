"""What the colours, patterns and lines of the rows mean; only what a page shows is explained."""

from collections.abc import Sequence

from kubectl_safe.render.report.lanes import health_class, phase_class
from kubectl_safe.render.report.markup import Markup, element
from kubectl_safe.render.report.words import HEALTH_MEANINGS, LABELS, MEANINGS
from kubectl_safe.render.timeline import Health, Phase, Timeline


def patterns() -> Markup:
    """Return the patterns that colours are told apart by without colours; they are drawn by reference."""
    hatch = "M-2,2 l4,-4 M0,8 l8,-8 M6,10 l4,-4"
    found = [
        _pattern("arriving", element("path", d=hatch)),
        _pattern("withdrawn", element("path", d=hatch)),
        _pattern("cut", element("path", d=f"{hatch} M-2,6 l4,4 M0,0 l8,8 M6,-2 l4,4")),
        _pattern("orphan", element("path", d=hatch)),
        _pattern("missing", element("path", d=hatch)),
        _pattern("starting", element("path", d="M1,2 h2 M5,6 h2")),
        _pattern("failing", element("path", d="M0,2 h8 M0,6 h8")),
    ]
    return element("svg", element("defs", *found), class_="defs", width="0", height="0", aria_hidden="true")


def legend(timelines: Sequence[Timeline]) -> Markup:
    """Return the explanation of all phases and lines that are on the page."""
    states = {i.state for t in timelines for pod in t.pods for i in (*pod.phases, *pod.targets)}
    items = [_item(_swatch(phase_class(phase)), LABELS[phase], MEANINGS[phase]) for phase in Phase if phase in states]
    if any(pod.listed for t in timelines for pod in t.pods):
        items.append(_item(_swatch("listed", height=3), "upper line", "listed as ready in an EndpointSlice"))
    healths = [health for health in Health if health in states]
    if healths:
        lines = [element("span", _swatch(health_class(h), height=3), f" {HEALTH_MEANINGS[h]} ") for h in healths]
        items.append(element("li", element("b", "lower line "), "a target of the load balancer: ", *lines))
    if any(not pod.is_planned for t in timelines for pod in t.pods):
        items.append(_item(element("span", "+", class_="plus"), "before a name", "a new pod"))
    return element("ul", *items, class_="legend", aria_label="What the rows show") if items else Markup("")


def _item(swatch: Markup, name: str, meaning: str) -> Markup:
    return element("li", swatch, element("b", f" {name} "), meaning)


def _swatch(kind: str, *, height: int = 12) -> Markup:
    rect = element("rect", width="26", height=str(height), class_=kind)
    return element("svg", rect, width="26", height=str(height), class_="swatch", aria_hidden="true")


def _pattern(name: str, content: Markup) -> Markup:
    ground = element("rect", width="8", height="8", class_="ground")
    return element(
        "pattern", ground, content, id=f"{name}-pattern", width="8", height="8", patternUnits="userSpaceOnUse"
    )
