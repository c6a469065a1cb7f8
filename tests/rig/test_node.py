"""Nodes of the sandbox do to pods what the kubelet does, in its order."""

import asyncio
from typing import Any

import aiohttp
import pytest

from kubectl_safe.sandbox.api import ApiError
from kubectl_safe.sandbox.pod import is_whole
from tests.support.cluster import PODS, PORT, Cluster, a_deployment, a_pod, condition
from tests.support.loop import LoopThread, eventually

pytestmark = pytest.mark.controlplane

GATE = "example.com/gate"
ABRUPT = {"sandbox.kubectl-safe/sigterm": "abrupt"}


async def set_gate(cluster: Cluster, name: str, status: str) -> None:
    gate = {"type": GATE, "status": status, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    await cluster.api.patch(f"{PODS}/{name}/status", {"status": {"conditions": [gate]}})


async def seconds_until_reset(stream: aiohttp.ClientResponse) -> float:
    began = asyncio.get_running_loop().time()
    with pytest.raises(aiohttp.ClientError):
        await stream.read()
    return asyncio.get_running_loop().time() - began


def test_pods_of_a_deployment_become_ready_and_answer_by_their_ip(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        path = "/apis/apps/v1/namespaces/default/deployments"
        await cluster.api.create(path, a_deployment("web", replicas=4))

        async def is_available() -> bool:
            deployment: dict[str, Any] = await cluster.api.get(f"{path}/web")
            return bool(deployment["status"].get("availableReplicas") == 4)

        await eventually(is_available, what="four available replicas")
        pods = (await cluster.api.get(PODS, labelSelector="app=web"))["items"]
        assert {pod["spec"]["nodeName"] for pod in pods} == {"node-a", "node-b"}
        assert len({pod["status"]["podIP"] for pod in pods}) == 4
        async with aiohttp.ClientSession() as session:
            for pod in pods:
                record = cluster.nodes.journal[pod["metadata"]["uid"]]
                assert record.ip == pod["status"]["podIP"]
                async with await cluster.get(session, record, "/") as response:
                    assert response.headers["X-Pod"] == pod["metadata"]["name"]
                    assert is_whole(await response.read())
        await cluster.api.delete(f"{path}/web")

    cluster_loop.call(claim())


def test_an_endpoint_of_a_service_is_ready_at_the_pods_ip(cluster: Cluster, cluster_loop: LoopThread) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "served"},
        "spec": {"selector": {"app": "served"}, "ports": [{"port": 80, "targetPort": PORT}]},
    }

    async def claim() -> None:
        await cluster.api.create("/api/v1/namespaces/default/services", service)
        record = await cluster.create(a_pod("served"))
        slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"

        async def is_ready() -> bool:
            listed = await cluster.api.get(slices, labelSelector="kubernetes.io/service-name=served")
            endpoints = [endpoint for item in listed["items"] for endpoint in item["endpoints"] or []]
            return [(e["addresses"], e["conditions"]["ready"]) for e in endpoints] == [([record.ip], True)]

        await eventually(is_ready, what="a ready endpoint")
        await cluster.delete("served")

    cluster_loop.call(claim())


def test_a_pod_starts_only_after_its_start_delay(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        pod = a_pod("slow", annotations={"sandbox.kubectl-safe/start-delay": "900ms"})
        began = asyncio.get_running_loop().time()
        await cluster.create(pod)
        assert asyncio.get_running_loop().time() - began >= 0.9
        await cluster.await_ready("slow")

    cluster_loop.call(claim())


def test_a_probe_that_fails_keeps_ready_false_and_says_which_container(
    cluster: Cluster, cluster_loop: LoopThread
) -> None:
    probe = {"httpGet": {"path": "/no-such-path", "port": PORT}, "periodSeconds": 1}

    async def claim() -> None:
        await cluster.create(a_pod("failing", probe=probe))
        ready = await cluster.await_ready("failing", "False")
        assert (ready["reason"], ready["message"]) == (
            "ContainersNotReady",
            "containers with unready status: [app]",
        )

    cluster_loop.call(claim())


def test_a_probe_that_succeeds_makes_ready_true(cluster: Cluster, cluster_loop: LoopThread) -> None:
    probe = {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1, "initialDelaySeconds": 1}

    async def claim() -> None:
        record = await cluster.create(a_pod("probed", probe=probe))
        await cluster.await_ready("probed")
        assert record.ready is not None
        assert record.started is not None
        assert record.ready - record.started >= 1

    cluster_loop.call(claim())


def test_a_gate_keeps_ready_false_and_flips_it_at_once(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        await cluster.create(a_pod("gated", readinessGates=[{"conditionType": GATE}]))
        ready = await cluster.await_ready("gated", "False")
        assert ready["reason"] in ("ReadinessGatesNotReady", "ContainersNotReady")

        async def is_missing() -> bool:
            return "does not exist" in condition(await cluster.pod("gated"), "Ready").get("message", "")

        await eventually(is_missing, what="the message that the gate's condition is missing")
        assert condition(await cluster.pod("gated"), "ContainersReady")["status"] == "True"
        for status in ("False", "True", "False", "True"):
            await set_gate(cluster, "gated", status)
            began = asyncio.get_running_loop().time()
            ready = await cluster.await_ready("gated", status)
            assert asyncio.get_running_loop().time() - began < 2
            assert ready.get("reason") == (None if status == "True" else "ReadinessGatesNotReady")
            assert condition(await cluster.pod("gated"), GATE)["status"] == status

    cluster_loop.call(claim())


def test_the_time_of_the_last_transition_changes_only_with_the_status(
    cluster: Cluster, cluster_loop: LoopThread
) -> None:
    async def claim() -> None:
        await cluster.create(a_pod("steady", readinessGates=[{"conditionType": GATE}]))
        await set_gate(cluster, "steady", "False")

        async def is_gate_named() -> bool:
            return "but False" in condition(await cluster.pod("steady"), "Ready").get("message", "")

        await eventually(is_gate_named, what="the message that the gate is False")
        before = condition(await cluster.pod("steady"), "Ready")
        await asyncio.sleep(1.1)  # such times have whole seconds
        await set_gate(cluster, "steady", "Unknown")

        async def is_renamed() -> bool:
            return "but Unknown" in condition(await cluster.pod("steady"), "Ready")["message"]

        await eventually(is_renamed, what="the message that the gate is Unknown")
        assert condition(await cluster.pod("steady"), "Ready")["lastTransitionTime"] == before["lastTransitionTime"]
        await set_gate(cluster, "steady", "True")
        assert (await cluster.await_ready("steady"))["lastTransitionTime"] > before["lastTransitionTime"]

    cluster_loop.call(claim())


def test_sigterm_abrupt_resets_a_stream_and_graceful_finishes_it(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        async with aiohttp.ClientSession() as session:
            abrupt = await cluster.create(a_pod("abrupt", annotations=ABRUPT))
            graceful = await cluster.create(a_pod("graceful"))
            streams = [await cluster.get(session, record, "/stream?seconds=3") for record in (abrupt, graceful)]
            await cluster.delete("abrupt")
            await cluster.delete("graceful")
            assert await seconds_until_reset(streams[0]) < 2
            await eventually(lambda: graceful.sigterm is not None, what="the SIGTERM of graceful")
            assert await cluster.exists("graceful"), "its object stays while the stream is under way"
            assert cluster.network.address(graceful.ip, PORT) is None
            assert is_whole(await streams[1].read())
            await cluster.await_gone(abrupt)
            await cluster.await_gone(graceful)
            assert abrupt.in_flight_at_sigterm == graceful.in_flight_at_sigterm == 1

    cluster_loop.call(claim())


def test_the_prestop_sleep_delays_sigterm_and_the_pod_serves_meanwhile(
    cluster: Cluster, cluster_loop: LoopThread
) -> None:
    async def claim() -> None:
        record = await cluster.create(a_pod("sleeper", annotations=ABRUPT, prestop_seconds=1))
        await cluster.await_ready("sleeper")
        await cluster.delete("sleeper")
        await eventually(lambda: record.deleted is not None, what="the deletion")
        async with aiohttp.ClientSession() as session, await cluster.get(session, record, "/") as response:
            assert is_whole(await response.read())
        assert condition(await cluster.pod("sleeper"), "Ready")["status"] == "True"
        await cluster.await_gone(record)
        assert record.deleted is not None
        assert record.sigterm is not None
        assert 1 <= record.sigterm - record.deleted < 3

    cluster_loop.call(claim())


def test_the_end_of_the_grace_period_resets_what_is_open_and_then_the_object_goes(
    cluster: Cluster, cluster_loop: LoopThread
) -> None:
    async def claim() -> None:
        record = await cluster.create(a_pod("overlong", terminationGracePeriodSeconds=3))
        async with aiohttp.ClientSession() as session:
            stream = await cluster.get(session, record, "/stream?seconds=30")
            await cluster.delete("overlong")
            assert 2.5 < await seconds_until_reset(stream) < 8
        await cluster.await_gone(record)
        assert record.deleted is not None
        assert record.sigterm is not None
        assert record.exited is not None
        assert record.gone is not None
        assert record.deleted <= record.sigterm < record.exited <= record.gone

    cluster_loop.call(claim())


def test_a_pod_that_is_deleted_before_its_start_never_starts(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        pod = a_pod("early", annotations={"sandbox.kubectl-safe/start-delay": "60s"})
        uid = (await cluster.api.create(PODS, pod))["metadata"]["uid"]
        await eventually(lambda: uid in cluster.nodes.journal, what="the binding")
        await cluster.delete("early")
        await cluster.await_gone(cluster.nodes.journal[uid])
        assert cluster.nodes.journal[uid].started is None

    cluster_loop.call(claim())


def test_a_pod_whose_object_was_forced_away_ends(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        record = await cluster.create(a_pod("forced"))
        await cluster.delete("forced", grace_seconds=0)
        await cluster.await_gone(record)
        assert cluster.network.server_of(record.uid) is None

    cluster_loop.call(claim())


def test_a_pod_that_finishes_by_itself_has_succeeded(cluster: Cluster, cluster_loop: LoopThread) -> None:
    pod = a_pod("finishing", annotations={"sandbox.kubectl-safe/exit-after": "200ms"}, restartPolicy="Never")

    async def claim() -> None:
        record = await cluster.create(pod)

        async def has_succeeded() -> bool:
            return bool((await cluster.pod("finishing"))["status"]["phase"] == "Succeeded")

        await eventually(has_succeeded, what="the phase Succeeded")
        await cluster.delete("finishing")
        await cluster.await_gone(record)

    cluster_loop.call(claim())


def test_a_namesake_gets_another_ip(cluster: Cluster, cluster_loop: LoopThread) -> None:
    async def claim() -> None:
        first = await cluster.create(a_pod("twin", nodeName="node-a"))
        await cluster.delete("twin")
        await cluster.await_gone(first)
        second = await cluster.create(a_pod("twin", nodeName="node-a"))
        assert (first.ip != second.ip, second.ip.startswith("10.244.0.")) == (True, True)
        with pytest.raises(ApiError, match="409"):
            await cluster.api.delete(f"{PODS}/twin", {"preconditions": {"uid": first.uid}})

    cluster_loop.call(claim())
