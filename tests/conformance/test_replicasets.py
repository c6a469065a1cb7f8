"""What a ReplicaSet and its Deployment do about pods, most of all about those that leave it."""

from typing import Any

import pytest

from tests.conformance.ground import MERGE, Ground
from tests.conformance.manifests import a_pod, a_template, deployment, labels, name_of, owners
from tests.conformance.plane import Json

HASH = "pod-template-hash"
COST = "controller.kubernetes.io/pod-deletion-cost"


def replica_set(ground: Ground) -> Json:
    [found] = ground.all("replicasets")
    return found


def a_replica_set(ground: Ground, replicas: int, **spec: Any) -> Json:
    selector = {"matchLabels": {"app": "web"}}
    body = {"replicas": replicas, "selector": selector, "template": a_template("web"), **spec}
    return ground.create("replicasets", {"metadata": {"name": "web"}, "spec": body})


def release(ground: Ground, pod: Json) -> Json:
    """Take a pod out of its ReplicaSet, and return the replacement."""
    before = {name_of(its) for its in ground.all("pods")}
    uid = ground.get("deployments", "web")["metadata"]["uid"]
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "web",
        "uid": uid,
        "controller": False,
        "blockOwnerDeletion": False,
    }
    metadata = {
        "uid": pod["metadata"]["uid"],
        "labels": {HASH: None},
        "annotations": {"kubectl-safe/handoff": "x"},
        "ownerReferences": [reference],
    }
    assert ground.patch("pods", name_of(pod), {"metadata": metadata}).code == 200
    [new] = ground.until(
        lambda: [its for its in ground.all("pods") if name_of(its) not in before] or None, "the replacement"
    )
    ground.until(
        lambda: owners(ground.get("pods", name_of(pod))) == [("Deployment", "web", False)] or None, "the release"
    )
    return new


def test_pod_has_what_its_template_says_and_an_owner(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1, start=False)
    owner = replica_set(ground)
    digest = labels(owner)[HASH]
    assert labels(pod) == {"app": "web", HASH: digest}
    assert name_of(pod).startswith(f"web-{digest}-")
    assert pod["metadata"]["generateName"] == f"web-{digest}-"
    assert owners(pod) == [("ReplicaSet", name_of(owner), True)]
    assert pod["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] is True
    assert owners(owner) == [("Deployment", "web", True)]
    assert owner["spec"]["selector"] == {"matchLabels": {"app": "web", HASH: digest}}


def test_release_has_the_controller_let_go_and_replace(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    new = release(ground, pods[0])
    assert owners(new) == [("ReplicaSet", name_of(replica_set(ground)), True)]
    assert HASH in labels(new)
    released = ground.get("pods", name_of(pods[0]))
    assert released["status"]["phase"] == "Running"
    assert "deletionTimestamp" not in released["metadata"]
    assert len(ground.all("pods")) == 3


def test_released_pod_keeps_its_place_in_the_service_and_its_status(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    before = ground.get("pods", name_of(pods[0]))["status"]
    release(ground, pods[0])
    assert ground.get("pods", name_of(pods[0]))["status"] == before


def test_release_is_no_new_generation_of_the_workload(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    before = ground.settled("deployments", "web")["metadata"]["generation"]
    release(ground, pods[0])
    assert ground.get("deployments", "web")["metadata"]["generation"] == before


def test_released_pod_goes_with_its_deployment(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    release(ground, pods[0])
    ground.call("DELETE", "deployments", "web")
    ground.until(
        lambda: "deletionTimestamp" in ground.get("pods", name_of(pods[0]))["metadata"] or None, "its deletion"
    )


def test_label_put_back_makes_the_replacement_go(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    new = release(ground, pods[0])
    digest = labels(new)[HASH]
    ground.patch("pods", name_of(pods[0]), {"metadata": {"labels": {HASH: digest}}})
    ground.until(
        lambda: (
            (found := ground.find("pods", name_of(new))) is None or "deletionTimestamp" in found["metadata"] or None
        ),
        "its deletion",
    )
    left = {name_of(pod) for pod in ground.pods("app=web")}
    assert left == {name_of(pod) for pod in pods}
    assert ("ReplicaSet", name_of(replica_set(ground)), True) in owners(ground.get("pods", name_of(pods[0])))


def test_pod_without_any_label_of_the_selector_is_let_go(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    ground.patch("pods", name_of(pods[0]), {"metadata": {"labels": {"app": None}}})
    ground.until(lambda: owners(ground.get("pods", name_of(pods[0]))) == [] or None, "the release")
    assert len(ground.pods(HASH, count=2)) == 2


def test_orphan_that_matches_is_adopted(ground: Ground) -> None:
    ground.create("pods", a_pod("a", {"app": "web"}))
    a_replica_set(ground, 2)
    ground.until(lambda: owners(ground.get("pods", "a")) == [("ReplicaSet", "web", True)] or None, "the adoption")
    assert len(ground.pods("app=web", count=2)) == 2


def test_orphan_beyond_the_replicas_is_adopted_and_deleted(ground: Ground) -> None:
    a_replica_set(ground, 0)
    ground.settled("replicasets", "web")
    ground.create("pods", a_pod("a", {"app": "web"}, schedulerName="none"))
    ground.gone("pods", "a")


def test_terminating_orphan_is_not_adopted(ground: Ground) -> None:
    ground.create("pods", a_pod("a", {"app": "web"}))
    ground.run(ground.bound("a"))
    ground.call("DELETE", "pods", "a")
    a_replica_set(ground, 1)
    ground.pods("app=web", count=1)
    assert owners(ground.get("pods", "a")) == []


def test_terminating_pod_is_replaced_at_once(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    ground.call("DELETE", "pods", name_of(pods[0]))
    [new] = ground.pods("app=web", count=1)
    assert name_of(new) != name_of(pods[0])
    assert ground.find("pods", name_of(pods[0])) is not None


def test_failed_pod_is_replaced(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    ground.patch("pods", name_of(pods[0]), {"status": {"phase": "Failed"}}, sub="status")
    assert len(ground.pods("app=web", count=2)) == 2


@pytest.mark.parametrize("first", ["pending", "unready", "cheap"])
def test_scale_down_takes_first(ground: Ground, first: str) -> None:
    pods = ground.deploy(replicas=3, start=False)
    for pod in pods:
        ground.bound(name_of(pod))
    for pod in pods[1:] if first == "pending" else pods:
        ground.run(pod, ready=first != "unready" or pod is not pods[0])
    if first == "cheap":
        ground.patch("pods", name_of(pods[0]), {"metadata": {"annotations": {COST: "-1"}}})
    ground.patch("deployments", "web", {"spec": {"replicas": 2}}, sub="scale", kind=MERGE)
    assert {name_of(pod) for pod in ground.pods("app=web", count=2)} == {name_of(pod) for pod in pods[1:]}


def test_replica_set_counts(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.run(pods[0], ready=False)
    status = ground.until(
        lambda: found if (found := replica_set(ground)["status"]).get("readyReplicas") == 1 else None, "the count"
    )
    counted = {name: status.get(name) for name in ("replicas", "fullyLabeledReplicas", "availableReplicas")}
    assert counted == {"replicas": 2, "fullyLabeledReplicas": 2, "availableReplicas": 1}


def test_terminating_pods_are_counted_apart(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    ground.call("DELETE", "pods", name_of(pods[0]))
    ground.until(
        lambda: (
            ((found := replica_set(ground)["status"]).get("terminatingReplicas") == 1 and found["replicas"] == 1)
            or None
        ),
        "the count",
    )


def test_quota_keeps_the_replacement_out_and_says_so(ground: Ground) -> None:
    ground.create("resourcequotas", {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}})
    ground.until(
        lambda: ground.get("resourcequotas", "few").get("status", {}).get("hard") or ground.plane.is_embedded or None,
        "the quota",
    )
    ground.create("deployments", deployment("web", 2))
    told = ground.until(
        lambda: next(iter(its["status"].get("conditions", []) for its in ground.all("replicasets")), None) or None,
        "the failure",
    )
    assert (told[0]["type"], told[0]["status"], told[0]["reason"]) == ("ReplicaFailure", "True", "FailedCreate")
    assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in told[0]["message"]
    ground.until(
        lambda: (
            "ReplicaFailure" in {its["type"] for its in ground.get("deployments", "web")["status"]["conditions"]}
            or None
        ),
        "the Deployment's word",
    )


def test_quota_answers_forbidden(ground: Ground) -> None:
    ground.create("resourcequotas", {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}})
    ground.until(
        lambda: ground.get("resourcequotas", "none").get("status", {}).get("hard") or ground.plane.is_embedded or None,
        "the quota",
    )
    answer = ground.call("POST", "pods", body=a_pod("a"))
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.message == (
        'pods "a" is forbidden: exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0'
    )


def test_bare_replica_set_lets_go_too(ground: Ground) -> None:
    a_replica_set(ground, 1)
    [pod] = ground.started("app=web", 1)
    ground.patch("pods", name_of(pod), {"metadata": {"labels": {"app": None}}})
    ground.until(lambda: owners(ground.get("pods", name_of(pod))) == [] or None, "the release")
    ground.pods("app=web", count=1)


def test_replication_controller_does_as_a_replica_set(ground: Ground) -> None:
    spec = {"replicas": 1, "selector": {"app": "web"}, "template": a_template("web")}
    ground.create("replicationcontrollers", {"metadata": {"name": "web"}, "spec": spec})
    [pod] = ground.started("app=web", 1)
    assert owners(pod) == [("ReplicationController", "web", True)]
    ground.patch("pods", name_of(pod), {"metadata": {"labels": {"app": None}}})
    ground.until(lambda: owners(ground.get("pods", name_of(pod))) == [] or None, "the release")
    ground.pods("app=web", count=1)
