"""StatefulSets, DaemonSets and Jobs."""

from typing import Any

import pytest

from tests.conformance.ground import MERGE, STRATEGIC, Ground
from tests.conformance.manifests import a_template, labels, name_of, owners
from tests.conformance.plane import Json

REVISION = "controller-revision-hash"
NAME = "statefulset.kubernetes.io/pod-name"


def a_stateful_set(ground: Ground, replicas: int = 2, **spec: Any) -> Json:
    body = {
        "replicas": replicas,
        "serviceName": "web",
        "selector": {"matchLabels": {"app": "web"}},
        "template": a_template("web"),
        **spec,
    }
    return ground.create("statefulsets", {"metadata": {"name": "web"}, "spec": body})


def a_daemon_set(ground: Ground, **spec: Any) -> Json:
    body = {"selector": {"matchLabels": {"app": "web"}}, "template": a_template("web"), **spec}
    return ground.create("daemonsets", {"metadata": {"name": "web"}, "spec": body})


def one_node(ground: Ground) -> dict[str, str]:
    """Add one node, and return what selects it."""
    ground.pool(1)
    return {"pool": ground.namespace}


def running(ground: Ground, name: str) -> Json:
    """Wait for a pod by its name that is not terminating, and have it be ready."""
    pod = ground.until(
        lambda: (
            found if (found := ground.find("pods", name)) and "deletionTimestamp" not in found["metadata"] else None
        ),
        name,
    )
    return ground.run(pod)


def terminating(ground: Ground, name: str) -> Json:
    return ground.until(
        lambda: found if "deletionTimestamp" in (found := ground.get("pods", name))["metadata"] else None,
        f"{name}'s deletion",
    )


def restart(ground: Ground, plural: str) -> None:
    patch = {"spec": {"template": {"metadata": {"annotations": {"restartedAt": "1"}}}}}
    assert ground.patch(plural, "web", patch).code == 200


def test_stateful_pods_come_one_after_another(ground: Ground) -> None:
    a_stateful_set(ground)
    first = ground.pods("app=web", count=1)
    assert [name_of(pod) for pod in first] == ["web-0"]
    running(ground, "web-0")
    ground.pods("app=web", count=2)
    running(ground, "web-1")
    status = ground.until(
        lambda: found if (found := ground.get("statefulsets", "web")["status"]).get("readyReplicas") == 2 else None,
        "it",
    )
    assert (status["replicas"], status["currentReplicas"], status["updatedReplicas"]) == (2, 2, 2)
    assert status["currentRevision"] == status["updateRevision"]


def test_stateful_pod_is_known_by_its_name(ground: Ground) -> None:
    a_stateful_set(ground, 1)
    [pod] = ground.pods("app=web", count=1)
    revision = labels(pod)[REVISION]
    assert labels(pod) == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-0",
        "apps.kubernetes.io/pod-index": "0",
        REVISION: revision,
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-0", "web")
    assert owners(pod) == [("StatefulSet", "web", True)]
    assert revision.startswith("web-")


def test_stateful_pod_gets_the_label_with_its_name_back_for_as_long_as_it_is_one(ground: Ground) -> None:
    a_stateful_set(ground, replicas=1)
    running(ground, "web-0")
    assert ground.patch("pods", "web-0", {"metadata": {"labels": {NAME: None}}}).code == 200
    ground.until(lambda: labels(ground.get("pods", "web-0")).get(NAME), "its label")
    assert ground.patch("pods", "web-0", {"metadata": {"labels": {NAME: None, "app": None}}}).code == 200
    ground.until(lambda: not owners(ground.get("pods", "web-0")) or None, "its release")
    assert NAME not in labels(ground.get("pods", "web-0"))


def test_parallel_stateful_pods_come_at_once(ground: Ground) -> None:
    a_stateful_set(ground, 3, podManagementPolicy="Parallel")
    assert len(ground.pods("app=web", count=3)) == 3


def test_evicted_stateful_pod_comes_back_once_its_name_is_free(ground: Ground) -> None:
    a_stateful_set(ground, 1)
    pod = running(ground, "web-0")
    ground.evict("web-0")
    assert len(ground.all("pods")) == 1
    ground.stop(pod)
    new = ground.until(lambda: ground.find("pods", "web-0"), "the next one")
    assert new["metadata"]["uid"] != pod["metadata"]["uid"]


def test_released_stateful_pod_holds_its_name(ground: Ground) -> None:
    a_stateful_set(ground, 1)
    pod = running(ground, "web-0")
    ground.patch("pods", "web-0", {"metadata": {"labels": {"app": None}}})
    ground.until(lambda: owners(ground.get("pods", "web-0")) == [] or None, "the release")
    assert len(ground.all("pods")) == 1
    ground.evict("web-0")
    ground.stop(pod)
    ground.patch("statefulsets", "web", {"metadata": {"annotations": {"wake": "1"}}})
    new = ground.until(lambda: ground.find("pods", "web-0"), "the next one")
    assert owners(new) == [("StatefulSet", "web", True)]


def test_stateful_restart_begins_with_the_highest(ground: Ground) -> None:
    a_stateful_set(ground)
    pods = [running(ground, name) for name in ("web-0", "web-1")]
    ground.until(lambda: ground.get("statefulsets", "web")["status"].get("readyReplicas") == 2 or None, "readiness")
    restart(ground, "statefulsets")
    terminating(ground, "web-1")
    assert "deletionTimestamp" not in ground.get("pods", "web-0")["metadata"]
    ground.stop(pods[1])
    running(ground, "web-1")
    terminating(ground, "web-0")


def test_parallel_stateful_restart_waits_for_each_that_it_has_created(ground: Ground) -> None:
    a_stateful_set(ground, podManagementPolicy="Parallel")
    pods = [running(ground, name) for name in ("web-0", "web-1")]
    ground.until(lambda: ground.get("statefulsets", "web")["status"].get("readyReplicas") == 2 or None, "readiness")
    restart(ground, "statefulsets")
    terminating(ground, "web-1")
    ground.stop(pods[1])
    ground.until(lambda: ground.find("pods", "web-1"), "the next one")
    assert "deletionTimestamp" not in ground.get("pods", "web-0")["metadata"]
    running(ground, "web-1")
    terminating(ground, "web-0")


def test_stateful_scale_down_takes_the_highest(ground: Ground) -> None:
    a_stateful_set(ground)
    for name in ("web-0", "web-1"):
        running(ground, name)
    ground.patch("statefulsets", "web", {"spec": {"replicas": 1}}, sub="scale", kind=MERGE)
    terminating(ground, "web-1")
    assert "deletionTimestamp" not in ground.get("pods", "web-0")["metadata"]


def test_stateful_pods_on_delete_are_left_alone(ground: Ground) -> None:
    a_stateful_set(ground, 1, updateStrategy={"type": "OnDelete"})
    pod = running(ground, "web-0")
    restart(ground, "statefulsets")
    ground.until(
        lambda: ground.get("statefulsets", "web")["status"]["updateRevision"] != labels(pod)[REVISION] or None,
        "the revision",
    )
    assert "deletionTimestamp" not in ground.get("pods", "web-0")["metadata"]


def test_daemon_set_has_a_pod_on_each_node(ground: Ground) -> None:
    nodes = ground.pool(2)
    a_daemon_set(ground, template=a_template("web", nodeSelector={"pool": ground.namespace}))
    pods = ground.pods("app=web", count=2)
    assert {ground.bound(name_of(pod))["spec"]["nodeName"] for pod in pods} == set(nodes)
    assert owners(pods[0]) == [("DaemonSet", "web", True)]
    for pod in pods:
        ground.run(pod)
    status = ground.until(
        lambda: found if (found := ground.get("daemonsets", "web")["status"]).get("numberAvailable") == 2 else None,
        "it",
    )
    assert (status["desiredNumberScheduled"], status["numberReady"], status["updatedNumberScheduled"]) == (2, 2, 2)


def test_daemon_set_counts_its_templates(ground: Ground) -> None:
    count = "deprecated.daemonset.template.generation"
    a_daemon_set(ground, template=a_template("web", nodeSelector=one_node(ground)))
    assert ground.get("daemonsets", "web")["metadata"]["annotations"][count] == "1"
    restart(ground, "daemonsets")
    assert ground.get("daemonsets", "web")["metadata"]["annotations"][count] == "2"


def test_daemon_set_ignores_cordons(ground: Ground) -> None:
    [node] = ground.pool(1)
    ground.plane.call("PATCH", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}, kind=STRATEGIC)
    a_daemon_set(ground, template=a_template("web", nodeSelector={"pool": ground.namespace}))
    [pod] = ground.pods("app=web", count=1)
    assert ground.bound(name_of(pod))["spec"]["nodeName"] == node


def test_daemon_pod_that_drops_its_hash_is_adopted_again(ground: Ground) -> None:
    a_daemon_set(ground, template=a_template("web", nodeSelector=one_node(ground)))
    [pod] = ground.pods("app=web", count=1)
    ground.run(pod)
    ground.patch("pods", name_of(pod), {"metadata": {"labels": {REVISION: None, "pod-template-generation": None}}})
    terminating(ground, name_of(pod))
    assert owners(ground.get("pods", name_of(pod))) == [("DaemonSet", "web", True)]


def test_daemon_pod_that_drops_its_selector_s_label_is_replaced_beside(ground: Ground) -> None:
    a_daemon_set(ground, template=a_template("web", nodeSelector=one_node(ground)))
    [pod] = ground.pods("app=web", count=1)
    ground.run(pod)
    ground.patch("pods", name_of(pod), {"metadata": {"labels": {"app": None}}})
    [new] = ground.pods("app=web", count=1)
    assert ground.bound(name_of(new))["spec"]["nodeName"] == ground.bound(name_of(pod))["spec"]["nodeName"]
    assert owners(ground.get("pods", name_of(pod))) == []


def test_daemon_restart_ends_the_old_pod_first(ground: Ground) -> None:
    a_daemon_set(ground, template=a_template("web", nodeSelector=one_node(ground)))
    [pod] = ground.pods("app=web", count=1)
    old = ground.run(pod)
    ground.until(lambda: ground.get("daemonsets", "web")["status"].get("numberAvailable") == 1 or None, "it")
    restart(ground, "daemonsets")
    terminating(ground, name_of(pod))
    ground.stop(old)
    [new] = ground.pods("app=web", count=1)
    assert labels(new)[REVISION] != labels(old)[REVISION]


def test_daemon_restart_with_surge_begins_the_new_pod_first(ground: Ground) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    a_daemon_set(ground, template=a_template("web", nodeSelector=one_node(ground)), updateStrategy=strategy)
    [pod] = ground.pods("app=web", count=1)
    ground.run(pod)
    ground.until(lambda: ground.get("daemonsets", "web")["status"].get("numberAvailable") == 1 or None, "it")
    restart(ground, "daemonsets")
    [new] = [its for its in ground.pods("app=web", count=2) if name_of(its) != name_of(pod)]
    ground.run(new)
    terminating(ground, name_of(pod))


def test_job_runs_to_its_end(ground: Ground) -> None:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b"}]}}
    ground.create("jobs", {"metadata": {"name": "web"}, "spec": {"template": template}})
    [pod] = ground.pods("job-name=web", count=1)
    assert owners(pod) == [("Job", "web", True)]
    ground.run(pod)
    ground.patch("pods", name_of(pod), {"status": {"phase": "Succeeded"}}, sub="status")
    ground.until(
        lambda: (
            "Complete" in {its["type"] for its in ground.get("jobs", "web")["status"].get("conditions", [])} or None
        ),
        "completion",
    )
    assert ground.get("jobs", "web")["status"]["succeeded"] == 1


@pytest.mark.parametrize("plural", ["statefulsets", "daemonsets"])
def test_pods_go_with_their_workload(ground: Ground, plural: str) -> None:
    if plural == "statefulsets":
        a_stateful_set(ground, 1)
    else:
        a_daemon_set(ground, template=a_template("web", nodeSelector=one_node(ground)))
    [pod] = ground.pods("app=web", count=1)
    ground.run(pod)
    ground.call("DELETE", plural, "web")
    terminating(ground, name_of(pod))
