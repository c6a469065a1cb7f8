"""What stands in for kubectl asks a rollout the questions that kubectl asks."""

from typing import Any

import pytest

from kubectl_safe.sandbox.demo.imitation import _left

WHOLE = {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 4, "availableReplicas": 4}

LADDER = [
    pytest.param({"observedGeneration": 1}, "the spec update is not yet observed", id="not observed"),
    pytest.param({"updatedReplicas": 3}, "3 out of 4 new replicas have been updated", id="not all updated"),
    pytest.param({"replicas": 5}, "1 old replicas are pending termination", id="old ones left"),
    pytest.param({"availableReplicas": 3}, "3 of 4 updated replicas are available", id="not all available"),
    pytest.param({}, "", id="complete"),
]


@pytest.mark.parametrize(("status", "left"), LADDER)
def test_a_rollout_is_complete_once_it_is_observed_updated_alone_and_available(
    status: dict[str, Any], left: str
) -> None:
    deployment = {"metadata": {"generation": 2}, "spec": {"replicas": 4}, "status": {**WHOLE, **status}}
    assert _left(deployment) == left


def test_a_status_without_figures_is_one_of_zeros() -> None:
    status = {"observedGeneration": 2}
    deployment = {"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}
    assert _left(deployment) == "0 out of 1 new replicas have been updated"
