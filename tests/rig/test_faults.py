"""What the sandbox can be made to do wrong: pods, target groups, the controller, room for pods."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubectl_safe.sandbox.application import POD_PORT, Application
from kubectl_safe.sandbox.controller import COMPONENT
from kubectl_safe.sandbox.elbv2 import Target
from kubectl_safe.sandbox.elbv2 import no_fault as no_call_fault
from kubectl_safe.sandbox.elbv2_faults import access_denied, refusing
from kubectl_safe.sandbox.informer import Object
from kubectl_safe.sandbox.pod_fault import PodFault, no_fault
from kubectl_safe.sandbox.rig import Rig, RigSettings
from kubectl_safe.sandbox.targets import CALLER
from tests.support.cluster import condition
from tests.support.loop import LoopThread, eventually
from tests.support.rig import a_rig

pytestmark = pytest.mark.controlplane


@pytest.fixture(scope="module")
def rig_loop() -> Iterator[LoopThread]:
    with LoopThread() as running:
        yield running


@pytest.fixture(scope="module")
def rig(rig_loop: LoopThread, binaries: Path) -> Iterator[Rig]:
    """A rig shared by the tests: each takes a namespace of its own, and takes its fault away."""
    settings = RigSettings(nodes=("node-a", "node-b"), gate_poll=0.5, lag=(0.0, 0.1))
    with rig_loop.entered(a_rig(binaries, settings)) as running:
        yield running


@pytest.fixture
def application(request: pytest.FixtureRequest) -> Application:
    name = request.node.name.removeprefix("test_").replace("_", "-").split("[")[0]
    return Application(
        namespace=name[:40].rstrip("-"),
        name="web",
        replicas=1,
        start_delay=0,
        is_load_balanced=True,
        health_interval=0.1,
        deregistration_delay=1,
    )


def pods(rig: Rig, application: Application) -> list[Object]:
    return rig.controller.pods.of(application.namespace)


async def replicas(rig: Rig, application: Application, count: int) -> None:
    path = f"/apis/apps/v1/namespaces/{application.namespace}/deployments/{application.name}"
    await rig.api.patch(path, {"spec": {"replicas": count}})


async def a_faulty_second_pod(rig: Rig, application: Application, fault: PodFault) -> Object:
    """Scale an application up to a pod with a fault, and return that pod once its container is told of."""
    await rig.deploy(application)
    await rig.ready(application.namespace, application.name)
    [good] = pods(rig, application)
    rig.nodes.fault = lambda pod: fault if pod["metadata"]["namespace"] == application.namespace else None
    await replicas(rig, application, 2)

    def bad() -> list[Object]:
        others = [pod for pod in pods(rig, application) if pod["metadata"]["uid"] != good["metadata"]["uid"]]
        return [pod for pod in others if "podIP" in pod.get("status", {})]

    await eventually(lambda: bool(bad()), what="the status of the second pod")
    rig.nodes.fault = no_fault
    [pod] = bad()
    spared = rig.controller.pods.objects[application.namespace, good["metadata"]["name"]]
    assert condition(spared, "Ready")["status"] == "True", "a pod that was there before is spared"
    return pod


async def assert_deletable(rig: Rig, pod: Object) -> None:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    await rig.api.delete(f"/api/v1/namespaces/{namespace}/pods/{name}")
    await eventually(lambda: (namespace, name) not in rig.controller.pods.objects, what=f"the end of {name}")


def waiting(pod: Object) -> dict[str, Any]:
    [container] = pod["status"]["containerStatuses"]
    assert container["ready"] is False
    return container["state"]["waiting"]  # type: ignore[no-any-return]


def test_a_pod_in_a_crash_loop_is_running_never_ready_and_says_so_as_the_kubelet(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    async def claim() -> None:
        pod = await a_faulty_second_pod(rig, application, PodFault.CRASH_LOOP)
        metadata = pod["metadata"]
        whole = f"{metadata['name']}_{metadata['namespace']}({metadata['uid']})"
        assert waiting(pod) == {
            "reason": "CrashLoopBackOff",
            "message": f"back-off 5m0s restarting failed container=app pod={whole}",
        }
        assert pod["status"]["phase"] == "Running"
        assert pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 1
        assert condition(pod, "Ready")["status"] == "False"
        assert condition(pod, "Ready")["message"] == "containers with unready status: [app]"
        await assert_deletable(rig, pod)

    rig_loop.call(claim())


def test_a_pod_whose_image_cannot_be_pulled_is_pending_and_says_so_as_the_kubelet(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    async def claim() -> None:
        pod = await a_faulty_second_pod(rig, application, PodFault.IMAGE_PULL)
        assert waiting(pod)["reason"] == "ImagePullBackOff"
        assert waiting(pod)["message"].startswith('Back-off pulling image "sandbox.invalid/app:1": ErrImagePull: ')
        assert pod["status"]["phase"] == "Pending"
        assert pod["status"]["containerStatuses"][0]["restartCount"] == 0
        assert condition(pod, "Ready")["status"] == "False"
        await assert_deletable(rig, pod)

    rig_loop.call(claim())


def test_an_unhealthy_pod_passes_its_own_probe_and_its_target_stays_unhealthy(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    async def claim() -> None:
        pod = await a_faulty_second_pod(rig, application, PodFault.UNHEALTHY)
        key = application.namespace, pod["metadata"]["name"]
        group = rig.deployed[application.namespace, application.name].group
        assert group is not None
        target = Target(pod["status"]["podIP"], POD_PORT)

        def told() -> tuple[str, ...]:
            [(_, health)] = rig.elbv2.describe_target_health(group.arn, [target], caller="test")
            return tuple(health)

        unhealthy = ("unhealthy", "Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")
        await eventually(lambda: told() == unhealthy, what="the unhealthy target")
        gate = f"target-health.elbv2.k8s.aws/{application.name}"
        await eventually(
            lambda: condition(rig.controller.pods.objects[key], gate).get("reason") == "Target.ResponseCodeMismatch",
            what="its gate",
        )
        assert condition(rig.controller.pods.objects[key], "ContainersReady")["status"] == "True"
        assert condition(rig.controller.pods.objects[key], "Ready")["reason"] == "ReadinessGatesNotReady"
        await assert_deletable(rig, pod)

    rig_loop.call(claim())


async def events_on_the_binding(rig: Rig, application: Application, kind: str = "Warning") -> list[dict[str, Any]]:
    path = f"/api/v1/namespaces/{application.namespace}/events"
    selector = f"involvedObject.kind=TargetGroupBinding,type={kind}"
    return (await rig.api.get(path, fieldSelector=selector))["items"]  # type: ignore[no-any-return]


def test_the_controller_tells_of_a_deregistration_that_is_refused_on_its_binding(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    async def claim() -> None:
        deployed = await rig.deploy(application)
        await rig.ready(application.namespace, application.name)
        assert deployed.group is not None
        assert await events_on_the_binding(rig, application) == []
        [pod] = pods(rig, application)
        name = pod["metadata"]["name"]
        rig.elbv2.fault = refusing(access_denied, caller=CALLER, action="DeregisterTargets", group=deployed.group.arn)
        try:
            path = f"/api/v1/namespaces/{application.namespace}/pods/{name}"
            await rig.api.patch(path, {"metadata": {"labels": {"app": None}}})

            async def is_told_again() -> bool:
                return any(event["count"] > 1 for event in await events_on_the_binding(rig, application))

            await eventually(is_told_again, what="the Event")
        finally:
            rig.elbv2.fault = no_call_fault
        [event] = await events_on_the_binding(rig, application)
        assert event["reason"] == "FailedReconcile"
        assert event["reportingComponent"] == event["source"]["component"] == COMPONENT
        binding = rig.controller.bindings.objects[application.namespace, application.name]
        assert event["involvedObject"]["uid"] == binding["metadata"]["uid"]
        assert event["message"].startswith(
            "Failed reconcile due to operation error Elastic Load Balancing v2: DeregisterTargets, "
            "https response error StatusCode: 403, RequestID: "
        )
        assert "api error AccessDenied: User: " in event["message"]

        async def is_made_up_for() -> bool:
            told = await events_on_the_binding(rig, application, kind="Normal")
            return [event["reason"] for event in told] == ["SuccessfullyReconciled"]

        await eventually(is_made_up_for, what="the Event of success")

    rig_loop.call(claim())


def test_while_the_controller_is_down_nothing_is_reconciled_and_pods_start_without_gates(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    async def claim() -> None:
        deployed = await rig.deploy(application)
        await rig.ready(application.namespace, application.name)
        assert deployed.group is not None
        [first] = pods(rig, application)
        down = asyncio.create_task(rig.stop_controller(3))
        stopped = time.time()
        await asyncio.sleep(0)
        path = f"/api/v1/namespaces/{application.namespace}/pods/{first['metadata']['name']}"
        await rig.api.patch(path, {"metadata": {"labels": {"app": None}}})

        def replacement() -> list[Object]:
            return [its for its in pods(rig, application) if its["metadata"]["uid"] != first["metadata"]["uid"]]

        await eventually(lambda: bool(replacement()), what="a replacement")
        assert "readinessGates" not in replacement()[0]["spec"]
        await down
        assert time.time() - stopped >= 3
        asked = [call for call in rig.elbv2.journal if call.caller == CALLER and call.group == deployed.group.arn]
        assert [call for call in asked if stopped < call.time < stopped + 3] == []
        [only] = [pod["metadata"]["name"] for pod in replacement()]
        await eventually(
            lambda: condition(rig.controller.pods.objects[application.namespace, only], "Ready")["status"] == "True"
        )
        assert not rig.webhook.is_failing

    rig_loop.call(claim())


def test_a_pod_for_which_every_node_is_cordoned_is_unschedulable_in_the_schedulers_words(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    async def cordon(*, cordoned: bool) -> None:
        for node in rig.nodes.names:
            await rig.api.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": cordoned}})

    async def claim() -> None:
        await rig.deploy(application)
        await rig.ready(application.namespace, application.name)
        await cordon(cordoned=True)
        try:
            await replicas(rig, application, 2)
            stuck: list[dict[str, Any]] = []

            def is_told() -> bool:
                stuck[:] = [condition(pod, "PodScheduled") for pod in pods(rig, application)]
                stuck[:] = [its for its in stuck if its.get("status") == "False"]
                return bool(stuck)

            await eventually(is_told, what="the scheduler's word")
            assert stuck[0]["reason"] == "Unschedulable"
            assert stuck[0]["message"].startswith("0/2 nodes are available: 2 node(s) were unschedulable.")
        finally:
            await cordon(cordoned=False)
        await eventually(
            lambda: [condition(pod, "Ready").get("status") for pod in pods(rig, application)] == ["True"] * 2,
            what="the second pod",
        )

    rig_loop.call(claim())


def test_a_quota_of_pods_makes_the_replica_set_say_that_it_was_exceeded(
    rig: Rig, rig_loop: LoopThread, application: Application
) -> None:
    core = f"/api/v1/namespaces/{application.namespace}"
    sets = f"/apis/apps/v1/namespaces/{application.namespace}/replicasets"

    async def claim() -> None:
        await rig.deploy(application)
        await rig.ready(application.namespace, application.name)
        quota = {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few"},
            "spec": {"hard": {"pods": "1"}},
        }
        await rig.api.create(f"{core}/resourcequotas", quota)

        async def is_counted() -> bool:
            # Before, admission refuses with "status unknown for quota".
            status = (await rig.api.get(f"{core}/resourcequotas/few")).get("status", {})
            return bool(status.get("used") == {"pods": "1"})

        await eventually(is_counted, what="the count of pods")
        await replicas(rig, application, 2)
        failure: dict[str, Any] = {}

        async def is_refused() -> bool:
            [replica_set] = (await rig.api.get(sets))["items"]
            failure.update(condition(replica_set, "ReplicaFailure"))
            return bool(failure)

        await eventually(is_refused, what="the condition ReplicaFailure")
        assert (failure["status"], failure["reason"]) == ("True", "FailedCreate")
        assert "exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1" in failure["message"]
        await rig.api.delete(f"{core}/resourcequotas/few")
        await eventually(lambda: len(pods(rig, application)) == 2, what="the second pod")

    rig_loop.call(claim())
