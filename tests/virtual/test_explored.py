"""Everything that can befall a run, one thing at a time, breaks no invariant. `tests.virtual.explore` has more."""

import subprocess
import sys

import pytest

from tests.support.figures import Figures
from tests.virtual.explorer import FAMILIES
from tests.virtual.scenarios import SCENARIOS

WHOLE = ("restart-balanced", "drain-balanced")
"""What is lived through whole; of the others, only that they are killed at each of their writes and looks."""


@pytest.mark.timeout(1200)  # thousands of runs
@pytest.mark.parametrize(
    ("name", "family"),
    [(name, family) for name in SCENARIOS for family in (FAMILIES if name in WHOLE else FAMILIES[:1])],
)
def test_nothing_that_befalls_a_run_breaks_an_invariant(name: str, family: str, figures: Figures) -> None:
    # A process of its own: it forks, and it has no threads.
    command = [sys.executable, "-m", "tests.virtual.explore", name, family, "--jobs", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}"
    figures.add(f"what can befall {name}, {family}", done.stdout.splitlines()[-1].partition(": ")[2])
