"""A terminal: what a sequence of writes leaves on its screen."""

import re

TOKEN = re.compile(r"\x1b\[(\d*)([A-Za-z])|(.)", re.DOTALL)


class Terminal:
    """A screen of one width without an end below, that wraps long lines and knows the sequences that we send.

    Any other sequence fails the test: nothing but these may ever reach a terminal.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._lines: list[str] = [""]
        self._row = 0
        self._column = 0
        self.highest = 0
        """How far up the cursor ever went, in lines from the last one."""

    @property
    def lines(self) -> list[str]:
        """What is to be read, without the empty lines at the end."""
        return "\n".join(line.rstrip() for line in self._lines).rstrip("\n").split("\n")

    def write(self, text: str) -> None:
        for found in TOKEN.finditer(text):
            if found[3] is None:
                self._obey(found[2], int(found[1] or 1))
            else:
                self._put(found[3])

    def _obey(self, command: str, number: int) -> None:
        match command:
            case "A":
                assert number <= self._row, "the cursor leaves the screen"
                self._row -= number
                self.highest = max(self.highest, len(self._lines) - self._row)
            case "K":
                self._lines[self._row] = self._lines[self._row][: self._column]
            case "J":
                self._lines[self._row] = self._lines[self._row][: self._column]
                del self._lines[self._row + 1 :]
            case _:
                raise AssertionError(f"a sequence that is not ours: ESC[{number}{command}")

    def _put(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\n":
            self._down()
        else:
            assert character.isprintable(), f"a control character reached the terminal: {character!r}"
            if self._column >= self.width:
                self._down()
            line = self._lines[self._row].ljust(self._column)
            self._lines[self._row] = line[: self._column] + character + line[self._column + 1 :]
            self._column += 1

    def _down(self) -> None:
        self._row, self._column = self._row + 1, 0
        if self._row == len(self._lines):
            self._lines.append("")
