"""Figures that tests print at the end of a run, also from the workers of a parallel one."""

from collections.abc import Callable
from dataclasses import dataclass

PROPERTY = "figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Takes the figures of one test."""

    record: Callable[[str, object], None]

    def add(self, what: str, value: str) -> None:
        """Have a line printed."""
        self.record(PROPERTY, f"{what}: {value}")
