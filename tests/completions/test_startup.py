"""What a TAB costs where nothing is looked up."""

import time
from pathlib import Path

import pytest

from tests.support.completion import completed
from tests.support.figures import Figures

pytestmark = pytest.mark.controlplane

LONGEST = 0.25
TRIES = 20
"""The quickest counts: machines that run tests are busy."""


@pytest.mark.parametrize(
    "words", [["dr"], ["drain", "--"], ["drain", "--allow", ""], ["check", "--explain", ""]], ids=" ".join
)
def test_a_quarter_of_a_second_is_enough_without_a_look_up(
    programs: Path, environment: dict[str, str], figures: Figures, words: list[str]
) -> None:
    quickest = min(_seconds(programs / "kubectl", environment, words) for _ in range(TRIES))
    figures.add(f"kubectl completes `kubectl safe {' '.join(words)}`", f"{quickest:.3f} s at best")
    assert quickest < LONGEST


def _seconds(kubectl: Path, environment: dict[str, str], words: list[str]) -> float:
    began = time.monotonic()
    assert completed(kubectl, environment, *words) != ":4\n"
    return time.monotonic() - began
