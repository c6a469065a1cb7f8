"""The sandbox's load balancer controller does what the AWS Load Balancer Controller was seen to do."""

import asyncio
import inspect
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox import applications, targetgroupbinding
from kubectl_safe.sandbox.application import POD_PORT, Application
from kubectl_safe.sandbox.controller import Controller
from kubectl_safe.sandbox.deployed import Deployed
from kubectl_safe.sandbox.elbv2 import Call, Elbv2Error, Target
from kubectl_safe.sandbox.endpoints import condition
from kubectl_safe.sandbox.informer import Object, key_of
from kubectl_safe.sandbox.rig import Rig, RigSettings
from kubectl_safe.sandbox.targets import CALLER
from tests.support.loop import LoopThread, eventually
from tests.support.rig import a_rig

pytestmark = pytest.mark.controlplane

GATE = "target-health.elbv2.k8s.aws/web"
OWN_GATE = "example.com/own"
WRITES = ("RegisterTargets", "DeregisterTargets")


@pytest.fixture(scope="module")
def rig_loop() -> Iterator[LoopThread]:
    with LoopThread() as running:
        yield running


@pytest.fixture(scope="module")
def rig(rig_loop: LoopThread, binaries: Path) -> Iterator[Rig]:
    """A rig whose Services are followed quickly, shared by the tests: each takes a namespace of its own."""
    with rig_loop.entered(a_rig(binaries, RigSettings(nodes=("node-a",), lag=(0.0, 0.1)))) as running:
        yield running


class Scene:
    """One application in a namespace of its own, and what a test asks of it."""

    def __init__(self, rig: Rig, namespace: str) -> None:
        self.rig = rig
        self.namespace = namespace
        self.pods_path = f"/api/v1/namespaces/{namespace}/pods"
        self.binding_path = f"{targetgroupbinding.collection(namespace)}/web"
        self.service_path = f"/api/v1/namespaces/{namespace}/services/web"

    async def deploy(
        self, *, replicas: int = 1, waits: bool = True, injects_gates: bool = True, **more: Any
    ) -> Deployed:
        application = Application(
            namespace=self.namespace,
            name="web",
            replicas=replicas,
            start_delay=0,
            is_load_balanced=True,
            health_interval=0.1,
            deregistration_delay=5,
            **more,
        )
        deployed = await self.rig.deploy(application, injects_gates=injects_gates)
        if waits:
            await self.rig.ready(self.namespace, "web")
            await self.settled()
        return deployed

    async def settled(self) -> None:
        """Wait until the controller has nothing more to do at once."""

        async def is_settled() -> bool:
            before = len(self.calls())
            await asyncio.sleep(0.3)
            return len(self.calls()) == before

        await eventually(is_settled, what="a controller at rest")

    def pods(self) -> list[Object]:
        return self.rig.controller.pods.of(self.namespace)

    def pod(self, name: str) -> Object:
        return self.rig.controller.pods.objects[self.namespace, name]

    async def first_pod(self, is_so: Callable[[Object], bool] = lambda _pod: True) -> Object:
        await eventually(lambda: any(is_so(pod) for pod in self.pods()), what="such a pod")
        return next(pod for pod in self.pods() if is_so(pod))

    async def patch_pod(self, pod: Object, body: Object, subresource: str = "") -> None:
        await self.rig.api.patch(f"{self.pods_path}/{pod['metadata']['name']}{subresource}", body)

    async def set_condition(self, pod: Object, **statuses: str) -> None:
        moment = "2026-01-01T00:00:00Z"
        conditions = [{"type": k, "status": v, "lastTransitionTime": moment} for k, v in statuses.items()]
        await self.patch_pod(pod, {"status": {"conditions": conditions}}, "/status")

    def deafen(self, pod: Object) -> None:
        """Make a pod hear nothing any more, so that its probe fails."""
        self.rig.network.detach(pod["status"]["podIP"])

    async def drop_label(self, pod: Object, label: str) -> None:
        await self.patch_pod(pod, {"metadata": {"labels": {label: None}}})

    async def scale(self, replicas: int) -> None:
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/web"
        await self.rig.api.patch(path, {"spec": {"replicas": replicas}})

    async def nudge(self) -> None:
        body = {"metadata": {"annotations": {"nudge": str(time.time())}}}
        await self.rig.api.patch(self.binding_path, body, kind="merge-patch")

    @property
    def arn(self) -> str:
        return self.rig.controller.bindings.objects[self.namespace, "web"]["spec"]["targetGroupARN"]  # type: ignore[no-any-return]

    def calls(self, *actions: str) -> list[Call]:
        """Return the controller's calls on the application's target group."""
        group = self.rig.deployed.get((self.namespace, "web"))
        arn = group.group.arn if group and group.group else self.arn
        return [
            call
            for call in self.rig.elbv2.journal
            if call.caller == CALLER
            and call.group == arn
            and call.action in (actions or (*WRITES, "DescribeTargetHealth"))
        ]

    def health(self, pod: Object) -> tuple[str, str]:
        target = target_of(pod)
        [(_, health)] = self.rig.elbv2.describe_target_health(self.arn, [target], caller="test")
        return health.state, health.reason


Claim = Callable[[Scene], Coroutine[Any, Any, None]]


@pytest.fixture
def scene(rig: Rig, request: pytest.FixtureRequest) -> Scene:
    name = request.node.name.removeprefix("test_").replace("_", "-")
    return Scene(rig, name[:40].rstrip("-"))


def target_of(pod: Object) -> Target:
    return Target(pod["status"]["podIP"], POD_PORT)


def gates_of(pod: Object) -> list[str]:
    return [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]


def status_of(pod: Object, kind: str = GATE) -> str:
    return str((condition(pod, kind) or {"status": "absent"})["status"])


def longest_gap(calls: list[Call]) -> float:
    return max((later.time - call.time for call, later in pairwise(calls)), default=0.0)


async def seconds_until(is_so: Callable[[], bool], *, seconds: float = 15) -> float:
    began = time.monotonic()
    await eventually(is_so, every=0.005, seconds=seconds)
    return time.monotonic() - began


def test_a_pod_has_the_gate_where_label_and_binding_were_there_at_its_creation(
    scene: Scene, rig_loop: LoopThread
) -> None:
    async def claim() -> None:
        await scene.deploy()
        [pod] = scene.pods()
        assert gates_of(pod) == [GATE]
        assert status_of(pod) == "True"

    rig_loop.call(claim())


def test_a_pod_has_no_gate_where_the_namespace_does_not_ask(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(injects_gates=False)
        assert [gates_of(pod) for pod in scene.pods()] == [[]]

    rig_loop.call(claim())


def test_a_pod_older_than_its_binding_has_no_gate_and_never_gets_one(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        older = {
            "metadata": {"name": "older", "labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        }
        api = scene.rig.api
        await api.create("/api/v1/namespaces", applications.namespace(scene.namespace))
        await api.create(scene.pods_path, {"apiVersion": "v1", "kind": "Pod", **older})
        await scene.deploy(waits=False)
        await eventually(lambda: any(gates_of(pod) for pod in scene.pods()))
        assert gates_of(scene.pod("older")) == []
        # It is a target like the others all the same.
        await eventually(lambda: "podIP" in scene.pod("older")["status"])
        await eventually(lambda: scene.health(scene.pod("older"))[0] == "healthy")

    rig_loop.call(claim())


def test_a_pod_that_the_service_does_not_select_has_no_gate(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy()
        other = {
            "metadata": {"name": "other", "labels": {"app": "other"}},
            "spec": {"containers": [{"name": "app", "image": "app"}]},
        }
        created = await scene.rig.api.create(scene.pods_path, {"apiVersion": "v1", "kind": "Pod", **other})
        assert gates_of(created) == []

    rig_loop.call(claim())


def test_while_the_webhook_is_down_pods_start_without_gates(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        scene.rig.webhook.is_failing = True
        try:
            await scene.deploy()
        finally:
            scene.rig.webhook.is_failing = False
        assert [gates_of(pod) for pod in scene.pods()] == [[]]

    rig_loop.call(claim())


def test_a_gate_turns_true_on_a_poll_15_seconds_after_the_last_look(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(waits=False)
        pod = await scene.first_pod(lambda pod: status_of(pod) == "False")
        name = pod["metadata"]["name"]
        await eventually(lambda: scene.health(pod)[0] == "healthy")
        await scene.settled()
        looked = scene.calls("DescribeTargetHealth")[-1].time
        assert status_of(scene.pod(name)) == "False"
        await eventually(lambda: status_of(scene.pod(name)) == "True", seconds=20)
        assert time.time() - looked == pytest.approx(15, abs=1)
        await eventually(lambda: status_of(scene.pod(name), "Ready") == "True")

    rig_loop.call(claim())


def test_any_event_on_the_binding_makes_it_look_at_once(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(waits=False)
        pod = await scene.first_pod(lambda pod: status_of(pod) == "False")
        name = pod["metadata"]["name"]
        await eventually(lambda: scene.health(pod)[0] == "healthy")
        await scene.settled()
        assert status_of(scene.pod(name)) == "False"
        await scene.nudge()
        assert await seconds_until(lambda: status_of(scene.pod(name)) == "True") < 1

    rig_loop.call(claim())


def test_a_healthy_target_is_not_asked_about_again(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2)
        asked = len(scene.calls("DescribeTargetHealth"))
        await scene.nudge()
        await scene.settled()
        assert len(scene.calls("DescribeTargetHealth")) == asked

    rig_loop.call(claim())


def test_a_dropped_service_label_deregisters_at_once_and_leaves_the_gate_alone(
    scene: Scene, rig_loop: LoopThread, capsys: pytest.CaptureFixture[str]
) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2)
        pod = scene.pods()[0]
        gate = condition(pod, GATE)
        dropped = time.time()
        await scene.drop_label(pod, "app")
        await eventually(lambda: bool(scene.calls("DeregisterTargets")), every=0.005)
        [call] = scene.calls("DeregisterTargets")
        with capsys.disabled():
            sys.stdout.write(f"\nderegistered {call.time - dropped:.3f} s after its label was dropped\n")
        assert call.targets == (target_of(pod),)
        assert call.time - dropped < 1
        await scene.settled()
        assert condition(scene.pod(pod["metadata"]["name"]), GATE) == gate

    rig_loop.call(claim())


def test_a_pod_that_leaves_the_slices_is_deregistered_without_any_gate_to_tell(
    scene: Scene, rig_loop: LoopThread
) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2, injects_gates=False)
        pod = scene.pods()[0]
        await scene.drop_label(pod, "app")
        assert await seconds_until(lambda: bool(scene.calls("DeregisterTargets"))) < 1

    rig_loop.call(claim())


def test_a_dropped_pod_template_hash_changes_nothing(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy()
        [pod] = scene.pods()
        gate = condition(pod, GATE)
        await scene.drop_label(pod, "pod-template-hash")
        replacement = await scene.first_pod(lambda its: its["metadata"]["uid"] != pod["metadata"]["uid"])
        await eventually(lambda: status_of(scene.pod(replacement["metadata"]["name"])) == "False")
        assert scene.calls("DeregisterTargets") == []
        assert scene.health(pod)[0] == "healthy"
        assert condition(scene.pod(pod["metadata"]["name"]), GATE) == gate

    rig_loop.call(claim())


def test_a_label_put_back_registers_anew_and_turns_the_gate_false(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2)
        pod = scene.pods()[0]
        name = pod["metadata"]["name"]
        gates: list[dict[str, Any]] = []
        scene.rig.controller.pods.handlers.append(
            lambda _old, new: gates.append(condition(new, GATE) or {}) if new and key_of(new)[1] == name else None
        )
        await scene.drop_label(pod, "app")
        await eventually(lambda: scene.health(pod)[0] == "draining")
        await scene.patch_pod(pod, {"metadata": {"labels": {"app": "web"}}})
        await eventually(lambda: status_of(scene.pod(name)) == "False")
        assert next(gate for gate in gates if gate["status"] == "False")["reason"] == "Elb.RegistrationInProgress"
        assert scene.health(pod)[0] in ("initial", "healthy")
        await eventually(lambda: status_of(scene.pod(name), "Ready") == "False")

    rig_loop.call(claim())


def test_another_gate_turning_false_brings_no_call(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        deployed = await scene.deploy(waits=False, gates=(OWN_GATE,))
        pod = await scene.first_pod()
        name = pod["metadata"]["name"]
        await scene.set_condition(pod, **{OWN_GATE: "True"})
        await scene.rig.ready(scene.namespace, "web")
        await scene.settled()
        before = scene.calls()
        await scene.set_condition(pod, **{OWN_GATE: "False"})
        await eventually(lambda: not deployed.proxy.ready(), what="the pod's leaving the ready endpoints")
        await scene.settled()
        assert scene.calls() == before
        assert status_of(scene.pod(name)) == "True"

    rig_loop.call(claim())


def test_containers_that_are_not_ready_deregister_the_pod(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2)
        pod = scene.pods()[0]
        scene.deafen(pod)
        await eventually(lambda: bool(scene.calls("DeregisterTargets")))
        assert scene.calls("DeregisterTargets")[0].targets == (target_of(pod),)

    rig_loop.call(claim())


def test_published_not_ready_addresses_stay_registered_until_the_pod_is_gone(
    scene: Scene, rig_loop: LoopThread
) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2, pre_stop=1)
        await scene.rig.api.patch(scene.service_path, {"spec": {"publishNotReadyAddresses": True}})
        pod = scene.pods()[0]
        name = pod["metadata"]["name"]
        scene.deafen(pod)
        await eventually(lambda: status_of(scene.pod(name), "ContainersReady") == "False")
        await scene.settled()
        await scene.rig.api.delete(f"{scene.pods_path}/{name}")
        await eventually(lambda: "deletionTimestamp" in scene.pod(name)["metadata"])
        await scene.settled()
        assert scene.calls("DeregisterTargets") == []
        await eventually(lambda: bool(scene.calls("DeregisterTargets")))
        history = scene.rig.capacity.pods[pod["metadata"]["uid"]]
        await eventually(lambda: history.gone is not None, what="the end of the pod")
        assert history.gone is not None
        # The watches on pods and on slices run side by side; the pod took a second and more to stop.
        assert scene.calls("DeregisterTargets")[0].time >= history.gone - 0.5

    rig_loop.call(claim())


def test_a_deregistration_comes_before_a_registration_and_a_failing_one_keeps_the_replacement_out(
    scene: Scene, rig_loop: LoopThread
) -> None:
    async def claim() -> None:
        rig = scene.rig
        await scene.deploy(replicas=2)
        arn = scene.arn
        pod = scene.pods()[0]
        before = len(scene.calls(*WRITES))
        refusal = Elbv2Error("InternalFailure", "an internal error", 500)
        rig.elbv2.fault = lambda _who, action, group: refusal if (action, group) == (WRITES[1], arn) else None
        try:
            await scene.drop_label(pod, "app")
            await eventually(lambda: len(scene.pods()) == 3)
            await eventually(lambda: all(status_of(its, "ContainersReady") == "True" for its in scene.pods()))
            # It tries again and again, later and later, and never gets to the registration.
            await eventually(lambda: longest_gap(scene.calls("DeregisterTargets")) > 1)
            assert {call.action for call in scene.calls(*WRITES)[before:]} == {"DeregisterTargets"}
        finally:
            rig.elbv2.fault = lambda _who, _action, _group: None
        await scene.nudge()
        assert await seconds_until(lambda: scene.calls(*WRITES)[-1].action == "RegisterTargets") < 1
        good = [call for call in scene.calls(*WRITES)[before:] if not call.error]
        assert [call.action for call in good] == ["DeregisterTargets", "RegisterTargets"]

    rig_loop.call(claim())


def test_while_the_leader_changes_nothing_happens(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2)
        pod = scene.pods()[0]
        before = len(scene.calls())
        restart = asyncio.create_task(scene.rig.controller.restart_leader(pause=3))
        lost = time.time()
        await asyncio.sleep(0)
        await scene.drop_label(pod, "app")
        await scene.nudge()
        await restart
        await eventually(lambda: bool(scene.calls("DeregisterTargets")))
        after = scene.calls()[before:]
        assert after[0].time - lost >= 3
        assert scene.calls("DeregisterTargets")[0].targets == (target_of(pod),)
        # A new leader remembers nothing, so it asks about all targets.
        assert (after[0].action, after[0].targets) == ("DescribeTargetHealth", ())

    rig_loop.call(claim())


def test_a_leader_change_takes_18_seconds() -> None:
    assert inspect.signature(Controller.restart_leader).parameters["pause"].default == 18


def test_a_deleted_binding_deregisters_all_and_forces_the_gates_true(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        await scene.deploy(replicas=2, waits=False)
        await eventually(lambda: [status_of(pod) for pod in scene.pods()] == ["False"] * 2)
        targets = {target_of(pod) for pod in scene.pods()}
        await eventually(lambda: {t for call in scene.calls("RegisterTargets") for t in call.targets} == targets)
        await scene.rig.api.delete(scene.binding_path)
        await eventually(lambda: [status_of(pod) for pod in scene.pods()] == ["True"] * 2)
        assert {t for call in scene.calls("DeregisterTargets") for t in call.targets} == targets
        await eventually(lambda: (scene.namespace, "web") not in scene.rig.controller.bindings.objects)

    rig_loop.call(claim())


def test_a_throttled_group_holds_up_the_deregistration_of_another(scene: Scene, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        rig = scene.rig
        await scene.deploy(replicas=2)
        other = Scene(rig, f"{scene.namespace}-other")
        await other.deploy(replicas=2)
        throttled = Elbv2Error("Throttling", "Rate exceeded")
        rig.elbv2.fault = lambda _who, action, group: (
            throttled if (action, group) == ("DescribeTargetHealth", other.arn) else None
        )
        try:
            # It registers the new pod, whose health is then what it asks about.
            await other.scale(3)
            await eventually(lambda: any(call.error for call in other.calls("DescribeTargetHealth")))
            pod = scene.pods()[0]
            dropped = time.time()
            await scene.drop_label(pod, "app")
            await asyncio.sleep(1.5)
            assert scene.calls("DeregisterTargets") == []
        finally:
            rig.elbv2.fault = lambda _who, _action, _group: None
        await eventually(lambda: bool(scene.calls("DeregisterTargets")))
        assert scene.calls("DeregisterTargets")[0].time - dropped > 1.5

    rig_loop.call(claim())
