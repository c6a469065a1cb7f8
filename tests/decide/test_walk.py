"""Whole handoffs in a cluster in miniature: whatever its pace, they end, and stop nothing that is still reached."""

from datetime import timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubectl_safe.decide.settings import Settings
from tests.support.walk import Walk


@st.composite
def walks(draw: st.DrawFn) -> Walk:
    replicas = draw(st.integers(1, 6))
    surge = draw(st.integers(0 if replicas > 1 else 1, 3))
    unavailable = draw(st.none() | st.integers(0 if surge else 1, max(1, replicas - 1)))
    flags = Settings(
        settle=timedelta(seconds=draw(st.sampled_from([0, 6, 15]))),
        max_draining=draw(st.none() | st.integers(1, 3)),
        max_unavailable=unavailable,
    )
    return Walk(
        replicas=replicas,
        surge=surge,
        settings=flags,
        planned=draw(st.integers(1, replicas)),
        delay=timedelta(seconds=draw(st.sampled_from([0, 10, 40]))),
        crashes=draw(st.integers(0, 3)),
        random=Random(draw(st.integers(0, 2**32))),
    )


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(walk=walks())
def test_a_handoff_ends_and_never_stops_what_is_still_reached(walk: Walk) -> None:
    walk.run(at_most=timedelta(hours=1))
    assert len(walk.evicted) == walk.planned
