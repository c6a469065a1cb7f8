"""Each safeguard is needed: without it the same run, on the same rig, loses requests."""

from pathlib import Path

import pytest

from tests.support.figures import Figures
from tests.support.stage import Stage, api, web

pytestmark = pytest.mark.controlplane

SWITCHES = Path(__file__).parent / "switches"
RESTART = ("rollout", "restart", "-n", "shop")


def test_loses_requests_without_settling(stage: Stage, figures: Figures) -> None:
    stage.deploy(api(sigterm="abrupt"))
    with stage.traffic() as counted:
        stage.safe(*RESTART, "deployment/api", "--settle", "0s")
    figures.add("without settling", str(counted))
    assert counted.lost > 0


def test_loses_requests_without_confirming_the_replacement(stage: Stage, figures: Figures) -> None:
    stage.deploy(web(sigterm="abrupt", deregistration_delay=2.0))
    with stage.traffic() as counted:
        stage.safe(*RESTART, "deployment/web", "--settle", "6s", program=SWITCHES / "unconfirmed.py")
    figures.add("without the confirmation of replacements", str(counted))
    assert counted.lost > 0


def test_loses_requests_without_waiting_for_not_registered(stage: Stage, figures: Figures) -> None:
    stage.deploy(web(sigterm="abrupt", deregistration_delay=5.0))
    # Through the load balancer alone, where settling is not what protects: the run as it is loses nothing.
    with stage.traffic(ways=["loadbalancer/web"]) as whole:
        stage.safe(*RESTART, "deployment/web", "--settle", "0s")
    with stage.traffic(ways=["loadbalancer/web"]) as counted:
        stage.safe(*RESTART, "deployment/web", "--settle", "0s", program=SWITCHES / "unregistered.py")
    figures.add("with the wait for NotRegistered, settle 0s, load balancer only", str(whole))
    figures.add("without the wait for NotRegistered, settle 0s, load balancer only", str(counted))
    assert whole.losses == ()
    assert counted.lost > 0
