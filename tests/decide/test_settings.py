"""Durations as flags take them."""

from datetime import timedelta

import pytest

from kubectl_safe.decide.settings import go_duration

ROWS = [(0, "0s"), (0.2, "1s"), (90, "1m30s"), (300, "5m"), (3600, "1h"), (3661, "1h1m1s")]


@pytest.mark.parametrize(("seconds", "text"), ROWS)
def test_a_duration_is_written_as_its_flag_takes_it_and_never_shorter(seconds: float, text: str) -> None:
    assert go_duration(timedelta(seconds=seconds)) == text
