"""What may reach a terminal, and how much of it."""

import pytest

from kubectl_safe.render.text import cells, clip, columns, plain, wrap


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("pod web-1 is ready", "pod web-1 is ready", id="ordinary text stays"),
        pytest.param("größer 目標", "größer 目標", id="letters of any language stay"),
        pytest.param("two\nlines", "two\nlines", id="line ends stay"),
        pytest.param("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07", id="escape sequences are shown"),
        pytest.param("\x9b2J", "\\x9b2J", id="so are those of one byte"),
        pytest.param("over\rwritten\x08", "over\\rwritten\\x08", id="so is what moves the cursor back"),
        pytest.param("abc\u202edef\u200b", "abc\\u202edef\\u200b", id="so is what turns or hides text"),
    ],
)
def test_what_a_terminal_would_obey_is_made_visible(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("longer", 5, "lo..."),
        ("目標目標目標", 8, "目標..."),
        ("e\u0301e\u0301e\u0301", 3, "e\u0301e\u0301e\u0301"),
        ("longer", 2, ".."),
        ("longer", 0, ""),
    ],
)
def test_a_line_is_cut_to_the_cells_that_there_are(text: str, width: int, shown: str) -> None:
    assert clip(text, width) == shown
    assert cells(shown) <= width


@pytest.mark.parametrize(
    ("text", "width", "lines", "shown"),
    [
        pytest.param("fits", 10, 2, ["fits"], id="one line where it fits"),
        pytest.param("target is draining", 10, 2, ["target is", "draining"], id="it breaks between words"),
        pytest.param("target is draining now", 10, 2, ["target is", "drainin..."], id="the last line is cut"),
        pytest.param("target is draining", 10, 1, ["target ..."], id="a single line is cut"),
        pytest.param("averyveryverylongword", 10, 3, ["averyveryv", "erylongwor", "d"], id="a long word breaks"),
        pytest.param("exactly ten chars", 11, 2, ["exactly ten", "chars"], id="a word may end at the edge"),
    ],
)
def test_a_text_is_wrapped_and_never_takes_more_lines_than_it_may(
    text: str, width: int, lines: int, shown: list[str]
) -> None:
    assert wrap(text, width, lines) == shown


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_stay_what_they_are() -> None:
    assert columns([("POD", "N"), ("1e5", "007"), ("目標", "x")]) == ["POD   N", "1e5   007", "目標  x"]
