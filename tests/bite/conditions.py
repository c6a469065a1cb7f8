"""The list of conditions: each holds back a step, and is removed in turn.

A file is named after its module, and begins with the tests that break. Of each condition it has its name, what it
holds back, the code (`-`), what stands there without the condition (`+`), and the tests where others break (`=`):

    terminating: a pod on its way out counts for no floor
    - if pod.is_terminating:
    + if False:
    = tests/decide/test_verdict.py
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bite.suite import path_of

FOLDER = Path(__file__).parent / "conditions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One condition that holds back a step."""

    name: str
    holds_back: str
    """In one sentence."""
    module: str
    fragment: str
    """Its code, which occurs once in the module."""
    without: str
    tests: str
    """The file with the test that breaks, from the repository's root: to run all would take long."""

    @property
    def source(self) -> str:
        """The code of its module."""
        return path_of(self.module).read_text(encoding="utf-8")

    def __str__(self) -> str:
        return f"{self.module.removeprefix('kubectl_safe.')}: {self.name}"


def conditions() -> list[Condition]:
    """Return the whole list."""
    return [condition for file in sorted(FOLDER.iterdir()) for condition in _read(file)]


def _read(file: Path) -> Iterator[Condition]:
    tests, *paragraphs = file.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    for paragraph in paragraphs:
        title, *lines = paragraph.split("\n")
        name, _, holds_back = title.partition(": ")
        yield Condition(
            name=name,
            holds_back=holds_back,
            module=f"kubectl_safe.{file.stem}",
            fragment=_side("- ", lines),
            without=_side("+ ", lines),
            tests=_side("= ", lines) or tests,
        )


def _side(mark: str, lines: list[str]) -> str:
    return "\n".join(line.removeprefix(mark) for line in lines if line.startswith(mark))
