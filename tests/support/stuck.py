"""Applications whose handoff can't be completed, and what must hold of their pods all the same."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.endpoints import condition
from kubectl_safe.sandbox.pod_fault import PodFault, no_fault
from kubectl_safe.sandbox.targetgroupbinding import INJECT_LABEL
from tests.support.loop import eventually
from tests.support.stage import COMMAND_SECONDS, Counted, Stage

RATE = 60.0
"""Requests a second to each application."""

Pods = dict[str, dict[str, Any]]
"""By UID: what must be the same before and after."""


def small(namespace: str, name: str, **changes: Any) -> Application:
    """Return an application of one pod that starts and drains fast; its name is its own on a shared stage."""
    known = Application(
        namespace=namespace,
        name=name,
        replicas=1,
        start_delay=0.3,
        health_interval=0.5,
        deregistration_delay=2.0,
        sigterm="abrupt",
        grace_period=5,
    )
    return replace(known, **changes)


def bring_up(stage: Stage, *applications: Application, progress_deadline: int = 6, gate: str = "") -> None:
    """Deploy applications in a namespace that is there, and wait until they are in service; `gate` is set on each pod.

    `progress_deadline` is in seconds.
    """
    for namespace in {application.namespace for application in applications}:
        stage.kubectl("label", "namespace", namespace, f"{INJECT_LABEL}=enabled", "--overwrite")
    for application in applications:
        stage.loop.call(stage.rig.deploy(application))
        deadline = f'{{"spec":{{"progressDeadlineSeconds":{progress_deadline}}}}}'
        stage.kubectl("patch", "deployment", application.name, "-n", application.namespace, "-p", deadline)
    with gates_set(stage, gate, *applications) if gate else _nothing():
        await_in_service(stage, *applications)


def await_in_service(stage: Stage, *applications: Application) -> None:
    """Wait until all replicas are in service, and no proxy leads to any other pod."""
    for application in applications:
        ready = stage.rig.ready(application.namespace, application.name, within=COMMAND_SECONDS)
        stage.loop.call(ready, seconds=COMMAND_SECONDS)
        stage.wait_until(partial(_leads_to_what_is, stage, application), what="what the proxy knows")


@contextmanager
def traffic_to(stage: Stage, *applications: Application) -> Iterator[Counted]:
    """Send requests to these applications over every way in; none is lost."""
    ways = [way.name for way in stage.ways() if way.host in {application.name for application in applications}]
    with stage.traffic(rate=RATE * len(applications), ways=ways) as counted:
        yield counted
    assert counted.losses == (), f"{counted}: {counted.losses[:3]}"


@contextmanager
def gates_set(stage: Stage, gate: str, *applications: Application) -> Iterator[None]:
    """Set a readiness gate on every pod of these applications meanwhile, as its controller would."""
    setting = stage.loop.spawn(_set_gates(stage, gate, applications))
    try:
        yield
    finally:
        setting.cancel()


async def _set_gates(stage: Stage, gate: str, applications: Sequence[Application]) -> None:
    names = {application.name for application in applications}

    async def never() -> bool:
        for pod in stage.rig.controller.pods.of(applications[0].namespace):
            if pod["metadata"]["labels"].get("app") in names and condition(pod, gate) is None:
                path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
                body = {"status": {"conditions": [{"type": gate, "status": "True"}]}}
                await stage.rig.api.patch(path, body)
        return False

    await eventually(never, seconds=COMMAND_SECONDS, every=0.1)


@contextmanager
def faults(stage: Stage, by_application: dict[str, PodFault]) -> Iterator[None]:
    """Have something wrong with all pods that are created for these applications (by name) meanwhile."""
    stage.rig.nodes.fault = lambda pod: by_application.get(pod["metadata"]["labels"].get("app"))
    try:
        yield
    finally:
        stage.rig.nodes.fault = no_fault


def as_they_are(stage: Stage, *applications: Application) -> Pods:
    """Return what identifies the pods of applications, and all that a handoff changes of one."""
    found: Pods = {}
    for application in applications:
        path = f"/api/v1/namespaces/{application.namespace}/pods"
        listed = stage.loop.call(stage.rig.api.get(path, labelSelector=f"app={application.name}"))
        for pod in listed["items"]:
            known = pod["metadata"]
            if "deletionTimestamp" not in known:
                kept = ("name", "labels", "annotations", "ownerReferences")
                found[known["uid"]] = {key: known.get(key) for key in kept}
    return found


def assert_never_left_service(stage: Stage, pods: Pods) -> None:
    """Pods came into service once, and were neither withdrawn nor deleted since."""
    for uid, pod in pods.items():
        history = stage.rig.capacity.pods[uid]
        assert [is_in_service for _, is_in_service in history.service] == [True], pod["name"]
        assert (history.withdrawn, history.terminating) == (None, None), pod["name"]


def _leads_to_what_is(stage: Stage, application: Application) -> bool:
    proxy = stage.rig.deployed[application.namespace, application.name].proxy
    known = {endpoint["targetRef"]["uid"] for endpoint, _ in proxy.ready()}
    pods = stage.rig.controller.pods.of(application.namespace)
    return known == {p["metadata"]["uid"] for p in pods if p["metadata"]["labels"].get("app") == application.name}


@contextmanager
def _nothing() -> Iterator[None]:
    yield
