"""A volume that two pods, or two nodes, can't use at once: its pod goes first, and nobody starts another beside it."""

from typing import Any

import pytest

from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.volume import Claim, with_volumes
from tests.support.builders import a_cluster, a_deployment, a_replica_set, an_intent, decide, told, uid

ONE_POD, ONE_NODE, MANY = ({"ReadWriteOncePod"}, {"ReadWriteOnce"}, {"ReadWriteMany"})
WITHOUT = [f"web-{number}" for number in range(2, 7)]
IS_ONE = "deployment shop/web may run no pod beyond its 1, so none would be in service: "


def a_claim(modes: set[str], namespace: str = "shop") -> Claim:
    return Claim(namespace=namespace, name="data", access_modes=frozenset(modes))


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        pytest.param([a_claim(ONE_POD)], "data (ReadWriteOncePod)", id="one pod"),
        pytest.param([a_claim(ONE_NODE)], "data (ReadWriteOnce)", id="one node"),
        pytest.param([a_claim(MANY)], "", id="many"),
        pytest.param([a_claim(ONE_NODE | MANY)], "", id="many, too"),
        pytest.param([], "data (access modes that can't be read)", id="not there, or not to be read"),
        pytest.param([a_claim(MANY, "other")], "data (access modes that can't be read)", id="of another namespace"),
    ],
)
def test_a_workload_says_which_volume_its_pods_can_not_share(claims: list[Claim], expected: str) -> None:
    plain = a_deployment("api")
    found = with_volumes([a_deployment(claims=("data",)), plain], claims)
    assert found[uid("web")].exclusive_volume == expected
    assert found[uid("api")] is plain


@pytest.mark.parametrize(
    ("volume", "flags", "expected"),
    [
        pytest.param("", {}, 1, id="none"),
        pytest.param("data (ReadWriteOncePod)", {}, 0, id="one pod"),
        pytest.param("data (ReadWriteOncePod)", {"max_surge": 1}, 0, id="one pod, whatever the flag says"),
        pytest.param("data (ReadWriteOnce)", {}, 0, id="one node"),
        pytest.param("data (ReadWriteOnce)", {"max_surge": 1}, 1, id="one node, which the next pod comes to as well"),
    ],
)
def test_how_many_may_run_beside(volume: str, flags: dict[str, Any], expected: int) -> None:
    assert Settings(**flags).surge_of(a_deployment(exclusive_volume=volume)) == expected


@pytest.mark.parametrize(
    ("volume", "flags", "expected"),
    [
        pytest.param(
            "data (ReadWriteOncePod)",
            {"max_surge": 1},
            f"{IS_ONE}only one pod at a time can use its volume data (ReadWriteOncePod), or answer for it with "
            "--allow downtime",
            id="one pod",
        ),
        pytest.param(
            "data (ReadWriteOnce)",
            {},
            f"{IS_ONE}two nodes can't use its volume data (ReadWriteOnce) at once; give it --max-surge 1 if its next "
            "pod comes to the same node, or answer for it with --allow downtime",
            id="one node",
        ),
        pytest.param("data (ReadWriteOnce)", {"max_surge": 1}, "", id="one node, which the next pod comes to as well"),
        pytest.param("data (ReadWriteOnce)", {"allow": frozenset({"downtime"})}, "", id="allowed"),
    ],
)
def test_the_only_pod_is_refused(volume: str, flags: dict[str, Any], expected: str) -> None:
    only = a_deployment(replicas=1, exclusive_volume=volume)
    sets = {its.uid: its for its in [a_replica_set(replicas=1)]}
    snapshot = a_cluster(without=WITHOUT, workloads={only.uid: only}, replica_sets=sets)
    told_of = [its.why for its in blockers(an_intent(snapshot, "web-1", **flags), snapshot) if its.reason == "downtime"]
    assert "; ".join(told_of) == expected


def test_of_several_one_is_withdrawn_first() -> None:
    its = a_deployment(exclusive_volume="data (ReadWriteOnce)")
    assert told(decide(a_cluster(workloads={its.uid: its})), "web-1") == "Withdraw"
