"""Whole runs from seeds hold the invariants, and the same seed makes the same run."""

import subprocess
import sys
import time

import pytest

from tests.support.figures import Figures
from tests.virtual.runs import run

SEEDS = range(60)


def test_every_seed_holds_the_invariants(figures: Figures) -> None:
    began = time.process_time()
    virtual = 0.0
    for seed in SEEDS:
        try:
            virtual += run(seed).seconds
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is what is needed
            pytest.fail(f"{error!r}\nreplay it: python -m tests.virtual.runs {seed}")
    seconds = time.process_time() - began
    figures.add(
        "runs in virtual time",
        f"{len(SEEDS) / seconds * 60:.0f} a minute and core through the API model; "
        f"{virtual / 3600:.1f} h in {seconds:.0f} s",
    )


@pytest.mark.parametrize("seed", [1, 7])
def test_same_seed_makes_the_same_run(seed: int) -> None:
    first, second = run(seed), run(seed)
    assert first.writes == second.writes
    assert first.seconds == second.seconds


def test_other_seed_makes_another_run() -> None:
    assert run(1).writes != run(2).writes


@pytest.mark.timeout(600)  # hundreds of runs
def test_random_schedules_break_no_invariant(figures: Figures) -> None:
    # A process of its own, whose sets are ordered as those of the one that replays it.
    command = [sys.executable, "-m", "tests.virtual.schedule", "0", "300"]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    assert done.returncode == 0, f"{done.stdout[-20_000:]}\n{done.stderr[-5_000:]}"
    figures.add("random schedules", f"{done.stdout.splitlines()[-1]}; {seconds:.0f} s")
