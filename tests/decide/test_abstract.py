"""Whole runs on a cluster in miniature: whatever befalls them, they end, and stop nothing that is still reached."""

import time

import pytest

from tests.support.abstract import Run
from tests.support.figures import Figures

SEEDS = range(2000)


def test_every_seed_holds_the_invariants(figures: Figures) -> None:
    began, looks = time.process_time(), 0
    for seed in SEEDS:
        run = Run.of(seed)
        try:
            run.go()
        except Exception as error:  # noqa: BLE001 - whatever it is, the seed is what is needed
            pytest.fail(f"{error!r}\nreplay it: python -m tests.support.abstract {seed}")
        looks += run.looks
    seconds = time.process_time() - began
    figures.add(
        "runs on an abstract model",
        f"{len(SEEDS) / seconds * 60:.0f} runs a minute and core; {len(SEEDS)} of {looks / len(SEEDS):.0f} looks each "
        f"in {seconds:.0f} s",
    )


def test_same_seed_makes_the_same_run() -> None:
    told: list[list[str]] = [[], [], []]
    for seed, lines in zip((1, 1, 2), told, strict=True):
        Run.of(seed, say=lines.append).go()
    assert told[0] == told[1] != told[2]
