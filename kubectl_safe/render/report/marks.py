"""What happened when, in words above the rows; words that would run into each other are on lines of their own."""

from kubectl_safe.render.report.markup import Markup, element
from kubectl_safe.render.report.scale import Scale
from kubectl_safe.render.text import clip
from kubectl_safe.render.timeline import Timeline

LINE = 14
MOST_LINES = 6
LONGEST = 60
"""Letters of a mark; all of its words are in its tooltip."""

LETTER_PERCENT = 1.3
"""How wide a letter is on the narrowest page, in percent of its rows."""

MIDDLE = 50
"""Percent: what is right of it has its words on its left."""


def marks_chart(timeline: Timeline, scale: Scale) -> Markup:
    """Return the words of all marks, each at its time."""
    ends: list[list[tuple[float, float]]] = [[]]
    parts = []
    for mark in sorted(timeline.marks, key=lambda mark: mark.at):
        at, words = scale.percent(mark.at), clip(mark.text.replace("\n", " "), LONGEST)
        is_right = at > MIDDLE
        width = len(words) * LETTER_PERCENT
        place = (at - width, at) if is_right else (at, at + width)
        line = _free_line(ends, place)
        ends[line].append(place)
        title = element("title", f"{scale.seconds(mark.at)}: {mark.text}")
        anchor = "end" if is_right else None
        y = str(line * LINE + 11)
        dx = "-4" if is_right else "4"
        parts.append(element("text", title, words, x=scale.x(mark.at), dx=dx, y=y, text_anchor=anchor, class_="mark"))
    told = "; ".join(f"{scale.seconds(mark.at)}: {mark.text}" for mark in timeline.marks)
    head = (element("title", "What happened"), element("desc", told))
    return element("svg", *head, *parts, width="100%", height=str(len(ends) * LINE + 2), role="img")


def _free_line(lines: list[list[tuple[float, float]]], place: tuple[float, float]) -> int:
    """Return the first line with room for a place; a further one is added where there is none, up to a number."""
    for number, taken in enumerate(lines):
        if all(place[1] < begin or end < place[0] for begin, end in taken):
            return number
    if len(lines) < MOST_LINES:
        lines.append([])
    return len(lines) - 1
