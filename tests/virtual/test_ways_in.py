"""A node that asks its own pods only, and to which no replacement can come, as somebody has cordoned it."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.settings import Settings
from tests.support.virtual.stage import VirtualStage
from tests.virtual.play import play
from tests.virtual.scenario import Scenario, an_application

LOCAL = Scenario(
    command="restart",
    applications=(an_application("local", replicas=4, service_spec={"internalTrafficPolicy": "Local"}),),
)


def _cordon(stage: VirtualStage) -> None:
    stage.loop.finish(stage.rig.api.patch("/api/v1/nodes/node-b", {"spec": {"unschedulable": True}}))


def test_its_last_pod_is_kept_and_serves_on() -> None:
    with pytest.raises(AssertionError) as ended:
        play(LOCAL, prepare=_cordon, again=0)
    told = str(ended.value)
    assert told.startswith("I8: it does not complete: ")
    assert "node node-b would be left without a pod of service shop/local, whose internalTrafficPolicy is Local" in told
    assert "released, serves on without its controller: shop/local-" in told


def test_its_last_pod_goes_where_that_is_answered_for() -> None:
    allowed = Settings(allow=frozenset({"local-traffic-policy"}))
    with pytest.raises(AssertionError, match=r"^I1: node-b was left without a pod of local$"):
        play(replace(LOCAL, settings=allowed), prepare=_cordon)
