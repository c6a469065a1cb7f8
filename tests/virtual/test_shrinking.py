"""A schedule that breaks an invariant is shrunk to the disturbances that it takes."""

import pytest

from tests.virtual import schedules
from tests.virtual.schedules import Disturbance, disturbances, shrunk

SEED = next(seed for seed in range(1000) if len(disturbances(seed)) == 6)


def test_what_does_not_matter_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    culprits = {disturbances(SEED)[number] for number in (1, 4)}

    def run(_: int, chosen: tuple[Disturbance, ...]) -> None:
        assert not culprits <= set(chosen), "it takes both"

    monkeypatch.setattr(schedules, "run", run)
    kept, why = shrunk(SEED)
    assert kept == [1, 4]
    assert "it takes both" in why


def test_same_seed_makes_the_same_schedule() -> None:
    assert disturbances(SEED) == disturbances(SEED)
    assert disturbances(SEED) != disturbances(SEED + 1)
