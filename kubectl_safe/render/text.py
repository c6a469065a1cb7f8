"""Text as a terminal shows it: nothing that it would obey, and never more cells than there are."""

import unicodedata
from collections.abc import Iterable

ELLIPSIS = "..."


def plain(text: str) -> str:
    """Return text with everything made visible that a terminal would obey or hide; only line ends stay what they are.

    Names are checked by the API server, but messages of webhooks, controllers and AWS are anybody's.
    """
    if text.isprintable():
        return text
    return "".join(c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cells(text: str) -> int:
    """Return how many cells of a terminal a line takes."""
    return len(text) if text.isascii() else sum(_cells_of(c) for c in text)


def clip(text: str, width: int) -> str:
    """Return as much of a line as fits; what is cut off is told by dots."""
    if cells(text) <= width:
        return text
    dots = ELLIPSIS[: max(0, width)]
    return _head(text, width - len(dots)) + dots


def wrap(text: str, width: int, lines: int) -> list[str]:
    """Return a text in lines of a width, and at most so many: the last one is clipped."""
    found: list[str] = []
    rest = text
    while len(found) + 1 < lines and cells(rest) > width:
        head = _head(rest, width)
        # Between words, unless a word alone is longer than half a line.
        space = head.rfind(" ") if rest[len(head)] != " " else len(head)
        head = head[:space] if space > width // 2 else head
        found.append(head.rstrip())
        rest = rest[len(head) :].lstrip()
    return [*found, clip(rest, width)]


def columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return rows as lines in which each column but the last is as wide as its widest cell."""
    rows = list(rows)
    widths = [max(cells(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _head(text: str, width: int) -> str:
    taken = 0
    for index, character in enumerate(text):
        taken += _cells_of(character)
        if taken > width:
            return text[:index]
    return text


def _cells_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
