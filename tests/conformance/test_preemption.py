"""A pod that is more important has the place of another."""

import pytest

from kubectl_safe.sandbox.cluster.objects import condition
from tests.conformance.ground import Ground
from tests.conformance.manifests import a_pod
from tests.conformance.plane import Json
from tests.conformance.test_scheduling import cordon, node_of, refused, words

IMPORTANT = "system-cluster-critical"


@pytest.fixture
def only(ground: Ground) -> str:
    """The one node that takes pods, with room for two."""
    return ground.pool(1, pods=2)[0]


def put(ground: Ground, name: str, app: str = "web", *, important: bool = False) -> Json:
    spec = {"priorityClassName": IMPORTANT} if important else {}
    return ground.create("pods", a_pod(name, {"app": app}, nodeSelector={"pool": ground.namespace}, **spec))


def preempted(ground: Ground) -> Json:
    """Wait for the pod that goes."""

    def look() -> Json | None:
        return next((pod for pod in ground.all("pods") if "deletionTimestamp" in pod["metadata"]), None)

    return ground.until(look, "a pod that is preempted")


def nominated(ground: Ground, name: str) -> str:
    found = ground.until(lambda: ground.get("pods", name)["status"].get("nominatedNodeName"), f"a node for {name}")
    return str(found)


def test_pod_of_a_class_that_every_cluster_has_is_more_important(ground: Ground, only: str) -> None:
    put(ground, "a", important=True)
    assert node_of(ground, "a") == only
    assert ground.get("pods", "a")["spec"]["priority"] == 2_000_000_000


def test_the_more_important_pod_waits_for_the_place_of_another(ground: Ground, only: str) -> None:
    for name in ("a", "b"):
        put(ground, name)
        node_of(ground, name)
    put(ground, "c", important=True)
    victim = preempted(ground)
    assert victim["metadata"]["name"] in {"a", "b"}
    told = condition(victim, "DisruptionTarget")
    assert told is not None
    assert told["reason"] == "PreemptionByScheduler"
    assert told["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
    assert nominated(ground, "c") == only
    assert words(refused(ground, "c")) == {"1 Too many pods"}
    assert len([pod for pod in ground.all("pods") if "deletionTimestamp" in pod["metadata"]]) == 1
    ground.stop(victim)
    assert node_of(ground, "c") == only


def test_its_place_is_kept_for_it(ground: Ground, only: str) -> None:
    for name in ("a", "b"):
        put(ground, name)
        node_of(ground, name)
    put(ground, "c", important=True)
    victim = preempted(ground)
    nominated(ground, "c")
    put(ground, "d")
    assert words(refused(ground, "d")) == {"1 Too many pods"}
    ground.stop(victim)
    assert node_of(ground, "c") == only
    assert "nodeName" not in ground.get("pods", "d")["spec"]


def test_equally_important_pods_stay(ground: Ground, only: str) -> None:
    for name in ("a", "b"):
        put(ground, name, important=True)
        assert node_of(ground, name) == only
    put(ground, "c", important=True)
    assert "1 No preemption victims found for incoming pod" in refused(ground, "c")["message"]
    assert len(ground.pods()) == 3


def test_of_two_nodes_that_whose_pods_no_budget_guards(ground: Ground) -> None:
    guarded, free = ground.pool(2, pods=1)
    cordon(ground, free)
    ground.run(put(ground, "a", "guarded"))
    ground.protect("guarded", minAvailable=1)
    cordon(ground, free, is_cordoned=False)
    ground.run(put(ground, "b", "free"))
    assert (node_of(ground, "a"), node_of(ground, "b")) == (guarded, free)
    put(ground, "c", important=True)
    assert preempted(ground)["metadata"]["name"] == "b"
    assert nominated(ground, "c") == free
