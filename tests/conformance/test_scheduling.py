"""Where pods are bound, and what is said where they are not."""

from typing import Any

import pytest

from tests.conformance.ground import STRATEGIC, Ground
from tests.conformance.manifests import a_pod, labels
from tests.conformance.plane import Json

KEY = "kubernetes.io/hostname"


@pytest.fixture
def pool(ground: Ground) -> list[str]:
    """Three nodes of the test's own, each with room for two pods."""
    return ground.pool(3, pods=2)


@pytest.fixture
def wide(ground: Ground) -> list[str]:
    """Three nodes of the test's own that are never full."""
    return ground.pool(3)


def cordon(ground: Ground, *names: str, is_cordoned: bool = True) -> None:
    for name in names:
        patch = {"spec": {"unschedulable": is_cordoned or None}}
        assert ground.plane.call("PATCH", f"/api/v1/nodes/{name}", patch, kind=STRATEGIC).code == 200


def taint(ground: Ground, name: str) -> None:
    patch = {"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}}
    assert ground.plane.call("PATCH", f"/api/v1/nodes/{name}", patch, kind=STRATEGIC).code == 200


def mark(ground: Ground, name: str, **labels: str) -> None:
    patch = {"metadata": {"labels": labels}}
    assert ground.plane.call("PATCH", f"/api/v1/nodes/{name}", patch, kind=STRATEGIC).code == 200


def put_hashed(ground: Ground, name: str, **spec: Any) -> None:
    pod = a_pod(name, {"app": "web", "hash": "1"}, nodeSelector={"pool": ground.namespace}, **spec)
    ground.create("pods", pod)


def put(ground: Ground, name: str, **spec: Any) -> None:
    ground.create("pods", a_pod(name, {"app": "web"}, nodeSelector={"pool": ground.namespace}, **spec))


def node_of(ground: Ground, name: str) -> str:
    return str(ground.bound(name)["spec"]["nodeName"])


def refused(ground: Ground, name: str) -> Json:
    """Wait until a pod is told to be unschedulable, and return the condition."""

    def look() -> Json | None:
        found = ground.get("pods", name)["status"].get("conditions", [])
        return next((its for its in found if its["type"] == "PodScheduled" and its["status"] == "False"), None)

    return ground.until(look, f"the refusal of {name}")


def words(condition: Json) -> set[str]:
    """Return what the scheduler says of the pool's nodes; how many others there are is none of it."""
    text = condition["message"].partition(" nodes are available: ")[2].partition(". preemption")[0].rstrip(".")
    return {part for part in text.split(", ") if "affinity/selector" not in part}


APART = {
    "podAntiAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": KEY}
        ]
    }
}

SPREAD: dict[str, Any] = {
    "maxSkew": 1,
    "topologyKey": KEY,
    "whenUnsatisfiable": "DoNotSchedule",
    "labelSelector": {"matchLabels": {"app": "web"}},
}
LISTENING: dict[str, Any] = {"name": "a", "image": "b", "ports": [{"containerPort": 80, "hostPort": 8080}]}


def test_pod_is_bound_where_its_selector_says(ground: Ground, pool: list[str]) -> None:
    put(ground, "a")
    assert node_of(ground, "a") in pool


def test_bound_pod_says_so(ground: Ground, pool: list[str]) -> None:
    put(ground, "a")
    assert node_of(ground, "a") in pool
    told = {its["type"]: its["status"] for its in ground.get("pods", "a")["status"]["conditions"]}
    assert told == {"PodScheduled": "True"}


def test_bound_pod_bears_its_node_s_zone_and_region(ground: Ground) -> None:
    [node] = ground.pool(1)
    where = {"topology.kubernetes.io/zone": "us-east-1a", "topology.kubernetes.io/region": "us-east-1"}
    patch = {"metadata": {"labels": {**where, "rack": "7"}}}
    assert ground.plane.call("PATCH", f"/api/v1/nodes/{node}", patch, kind=STRATEGIC).code == 200
    put(ground, "a")
    assert labels(ground.bound("a")) == {"app": "web", **where}


def test_pod_has_a_priority_and_service_links(ground: Ground, pool: list[str]) -> None:
    put(ground, "a")
    assert node_of(ground, "a") in pool
    spec = ground.get("pods", "a")["spec"]
    assert (spec["priority"], spec["preemptionPolicy"], spec["enableServiceLinks"]) == (0, "PreemptLowerPriority", True)


def test_cordoned_node_gets_no_pod(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    put(ground, "a")
    assert node_of(ground, "a") == pool[0]


def test_cordon_everywhere_is_told(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool)
    put(ground, "a")
    told = refused(ground, "a")
    assert told["reason"] == "Unschedulable"
    assert words(told) == {"3 node(s) were unschedulable"}


def test_refusal_is_an_event_too(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool)
    put(ground, "a")
    message = refused(ground, "a")["message"]
    events = ground.until(
        lambda: (
            ground.all("events", fieldSelector="involvedObject.name=a,involvedObject.kind=Pod,reason=FailedScheduling")
            or None
        ),
        "the event",
    )
    assert message in {its["message"] for its in events}
    assert events[0]["type"] == "Warning"


def test_uncordoned_node_gets_what_waits(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool)
    put(ground, "a")
    refused(ground, "a")
    cordon(ground, pool[0], is_cordoned=False)
    assert node_of(ground, "a") == pool[0]


def test_full_nodes_are_told(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    for name in ("a", "b"):
        put(ground, name)
        node_of(ground, name)
    put(ground, "c")
    assert words(refused(ground, "c")) == {"1 Too many pods", "2 node(s) were unschedulable"}


def test_room_that_comes_free_is_used(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    for name in ("a", "b"):
        put(ground, name)
        node_of(ground, name)
    put(ground, "c")
    refused(ground, "c")
    ground.call("DELETE", "pods", "a", {"gracePeriodSeconds": 0})
    assert node_of(ground, "c") == pool[0]


def test_anti_affinity_keeps_pods_apart(ground: Ground, pool: list[str]) -> None:
    for name in ("a", "b", "c"):
        put(ground, name, affinity=APART)
    assert {node_of(ground, name) for name in ("a", "b", "c")} == set(pool)
    put(ground, "d", affinity=APART)
    assert words(refused(ground, "d")) == {"3 node(s) didn't match pod anti-affinity rules"}


@pytest.mark.usefixtures("pool")
def test_anti_affinity_of_others_counts_too(ground: Ground) -> None:
    for name in ("a", "b", "c"):
        put(ground, name, affinity=APART)
        node_of(ground, name)
    put(ground, "d")
    assert words(refused(ground, "d")) == {"3 node(s) didn't satisfy existing pods anti-affinity rules"}


def test_anti_affinity_is_about_labels_as_they_are_now(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    put(ground, "a")
    node_of(ground, "a")
    put(ground, "b", affinity=APART)
    refused(ground, "b")
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    assert node_of(ground, "b") == pool[0]


def test_anti_affinity_of_a_released_pod_still_counts(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    put(ground, "a", affinity=APART)
    node_of(ground, "a")
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    put(ground, "b")
    told = words(refused(ground, "b"))
    assert told == {"1 node(s) didn't satisfy existing pods anti-affinity rules", "2 node(s) were unschedulable"}


def test_anti_affinity_of_a_whole_zone_keeps_all_its_nodes_free(ground: Ground, pool: list[str]) -> None:
    for name, zone in zip(pool, "aab", strict=True):
        mark(ground, name, zone=zone)
    [term] = APART["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{**term, "topologyKey": "zone"}]}}
    for name in ("a", "b"):
        put(ground, name, affinity=apart)
    assert len({node_of(ground, name) in pool[:2] for name in ("a", "b")}) == 2
    put(ground, "c", affinity=apart)
    assert words(refused(ground, "c")) == {"3 node(s) didn't match pod anti-affinity rules"}


def test_host_port_is_taken_once_a_node(ground: Ground, pool: list[str]) -> None:
    for name in ("a", "b", "c"):
        put(ground, name, containers=[LISTENING])
    assert {node_of(ground, name) for name in ("a", "b", "c")} == set(pool)
    put(ground, "d", containers=[LISTENING])
    told = refused(ground, "d")
    assert words(told) == {"3 node(s) didn't have free ports for the requested pod ports"}
    assert "3 No preemption victims found for incoming pod" in told["message"]
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    other = {**LISTENING, "ports": [{"containerPort": 80, "hostPort": 8080, "protocol": "UDP"}]}
    put(ground, "e", containers=[other])
    assert node_of(ground, "e") in pool
    where = node_of(ground, "b")
    ground.call("DELETE", "pods", "b", {"gracePeriodSeconds": 0})
    assert node_of(ground, "d") == where


def test_spread_pods_are_told_where_none_may_come(ground: Ground, pool: list[str]) -> None:
    cordon(ground, pool[0])
    for name in ("a", "b"):
        put(ground, name, topologySpreadConstraints=[SPREAD])
    assert {node_of(ground, name) for name in ("a", "b")} == set(pool[1:])
    put(ground, "c", topologySpreadConstraints=[SPREAD])
    told = refused(ground, "c")
    assert words(told) == {
        "1 node(s) were unschedulable",
        "2 node(s) didn't match pod topology spread constraints",
    }
    assert "2 No preemption victims found for incoming pod" in told["message"]


def test_pods_are_spread_where_the_fewest_are(ground: Ground, pool: list[str]) -> None:
    for name in "abcdef":
        put(ground, name, topologySpreadConstraints=[SPREAD])
    placed = [node_of(ground, name) for name in "abcdef"]
    assert sorted(placed) == sorted([*pool, *pool])


def test_spread_does_not_count_a_tainted_node_that_it_honors(ground: Ground, wide: list[str]) -> None:
    taint(ground, wide[0])
    put(ground, "a", topologySpreadConstraints=[{**SPREAD, "nodeTaintsPolicy": "Honor"}])
    put(ground, "b", topologySpreadConstraints=[{**SPREAD, "nodeTaintsPolicy": "Honor"}])
    put(ground, "c", topologySpreadConstraints=[{**SPREAD, "nodeTaintsPolicy": "Honor"}])
    assert {node_of(ground, name) for name in "abc"} == set(wide[1:])
    put(ground, "d", topologySpreadConstraints=[SPREAD])
    assert words(refused(ground, "d")) == {
        "1 node(s) had untolerated taint(s)",
        "2 node(s) didn't match pod topology spread constraints",
    }


def test_spread_over_fewer_domains_than_it_is_to_have_counts_from_none(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    put(ground, "a", topologySpreadConstraints=[{**SPREAD, "minDomains": 4}])
    assert node_of(ground, "a") == pool[0]
    cordon(ground, *pool[1:], is_cordoned=False)
    for name in "bc":
        put(ground, name, topologySpreadConstraints=[{**SPREAD, "minDomains": 4}])
    assert {node_of(ground, name) for name in "abc"} == set(pool)
    put(ground, "d", topologySpreadConstraints=[{**SPREAD, "minDomains": 4}])
    assert words(refused(ground, "d")) == {"3 node(s) didn't match pod topology spread constraints"}


def test_spread_by_a_key_that_nodes_lack_is_told(ground: Ground, pool: list[str]) -> None:
    mark(ground, pool[0], rack="1")
    put(ground, "a", topologySpreadConstraints=[{**SPREAD, "topologyKey": "rack"}])
    assert node_of(ground, "a") == pool[0]
    cordon(ground, pool[0])
    put(ground, "b", topologySpreadConstraints=[{**SPREAD, "topologyKey": "rack"}])
    assert words(refused(ground, "b")) == {
        "1 node(s) were unschedulable",
        "2 node(s) didn't match pod topology spread constraints (missing required label)",
    }


def test_released_pod_still_counts_in_a_spread(ground: Ground, wide: list[str]) -> None:
    for name in "abc":
        put(ground, name, topologySpreadConstraints=[SPREAD])
        node_of(ground, name)
    cordon(ground, node_of(ground, "a"))
    ground.patch("pods", "a", {"metadata": {"labels": {"kubectl-safe/withdrawn": ""}}})
    put(ground, "d", topologySpreadConstraints=[SPREAD])
    assert node_of(ground, "d") in wide
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    put(ground, "e", topologySpreadConstraints=[SPREAD])
    assert "2 node(s) didn't match pod topology spread constraints" in words(refused(ground, "e"))


def test_spread_by_revision_does_not_count_a_pod_that_has_lost_its_hash(ground: Ground, pool: list[str]) -> None:
    spread = {**SPREAD, "matchLabelKeys": ["hash"]}
    for name in "abc":
        put_hashed(ground, name, topologySpreadConstraints=[spread])
        node_of(ground, name)
    assert {node_of(ground, name) for name in "abc"} == set(pool)
    cordon(ground, node_of(ground, "a"))
    ground.patch("pods", "a", {"metadata": {"labels": {"hash": None}}})
    put_hashed(ground, "d", topologySpreadConstraints=[spread])
    assert "2 node(s) didn't match pod topology spread constraints" in words(refused(ground, "d"))


def test_pod_on_its_way_out_does_not_count_in_a_spread(ground: Ground, pool: list[str]) -> None:
    cordon(ground, pool[0])
    for name in "ab":
        put(ground, name, topologySpreadConstraints=[SPREAD])
        node_of(ground, name)
    ground.call("DELETE", "pods", "a")
    put(ground, "c", topologySpreadConstraints=[SPREAD])
    assert node_of(ground, "c") == node_of(ground, "a")


def test_taint_is_told(ground: Ground, pool: list[str]) -> None:
    for name in pool:
        taint(ground, name)
    put(ground, "a")
    assert words(refused(ground, "a")) == {"3 node(s) had untolerated taint(s)"}
    put(ground, "b", tolerations=[{"key": "x", "operator": "Exists"}])
    assert node_of(ground, "b") in pool


def test_node_that_is_nowhere_is_told(ground: Ground) -> None:
    ground.create("pods", a_pod("a", nodeSelector={"pool": "nowhere"}))
    assert "node(s) didn't match Pod's node affinity/selector" in refused(ground, "a")["message"]


def test_required_node_affinity_decides(ground: Ground, pool: list[str]) -> None:
    expressions = [{"key": KEY, "operator": "In", "values": [pool[2]]}]
    required = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
    put(ground, "a", affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}})
    assert node_of(ground, "a") == pool[2]


def test_released_pod_takes_its_room(ground: Ground, pool: list[str]) -> None:
    cordon(ground, *pool[1:])
    for name in ("a", "b"):
        put(ground, name)
        node_of(ground, name)
    ground.patch("pods", "a", {"metadata": {"labels": {"app": None}}})
    put(ground, "c")
    assert "1 Too many pods" in words(refused(ground, "c"))


def test_second_binding_conflicts(ground: Ground, pool: list[str]) -> None:
    put(ground, "a")
    node = node_of(ground, "a")
    body = {"metadata": {"name": "a"}, "target": {"kind": "Node", "name": pool[0]}}
    answer = ground.call("POST", "pods", "a", body, sub="binding")
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert f'pod a is already assigned to node "{node}"' in answer.message


def test_too_much_processor_time_is_told(ground: Ground, pool: list[str]) -> None:
    container = {"name": "a", "image": "b", "resources": {"requests": {"cpu": "100"}}}
    ground.create("pods", a_pod("a", nodeSelector={"pool": ground.namespace}, containers=[container]))
    assert words(refused(ground, "a")) == {"3 Insufficient cpu"}
    assert len(pool) == 3
