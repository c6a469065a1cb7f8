"""What flags come to for a Deployment, and how they are written."""

from datetime import timedelta

import pytest

from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.decide.settings import RETRY, Settings, go_duration
from kubectl_safe.model.workload import Workload
from tests.support.builders import a_deployment

ROWS = [(0, "0s"), (0.2, "1s"), (90, "1m30s"), (300, "5m"), (3600, "1h"), (3661, "1h1m1s")]


@pytest.mark.parametrize(("seconds", "text"), ROWS)
def test_a_duration_is_written_as_its_flag_takes_it_and_never_shorter(seconds: float, text: str) -> None:
    assert go_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        pytest.param(Settings(), (15, 30), id="longer where clients keep DNS answers"),
        pytest.param(Settings(settle=timedelta(seconds=7)), (7, 7), id="--settle is for both"),
        pytest.param(Settings(settle=timedelta(0)), (0, 0), id="none is none"),
    ],
)
def test_a_pod_settles_for(settings: Settings, seconds: tuple[int, int]) -> None:
    found = tuple(settings.settle_for(is_headless=it).total_seconds() for it in (False, True))
    assert found == seconds


@pytest.mark.parametrize(
    ("settings", "deployment", "surge"),
    [
        pytest.param(Settings(), a_deployment(max_surge="25%"), 2, id="the Deployment's, rounded up"),
        pytest.param(Settings(max_surge=3), a_deployment(), 3, id="the flag's"),
        pytest.param(Settings(max_surge=0), a_deployment(max_surge=2), 0, id="none by the flag"),
        pytest.param(Settings(max_surge="100%"), a_deployment(), 6, id="a percentage of the wanted pods"),
        pytest.param(Settings(max_surge=3), a_deployment(strategy="Recreate"), 0, id="none for Recreate"),
        pytest.param(Settings(max_surge=3), a_deployment(kind="StatefulSet"), 0, id="none for a StatefulSet"),
    ],
)
def test_as_many_serve_beyond_the_wanted_number_as(settings: Settings, deployment: Workload, surge: int) -> None:
    assert settings.surge_of(deployment) == surge


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param(Settings(), (0, 1), id="one, where a pod is withdrawn first"),
        pytest.param(Settings(max_unavailable=2), (2, 2), id="the flag's"),
        pytest.param(Settings(max_unavailable=0), (0, 0), id="none by the flag"),
        pytest.param(Settings(max_unavailable="50%"), (3, 3), id="a percentage of the wanted pods"),
    ],
)
def test_as_many_may_be_missing_as(settings: Settings, expected: tuple[int, int]) -> None:
    found = tuple(settings.unavailable_of(a_deployment(), is_withdraw_first=it) for it in (False, True))
    assert found == expected


def test_the_options_that_shape_a_restart_are_noted_and_no_others() -> None:
    assert Settings(settle=timedelta(1), nudge=False, touch=False).fingerprint == ""
    shaped = Settings(max_surge="25%", max_draining=0, max_unavailable=2)
    assert shaped.fingerprint == "--max-surge=25% --max-draining=0 --max-unavailable=2"


def test_what_no_flag_says_is_as_it_is_documented() -> None:
    settings = Settings()
    assert (settings.nudge, settings.touch, settings.max_draining, settings.drain_wait) == (True, True, None, None)
    assert settings.allow == frozenset()
    names = {"adoption", "downtime", "local-traffic-policy", "pending-revision", "policy-change", "unknown-owner"}
    names |= {"data-plane", "mesh", "selectorless-service"}
    assert names | {"unseen-load-balancer", "unseen-targets", "zone-empty"} == set(ALLOWABLE)
    assert RETRY.total_seconds() == 5
