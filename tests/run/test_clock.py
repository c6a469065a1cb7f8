"""The clock that durations are told by."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kubectl_safe.run.clock import SteadyClock
from tests.support.builders import NOW


@dataclass
class Machine:
    """A machine, whose clock somebody sets."""

    at: datetime = NOW
    seconds: float = 1000.0

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


def test_the_time_goes_on_as_it_elapses_whoever_sets_the_machines_clock() -> None:
    machine = Machine()
    now = SteadyClock(lambda: machine.at, lambda: machine.seconds)
    assert now() == NOW
    machine.passes(5)
    assert now() == NOW + timedelta(seconds=5)
    machine.at += timedelta(hours=1)
    assert now() == NOW + timedelta(seconds=5)
    machine.at -= timedelta(hours=2)
    machine.passes(5)
    assert now() == NOW + timedelta(seconds=10)
