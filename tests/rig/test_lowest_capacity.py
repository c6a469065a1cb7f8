"""The lowest capacity: what a count of pods in service did not exceed for so long."""

from collections.abc import Mapping

import pytest

from kubectl_safe.sandbox.capacity import Capacity


class Told(Capacity):
    """A count that is told."""

    def __init__(self, *series: tuple[float, int]) -> None:
        self._series = list(series)

    def series(self, namespace: str, labels: Mapping[str, str]) -> list[tuple[float, int]]:  # noqa: ARG002
        return self._series


@pytest.mark.parametrize(
    ("since", "until", "shortest", "lowest"),
    [
        pytest.param(1.5, 3.5, 0, 1, id="however short"),
        pytest.param(1.5, 3.5, 0.15, 1, id="long enough"),
        pytest.param(1.5, 3.5, 0.25, 2, id="too short, but part of a longer one"),
        pytest.param(1.5, 3.5, 0.75, 3, id="too short altogether"),
        pytest.param(2.5, 3.5, 0.15, 2, id="begun before"),
        pytest.param(2.5, 2.6, 0, 2, id="not over"),
        pytest.param(3.5, 9, 4.5, 0, id="at the end"),
        pytest.param(3.5, 9, 50, 3, id="longer than all that there is"),
        pytest.param(0.5, 1.5, 0, 0, id="nothing before the first"),
    ],
)
def test_is_what_was_not_exceeded_for_so_long(since: float, until: float, shortest: float, lowest: int) -> None:
    count = Told((1.0, 3), (2.0, 2), (2.2, 1), (2.4, 2), (2.7, 3), (4.0, 0))
    assert count.lowest("shop", {}, since, until, shortest=shortest) == lowest
