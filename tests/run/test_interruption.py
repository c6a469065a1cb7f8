"""The first signal stops, the second leaves."""

import os
import signal

import pytest

from kubectl_safe.run.interruption import SIGNALS, Interruption


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_once_armed_the_first_signal_only_stops_and_the_second_leaves(number: signal.Signals) -> None:
    with Interruption() as interruption:
        interruption.arm()
        os.kill(os.getpid(), number)
        assert interruption.stop == f"interrupted ({number.name})"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_another_signal_leaves_too() -> None:
    with Interruption() as interruption:
        interruption.arm()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_before_anything_is_under_way_the_first_signal_leaves() -> None:
    with Interruption() as interruption, pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
    assert interruption.stop == ""


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            interruption.arm()
            os.kill(os.getpid(), signal.SIGHUP)
            assert interruption.stop == ""
    finally:
        signal.signal(signal.SIGHUP, before)


def test_afterwards_signals_are_what_they_were() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interruption():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
