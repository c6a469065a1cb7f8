"""The page: everything is in it, nothing comes from elsewhere, and nobody's name becomes markup."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from kubectl_safe.render import report
from kubectl_safe.render.report.scale import clock
from kubectl_safe.render.timeline import (
    Capacity,
    Health,
    Interval,
    Level,
    Mark,
    Phase,
    PodLine,
    Span,
    Timeline,
    Traffic,
)
from tests.support.builders import NOW

HOSTILE = "<script>alert(1)</script>\"'&\x1b[2J\x00]]>"
WEB = "deployment shop/web"


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def a_line(name: str = "web-1", *phases: tuple[Phase, float, float], **changes: Any) -> PodLine:
    """Return a pod's row, by default of a whole handoff."""
    known = phases or (
        (Phase.SERVING, 0, 5),
        (Phase.RELEASED, 5, 12),
        (Phase.WITHDRAWN, 12, 30),
        (Phase.STOPPING, 30, 31),
    )
    values: dict[str, Any] = {
        "uid": f"{name}-uid",
        "namespace": "shop",
        "name": name,
        "node": "node-a",
        "workload": WEB,
        "is_planned": True,
        "phases": tuple(Interval(since=at(a), until=at(b), state=phase) for phase, a, b in known),
        "listed": (Span(since=at(0), until=at(12)),),
        "targets": (
            Interval(since=at(0), until=at(12), state=Health.HEALTHY),
            Interval(since=at(12), until=at(22), state=Health.DRAINING),
        ),
        "gone": at(31),
    }
    return PodLine(**values | changes)


def a_timeline(**changes: Any) -> Timeline:
    """Return a run of 40 s that moved one pod."""
    new = a_line("web-7", (Phase.STARTING, 6, 8), (Phase.ARRIVING, 8, 11), (Phase.SERVING, 11, 40))
    values: dict[str, Any] = {
        "title": "kubectl safe drain node-a",
        "command": "kubectl safe drain node-a --settle 15s",
        "began": NOW,
        "ended": at(40),
        "pods": (a_line(), replace(new, is_planned=False, gone=None, replaces="web-1")),
        "capacity": (Capacity(workload=WEB, levels=(Level(at=at(0), in_service=6, wanted=6),), unchanged=5),),
        "marks": (Mark(at=at(1), text="node-a cordoned"),),
        "planned": 1,
    }
    return Timeline(**values | changes)


def traffic(*lost: dict[str, int]) -> tuple[Traffic, ...]:
    """Return a bucket a second with 200 requests each."""
    return tuple(Traffic(at=at(second), sent=200, lost=losses) for second, losses in enumerate(lost))


PLAIN = a_timeline(
    title="kubectl drain node-a", traffic=traffic({}, {"reset": 7, "502": 30}, {"refused": 5}, {}), ended=at(20)
)
SAFE = a_timeline(traffic=traffic({}, {}, {}))


def svgs(page: str) -> list[ET.Element]:
    """Return the pictures of a page, each of which has to be XML by itself."""
    return [ET.fromstring(text) for text in _outermost_svgs(page)]


def _outermost_svgs(page: str) -> list[str]:
    found, depth, start = [], 0, 0
    for match in re.finditer(r"<svg\b|</svg>", page):
        if match[0] == "</svg>":
            depth -= 1
            if depth == 0:
                found.append(page[start : match.end()])
        else:
            start = match.start() if depth == 0 else start
            depth += 1
    assert depth == 0
    return found


def words(page: str) -> str:
    """Return all text of a page, of tooltips and descriptions too."""
    read: list[str] = []
    parser = HTMLParser()
    parser.handle_data = read.append  # type: ignore[method-assign, assignment]
    parser.feed(page.partition("</style>")[2])
    return " ".join(" ".join(read).split())


@pytest.mark.parametrize("phase", list(Phase), ids=lambda phase: phase.name.lower())
def test_every_interval_of_a_pod_is_in_the_page_with_its_times_and_in_the_legend(phase: Phase) -> None:
    page = report.page([a_timeline(pods=(a_line("web-1", (phase, 2.5, 7)),))])
    told = f"{phase.value} 2.5s to 7s"
    [lane] = [svg for svg in svgs(page) if svg.get("class") == "lane"]
    assert told in (lane.findtext("desc") or "")
    [bar] = [svg for svg in lane.findall("svg") if svg.findtext("title") == told]
    assert (bar.get("x"), bar.get("width")) == (_percent(2.5), _percent(4.5))
    [rect] = bar.findall("rect")
    kind = rect.get("class")
    assert f".{kind} {{" in page, "it has a look of its own"
    assert f'class="{kind}"' in page.partition('class="legend"')[2].partition("</ul>")[0]


def _percent(seconds: float) -> str:
    """Return how far right something is in a run of 40 s, after which some room is left for words."""
    return f"{seconds / 40 / 1.08 * 100:.2f}".rstrip("0").rstrip(".") + "%"


@pytest.mark.parametrize("health", list(Health), ids=lambda health: health.name.lower())
def test_the_health_of_a_target_is_in_the_page_with_its_times(health: Health) -> None:
    pod = a_line(targets=(Interval(since=at(1), until=at(3), state=health),))
    page = report.page([a_timeline(pods=(pod,))])
    assert f"target {health.value} 1s to 3s" in words(page)
    assert f".h-{health.name.lower()} {{" in page


def test_rows_tell_names_nodes_slices_replacements_ends_and_the_others() -> None:
    told = words(report.page([a_timeline()]))
    for part in (
        "deployment shop/web",
        "in an EndpointSlice 0s to 12s",
        "gone at 31s",
        "✕ gone",
        "for web-1",
        "5 other pods were in service all along",
        "node-a cordoned",
        "kubectl safe drain node-a --settle 15s",
    ):
        assert part in told


def test_every_loss_is_in_the_page_when_and_why_and_in_all() -> None:
    told = words(report.page([PLAIN, SAFE], title="Two ways"))
    assert "1s: 37 (7 reset, 30 502) of 200 lost" in told
    assert "2s: 5 (5 refused) of 200 lost" in told
    assert "42 (30 502, 7 reset, 5 refused)" in told
    assert "no request was lost" in told


def test_a_part_of_a_second_at_the_end_is_drawn_with_the_second_before_it() -> None:
    whole = traffic({}, {}, {"reset": 1})
    part = Traffic(at=whole[-1].at + whole[-1].lasted, sent=20, lasted=timedelta(milliseconds=300))
    page = report.page([a_timeline(traffic=(*whole, part))])
    starts = [float(x) for x in re.findall(r'<rect x="([0-9.]+)%"[^>]* class="sent"/>', page)]
    assert len(starts) == 3
    assert starts == sorted(set(starts))


def test_each_way_has_its_headline_and_all_have_one_scale() -> None:
    page = report.page([PLAIN, SAFE], title="Two ways", summary="A summary.")
    heads = re.findall(r"<h[12][^>]*>(.*?)</h[12]>", page)
    assert heads == [
        "Two ways",
        "kubectl drain node-a: 42 of 800 requests lost",
        "kubectl safe drain node-a: 0 of 600 requests lost",
    ]
    assert re.findall(r'<h2 class="(\w+)"', page) == ["bad", "good"]
    assert page.count("on node-") == 0, "what is the same in all rows is not repeated"
    assert page.count("released, in service until replaced 5s to 12s</title>") == 2
    assert len(set(re.findall(r'<svg x="([\d.]+%)"[^>]*><title>released', page))) == 1


def test_a_run_without_traffic_has_no_band_for_it() -> None:
    page = report.page([a_timeline()])
    assert "<h1" in page
    assert "kubectl safe drain node-a: 1 of 1 pod moved in 31s" in words(page)
    assert "Lost" not in words(page)
    assert "Requests" not in words(page)


def test_what_a_probe_counts_is_called_so() -> None:
    told = words(report.page([replace(SAFE, counted="probe requests")]))
    assert "0 of 600 probe requests lost" in told


def test_missing_capacity_is_told_in_words() -> None:
    levels = tuple(Level(at=at(a), in_service=n, wanted=6) for a, n in ((0, 6), (3, 4), (7, 6)))
    told = words(report.page([a_timeline(capacity=(Capacity(workload=WEB, levels=levels),))]))
    assert "only 4 of 6" in told
    assert "below the wanted number for 4s" in told
    assert "4 of 6 in service" in told


FIELDS = ["title", "command", "error", "mark", "pod", "node", "replaces", "workload", "reason", "page", "summary"]


@pytest.mark.parametrize("field", FIELDS)
def test_a_hostile_text_is_text(field: str) -> None:
    timeline = a_timeline(traffic=traffic({"reset": 1}), pods=(a_line(), a_line("web-2", node="node-b")))
    options: dict[str, str] = {}
    if field in {"title", "command", "error"}:
        changes: dict[str, Any] = {field: HOSTILE}
        timeline = replace(timeline, **changes)
    elif field == "mark":
        timeline = replace(timeline, marks=(Mark(at=at(1), text=HOSTILE),))
    elif field == "reason":
        timeline = replace(timeline, traffic=traffic({HOSTILE: 1}))
    elif field in {"page", "summary"}:
        options = {"title" if field == "page" else field: HOSTILE}
    else:
        changes = {"name" if field == "pod" else field: HOSTILE}
        pods = (a_line(), replace(a_line("web-2"), **changes))
        timeline = replace(timeline, pods=pods)
    page = report.page([timeline], **options)
    assert "alert(1)" in page
    assert "<script" not in page.lower()
    assert "\x1b" not in page
    assert "\x00" not in page
    assert svgs(page)
    assert _tags(page) <= KNOWN_TAGS


PARTS = {"html", "head", "meta", "title", "style", "body", "main", "section", "footer", "div", "span", "p", "small"}
PARTS |= {"h1", "h2", "h3", "b", "i", "code", "dl", "dt", "dd", "ul", "li", "table", "tr", "th", "td"}
KNOWN_TAGS = PARTS | {"svg", "rect", "line", "text", "desc", "g", "defs", "pattern", "path"}


def _tags(page: str) -> set[str]:
    found: set[str] = set()
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, _: found.add(tag)  # type: ignore[method-assign, assignment]
    parser.feed(page)
    return found


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = report.page([PLAIN, SAFE], title="Two ways")
    assert not re.search(r"https?:|//|@import|<link|<script|<img|<iframe|src=|href=|\bon\w+=", page)
    assert set(re.findall(r"url\((.)", page)) == {"#"}
    assert "default-src &#x27;none&#x27;" in page


def test_every_pattern_that_is_referred_to_is_there() -> None:
    page = report.page([PLAIN])
    assert set(re.findall(r"url\(#([\w-]+)\)", page)) == set(re.findall(r'<pattern id="([\w-]+)"', page))


def test_pictures_have_a_title_and_a_description_and_are_xml() -> None:
    pictures = [svg for svg in svgs(report.page([PLAIN, SAFE])) if svg.get("aria-hidden") != "true"]
    assert len(pictures) > 8
    for picture in pictures:
        assert picture.get("role") == "img"
        assert [child.tag for child in picture][:2] == ["title", "desc"]
        assert all(child.text for child in list(picture)[:2])


def test_100_pods_over_10_minutes_stay_below_500_kb() -> None:
    pods = tuple(
        a_line(
            f"shop-frontend-78475f8785-{number:05}",
            (Phase.STARTING, 1, 9),
            (Phase.ARRIVING, 9, 20),
            (Phase.SERVING, 20, 200),
            (Phase.FAILING, 200, 210),
            (Phase.SERVING, 210, 250),
            (Phase.RELEASED, 250, 300),
            (Phase.WITHDRAWN, 300, 590),
            (Phase.STOPPING, 590, 600),
            node=f"ip-10-0-{number}-1.eu-west-1.compute.internal",
            replaces=f"shop-frontend-78475f8785-{number:05}",
        )
        for number in range(100)
    )
    losses = traffic(*({"reset": 3, "refused": 1, "502": 2} for _ in range(600)))
    levels = tuple(Level(at=at(second), in_service=100 - second % 2, wanted=100) for second in range(0, 600, 3))
    capacity = (Capacity(workload=WEB, levels=levels),)
    page = report.page([a_timeline(pods=pods, ended=at(600), traffic=losses, capacity=capacity)])
    assert len(page.encode()) < 500_000
    assert "3600" in page, "no loss is left out"


def test_an_empty_run_is_a_page_too() -> None:
    empty = Timeline(title="kubectl safe drain node-a", began=NOW, ended=NOW, error="it failed")
    told = words(report.page([empty]))
    assert "no pod was moved" in told
    assert "it failed" in told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0s"), (0.04, "0s"), (12.34, "12.3s"), (60, "1m"), (125, "2m5s"), (3600, "1h"), (7500, "2h5m")],
    ids=str,
)
def test_times_are_told_as_people_read_them(seconds: float, told: str) -> None:
    assert clock(seconds) == told
