"""When one question to a target group answers most."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from kubectl_safe.decide.health import wishes
from kubectl_safe.model.target import TargetHealth
from tests.support.builders import NOW, a_cluster, a_pod, ago, arn, health, uid

REACTION = timedelta(seconds=0.3)
DELAY = 300
"""Seconds for which a target drains."""


def due(seconds: float) -> datetime:
    """Return when a target that was withdrawn so many seconds ago is asked for."""
    return NOW + timedelta(seconds=DELAY - seconds) + REACTION


def asked(withdrawn: Mapping[str, float], told: Mapping[str, TargetHealth], *serving: str) -> datetime:
    """Return when to ask about pods that were withdrawn so many seconds ago, and pods that serve."""
    pods = [*(a_pod(name, withdrawn=True) for name in withdrawn), *(a_pod(name) for name in serving)]
    snapshot = a_cluster(
        *pods,
        without=[f"web-{n}" for n in range(1, 7)],
        target_health=told,
        withdrawn_since={uid(name): ago(seconds) for name, seconds in withdrawn.items()},
    )
    return wishes(snapshot.pods.values(), confirms=True, snapshot=snapshot)[arn()].not_before


DRAINING = {"web-1": health("draining", asked=60), "web-2": health("draining", asked=60)}


@pytest.mark.parametrize(
    ("withdrawn", "expected"),
    [
        pytest.param({"web-1": 100, "web-2": 96}, due(96), id="what leaves 4 s later is asked for together with it"),
        pytest.param({"web-1": 100, "web-2": 95}, due(100), id="what leaves 5 s later has a question of its own"),
        pytest.param({"web-2": 96, "web-1": 100}, due(96), id="in whichever order"),
    ],
)
def test_what_leaves(withdrawn: Mapping[str, float], expected: datetime) -> None:
    assert asked(withdrawn, DRAINING) == expected


def test_what_leaves_while_no_question_may_be_asked_is_asked_for_together() -> None:
    told = {"web-1": health("draining", asked=1), "web-2": health("draining", asked=60)}
    assert asked({"web-1": DELAY, "web-2": DELAY - 8}, told) == due(DELAY - 8)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(295, NOW + timedelta(seconds=9), id="asked for with it, where its own question would bar that"),
        pytest.param(296.3, due(296.3), id="asked for after it, where its own question bars that no more"),
        pytest.param(296.5, due(296.5), id="asked for after it, where there is time for both"),
    ],
)
def test_what_serves_is(seconds: float, expected: datetime) -> None:
    told = {"web-1": health("draining", asked=60), "web-7": health(asked=6)}
    assert asked({"web-1": seconds}, told, "web-7") == expected
