"""Lines for whoever watches something: on a terminal the last ones are redrawn, in a pipe they only follow."""

from collections.abc import Sequence

from kubectl_safe.render.in_place import InPlace
from kubectl_safe.render.output import echo
from kubectl_safe.render.text import plain


class LiveScreen:
    """A terminal that understands ANSI."""

    is_live = True

    def __init__(self) -> None:
        self._in_place = InPlace()
        self._last: Sequence[str] = ()

    @property
    def width(self) -> int:
        """How many cells a line has now."""
        return self._in_place.room[0]

    def say(self, line: str) -> None:
        """Print a line above what is drawn."""
        with self._in_place.above():
            echo(plain(line))
        self.draw(self._last)

    def draw(self, lines: Sequence[str]) -> None:
        """Draw lines in place of those that were drawn before."""
        self._last = lines
        self._in_place.draw([plain(line) for line in lines])


class PlainScreen:
    """A pipe, a file, or a terminal that understands nothing."""

    is_live = False
    width = 120

    def say(self, line: str) -> None:
        """Print a line."""
        echo(plain(line))

    def draw(self, lines: Sequence[str]) -> None:
        """Draw nothing: what can't be drawn anew is only in the way."""
