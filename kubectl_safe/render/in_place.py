"""The last lines of a terminal, redrawn in place, with other lines above them. Only for terminals that know ANSI."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from kubectl_safe.render.output import echo
from kubectl_safe.render.text import cells, clip, plain

CLEAR_LINE, CLEAR_BELOW = "\x1b[K", "\x1b[J"


def _terminal_size() -> tuple[int, int]:
    return shutil.get_terminal_size()


class InPlace:
    """Draws lines where it drew the last ones; any thread may print above them meanwhile.

    Args:
        size: tells the columns and rows that there are.
    """

    def __init__(self, *, size: Callable[[], tuple[int, int]] = _terminal_size) -> None:
        self._size = size
        self._lock = threading.RLock()
        self._drawn: list[str] = []

    @property
    def is_empty(self) -> bool:
        """Whether nothing is drawn."""
        return not self._drawn

    @property
    def room(self) -> tuple[int, int]:
        """How many cells a line has, and how many lines there may be.

        The last column stays empty, where terminals differ in when they wrap; and the last line has the cursor.
        """
        width, height = self._size()
        return width - 1, max(1, height - 2)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw as much of the lines as fits, in place of those that were drawn before."""
        width, rows = self.room
        drawn = [clip(plain(line).replace("\n", " "), width) for line in lines[:rows]]
        text = "".join(f"{line}{CLEAR_LINE}\n" for line in drawn)
        with self._lock:
            _send(f"{self._to_top()}{text}{CLEAR_BELOW}")
            self._drawn = drawn

    @contextmanager
    def above(self) -> Iterator[None]:
        """Take the lines away; what is printed meanwhile will be above the next ones."""
        with self._lock:
            if self._drawn:
                _send(self._to_top() + CLEAR_BELOW)
                self._drawn = []
            yield

    def _to_top(self) -> str:
        """Return what moves the cursor to where the lines begin, also where they wrap since the window got narrower."""
        if not self._drawn:
            return ""
        width = max(1, self._size()[0])
        return f"\x1b[{sum(max(1, -(-cells(line) // width)) for line in self._drawn)}A\r"


def _send(text: str) -> None:
    """Write to the terminal in one go, so that it doesn't flicker; whether it is one was decided before."""
    echo(text, nl=False, color=True)
