"""The rig as a whole: what it hands to a command, and how it ends."""

import asyncio
import os
import subprocess
import sys

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig, RigSettings
from tests.support.loop import LoopThread, eventually

pytestmark = pytest.mark.controlplane

ASKS_AWS = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"


class ActorError(Exception):
    """What an actor fails with here."""


async def fails() -> None:
    raise ActorError("an actor fails")


def test_an_actor_that_fails_ends_whatever_uses_the_rig_with_its_error(
    control_plane: ControlPlane, loop: LoopThread
) -> None:
    async def use_with_a_failing_actor() -> None:
        async with Rig(control_plane) as rig:
            rig._begin(fails())
            await asyncio.sleep(30)

    async def claim() -> None:
        with pytest.raises(ExceptionGroup) as raised:
            await use_with_a_failing_actor()
        assert raised.group_contains(ActorError)
        # The cancellation that brought it here is used up: a timeout around this would work on.
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    loop.call(claim(), seconds=20)


def test_an_actor_that_fails_is_told_to_who_left_the_rig_running(control_plane: ControlPlane, loop: LoopThread) -> None:
    told: list[ExceptionGroup[Exception]] = []

    def use_with_a_failing_actor() -> None:
        with loop.entered(Rig(control_plane)) as rig:
            loop.call(fail(rig))
            try:
                rig.check()
            except ExceptionGroup as error:
                told.append(error)

    async def fail(rig: Rig) -> None:
        rig._begin(fails())
        assert rig._host is not None
        await asyncio.wait([rig._host])

    with pytest.raises(ExceptionGroup) as raised:
        use_with_a_failing_actor()
    assert raised.group_contains(ActorError)
    assert len(told) == 1


def test_a_command_sees_this_cluster_and_this_account_and_no_other(
    control_plane: ControlPlane, loop: LoopThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "elsewhere")
    with loop.entered(Rig(control_plane)) as rig:
        application = Application(namespace="seen", name="web", replicas=1, is_load_balanced=True, start_delay=0)
        deployed = loop.call(rig.deploy(application))
        loop.call(rig.ready("seen", "web"))
        environment = rig.environment()
        kubectl = [str(control_plane.binaries / "kubectl"), "get", "targetgroupbindings", "-n", "seen", "-o", "name"]
        listed = subprocess.run(kubectl, env=environment, capture_output=True, text=True, check=True, timeout=60)
        assert listed.stdout == "targetgroupbinding.elbv2.k8s.aws/web\n"
        asked = subprocess.run(
            [sys.executable, "-c", ASKS_AWS], env=environment, capture_output=True, text=True, check=True, timeout=60
        )
        assert deployed.group is not None
        assert asked.stdout.strip() in deployed.group.arn
    assert "AWS_PROFILE" not in environment
    assert os.environ["AWS_PROFILE"] == "elsewhere"


def test_all_actors_outlive_a_restart_of_the_api_server(control_plane: ControlPlane, loop: LoopThread) -> None:
    application = Application(
        namespace="outliving", name="web", replicas=2, is_load_balanced=True, start_delay=0, deregistration_delay=1
    )
    path = "/apis/apps/v1/namespaces/outliving/deployments/web"

    async def claim(rig: Rig) -> None:
        await rig.deploy(application)
        await rig.ready("outliving", "web")
        reviews = rig.webhook.reviews
        first = {pod["metadata"]["name"] for pod in rig.controller.pods.of("outliving")}
        await control_plane.restart("kube-apiserver", down=1)
        rig.check()
        template = {"metadata": {"annotations": {"restarted": "yes"}}}
        await rig.api.patch(path, {"spec": {"template": template}})
        # Both nodes, controller, webhook, target group and proxy have a part in what follows.
        await eventually(
            lambda: first.isdisjoint(pod["metadata"]["name"] for pod in rig.controller.pods.of("outliving")),
            seconds=60,
            what="the end of the first pods",
        )
        await rig.ready("outliving", "web")
        assert rig.webhook.reviews > reviews

    with loop.entered(Rig(control_plane, RigSettings(gate_poll=0.5, lag=(0.0, 0.1)))) as rig:
        loop.call(claim(rig), seconds=120)
