"""The page as a whole."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from importlib.resources import files

from kubectl_safe import __version__
from kubectl_safe.render.report.charts import (
    Ceilings,
    capacity_chart,
    ceilings,
    lost_chart,
    reason_class,
    sent_chart,
)
from kubectl_safe.render.report.lanes import rows
from kubectl_safe.render.report.legend import legend, patterns
from kubectl_safe.render.report.marks import marks_chart
from kubectl_safe.render.report.markup import Markup, element, together
from kubectl_safe.render.report.scale import Scale, number, scales
from kubectl_safe.render.report.words import facts, headline, short_name
from kubectl_safe.render.timeline import Timeline

NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'"
"""The page may load nothing, whatever a browser would make of it."""


def page(timelines: Sequence[Timeline], *, title: str = "", summary: str = "") -> str:
    """Return a whole page as HTML.

    Args:
        timelines: from top to bottom, on one scale of time.
        title: of the page; otherwise the headline of the only timeline, or the titles of all.
        summary: a sentence below the title.
    """
    name = title or (headline(timelines[0]) if len(timelines) == 1 else " or ".join(t.title for t in timelines))
    tops = ceilings(timelines)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=NOTHING_ELSE),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", name),
        element("style", Markup(files(__package__).joinpath("style.css").read_text(encoding="utf-8"))),
    )
    is_alone = len(timelines) == 1
    parts = [patterns(), element("h1", name, class_=_verdict(timelines[0]) if is_alone and not title else None)]
    parts += [element("p", summary, class_="summary")] if summary else []
    parts += [] if is_alone else [_comparison(timelines)]
    parts.append(legend(timelines))
    for timeline, scale in zip(timelines, scales(timelines), strict=True):
        parts.append(_section(timeline, scale, tops, has_headline=bool(title) or not is_alone))
    parts.append(element("footer", f"kubectl-safe {__version__}. {_dates(timelines)}"))
    body = element("body", element("main", *parts))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _section(timeline: Timeline, scale: Scale, tops: Ceilings, *, has_headline: bool) -> Markup:
    parts = [element("h2", headline(timeline), class_=_verdict(timeline))] if has_headline else []
    parts += [element("p", element("code", timeline.command), class_="command")] if timeline.command else []
    parts += [element("p", timeline.error, class_="error")] if timeline.error else []
    if not has_headline or timeline.error:
        parts.append(_account(timeline))
    bands: list[Markup] = [_axis(scale)]
    if timeline.marks:
        bands.append(_band("", marks_chart(timeline, scale)))
    if timeline.traffic:
        bands.append(
            _band(
                timeline.counted.capitalize(),
                f"a second; the top is {number(tops.sent)}",
                sent_chart(timeline, scale, tops),
            )
        )
        bands.append(_band("Lost", *_reasons(timeline, tops), lost_chart(timeline, scale, tops)))
    for capacity in timeline.capacity:
        about = "pods in service; dashed: wanted"
        bands.append(_band(short_name(capacity.workload), about, capacity_chart(capacity, timeline, scale)))
    bands.append(rows(timeline, scale))
    bands.append(_axis(scale))
    parts.append(element("div", _grid(timeline, scale), *bands, class_="timeline"))
    return element("section", *parts)


def _reasons(timeline: Timeline, tops: Ceilings) -> list[str]:
    """Return the words beside the losses: what the top of the chart is, and each reason with its colour and count."""
    about = f"a second; the top is {number(tops.lost)}"
    found: list[str] = [element("span", about, class_="about")] if timeline.lost else []
    for reason, count in timeline.lost.items():
        swatch = element(
            "svg",
            element("rect", width="9", height="9", class_=reason_class(reason, tops)),
            width="9",
            height="9",
            aria_hidden="true",
        )
        found.append(element("span", swatch, f" {count} {reason}", class_="reason"))
    return found


def _band(name: str, *about: str) -> Markup:
    *words, chart = about
    return element(
        "div",
        element("div", element("b", name), element("small", *words), class_="label"),
        element("div", chart),
        class_="row band",
    )


def _axis(scale: Scale) -> Markup:
    ticks = (element("span", name, style=f"left:{x}") for x, name in scale.ticks)
    return element(
        "div", element("div", "time", class_="label"), element("div", *ticks, class_="ticks"), class_="row axis"
    )


def _grid(timeline: Timeline, scale: Scale) -> Markup:
    """Return the lines behind all rows: ticks, and what happened when."""
    lines = [element("i", style=f"left:{x}") for x, _ in scale.ticks]
    lines += [element("b", style=f"left:{scale.x(mark.at)}") for mark in timeline.marks]
    return element("div", element("div", *lines), class_="grid", aria_hidden="true")


def _account(timeline: Timeline) -> Markup:
    pairs = (element("div", element("dt", name), element("dd", value)) for name, value in facts(timeline))
    return element("dl", *pairs)


def _comparison(timelines: Sequence[Timeline]) -> Markup:
    """Return a table with a column for each way."""
    accounts = [dict(facts(timeline)) for timeline in timelines]
    names = dict.fromkeys(name for account in accounts for name in account)
    heads = (element("th", timeline.title, scope="col") for timeline in timelines)
    lines = [element("tr", element("td", ""), *heads)]
    for name in names:
        values = (element("td", account.get(name, "-"), class_=_judged(name, account)) for account in accounts)
        lines.append(element("tr", element("th", name, scope="row"), *values))
    return element("table", *lines)


def _judged(name: str, account: Mapping[str, str]) -> str | None:
    if name != "lost" or name not in account:
        return None
    return "good" if account[name] == "0" else "bad"


def _verdict(timeline: Timeline) -> str | None:
    if timeline.error or timeline.lost:
        return "bad"
    return "good" if timeline.traffic or timeline.planned else None


def _dates(timelines: Sequence[Timeline]) -> Markup:
    began = (f"{t.title} began {t.began.astimezone(UTC).isoformat(timespec='seconds')}" for t in timelines)
    return together(["; ".join(began), "."])
