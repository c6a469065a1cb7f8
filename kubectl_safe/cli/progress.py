"""What commands that only look show meanwhile, and how much room there is for what they print."""

import os
import shutil
import sys
from typing import Self

from kubectl_safe.render.output import echo


class Progress:
    """Tells on stderr what is under way, in one line that the next replaces; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._is_open = False

    def __enter__(self) -> Self:
        self.tell("reading the cluster")
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def tell(self, what: str) -> None:
        """Say what is under way."""
        self.clear()
        if self._is_shown:
            echo(f"{what} ...", err=True, nl=False)
            self._is_open = True

    def warn(self, message: str) -> None:
        """Print a warning above it."""
        from kubectl_safe.render.text import plain

        self.clear()
        echo(plain(message), err=True)

    def clear(self) -> None:
        """Take away what is shown."""
        if self._is_open:
            # To the first column, and clear what is to the right of it.
            echo("\r\x1b[K", err=True, nl=False, color=True)
            self._is_open = False


def width() -> int | None:
    """Return the cells of a line; None where it is read by a program, unless COLUMNS says how many there are."""
    is_told = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return shutil.get_terminal_size().columns if is_told else None
