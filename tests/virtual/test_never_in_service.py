"""A replacement that never comes into service, behind a load balancer whose answers get old: the deadline comes."""

import pytest

from kubectl_safe.sandbox.cluster.objects import Json
from tests.support.virtual.stage import VirtualStage
from tests.virtual.play import play
from tests.virtual.scenarios import SCENARIOS

GATE = "example.com/never"


def _gate_new_pods(stage: VirtualStage) -> None:
    """Have each pod from now on wait for a gate that nobody sets."""

    def gated(_namespace: Json, _pod: Json) -> list[Json]:
        return [{"op": "add", "path": "/spec/readinessGates", "value": [{"conditionType": GATE}]}]

    stage.control_plane.admit_pods_through(gated)


@pytest.mark.parametrize("name", ["restart-balanced", "drain-balanced", "restart-withdraw-first"])
def test_is_given_up_at_its_deadline(name: str) -> None:
    with pytest.raises(AssertionError) as ended:
        play(SCENARIOS[name], prepare=_gate_new_pods, again=0)
    told = str(ended.value)
    assert told.startswith("I8: it does not complete: ")
    assert "waited longer than 600s (progressDeadlineSeconds)" in told
    assert f"waits for its readiness gate {GATE}, which nobody has set yet" in told


@pytest.mark.parametrize("name", ["restart-balanced", "drain-balanced"])
def test_keeps_what_its_load_balancer_calls_healthy_and_the_old_pod_beside_it(name: str) -> None:
    with pytest.raises(AssertionError) as ended:
        play(SCENARIOS[name], prepare=_gate_new_pods, again=0)
    told = str(ended.value)
    assert "can't be given back while its controller would delete a pod for it that gets requests" in told
    assert "released, serves on without its controller: shop/web-" in told
