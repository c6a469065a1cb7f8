"""Signals: the first one after the beginning stops a run in good order, the second one leaves at once."""

import signal
from collections.abc import Callable

import pytest

from kubectl_safe.decide.actions import Action, Cordon, Evict, Record, Withdraw
from kubectl_safe.decide.drain import Options
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.errors import Interrupted
from kubectl_safe.run.drain import Drain, drain
from kubectl_safe.run.interruption import SIGNALS, Interruption
from kubectl_safe.run.restart import Restart, restart
from kubectl_safe.run.session import Session
from tests.run.conftest import OpenSession
from tests.run.world import Heard, World, a_world

TERM = signal.SIGTERM
NOTHING_MOVED = {"web-1", "web-2", "web-3"}


def signals_at(kind: type, *numbers: signal.Signals) -> Callable[[Action], None]:
    """Return what sends signals to this process right before the first action of a kind."""
    left = list(numbers)

    def before(action: Action) -> None:
        while left and isinstance(action, kind):
            signal.raise_signal(left.pop(0))

    return before


def interrupted(run: Callable[[Session], None], session: Session) -> str:
    """Return what a run says that is interrupted."""
    with session.interruption, pytest.raises(Interrupted) as caught:
        run(session)
    return str(caught.value)


def a_drain(*, uncordons: bool = False) -> Callable[[Session], None]:
    request = Drain(
        nodes=("node-1",), options=Options(), settings=Settings(max_surge=1), uncordons_on_failure=uncordons
    )
    return lambda session: drain(request, session)


def a_restart(session: Session) -> None:
    restart(Restart(namespace="shop", names=("web",), settings=Settings(max_surge=1)), session)


def names(world: World) -> set[str]:
    return {pod.name for pod in world.pods.values()}


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_each_signal_is_named_and_the_second_leaves(number: signal.Signals) -> None:
    with Interruption() as interruption:
        interruption.arm()
        signal.raise_signal(number)
        assert (interruption.stop, interruption.is_urgent) == (f"interrupted ({number.name})", False)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(TERM)
        assert (interruption.stop, interruption.is_urgent) == (f"interrupted twice ({number.name}, SIGTERM)", True)


def test_before_anything_is_begun_the_first_signal_leaves() -> None:
    with Interruption() as interruption:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(TERM)
        assert interruption.stop == ""


def test_a_signal_that_was_ignored_at_the_start_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            interruption.arm()
            signal.raise_signal(signal.SIGHUP)
            assert interruption.stop == ""
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_at_the_cordon_begins_no_pod_and_the_cordon_is_told_of(open_session: OpenSession) -> None:
    world = a_world(before=signals_at(Cordon, TERM))
    told = interrupted(a_drain(), open_session(world, Heard()))
    assert world.story() == ["Cordon node-1"]
    assert told.startswith("3 of 3 pods were not handed over\ninterrupted (SIGTERM)\n")
    assert told.endswith("node/node-1 stays cordoned; to take that back: kubectl safe uncordon node-1")


def test_a_signal_at_the_record_begins_no_pod_and_names_the_way_to_take_the_record_away(
    open_session: OpenSession,
) -> None:
    world = a_world(before=signals_at(Record, TERM))
    told = interrupted(a_restart, open_session(world, Heard()))
    assert world.story() == ["Record web-5d4f8c7b9"]
    assert told.endswith(
        "run the same command again to go on, or end it with: kubectl safe abort deployment/web -n shop"
    )


def test_the_second_signal_leaves_everything_where_it_stands_and_says_where(open_session: OpenSession) -> None:
    world, heard = a_world(before=signals_at(Evict, TERM, TERM)), Heard()
    told = interrupted(a_drain(), open_session(world, heard))
    assert world.story(Evict) == []
    assert names(world) >= NOTHING_MOVED
    assert len(heard.endings) == 1
    assert "interrupted twice (SIGTERM, SIGTERM)\n" in told
    assert "  withdrawn, runs on and gets no new requests: shop/web-1" in told
    assert "or end it with: kubectl safe abort node/node-1\n" in told


def test_the_second_signal_leaves_the_cordon_too(open_session: OpenSession) -> None:
    world = a_world(before=signals_at(Withdraw, TERM, TERM))
    told = interrupted(a_drain(uncordons=True), open_session(world, Heard()))
    assert "Uncordon node-1" not in world.story()
    assert told.endswith("node/node-1 stays cordoned; to take that back: kubectl safe uncordon node-1")


def test_afterwards_signals_are_what_they_were() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with Interruption():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
