"""Pauses between tries that grow, and differ between processes that began at the same moment."""

import random


class Backoff:
    """Pauses in seconds: each about twice the one before, within half of it at random, up to `longest`."""

    def __init__(self, *, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def next(self) -> float:
        """Return the next pause."""
        pause = self._next
        self._next = min(self._longest, pause * 2)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._next = self._first
