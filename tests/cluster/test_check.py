"""`check` on the embedded control plane: what is read of pods, autoscalers and target groups, and found in it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.applications import pod_disruption_budget
from kubectl_safe.sandbox.cluster.controlplane import EmbeddedControlPlane
from kubectl_safe.sandbox.elbv2 import HEALTHY, Registration, Target
from kubectl_safe.sandbox.rig import Rig
from tests.support.loop import LoopThread
from tests.support.stage import USERS, Stage, web

ONE_MORE = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
AUTOSCALERS = "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"
AUTOSCALER = {
    "apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler",
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 2,
        "maxReplicas": 6,
    },
}


@pytest.fixture
def stage(loop: LoopThread) -> Iterator[Stage]:
    control_plane = EmbeddedControlPlane(users=USERS)
    with loop.entered(control_plane), loop.entered(Rig(control_plane)) as rig:
        yield Stage(loop=loop, rig=rig)


def create(stage: Stage, path: str, its: dict[str, Any]) -> None:
    stage.loop.call(stage.rig.api.create(path, its))


def deploy(stage: Stage, application: Application) -> None:
    stage.deploy(application)
    path = f"/apis/policy/v1/namespaces/{application.namespace}/poddisruptionbudgets"
    create(stage, path, pod_disruption_budget(application, maxUnavailable=1))


def codes(stage: Stage) -> dict[str, str]:
    """Return what is found, by code."""
    told = stage.safe("check", "-n", "shop", "-o", "json", check=False).stdout
    return {its["code"]: f"{its['object']['kind']}/{its['object']['name']}" for its in json.loads(told)["findings"]}


def test_a_good_set_up_and_what_becomes_bad_of_it(stage: Stage) -> None:
    deploy(stage, web(start_delay=0.1, pre_stop=10, strategy=ONE_MORE))
    binding = "targetgroupbinding.elbv2.k8s.aws/web"
    assert codes(stage) == {
        "controller-missing": binding,
        "webhook-missing": "mutatingwebhookconfiguration/aws-load-balancer-webhook",
    }
    stage.loop.call(stage.rig.show_webhook())
    assert codes(stage) == {}
    group = stage.rig.deployed["shop", "web"].group
    assert group is not None
    group.interval, group.unhealthy_threshold = 20, 3
    group.deregistration_delay, group.protocol_version, group.is_behind = 0, "GRPC", False
    group.attributes |= {"slow_start.duration_seconds": "60", "stickiness.enabled": "true"}
    group.targets[Target("10.9.9.9", 8080)] = Registration(health=HEALTHY)
    create(stage, AUTOSCALERS, AUTOSCALER)
    status = {"status": {"currentReplicas": 6, "desiredReplicas": 6}}
    stage.loop.call(stage.rig.api.patch(f"{AUTOSCALERS}/web/status", status, kind="merge-patch"))
    assert codes(stage) == {
        "deregistration-delay-zero": binding,
        "group-without-balancer": binding,
        "health-check-slow": binding,
        "slow-start": binding,
        "stickiness": binding,
        "target-without-pod": binding,
        "long-lived-connections": "deployment.apps/web",
        "autoscaler-at-maximum": "horizontalpodautoscaler.autoscaling/web",
    }
