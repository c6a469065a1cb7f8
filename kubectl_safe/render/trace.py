"""`-v`: every exchange with a server as kubectl prints it, and never a credential."""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from kubectl_safe.model.masking import MASKED, mask_body, mask_headers, mask_text
from kubectl_safe.model.trace import Exchange

REQUESTS, HEADERS, BODIES = 6, 7, 8
"""The levels from which on there is a line for each request, its headers, its bodies. They are kubectl's."""

LONGEST = 1024
"""As many characters of a body are shown."""

_SHORTEST = 8
"""A shorter credential would be found in words that have nothing to do with it."""


class Tracer:
    """Writes what it sees.

    Args:
        level: of `-v`.
        write: takes one or several lines, from any thread.
    """

    def __init__(self, level: int, write: Callable[[str], None]) -> None:
        self._level = level
        self._write = write

    def __call__(self, exchange: Exchange) -> None:
        """Write an exchange."""
        if self._level < REQUESTS:
            return
        text = "\n".join(self._lines(exchange))
        for credential in _credentials(exchange.asked_headers):
            text = text.replace(credential, MASKED)
        self._write(text)

    def _lines(self, exchange: Exchange) -> Iterator[str]:
        took = exchange.took // timedelta(milliseconds=1)
        yield mask_text(f"{exchange.asked} {exchange.answered} in {max(0, took)} milliseconds")
        if self._level >= HEADERS:
            yield from _headers("Request", exchange.asked_headers)
        if self._level >= BODIES:
            yield from _body("Request", exchange.asked_body, exchange.asked)
        if self._level >= HEADERS:
            yield from _headers("Response", exchange.answered_headers)
        if self._level >= BODIES:
            yield from _body("Response", exchange.answered_body, exchange.asked)


def _headers(of: str, headers: Mapping[str, str]) -> Iterator[str]:
    if headers:
        yield f"{of} Headers:"
        yield from (f"    {name}: {value}" for name, value in sorted(mask_headers(headers).items()))


def _body(of: str, body: bytes | Mapping[str, Any] | None, asked: str) -> Iterator[str]:
    if not body:
        return
    # Masked before it is cut: half a credential has lost the shape it is known by.
    text = mask_body(body, about=asked)
    cut = f" [truncated {len(text) - LONGEST} chars]" if len(text) > LONGEST else ""
    yield f"{of} Body: {text[:LONGEST]}{cut}"


def _credentials(headers: Mapping[str, str]) -> list[str]:
    """Return what a request was authenticated by: an answer may repeat it anywhere."""
    values = [value.rpartition(" ")[2] for name, value in headers.items() if name.lower() == "authorization"]
    return [value for value in values if len(value) >= _SHORTEST]
