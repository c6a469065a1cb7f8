"""How objects go: grace periods, preconditions, finalizers, owners."""

from typing import Any

import pytest

from tests.conformance.ground import MERGE, Ground
from tests.conformance.manifests import a_pod, deployment, labels, owners
from tests.conformance.plane import Json


def a_running_pod(ground: Ground, name: str = "a", **spec: Any) -> Json:
    ground.create("pods", a_pod(name, **spec))
    return ground.run(ground.bound(name))


def test_bound_pod_gets_its_grace(ground: Ground) -> None:
    a_running_pod(ground, terminationGracePeriodSeconds=7)
    answer = ground.call("DELETE", "pods", "a")
    assert answer.code == 200
    assert answer.body["kind"] == "Pod"
    assert answer.body["metadata"]["deletionGracePeriodSeconds"] == 7
    pod = ground.get("pods", "a")
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 7
    assert "deletionTimestamp" in pod["metadata"]


def test_terminating_pod_counts_a_generation(ground: Ground) -> None:
    before = a_running_pod(ground)["metadata"]["generation"]
    ground.call("DELETE", "pods", "a")
    assert ground.get("pods", "a")["metadata"]["generation"] == before + 1


def test_grace_can_be_asked_for(ground: Ground) -> None:
    a_running_pod(ground)
    ground.call("DELETE", "pods", "a", {"gracePeriodSeconds": 3})
    assert ground.get("pods", "a")["metadata"]["deletionGracePeriodSeconds"] == 3


def test_grace_can_be_shortened_and_not_lengthened(ground: Ground) -> None:
    a_running_pod(ground)
    ground.call("DELETE", "pods", "a", {"gracePeriodSeconds": 9})
    ground.call("DELETE", "pods", "a", {"gracePeriodSeconds": 20})
    assert ground.get("pods", "a")["metadata"]["deletionGracePeriodSeconds"] == 9
    ground.call("DELETE", "pods", "a", {"gracePeriodSeconds": 4})
    assert ground.get("pods", "a")["metadata"]["deletionGracePeriodSeconds"] == 4


def test_no_grace_ends_it_at_once(ground: Ground) -> None:
    a_running_pod(ground)
    assert ground.call("DELETE", "pods", "a", {"gracePeriodSeconds": 0}).code == 200
    assert ground.find("pods", "a") is None


def test_unbound_pod_goes_at_once(ground: Ground) -> None:
    ground.create("pods", a_pod("a", schedulerName="none"))
    ground.call("DELETE", "pods", "a")
    assert ground.find("pods", "a") is None


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_finished_pod_goes_at_once(ground: Ground, phase: str) -> None:
    a_running_pod(ground, restartPolicy="Never")
    ground.patch("pods", "a", {"status": {"phase": phase}}, sub="status")
    ground.call("DELETE", "pods", "a")
    assert ground.find("pods", "a") is None


def test_other_uid_conflicts(ground: Ground) -> None:
    pod = a_running_pod(ground)
    answer = ground.call("DELETE", "pods", "a", {"preconditions": {"uid": "other"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on Pod "a": the UID in the precondition (other) does not match the UID in '
        f"record ({pod['metadata']['uid']}). The object might have been deleted and then recreated"
    )
    assert "deletionTimestamp" not in ground.get("pods", "a")["metadata"]


def test_old_version_conflicts(ground: Ground) -> None:
    a_running_pod(ground)
    answer = ground.call("DELETE", "pods", "a", {"preconditions": {"resourceVersion": "1"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert "the ResourceVersion in the precondition (1) does not match" in answer.message


def test_dry_run_deletes_nothing(ground: Ground) -> None:
    a_running_pod(ground)
    assert ground.call("DELETE", "pods", "a", {"dryRun": ["All"]}).code == 200
    assert ground.call("DELETE", "pods", "a", dryRun="All").code == 200
    assert "deletionTimestamp" not in ground.get("pods", "a")["metadata"]


def test_terminating_pod_can_still_be_labelled(ground: Ground) -> None:
    a_running_pod(ground)
    ground.call("DELETE", "pods", "a")
    assert ground.patch("pods", "a", {"metadata": {"labels": {"x": "y"}}}).code == 200


def test_finalizer_holds_an_object(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a", "finalizers": ["x.y/z"]}})
    assert ground.call("DELETE", "configmaps", "a").code == 200
    kept = ground.get("configmaps", "a")["metadata"]
    assert "deletionTimestamp" in kept
    assert kept["deletionGracePeriodSeconds"] == 0
    ground.patch("configmaps", "a", {"metadata": {"finalizers": None}}, kind=MERGE)
    assert ground.find("configmaps", "a") is None


def test_finalizer_holds_a_pod_whose_node_has_ended_it(ground: Ground) -> None:
    ground.create("pods", {**a_pod("a"), "metadata": {"name": "a", "finalizers": ["x.y/z"]}})
    pod = ground.run(ground.bound("a"))
    ground.call("DELETE", "pods", "a")
    ground.stop(pod)
    assert ground.get("pods", "a")["metadata"]["deletionGracePeriodSeconds"] == 0
    ground.patch("pods", "a", {"metadata": {"finalizers": None}}, kind=MERGE)
    assert ground.find("pods", "a") is None


def test_dependents_go_with_their_owner(ground: Ground) -> None:
    ground.deploy(replicas=1)
    ground.call("DELETE", "deployments", "web")
    ground.gone("deployments", "web")
    ground.until(lambda: not ground.all("replicasets") or None, "the end of the ReplicaSets")
    [pod] = ground.until(
        lambda: [p for p in ground.all("pods") if "deletionTimestamp" in p["metadata"]] or None, "the pod's deletion"
    )
    ground.stop(pod)
    assert ground.all("pods") == []


def test_foreground_deletion_waits_for_what_blocks_it(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    answer = ground.call("DELETE", "deployments", "web", {"propagationPolicy": "Foreground"})
    assert answer.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    ground.until(lambda: "deletionTimestamp" in ground.get("pods", pod["metadata"]["name"])["metadata"] or None, "it")
    assert ground.find("deployments", "web") is not None
    ground.stop(pod)
    ground.gone("deployments", "web")
    assert ground.all("replicasets") == []


def test_orphans_stay_without_their_owner(ground: Ground) -> None:
    ground.deploy(replicas=1)
    ground.call("DELETE", "deployments", "web", {"propagationPolicy": "Orphan"})
    ground.gone("deployments", "web")
    [replica_set] = ground.all("replicasets")
    assert owners(replica_set) == []
    assert len(ground.pods("app=web")) == 1


def test_owner_that_never_was_is_as_good_as_gone(ground: Ground) -> None:
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "missing", "uid": "0-0-0-0"}
    ground.create("configmaps", {"metadata": {"name": "a", "ownerReferences": [reference]}})
    ground.gone("configmaps", "a")


def test_owner_of_a_kind_that_is_not_served_is_taken_to_be_there(ground: Ground) -> None:
    of_no_kind = {"apiVersion": "example.invalid/v1", "kind": "Clones", "name": "missing", "uid": "0-0-0-1"}
    missing = {"apiVersion": "v1", "kind": "ConfigMap", "name": "missing", "uid": "0-0-0-0"}
    ground.create("configmaps", {"metadata": {"name": "a", "ownerReferences": [of_no_kind]}})
    ground.create("configmaps", {"metadata": {"name": "b", "ownerReferences": [missing]}})
    ground.gone("configmaps", "b")
    assert ground.get("configmaps", "a")["metadata"]["name"] == "a"


def test_one_owner_of_two_is_enough_to_stay(ground: Ground) -> None:
    references = [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": name,
            "uid": ground.create("configmaps", {"metadata": {"name": name}})["metadata"]["uid"],
        }
        for name in ("one", "two")
    ]
    ground.create("configmaps", {"metadata": {"name": "a", "ownerReferences": references}})
    ground.call("DELETE", "configmaps", "one")
    ground.until(lambda: len(owners(ground.get("configmaps", "a"))) == 1 or None, "the cut")
    assert owners(ground.get("configmaps", "a")) == [("ConfigMap", "two", False)]


def test_namespace_goes_with_all_that_is_in_it(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "a"}})
    ground.create("deployments", deployment("web", 0))
    path = f"/api/v1/namespaces/{ground.namespace}"
    assert ground.plane.call("DELETE", path).body["status"]["phase"] == "Terminating"
    ground.until(lambda: ground.plane.call("GET", path).code == 404 or None, "the end of the namespace")


def test_terminating_namespace_takes_nothing_new(ground: Ground) -> None:
    ground.create("configmaps", {"metadata": {"name": "held", "finalizers": ["x.y/z"]}})
    ground.plane.call("DELETE", f"/api/v1/namespaces/{ground.namespace}")
    answer = ground.call("POST", "pods", body=a_pod("a"))
    assert (answer.code, answer.reason) == (403, "Forbidden")
    assert answer.causes[0]["reason"] == "NamespaceTerminating"
    assert "because it is being terminated" in answer.message
    ground.patch("configmaps", "held", {"metadata": {"finalizers": None}}, kind=MERGE)


def test_collection_can_be_deleted_by_labels(ground: Ground) -> None:
    for name, value in (("a", "x"), ("b", "x"), ("c", "y")):
        ground.create("configmaps", {"metadata": {"name": name, "labels": {"of": value}}})
    assert ground.call("DELETE", "configmaps", labelSelector="of=x").code == 200
    left = [its for its in ground.all("configmaps") if "of" in labels(its)]
    assert [its["metadata"]["name"] for its in left] == ["c"]
