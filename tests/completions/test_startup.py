"""What a TAB costs where nothing is looked up."""

import time
from pathlib import Path

import pytest

from tests.support.completion import completed
from tests.support.figures import Figures

pytestmark = pytest.mark.controlplane

LONGEST = 0.25
TRIES = 50
"""Machines that run tests are busy: what it takes is what it takes at best."""


@pytest.mark.parametrize(
    "words", [["dr"], ["drain", "--"], ["drain", "--allow", ""], ["check", "--explain", ""]], ids=" ".join
)
def test_a_quarter_of_a_second_is_enough_without_a_look_up(
    programs: Path, environment: dict[str, str], figures: Figures, words: list[str]
) -> None:
    taken: list[float] = []
    while len(taken) < TRIES and min(taken, default=LONGEST) >= LONGEST:
        taken.append(_seconds(programs / "kubectl", environment, words))
    quickest = min(taken)
    figures.add(f"kubectl completes `kubectl safe {' '.join(words)}`", f"{quickest:.3f} s")
    assert quickest < LONGEST


def _seconds(kubectl: Path, environment: dict[str, str], words: list[str]) -> float:
    began = time.monotonic()
    assert completed(kubectl, environment, *words) != ":4\n"
    return time.monotonic() - began
