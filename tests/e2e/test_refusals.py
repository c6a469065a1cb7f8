"""What is refused, skipped or evicted as `kubectl drain` does it, and in its words: the real one is asked beside."""

from typing import TYPE_CHECKING

import pytest

from tests.support.stage import Stage
from tests.support.workloads import (
    NODE,
    create,
    is_cordoned,
    kubectl,
    pod_template,
    pods,
    ready_pods,
    refusal_of_kubectl,
)

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.controlplane

NEVER_READY = '{"spec":{"template":{"spec":{"readinessGates":[{"conditionType":"example.com/never"}]}}}}'


def test_a_restart_of_another_kind_is_refused(shared_stage: Stage, namespace: str) -> None:
    done = _refused(shared_stage, "rollout", "restart", "replicaset/db", "-n", namespace)
    assert "'replicaset' can't be restarted safely: name a deployment, a statefulset or a daemonset" in done.stderr


def test_a_bare_pod_needs_force(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "Pod", "alone")
    words = f"cannot delete Pods that declare no controller (use --force to override): {namespace}/alone"
    _assert_refused_in_the_words_of_kubectl(shared_stage, words)
    done = shared_stage.safe("drain", NODE, "--force")
    assert f"Warning: deleting Pods that declare no controller: {namespace}/alone" in done.stderr
    _assert_evicted_as_by_kubectl(done, namespace, "alone")
    assert pods(shared_stage, namespace, "alone") == []
    assert is_cordoned(shared_stage)


def test_the_pod_of_a_daemon_set_has_to_be_ignored_and_stays(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "DaemonSet", "agent")
    (pod,) = ready_pods(shared_stage, namespace, "agent")
    words = f"cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): {namespace}/{pod}"
    _assert_refused_in_the_words_of_kubectl(shared_stage, words)
    done = shared_stage.safe("drain", NODE, "--ignore-daemonsets")
    assert f"Warning: ignoring DaemonSet-managed Pods: {namespace}/{pod}" in done.stderr
    assert done.stdout.endswith(f"node/{NODE} drained\n")
    assert ready_pods(shared_stage, namespace, "agent") == [pod]
    theirs = kubectl(shared_stage, "drain", NODE, "--ignore-daemonsets")
    assert f"Warning: ignoring DaemonSet-managed Pods: {namespace}/{pod}" in theirs.stderr


def test_a_pod_with_local_data_needs_leave_to_lose_it(shared_stage: Stage, namespace: str) -> None:
    template = pod_template("cache", node="", empty_dir=True)
    create(shared_stage, namespace, "Deployment", "cache", template=template)
    (pod,) = pods(shared_stage, namespace, "cache")
    node = pod["spec"]["nodeName"]
    words = (
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): "
        f"{namespace}/{pod['metadata']['name']}"
    )
    _assert_refused_in_the_words_of_kubectl(shared_stage, words, node=node)
    done = shared_stage.safe("drain", node, "--delete-emptydir-data", "--settle", "1s")
    _assert_evicted_as_by_kubectl(done, namespace, pod["metadata"]["name"])


def test_the_pod_of_a_job_is_evicted(shared_stage: Stage, namespace: str) -> None:
    template = pod_template("task", restartPolicy="Never")
    create(shared_stage, namespace, "Job", "task", template=template)
    (pod,) = ready_pods(shared_stage, namespace, "task")
    _assert_evicted_as_by_kubectl(shared_stage.safe("drain", NODE), namespace, pod)


def test_all_that_stands_in_the_way_is_told_at_once_as_kubectl_does(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "Pod", "alone")
    create(shared_stage, namespace, "Pod", "brim", template=pod_template("brim", empty_dir=True))
    create(shared_stage, namespace, "DaemonSet", "agent")
    theirs = refusal_of_kubectl(shared_stage, "drain", NODE, "--dry-run=client")
    ours = _refused(shared_stage, "drain", NODE).stderr
    assert _reasons(ours) == _reasons(theirs)
    assert len(_reasons(ours)) == 3


def test_a_paused_deployment_is_not_restarted(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "Deployment", "web")
    shared_stage.kubectl("rollout", "pause", "deployment/web", "-n", namespace)
    done = _refused(shared_stage, "rollout", "restart", "deployment/web", "-n", namespace)
    assert f"deployment {namespace}/web is paused: resume it first (kubectl rollout resume" in done.stderr


def test_a_deployment_in_the_middle_of_a_rollout_is_not_restarted(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "Deployment", "web")
    shared_stage.kubectl("set", "image", "deployment/web", "app=sandbox.invalid/app:2", "-n", namespace)
    shared_stage.kubectl("patch", "deployment/web", "-n", namespace, "-p", NEVER_READY)
    done = _refused(shared_stage, "rollout", "restart", "deployment/web", "-n", namespace)
    assert f"deployment {namespace}/web is in the middle of a rollout: wait for it" in done.stderr


def test_a_missing_node_is_told_in_the_words_of_kubectl(shared_stage: Stage) -> None:
    theirs = refusal_of_kubectl(shared_stage, "drain", "node-x")
    assert 'nodes "node-x" not found' in theirs
    assert 'nodes "node-x" not found' in _refused(shared_stage, "drain", NODE, "node-x").stderr
    assert not is_cordoned(shared_stage)


def test_a_missing_deployment_is_told_in_the_words_of_kubectl(shared_stage: Stage, namespace: str) -> None:
    command = ("rollout", "restart", "deployment/none", "-n", namespace)
    theirs = refusal_of_kubectl(shared_stage, *command)
    assert 'deployments.apps "none" not found' in theirs
    assert 'deployments.apps "none" not found' in _refused(shared_stage, *command).stderr


def _refused(stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `kubectl safe`, which is to end with 1 before it has written anything."""
    before = len(stage.writes())
    done = stage.safe(*arguments, check=False)
    assert done.returncode == 1, done.stdout
    assert stage.writes()[before:] == []
    return done


def _assert_refused_in_the_words_of_kubectl(stage: Stage, words: str, *, node: str = NODE) -> None:
    assert words in refusal_of_kubectl(stage, "drain", node, "--dry-run=client")
    done = _refused(stage, "drain", node)
    assert f'error: unable to drain node "{node}" due to error: {words}' in done.stderr
    assert not is_cordoned(stage, node)


def _assert_evicted_as_by_kubectl(done: "subprocess.CompletedProcess[str]", namespace: str, pod: str) -> None:
    assert f"evicting pod {namespace}/{pod}\n" in done.stdout
    assert f"pod/{pod} evicted\n" in done.stdout


def _reasons(errors: str) -> set[str]:
    """Return what follows `due to error:`, a reason each; kubectl tells them in a new order each time."""
    line = next(line for line in errors.splitlines() if "due to error:" in line)
    told = line.partition("due to error:")[2].removesuffix(", continuing command...").strip(" []")
    return set(told.replace(", cannot delete", "\ncannot delete").splitlines())
