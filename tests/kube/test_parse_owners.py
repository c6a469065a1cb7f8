"""DaemonSets, ReplicationControllers and volumes as the API server tells them."""

from datetime import timedelta
from typing import Any

from kubectl_safe.kube import parse
from kubectl_safe.model.selector import LabelSelector

META: dict[str, Any] = {
    "namespace": "shop",
    "name": "edge",
    "uid": "u1",
    "resourceVersion": "7",
    "generation": 3,
    "labels": {"team": "a"},
    "annotations": {"a": "1"},
}
TEMPLATE = {
    "spec": {
        "volumes": [
            {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
            {"name": "tmp", "emptyDir": {}},
            {"name": "own", "ephemeral": {"volumeClaimTemplate": {}}},
        ]
    }
}


def test_a_daemon_set_wants_as_many_pods_as_nodes_are_to_run_one() -> None:
    spec = {
        "selector": {"matchLabels": {"set": "edge"}},
        "updateStrategy": {"type": "OnDelete", "rollingUpdate": {"maxSurge": "10%", "maxUnavailable": 0}},
        "minReadySeconds": 7,
        "template": TEMPLATE,
    }
    status = {
        "desiredNumberScheduled": 5,
        "updatedNumberScheduled": 4,
        "numberReady": 3,
        "numberAvailable": 1,
        "observedGeneration": 2,
    }
    it = parse.daemon_set({"metadata": META, "spec": spec, "status": status})
    assert (it.kind, it.name, it.uid, it.resource_version) == ("DaemonSet", "edge", "u1", "7")
    assert (it.replicas, it.status_replicas, it.updated_replicas) == (5, 5, 4)
    assert (it.ready_replicas, it.available_replicas) == (3, 1)
    assert (it.strategy, it.max_surge, it.max_unavailable) == ("OnDelete", "10%", 0)
    assert (it.generation, it.observed_generation, it.min_ready) == (3, 2, timedelta(seconds=7))
    assert it.selector == LabelSelector(match_labels={"set": "edge"})
    assert (it.labels, it.annotations, it.claims, it.is_terminating) == ({"team": "a"}, {"a": "1"}, ("data",), False)
    assert not it.replaces_in_place


def test_what_a_daemon_set_does_not_tell() -> None:
    it = parse.daemon_set({"metadata": META | {"deletionTimestamp": "2026-11-27T00:00:00Z"}})
    assert (it.replicas, it.strategy, it.max_surge, it.max_unavailable) == (0, "RollingUpdate", 0, 1)
    assert it.replaces_in_place
    assert it.is_terminating


def test_a_replication_controller_selects_by_plain_labels() -> None:
    status = {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}]}
    spec = {"selector": {"app": "web"}, "replicas": 2, "minReadySeconds": 3, "template": TEMPLATE}
    it = parse.replication_controller({"metadata": META, "spec": spec, "status": status})
    assert (it.kind, it.name, it.uid, it.replicas) == ("ReplicationController", "edge", "u1", 2)
    assert it.selector == LabelSelector(match_labels={"app": "web"})
    assert (it.min_ready, it.claims, it.failure) == (timedelta(seconds=3), ("data",), "exceeded quota")
    assert parse.replication_controller({"metadata": META}).replicas == 1


def test_a_claim_says_who_can_use_it() -> None:
    it = parse.claim({"metadata": META, "spec": {"accessModes": ["ReadWriteOnce"]}})
    assert (it.namespace, it.name, it.limit) == ("shop", "edge", "ReadWriteOnce")
    assert parse.claim({"metadata": META}).limit == ""
