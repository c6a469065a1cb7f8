"""`status` on a real control plane, in the middle of a handoff: gates, slices and targets as they are right then."""

import json
import re
import time
from typing import Any

import pytest

from kubectl_safe.sandbox.elbv2 import no_fault
from kubectl_safe.sandbox.elbv2_faults import access_denied, expired_token, internal_failure, refusing
from kubectl_safe.sandbox.rig import ACCESS_KEY
from tests.support.scenario import Scene
from tests.support.stage import RESTRICTED, USER
from tests.support.workloads import kubectl

pytestmark = pytest.mark.controlplane

DELAY_SECONDS = 10.0
GATE = "target-health.elbv2.k8s.aws/web"
RESTARTED = "rollout restart deployment/web"


def status(scene: Scene, *arguments: str, user: str = USER) -> Any:
    """Return what is seen of the scene as a document."""
    done = scene.stage.safe("status", *arguments, "-n", scene.namespace, "-o", "json", user=user)
    return json.loads(done.stdout)


def states(pod: dict[str, Any]) -> list[str | None]:
    """Return the states of a pod's targets."""
    return [target["state"] for target in pod["targets"]]


def test_a_pod_in_the_middle_of_its_handoff_is_shown_with_its_target_that_drains(scene: Scene) -> None:
    at_once = {"strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}}
    scene.deploy("web", replicas=2, is_load_balanced=True, deregistration_delay=DELAY_SECONDS, spec=at_once)
    before = len(scene.stage.writes())
    calm = status(scene, "deployment/web")
    assert (calm["runs"], calm["left"], calm["warnings"]) == ([], [], [])
    for pod in calm["pods"]:
        assert (pod["step"], pod["ready"]["value"], states(pod)) == (None, "True", ["healthy"])
        assert [(its["type"], its["value"]) for its in pod["readinessGates"]] == [(GATE, "True")]
        assert [(its["service"], its["ready"], its["terminating"]) for its in pod["slices"]] == [("web", True, False)]
    assert [write for write in scene.stage.writes()[before:] if "review" not in write.resource] == []

    # The watch begins first: on a busy machine the target has drained before three other commands have ended.
    with (
        scene.stage.safe_in_background("status", "-l", "app=web", "-w", "-n", scene.namespace) as watched,
        scene.stage.safe_in_background(*scene.restart()) as restart,
    ):
        restart.await_line("withdrawn")
        scene.when(scene.withdrawn, what="a withdrawn pod")
        seen = status(scene, "deployment/web")
        text = scene.stage.safe("status", "-n", scene.namespace).stdout
        by_node = status(scene, *(f"node/{its['node']}" for its in seen["pods"] if its["step"] == "withdrawn"))
        watched.await_line(" draining ")
        watched.await_line(" terminating")
        assert restart.wait(90) == 0

    [withdrawn, *_] = [pod for pod in seen["pods"] if pod["step"] == "withdrawn"]
    assert withdrawn["workload"]["name"] == "web"
    assert (withdrawn["ready"]["value"], withdrawn["slices"], states(withdrawn)) == ("True", [], ["draining"])
    assert withdrawn["targets"][0]["reason"] == "Target.DeregistrationInProgress"
    assert withdrawn["waitsFor"]["for"] in {"targets", "settle"}
    [run] = seen["runs"]
    assert run["about"].startswith(RESTARTED)
    assert withdrawn["uid"] in {pod["uid"] for pod in run["pods"]}
    assert text.startswith(RESTARTED)
    assert f"  {withdrawn['name']}  withdrawn" in text
    assert f"{withdrawn['targets'][0]['address']}:8080 draining (Target.DeregistrationInProgress" in text
    assert withdrawn["uid"] in {pod["uid"] for pod in by_node["pods"]}
    assert status(scene, "deployment/web")["runs"] == []


def test_pods_behind_a_group_of_nodes_are_shown_with_the_targets_of_their_nodes(scene: Scene) -> None:
    scene.deploy("web", replicas=2, is_load_balanced=True, targets="instance")
    pods = status(scene)["pods"]
    nodes = scene.stage.rig.nodes
    assert [[target["address"] for target in pod["targets"]] for pod in pods] == [
        [nodes.instance(pod["node"])] for pod in pods
    ]
    assert [(states(pod), pod["targets"][0]["type"]) for pod in pods] == [(["healthy"], "instance")] * 2
    done = scene.stage.safe("rollout", "status", "deployment/web", "-n", scene.namespace)
    assert (done.stdout, done.stderr) == ('deployment "web" successfully rolled out\n', "")


def test_whoever_may_only_read_pods_sees_them_and_what_is_missing(scene: Scene) -> None:
    scene.deploy("api", replicas=1)
    kubectl(scene.stage, "create", "role", "reader", "--verb=list,watch", "--resource=pods", "-n", scene.namespace)
    kubectl(
        scene.stage, "create", "rolebinding", "reader", "--role=reader", f"--user={RESTRICTED}", "-n", scene.namespace
    )
    [pod] = status(scene, user=RESTRICTED)["pods"]
    assert (pod["ready"]["value"], pod["slices"], pod["workload"]) == ("True", [], None)
    done = scene.stage.safe("status", "deployment/api", "-n", scene.namespace, user=RESTRICTED, check=False)
    assert done.returncode == 1
    assert f"list deployments.apps in namespace {scene.namespace}" in done.stderr


def test_targets_that_may_not_be_asked_for_are_unknown_and_it_says_what_is_missing(scene: Scene) -> None:
    scene.deploy("unseen", replicas=1, is_load_balanced=True)
    group = scene.stage.rig.deployed[scene.namespace, "unseen"].group
    assert group
    elbv2 = scene.stage.rig.elbv2
    elbv2.fault = refusing(access_denied, caller=ACCESS_KEY, action="DescribeTargetHealth", group=group.arn)
    try:
        done = scene.stage.safe("status", "-n", scene.namespace)
        seen = status(scene)
    finally:
        elbv2.fault = no_fault
    _, row = done.stdout.splitlines()
    assert re.search(r" True +- .* unseen True +unseen ready +\S+ \S+:8080 unknown \(its group can't be asked\)$", row)
    [warning] = done.stderr.splitlines()
    assert warning.startswith("Warning: elasticloadbalancing:DescribeTargetHealth on target group ")
    assert warning.endswith("; its targets are shown as unknown")
    assert [states(pod) for pod in seen["pods"]] == [[None]]
    assert seen["warnings"] == [warning.removeprefix("Warning: ")]


def test_with_credentials_that_have_run_out_targets_are_unknown_and_it_says_to_log_in_again(scene: Scene) -> None:
    scene.deploy("expired", replicas=1, is_load_balanced=True)
    elbv2 = scene.stage.rig.elbv2
    elbv2.fault = refusing(expired_token, caller=ACCESS_KEY)
    try:
        done = scene.stage.safe("status", "-n", scene.namespace)
        seen = status(scene)
    finally:
        elbv2.fault = no_fault
    assert re.search(r" expired True +expired ready +\S+ \S+:8080 unknown \(its group can't be asked\)$", done.stdout)
    assert "Traceback" not in done.stderr
    [warning] = done.stderr.splitlines()
    assert ": ExpiredToken: " in warning
    assert warning.endswith(
        "log in again (aws sso login, or whatever gives you credentials); its targets are shown as unknown"
    )
    [target] = seen["pods"][0]["targets"]
    assert (target["state"], target["why"]) == (None, "its group can't be asked")
    assert seen["warnings"] == [warning.removeprefix("Warning: ")]


def test_an_aws_that_does_not_answer_is_not_waited_for_long_and_a_watch_takes_its_answers_later(scene: Scene) -> None:
    scene.deploy("late", replicas=1, is_load_balanced=True)
    elbv2 = scene.stage.rig.elbv2
    elbv2.fault = refusing(internal_failure, caller=ACCESS_KEY)
    began = time.monotonic()
    try:
        done = scene.stage.safe("status", "-n", scene.namespace)
        took = time.monotonic() - began
        with scene.stage.safe_in_background("status", "-w", "-n", scene.namespace) as watched:
            watched.await_line(":8080 unknown (")
            elbv2.fault = no_fault
            watched.await_line(":8080 healthy")
    finally:
        elbv2.fault = no_fault
    assert took < 20
    assert done.stdout.rstrip().endswith("unknown (AWS has not answered yet)")
    assert ": InternalFailure: " in done.stderr
