"""The rig counts pods in service by itself, and knows in which order each one left."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.capacity import WITHDRAWN_LABEL, PodHistory
from kubectl_safe.sandbox.rig import Rig, RigSettings
from kubectl_safe.sandbox.traffic import Traffic
from tests.support.loop import LoopThread, eventually
from tests.support.rig import a_rig

pytestmark = pytest.mark.controlplane

WEB = {"app": "web"}


@pytest.fixture(scope="module")
def rig_loop() -> Iterator[LoopThread]:
    with LoopThread() as running:
        yield running


@pytest.fixture(scope="module")
def rig(rig_loop: LoopThread, binaries: Path) -> Iterator[Rig]:
    with rig_loop.entered(a_rig(binaries, RigSettings(nodes=("node-a",), lag=(0.0, 0.1)))) as running:
        yield running


def an_application(namespace: str, *, is_load_balanced: bool = True) -> Application:
    return Application(
        namespace=namespace,
        name="web",
        replicas=2,
        is_load_balanced=is_load_balanced,
        start_delay=0,
        health_interval=0.1,
        deregistration_delay=1,
    )


async def deploy(rig: Rig, application: Application) -> PodHistory:
    """Deploy it, wait until it is in service, and return its first pod's history."""
    await rig.deploy(application)
    await rig.ready(application.namespace, "web")
    return rig.capacity.of(application.namespace, WEB)[0]


async def label(rig: Rig, history: PodHistory, **labels: str | None) -> None:
    path = f"/api/v1/namespaces/{history.namespace}/pods/{history.name}"
    await rig.api.patch(path, {"metadata": {"labels": {**labels, WITHDRAWN_LABEL: ""}}})


def is_in_service(history: PodHistory) -> bool:
    return history.service[-1][1]


def test_a_pod_that_is_not_healthy_in_its_target_group_is_not_in_service(rig: Rig, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        application = an_application("unhealthy")
        await rig.deploy(application, injects_gates=False)

        # Without gates the pods are Ready before their targets are healthy.
        async def is_available() -> bool:
            path = "/apis/apps/v1/namespaces/unhealthy/deployments/web"
            return bool((await rig.api.get(path))["status"].get("readyReplicas") == 2)

        await eventually(is_available)
        ready = time.time()
        await rig.ready("unhealthy", "web")
        histories = rig.capacity.of("unhealthy", WEB)
        healthy = max(told.time for told in rig.elbv2.transitions if told.health.state == "healthy")
        assert max(history.service[0][0] for history in histories) == pytest.approx(healthy, abs=0.1)
        assert rig.capacity.lowest("unhealthy", WEB, since=ready) < 2

    rig_loop.call(claim())


def test_a_withdrawn_pod_is_out_of_service_though_its_labels_no_longer_name_it(rig: Rig, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        history = await deploy(rig, an_application("withdrawn", is_load_balanced=False))
        began = time.time()
        assert rig.capacity.lowest("withdrawn", WEB, since=began) == 2
        await label(rig, history, app=None)
        await eventually(lambda: not is_in_service(history))
        assert rig.capacity.lowest("withdrawn", WEB, since=began) == 1
        assert history in rig.capacity.of("withdrawn", WEB)
        await rig.ready("withdrawn", "web")
        after = time.time()
        assert rig.capacity.lowest("withdrawn", WEB, since=after) == 2
        assert rig.capacity.lowest("withdrawn", WEB, since=began, until=after) == 1

    rig_loop.call(claim())


def test_a_pod_has_its_moments_in_order(rig: Rig, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        history = await deploy(rig, an_application("ordered"))
        await label(rig, history, app=None)
        await eventually(lambda: history.not_registered is not None)
        await rig.api.delete(f"/api/v1/namespaces/ordered/pods/{history.name}")
        await eventually(lambda: history.gone is not None)
        moments = [history.withdrawn, history.unlisted, history.not_registered, history.terminating, history.gone]
        assert None not in moments
        assert moments == sorted(moment or 0 for moment in moments)
        assert (history.not_registered or 0) - (history.unlisted or 0) == pytest.approx(1, abs=0.3)

    rig_loop.call(claim())


def test_a_pod_that_is_deleted_is_unlisted_and_out_of_service_at_once(rig: Rig, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        history = await deploy(rig, an_application("deleted", is_load_balanced=False))
        deleted = time.time()
        await rig.api.delete(f"/api/v1/namespaces/deleted/pods/{history.name}")
        await eventually(lambda: history.gone is not None and history.unlisted is not None)
        assert not is_in_service(history)
        assert history.service[-1][0] - deleted < 0.5

    rig_loop.call(claim())


def test_what_was_in_flight_at_a_withdrawal_is_kept(rig: Rig, rig_loop: LoopThread) -> None:
    async def claim() -> None:
        history = await deploy(rig, an_application("flying", is_load_balanced=False))
        way = rig.deployed["flying", "web"].through_service
        async with Traffic([way], rate=100) as traffic:
            server = rig.network.server_of(history.uid)
            assert server is not None
            await eventually(lambda: server.in_flight >= 5)
            await label(rig, history)
            await eventually(lambda: history.withdrawn is not None)
            await traffic.stop()
        assert (history.in_flight_at_withdrawal or 0) >= 4

    rig_loop.call(claim())
