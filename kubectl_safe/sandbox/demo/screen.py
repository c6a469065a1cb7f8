"""Who looks on: a terminal on which lines can be redrawn, or a file to which they are only added."""

from collections.abc import Sequence
from typing import Protocol


class Screen(Protocol):
    """Shows lines."""

    @property
    def is_live(self) -> bool:
        """Whether what was drawn can be drawn anew."""

    @property
    def width(self) -> int:
        """How many cells a line has."""

    def say(self, line: str) -> None:
        """Print a line; above what is drawn."""

    def draw(self, lines: Sequence[str]) -> None:
        """Draw lines in place of those that were drawn before; only where `is_live`."""
