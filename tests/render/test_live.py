"""The live view on a terminal: redrawn in place, with lines above it, and nothing left of it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.next import next_actions
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.render import in_place
from kubectl_safe.render.live import Live
from kubectl_safe.render.output import echo
from kubectl_safe.render.text import cells
from tests.render.scenes import a_moment, looked_at
from tests.render.terminal import Terminal
from tests.support.builders import NOW, a_cluster, a_deployment, ago, an_intent, uid

SECOND = timedelta(seconds=1)


@dataclass
class Watched:
    """A live view and the terminal that it draws on."""

    live: Live
    terminal: Terminal
    capture: pytest.CaptureFixture[str]
    height: int = 24

    @property
    def screen(self) -> list[str]:
        """What is to be read now."""
        self.terminal.write(self.capture.readouterr().out)
        return self.terminal.lines

    def look(self, snapshot: Snapshot, *names: str) -> list[str]:
        self.live.looked(*looked_at(snapshot, *names))
        return self.screen


@pytest.fixture
def watched(capsys: pytest.CaptureFixture[str]) -> Iterator[Watched]:
    """A live view on a terminal of 80 columns and 24 rows."""
    terminal = Terminal(80)
    found = Watched(
        live=Live(shows_plan=False, size=lambda: (terminal.width, found.height)), terminal=terminal, capture=capsys
    )
    yield found
    assert "\x1b" not in capsys.readouterr().err


def later(snapshot: Snapshot, seconds: float) -> Snapshot:
    """Return the same cluster at a later time."""
    return replace(snapshot, at=snapshot.at + timedelta(seconds=seconds))


def test_the_table_is_redrawn_in_its_place(watched: Watched) -> None:
    first = watched.look(a_moment())
    second = watched.look(later(a_moment(), 1))
    assert len(second) == len(first)
    assert first[0].startswith("0 of 6 pods handed over in 30s; in service: 6 of 6 web")
    assert second[0].startswith("0 of 6 pods handed over in 31s")


def test_a_table_that_gets_shorter_leaves_nothing_below_it(watched: Watched) -> None:
    watched.look(a_moment())
    assert len(watched.look(later(a_moment(), 1), "web-1")) == 4


def test_a_line_that_gets_shorter_leaves_nothing_beside_it(watched: Watched) -> None:
    watched.look(a_moment())
    redrawn = watched.look(later(a_cluster(), 1))
    watched.live.say("")
    assert watched.look(later(a_cluster(), 1))[1:] == redrawn


def test_lines_are_printed_above_the_table_and_stay(watched: Watched) -> None:
    watched.look(a_moment())
    watched.live.say("node/node-1 cordoned")
    assert watched.screen == ["node/node-1 cordoned"]
    drawn = watched.look(later(a_moment(), 1))
    assert drawn[0] == "node/node-1 cordoned"
    assert drawn[1].startswith("0 of 6 pods handed over")
    watched.live.gone(an_intent(a_cluster()).pods[0], was_evicted=True)
    assert watched.screen == ["node/node-1 cordoned", "pod/web-1 evicted"]


def test_at_the_end_only_lines_are_left(watched: Watched) -> None:
    watched.look(a_moment())
    watched.live.ended(looked_at(a_moment())[2], NOW)
    line = "".join(watched.screen)
    assert line.startswith("0 of 6 pods handed over in 30s; ")
    assert "POD" not in line


@pytest.mark.parametrize("width", [20, 40, 79, 80, 200])
def test_no_line_is_ever_wider_than_the_terminal(watched: Watched, width: int) -> None:
    watched.terminal.width = width
    drawn = [watched.look(later(a_moment(), n)) for n in range(3)]
    assert len({len(lines) for lines in drawn}) == 1
    assert all(len(line) < width for lines in drawn for line in lines)


@pytest.mark.parametrize("height", [1, 2, 3, 4, 6, 10])
def test_more_pods_than_rows_never_scroll_the_table_out_of_its_place(watched: Watched, height: int) -> None:
    watched.height = height
    watched.look(a_moment())
    lines = watched.look(later(a_moment(), 1))
    assert len(lines) < max(height, 2)
    assert watched.terminal.highest <= max(height, 2)


def test_a_window_that_gets_narrower_is_erased_to_the_last_line(watched: Watched) -> None:
    watched.terminal.width = 200
    watched.live.looked(*looked_at(a_moment()))
    text = watched.capture.readouterr().out
    watched.terminal.width = 50
    watched.terminal.write(text)
    watched.live.say("node/node-1 drained")
    assert watched.screen == ["node/node-1 drained"]


def test_looks_in_quick_succession_are_drawn_once(watched: Watched) -> None:
    watched.look(a_moment())
    watched.live.looked(*looked_at(later(a_moment(), 0.1)))
    assert watched.capture.readouterr().out == ""


def test_after_a_line_the_table_comes_back_at_once(watched: Watched) -> None:
    watched.look(a_moment())
    watched.live.say("a line")
    assert len(watched.look(later(a_moment(), 0.1))) > 2


def test_control_characters_never_reach_the_terminal(watched: Watched) -> None:
    snapshot, outcome, progress = looked_at(a_moment())
    evil = "\x1b[2J\x1b]0;owned\x07\r\u202e"
    pods = tuple(replace(p, name=p.name + evil, node=evil + p.name) for p in progress.intent.pods)
    progress.intent = replace(progress.intent, pods=pods)
    decisions = {p.uid: Wait(on=For.BUDGET, why=f"the webhook says {evil}") for p in pods}
    deployments = {uid("web"): a_deployment("web" + evil)}
    watched.live.looked(replace(snapshot, workloads=deployments), replace(outcome, decisions=decisions), progress)
    watched.live.say(evil)
    watched.live.warn(evil)
    watched.live.gone(pods[0], was_evicted=True)
    watched.live.ended(progress, NOW)
    told = watched.capture.readouterr()
    watched.terminal.write(told.out)
    watched.terminal.write(told.err)


def test_wide_characters_count_as_two_cells(watched: Watched) -> None:
    snapshot, outcome, progress = looked_at(a_moment(), "web-1")
    why = Wait(on=For.TARGETS, why="目標" * 60)
    watched.live.looked(snapshot, replace(outcome, decisions=dict.fromkeys(outcome.decisions, why)), progress)
    assert max(cells(line) for line in watched.screen) < 80


@pytest.mark.parametrize(
    ("took", "told"),
    [
        pytest.param(30, "handed over in 30s, about 1m30s to go", id="while there is time left"),
        pytest.param(200, "handed over in 3m20s, longer than the 2m estimated", id="when the estimate was wrong"),
    ],
)
def test_the_headline_says_how_long_it_will_take(watched: Watched, took: float, told: str) -> None:
    snapshot = a_moment()
    watched.live.planned(an_intent(snapshot), snapshot, Estimate(total=timedelta(minutes=2), why="a guess"))
    watched.live.looked(*looked_at(snapshot, began=ago(took)))
    assert told.replace("1m30s", "90s") in watched.screen[1]


def test_nothing_is_drawn_for_a_run_over_no_pods(watched: Watched) -> None:
    snapshot = a_cluster()
    empty = replace(an_intent(snapshot), pods=())
    _, outcome, progress = looked_at(snapshot)
    progress.intent = empty
    watched.live.looked(snapshot, outcome, progress)
    assert watched.capture.readouterr().out == ""


def test_a_pod_that_is_gone_keeps_its_row_without_a_wait(watched: Watched) -> None:
    _, _, progress = looked_at(a_moment())
    gone = a_cluster(without=["web-1"])
    outcome = next_actions(gone, progress.intent)
    progress.count(gone, outcome)
    watched.live.looked(gone, outcome, progress)
    assert watched.screen[2] == "web-1  gone"


def test_what_another_thread_tells_in_the_middle_of_a_drawing_comes_above_the_table(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = watched.look(a_moment())
    thread = threading.Thread(target=watched.live.say, args=("meanwhile",))

    def interrupted(text: str, **options: Any) -> None:
        if threading.current_thread() is not thread and thread.ident is None:
            thread.start()
            thread.join(timeout=0.2)
        echo(text, **options)

    monkeypatch.setattr(in_place, "echo", interrupted)
    watched.live.looked(*looked_at(later(a_moment(), 1)))
    thread.join()
    after = watched.look(later(a_moment(), 1.5))
    assert after[0] == "meanwhile"
    assert len(after) == len(before) + 1
