"""Pieces of markup; every text and every value goes through one function that escapes it."""

from collections.abc import Iterable
from html import escape

from kubectl_safe.render.text import plain

VOID = frozenset({"rect", "line", "use", "meta"})


class Markup(str):
    """Text that is markup already; it is made by `element` and `together`, and by nobody else."""

    __slots__ = ()


def element(kind: str, /, *content: str, **attributes: str | None) -> Markup:
    """Return an element; content that is no markup is escaped, and so is every value.

    Args:
        kind: the name of the element.
        content: what is in it.
        attributes: by name, with `class_` for `class` and `_` for `-`; None leaves one out.
    """
    values = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_safe(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if kind in VOID and not content:
        return Markup(f"<{kind}{values}/>")
    return Markup(f"<{kind}{values}>{together(content)}</{kind}>")


def together(parts: Iterable[str]) -> Markup:
    """Return pieces one after the other; those that are no markup are escaped."""
    return Markup("".join(part if isinstance(part, Markup) else _safe(part) for part in parts))


def _safe(text: str) -> str:
    """Return a text in which nothing is markup, nor a control character, which XML can't have."""
    return escape(plain(text), quote=True)
