"""What goes on is shown: on a terminal in place with lines above, in a pipe as lines only."""

import pytest

from kubectl_safe.render.screen import LiveScreen, PlainScreen
from tests.render.terminal import Terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal of 20 columns and 6 rows, which is what there is."""
    found = Terminal(20)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: (20, 6))
    return found


def test_lines_come_above_what_is_drawn(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    screen = LiveScreen()
    screen.draw(["1 request"])
    screen.say("a pod is evicted")
    screen.draw(["2 requests", "0 lost"])
    terminal.write(capsys.readouterr().out)
    assert terminal.lines == ["a pod is evicted", "2 requests", "0 lost"]


def test_what_was_drawn_is_there_again_below_a_line(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    screen = LiveScreen()
    screen.draw(["1 request"])
    screen.say("a pod is evicted")
    terminal.write(capsys.readouterr().out)
    assert terminal.lines == ["a pod is evicted", "1 request"]


def test_drawing_nothing_takes_away_what_was_drawn(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    screen = LiveScreen()
    screen.draw(["1 request"])
    screen.draw([])
    screen.say("the end")
    terminal.write(capsys.readouterr().out)
    assert terminal.lines == ["the end"]


def test_what_does_not_fit_is_cut_off(terminal: Terminal, capsys: pytest.CaptureFixture[str]) -> None:
    LiveScreen().draw(["a line of more than 20 cells", *"23456"])
    terminal.write(capsys.readouterr().out)
    assert terminal.lines == ["a line of more t...", "2", "3", "4"]


@pytest.mark.usefixtures("terminal")
def test_the_width_is_what_a_line_may_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert LiveScreen().width == 19
    assert capsys.readouterr().out == ""


def test_a_pipe_gets_lines_and_no_drawing(capsys: pytest.CaptureFixture[str]) -> None:
    screen = PlainScreen()
    screen.draw(["1 request"])
    screen.say("a pod is evicted")
    assert capsys.readouterr().out == "a pod is evicted\n"


@pytest.mark.parametrize("kind", [LiveScreen, PlainScreen])
def test_nothing_that_a_terminal_would_obey_gets_through(
    kind: type[LiveScreen | PlainScreen], capsys: pytest.CaptureFixture[str]
) -> None:
    kind().say("\x1b[31mred")
    assert "\\x1b[31mred\n" in capsys.readouterr().out
