"""The rig on the embedded control plane, in real time: its nodes, its load balancer, its gates."""

import json
from collections.abc import Iterator

import pytest

from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.endpoints import EXCLUDE_LABEL
from kubectl_safe.sandbox.rig import Rig
from tests.support.audit import writes_by
from tests.support.loop import LoopThread
from tests.support.stage import USERS, Stage, api, web


@pytest.fixture
def stage(loop: LoopThread) -> Iterator[Stage]:
    control_plane = EmbeddedControlPlane(users=USERS)
    with loop.entered(control_plane), loop.entered(Rig(control_plane)) as rig:
        yield Stage(loop=loop, rig=rig)


def test_applications_come_into_service_and_answer(stage: Stage) -> None:
    stage.deploy(web(start_delay=0.1), api(start_delay=0.1))
    with stage.traffic(rate=50) as counted:
        stage.wait_until(lambda: True, what="nothing")
    assert counted.losses == ()
    assert {pod.namespace for pod in stage.rig.capacity.pods.values()} == {"shop"}


def test_pods_get_their_gates(stage: Stage) -> None:
    stage.deploy(web(start_delay=0.1))
    pods = stage.loop.call(stage.rig.api.get("/api/v1/namespaces/shop/pods"))["items"]
    gates = {gate["conditionType"] for pod in pods for gate in pod["spec"]["readinessGates"]}
    assert gates == {"target-health.elbv2.k8s.aws/web"}


def test_pods_get_none_while_the_webhook_fails(stage: Stage) -> None:
    stage.rig.webhook.is_failing = True
    stage.deploy(web(start_delay=0.1))
    pods = stage.loop.call(stage.rig.api.get("/api/v1/namespaces/shop/pods"))["items"]
    assert not any("readinessGates" in pod["spec"] for pod in pods)


def test_nodes_are_targets_whatever_becomes_of_them_but_for_one_label(stage: Stage) -> None:
    stage.deploy(web(start_delay=0.1, targets="instance"))
    rig = stage.rig
    group = rig.deployed["shop", "web"].group
    assert group is not None

    def registered() -> list[str]:
        staying = {its.id for its, known in group.targets.items() if known.deregistered_at is None}
        return [name for name in rig.nodes.names if rig.nodes.instance(name) in staying]

    stage.loop.call(rig.api.patch("/api/v1/nodes/node-b", {"spec": {"unschedulable": True}}))
    stage.loop.call(rig.api.patch("/api/v1/nodes/node-a", {"metadata": {"labels": {EXCLUDE_LABEL: "whatever"}}}))
    stage.wait_until(lambda: registered() == ["node-b", "node-c"], what="node-a leaves")
    for pod in list(rig.capacity.pods.values()):
        path = f"/api/v1/namespaces/shop/pods/{pod.name}"
        stage.loop.call(rig.api.patch(path, {"metadata": {"labels": {"app": None}}}))
    stage.loop.call(rig.api.patch("/api/v1/nodes/node-a", {"metadata": {"labels": {EXCLUDE_LABEL: None}}}))
    stage.wait_until(lambda: registered() == ["node-a", "node-b", "node-c"], what="node-a comes back")


def test_a_node_that_is_switched_off_loses_what_is_sent_to_it(stage: Stage) -> None:
    stage.deploy(web(start_delay=0.1, targets="instance"))
    (target, *_) = stage.rig.deployed["shop", "web"].group.targets  # type: ignore[union-attr]
    assert stage.rig.network.address(target.id, target.port)
    stage.rig.network.switch_off(target.id)
    assert stage.rig.network.address(target.id, target.port) is None


def test_audit_log_tells_who_wrote_what(stage: Stage) -> None:
    stage.deploy(api(start_delay=0.1))
    written = writes_by("admin", stage.rig.control_plane.audit_log)
    about = {(write.verb, write.resource, write.name, write.status) for write in written}
    assert ("create", "deployments", "api", 201) in about
    assert ("create", "namespaces", "shop", 201) in about


def test_audit_log_tells_who_watches_what(stage: Stage) -> None:
    def watched() -> set[tuple[str, str]]:
        # The last line may be on its way.
        lines = stage.rig.control_plane.audit_log.read_text().rpartition("\n")[0].splitlines()
        entries = [json.loads(line) for line in lines]
        return {(its["user"]["username"], its["objectRef"]["resource"]) for its in entries if its["verb"] == "watch"}

    wanted = {("admin", "pods"), ("admin", "nodes"), ("admin", "services")}
    stage.wait_until(lambda: wanted <= watched(), what="the rig's watches")
