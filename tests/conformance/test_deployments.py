"""How a Deployment rolls out, and what it says of that."""

from typing import Any

from tests.conformance.ground import MERGE, Ground
from tests.conformance.manifests import deployment, name_of
from tests.conformance.plane import Json

REVISION = "deployment.kubernetes.io/revision"


def sizes(ground: Ground) -> list[int]:
    """Return the sizes of the ReplicaSets, oldest revision first."""
    found = sorted(ground.all("replicasets"), key=lambda its: int(its["metadata"]["annotations"][REVISION]))
    return [its["spec"]["replicas"] for its in found]


def await_sizes(ground: Ground, *wanted: int) -> None:
    ground.until(lambda: sizes(ground) == list(wanted) or None, f"sizes {wanted}")


def restart(ground: Ground, value: str = "1") -> None:
    patch = {"spec": {"template": {"metadata": {"annotations": {"restartedAt": value}}}}}
    assert ground.patch("deployments", "web", patch).code == 200


def condition(ground: Ground, kind: str) -> Json:
    found = ground.get("deployments", "web").get("status", {}).get("conditions", [])
    return next((its for its in found if its["type"] == kind), {})


def run_new(ground: Ground, count: int) -> list[Json]:
    """Wait for so many pods that don't run yet, and have them be ready."""

    def look() -> list[Json] | None:
        found = [pod for pod in ground.pods("app=web") if pod["status"]["phase"] == "Pending"]
        return found if len(found) == count else None

    return [ground.run(pod) for pod in ground.until(look, f"{count} new pods")]


def complete(ground: Ground, replicas: int) -> Json:
    return ground.until(
        lambda: (
            found
            if (found := ground.get("deployments", "web"))["status"].get("updatedReplicas")
            == found["status"].get("availableReplicas")
            == found["status"].get("replicas")
            == replicas
            and found["status"]["observedGeneration"] == found["metadata"]["generation"]
            else None
        ),
        "completion",
    )


def rolling(surge: Any, unavailable: Any) -> Json:
    return {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}


def test_complete_rollout_says_so(ground: Ground) -> None:
    ground.deploy(replicas=2)
    done = complete(ground, 2)
    assert done["metadata"]["annotations"][REVISION] == "1"
    ground.until(lambda: condition(ground, "Progressing").get("reason") == "NewReplicaSetAvailable" or None, "it")
    told = condition(ground, "Progressing")
    [owner] = ground.all("replicasets")
    assert (told["status"], told["message"]) == ("True", f'ReplicaSet "{name_of(owner)}" has successfully progressed.')
    available = condition(ground, "Available")
    assert (available["status"], available["reason"], available["message"]) == (
        "True",
        "MinimumReplicasAvailable",
        "Deployment has minimum availability.",
    )


def test_too_few_pods_are_told(ground: Ground) -> None:
    pods = ground.deploy(replicas=2)
    complete(ground, 2)
    ground.run(pods[0], ready=False)
    ground.until(lambda: condition(ground, "Available").get("status") == "False" or None, "it")
    assert condition(ground, "Available")["reason"] == "MinimumReplicasUnavailable"
    assert ground.get("deployments", "web")["status"]["unavailableReplicas"] == 1


def test_surge_comes_first(ground: Ground) -> None:
    ground.deploy(replicas=2, **rolling(1, 0))
    complete(ground, 2)
    restart(ground)
    await_sizes(ground, 2, 1)
    assert ground.get("deployments", "web")["metadata"]["generation"] == 2
    run_new(ground, 1)
    await_sizes(ground, 1, 2)
    run_new(ground, 1)
    await_sizes(ground, 0, 2)
    complete(ground, 2)
    assert ground.get("deployments", "web")["metadata"]["annotations"][REVISION] == "2"


def test_unavailability_comes_first_without_surge(ground: Ground) -> None:
    ground.deploy(replicas=2, **rolling(0, 1))
    complete(ground, 2)
    restart(ground)
    await_sizes(ground, 1, 1)
    run_new(ground, 1)
    await_sizes(ground, 0, 2)


def test_quarter_of_four_is_one(ground: Ground) -> None:
    ground.deploy(replicas=4)
    complete(ground, 4)
    restart(ground)
    await_sizes(ground, 3, 2)


def test_recreate_ends_all_before_any_begins(ground: Ground) -> None:
    pods = ground.deploy(replicas=2, strategy={"type": "Recreate"})
    complete(ground, 2)
    restart(ground)
    await_sizes(ground, 0)
    ground.until(lambda: not ground.pods("app=web") or None, "their deletion")
    ground.stop(pods[0])
    assert sizes(ground) == [0]
    ground.stop(pods[1])
    await_sizes(ground, 0, 2)


def test_paused_deployment_rolls_nothing_out(ground: Ground) -> None:
    ground.deploy(replicas=1)
    complete(ground, 1)
    ground.patch("deployments", "web", {"spec": {"paused": True}})
    restart(ground)
    ground.settled("deployments", "web")
    ground.until(lambda: condition(ground, "Progressing").get("reason") == "DeploymentPaused" or None, "the pause")
    assert sizes(ground) == [1]
    assert ground.get("deployments", "web")["status"].get("updatedReplicas", 0) == 0
    ground.patch("deployments", "web", {"spec": {"paused": None}}, kind=MERGE)
    await_sizes(ground, 1, 1)


def test_scaling_changes_no_revision(ground: Ground) -> None:
    ground.deploy(replicas=1)
    complete(ground, 1)
    ground.patch("deployments", "web", {"spec": {"replicas": 3}}, sub="scale", kind=MERGE)
    await_sizes(ground, 3)
    run_new(ground, 2)
    assert complete(ground, 3)["metadata"]["annotations"][REVISION] == "1"


def test_scaling_to_none_leaves_the_replica_set(ground: Ground) -> None:
    pods = ground.deploy(replicas=1)
    complete(ground, 1)
    ground.patch("deployments", "web", {"spec": {"replicas": 0}}, sub="scale", kind=MERGE)
    await_sizes(ground, 0)
    ground.until(lambda: not ground.pods("app=web") or None, "their deletion")
    ground.stop(pods[0])


def test_template_that_comes_back_has_its_replica_set_back(ground: Ground) -> None:
    ground.deploy(replicas=1, **rolling(1, 0))
    complete(ground, 1)
    restart(ground)
    await_sizes(ground, 1, 1)
    patch = {"spec": {"template": {"metadata": {"annotations": {"restartedAt": None}}}}}
    ground.patch("deployments", "web", patch)
    await_sizes(ground, 0, 1)
    [_, last] = sorted(ground.all("replicasets"), key=lambda its: int(its["metadata"]["annotations"][REVISION]))
    assert last["metadata"]["annotations"][REVISION] == "3"


def test_old_replica_sets_beyond_the_limit_go(ground: Ground) -> None:
    ground.deploy(replicas=1, revisionHistoryLimit=1, **rolling(1, 0))
    complete(ground, 1)
    for value in ("1", "2"):
        restart(ground, value)
        run_new(ground, 1)
        complete(ground, 1)
    await_sizes(ground, 0, 1)


def test_not_ready_for_long_enough_is_not_available(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 1, minReadySeconds=500))
    [pod] = ground.pods("app=web", count=1)
    ground.run(pod, since="2099-01-02T12:00:00Z")
    ground.until(lambda: ground.get("deployments", "web").get("status", {}).get("readyReplicas") == 1 or None, "it")
    assert ground.get("deployments", "web")["status"].get("availableReplicas", 0) == 0


def test_deadline_has_to_be_longer_than_what_makes_a_pod_available(ground: Ground) -> None:
    answer = ground.call("POST", "deployments", body=deployment("web", 1, minReadySeconds=600))
    assert (answer.code, answer.causes[0]["field"]) == (422, "spec.progressDeadlineSeconds")
    assert "must be greater than minReadySeconds" in answer.message


def test_rollout_that_makes_no_progress_is_told(ground: Ground) -> None:
    ground.create("deployments", deployment("web", 1, progressDeadlineSeconds=1))

    def late() -> Json | None:
        found = condition(ground, "Progressing")
        return found if found.get("reason") == "ProgressDeadlineExceeded" else None

    assert ground.until(late, "the deadline")["status"] == "False"


def test_annotation_of_the_deployment_is_its_replica_set_s_too(ground: Ground) -> None:
    ground.deploy(replicas=1)
    complete(ground, 1)
    ground.patch("deployments", "web", {"metadata": {"annotations": {"x": "y"}}})
    ground.until(lambda: ground.all("replicasets")[0]["metadata"]["annotations"].get("x") == "y" or None, "the copy")


def test_annotation_of_the_replica_set_stays(ground: Ground) -> None:
    ground.deploy(replicas=1)
    complete(ground, 1)
    [owner] = ground.all("replicasets")
    patch = {"metadata": {"annotations": {"kubectl-safe/operation": "x"}}}
    assert ground.patch("replicasets", name_of(owner), patch, kind=MERGE).code == 200
    ground.patch("deployments", "web", {"metadata": {"annotations": {"x": "y"}}})
    ground.until(lambda: ground.all("replicasets")[0]["metadata"]["annotations"].get("x") == "y" or None, "the copy")
    assert ground.all("replicasets")[0]["metadata"]["annotations"]["kubectl-safe/operation"] == "x"
