"""What disruption budgets allow, and when they are counted."""

import pytest

from tests.conformance.ground import Ground
from tests.conformance.manifests import a_pod, labels, name_of, owners
from tests.conformance.plane import Json


def is_terminating(ground: Ground, name: str) -> bool:
    return "deletionTimestamp" in ground.get("pods", name)["metadata"]


def uid(pod: Json) -> str:
    return str(pod["metadata"]["uid"])


def test_budget_is_counted(ground: Ground) -> None:
    ground.deploy(replicas=3)
    ground.protect(minAvailable=2)
    status = ground.allowed(1)["status"]
    counted = {name: status[name] for name in ("currentHealthy", "desiredHealthy", "expectedPods")}
    assert counted == {"currentHealthy": 3, "desiredHealthy": 2, "expectedPods": 3}
    [condition] = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "DisruptionAllowed",
        "True",
        "SufficientPods",
    )


@pytest.mark.parametrize(
    ("spec", "desired", "allowed"),
    [
        ({"minAvailable": 3}, 3, 1),
        ({"minAvailable": "50%"}, 2, 2),
        ({"minAvailable": "51%"}, 3, 1),
        ({"maxUnavailable": 1}, 3, 1),
        ({"maxUnavailable": "30%"}, 2, 2),
        ({"maxUnavailable": 0}, 4, 0),
        ({"maxUnavailable": "100%"}, 0, 4),
    ],
    ids=str,
)
def test_budget_wants(ground: Ground, spec: Json, desired: int, allowed: int) -> None:
    ground.deploy(replicas=4)
    ground.protect(**spec)
    ground.until(
        lambda: ground.get("poddisruptionbudgets", "web")["status"].get("currentHealthy") == 4 or None, "the count"
    )
    status = ground.get("poddisruptionbudgets", "web")["status"]
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (desired, allowed)


def test_budget_refuses_with_its_figures(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=2)
    ground.until(
        lambda: ground.get("poddisruptionbudgets", "web")["status"].get("currentHealthy") == 2 or None, "the count"
    )
    answer = ground.evict(name_of(pods[0]))
    assert (answer.code, answer.reason) == (429, "TooManyRequests")
    assert answer.message == "Cannot evict pod as it would violate the pod's disruption budget."
    assert answer.causes == [
        {
            "reason": "DisruptionBudget",
            "message": "The disruption budget web needs 2 healthy pods and has 2 currently",
        }
    ]
    assert not is_terminating(ground, name_of(pods[0]))


def test_budget_refuses_a_dry_run_too(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=2)
    assert ground.evict(name_of(pods[0]), dryRun="All").code == 429


def test_dry_run_charges_nothing(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=1)
    before = ground.allowed(1)
    for pod in pods * 2:
        assert ground.evict(name_of(pod), dryRun="All").code == 201
    assert ground.get("poddisruptionbudgets", "web") == before


def test_eviction_charges_its_budget_at_once(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=1)
    ground.allowed(1)
    assert [ground.evict(name_of(pod)).code for pod in pods] == [201, 429]


def test_budget_allows_again_once_a_replacement_is_ready(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=1)
    ground.allowed(1)
    ground.evict(name_of(pods[0]))
    ground.allowed(0)
    [new] = [pod for pod in ground.pods("app=web", count=2) if name_of(pod) != name_of(pods[1])]
    ground.run(new)
    ground.allowed(1)


def test_conflicting_version_is_noticed_after_the_budget_was_charged(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=1)
    ground.allowed(1)
    answer = ground.evict(name_of(pods[0]), {"preconditions": {"uid": uid(pods[0]), "resourceVersion": "1"}})
    assert (answer.code, answer.reason) == (409, "Conflict")
    assert ground.evict(name_of(pods[0])).code == 429
    assert name_of(pods[0]) in ground.get("poddisruptionbudgets", "web")["status"]["disruptedPods"]


def test_two_budgets_are_a_fault(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=1)
    ground.create("poddisruptionbudgets", {"metadata": {"name": "all"}, "spec": {"minAvailable": 0, "selector": {}}})
    answer = ground.evict(name_of(pods[0]))
    assert answer.code == 500
    assert answer.message == (
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
    )


def test_empty_selector_selects_every_pod(ground: Ground) -> None:
    ground.deploy(replicas=2)
    ground.create("poddisruptionbudgets", {"metadata": {"name": "all"}, "spec": {"minAvailable": 1, "selector": {}}})
    ground.allowed(1, "all")


def test_no_selector_selects_none(ground: Ground) -> None:
    ground.deploy(replicas=2)
    ground.create("poddisruptionbudgets", {"metadata": {"name": "none"}, "spec": {"minAvailable": 1}})
    assert ground.settled("poddisruptionbudgets", "none")["status"]["expectedPods"] == 0


def test_pending_pod_needs_no_budget(ground: Ground) -> None:
    pods = ground.deploy(replicas=1, start=False)
    ground.protect(minAvailable=1)
    ground.bound(name_of(pods[0]))
    assert ground.evict(name_of(pods[0])).code == 201


def test_finished_pod_needs_no_budget(ground: Ground) -> None:
    ground.create("pods", a_pod("web", restartPolicy="Never"))
    ground.run(ground.bound("web"))
    ground.protect(minAvailable=1)
    ground.patch("pods", "web", {"status": {"phase": "Succeeded"}}, sub="status")
    assert ground.evict("web").code == 201
    assert ground.find("pods", "web") is None


def test_terminating_pod_needs_no_budget(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    ground.protect(minAvailable=1)
    ground.call("DELETE", "pods", name_of(pod))
    assert ground.evict(name_of(pod)).code == 201


def test_unready_pod_needs_a_budget_where_too_few_are_healthy(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=2)
    ground.run(pods[0], ready=False)
    ground.until(
        lambda: ground.get("poddisruptionbudgets", "web")["status"].get("currentHealthy") == 1 or None, "the count"
    )
    assert ground.evict(name_of(pods[0])).code == 429


def test_unready_pod_needs_none_where_enough_are_healthy(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=1)
    ground.run(pods[0], ready=False)
    ground.until(
        lambda: ground.get("poddisruptionbudgets", "web")["status"].get("currentHealthy") == 1 or None, "the count"
    )
    assert ground.evict(name_of(pods[0])).code == 201


def test_unready_pod_needs_none_where_the_budget_says_so(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=2, unhealthyPodEvictionPolicy="AlwaysAllow")
    ground.run(pods[0], ready=False)
    assert ground.evict(name_of(pods[0])).code == 201


def test_budget_of_pods_that_nobody_scales_allows_nothing(ground: Ground) -> None:
    uid = ground.create("configmaps", {"metadata": {"name": "owner"}})["metadata"]["uid"]
    pod = a_pod("web")
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "controller": True}
    pod["metadata"]["ownerReferences"] = [reference]
    ground.create("pods", pod)
    selector = {"matchLabels": {"app": "web"}}
    ground.create(
        "poddisruptionbudgets", {"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1, "selector": selector}}
    )
    status = ground.until(
        lambda: (
            found if (found := ground.get("poddisruptionbudgets", "web").get("status", {})).get("conditions") else None
        ),
        "the verdict",
    )
    assert (status["disruptionsAllowed"], status["conditions"][0]["reason"]) == (0, "SyncFailed")


def test_released_pod_still_counts_for_a_number(ground: Ground) -> None:
    pods = ground.deploy(replicas=3)
    ground.protect(minAvailable=3)
    release(ground, pods[0])
    [new] = [pod for pod in ground.pods("app=web", count=4) if name_of(pod) not in {name_of(its) for its in pods}]
    ground.run(new)
    status = ground.allowed(1)["status"]
    assert (status["currentHealthy"], status["desiredHealthy"]) == (4, 3)


def test_released_pod_counts_beyond_what_a_percentage_is_of(ground: Ground) -> None:
    pods = ground.deploy(replicas=3)
    ground.protect(maxUnavailable=0)
    release(ground, pods[0])
    [new] = [pod for pod in ground.pods("app=web", count=4) if name_of(pod) not in {name_of(its) for its in pods}]
    ground.run(new)
    status = ground.allowed(1)["status"]
    assert (status["currentHealthy"], status["desiredHealthy"], status["expectedPods"]) == (4, 3, 3)


def test_budget_that_refuses_the_only_pod_allows_it_once_a_replacement_is_ready(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    ground.protect(minAvailable=1)
    assert ground.evict(name_of(pod), dryRun="All").code == 429
    release(ground, pod)
    [new] = [its for its in ground.pods("app=web", count=2) if name_of(its) != name_of(pod)]
    assert ground.evict(name_of(pod), dryRun="All").code == 429
    ground.run(new)
    ground.allowed(1)
    assert ground.evict(name_of(pod), dryRun="All").code == 201
    assert ground.evict(name_of(pod)).code == 201


def test_budget_of_a_withdrawn_pod_is_not_asked(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    ground.protect(minAvailable=2)
    ground.patch("pods", name_of(pods[0]), {"metadata": {"labels": {"app": None}}})
    assert ground.evict(name_of(pods[0])).code == 201


def test_refused_eviction_names_no_time_to_wait(ground: Ground) -> None:
    [pod] = ground.deploy(replicas=1)
    ground.protect(minAvailable=1)
    answer = ground.evict(name_of(pod))
    assert answer.code == 429
    assert "retryAfterSeconds" not in answer.body["details"]
    assert "Retry-After" not in answer.headers


def test_released_pod_is_told_as_unmanaged(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    ground.protect(maxUnavailable=0)
    release(ground, pods[0])
    ground.until(
        lambda: "UnmanagedPods" in {its["reason"] for its in ground.all("events")} or None, "the event UnmanagedPods"
    )


def test_pod_that_leaves_a_budget_changes_nothing_of_it(ground: Ground) -> None:
    for name in ("one", "two"):
        ground.create("pods", a_pod(name, {"app": "web"}))
        ground.run(ground.bound(name))
    ground.protect(minAvailable=1)
    ground.allowed(1)
    let_budgets_be_counted(ground)
    ground.patch("pods", "one", {"metadata": {"labels": {"app": None}}})
    let_budgets_be_counted(ground)
    assert ground.get("poddisruptionbudgets", "web")["status"]["currentHealthy"] == 2
    ground.patch("pods", "two", {"metadata": {"annotations": {"touch": "1"}}})
    assert ground.allowed(0)["status"]["currentHealthy"] == 1


def let_budgets_be_counted(ground: Ground) -> None:
    """Wait until the controller has come to budgets that were made after whatever else it has to do."""
    for _ in range(4):
        ground.create("poddisruptionbudgets", {"metadata": {"name": "witness"}, "spec": {"minAvailable": 1}})
        ground.settled("poddisruptionbudgets", "witness")
        ground.call("DELETE", "poddisruptionbudgets", "witness")


def release(ground: Ground, pod: Json) -> None:
    """Take a pod out of its ReplicaSet's selector, with a plain owner."""
    uid = ground.get("deployments", "web")["metadata"]["uid"]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": uid, "controller": False}
    metadata = {"labels": {"pod-template-hash": None}, "ownerReferences": [reference]}
    assert ground.patch("pods", name_of(pod), {"metadata": metadata}).code == 200
    ground.until(
        lambda: owners(ground.get("pods", name_of(pod))) == [("Deployment", "web", False)] or None, "the release"
    )
    assert "pod-template-hash" not in labels(ground.get("pods", name_of(pod)))
