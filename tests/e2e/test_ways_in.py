"""Ways into pods that nobody can see closed, on the real control plane: refused before anything is written."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubectl_safe.sandbox.elbv2 import HEALTHY
from kubectl_safe.sandbox.gates import set_gate
from kubectl_safe.sandbox.informer import Object
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.scenario import Scene

pytestmark = pytest.mark.controlplane

GATE = "cloud.google.com/load-balancer-neg-ready"
HTTP = {"name": "http", "port": 80, "targetPort": 8080}
STATISTICS = {"name": "statistics", "port": 8125, "targetPort": 8080, "protocol": "UDP"}


def test_a_service_by_which_nodes_ask_their_own_pods_only(scene: Scene, figures: Figures) -> None:
    scene.deploy("web")
    path = f"/api/v1/namespaces/{scene.namespace}/services/web"
    scene.stage.loop.call(scene.stage.rig.api.patch(path, {"spec": {"internalTrafficPolicy": "Local"}}))
    node = scene.busiest_node()
    # A restart with surge would wait and see where the replacements come to.
    for command in ((*scene.restart(), "--max-surge", "0"), scene.drain(node)):
        refused = scene.stage.safe(*command, check=False)
        assert refused.returncode == 1
        assert f"pod of service {scene.namespace}/web, whose internalTrafficPolicy is Local" in refused.stderr
        assert "answer for it with --allow local-traffic-policy" in refused.stderr
    assert scene.writes() == []
    assert not scene.is_cordoned(node)
    planned = scene.names()
    # The rig's proxies know no such policy: what is lost on nodes without a pod is what the reader answers for.
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart(), "--allow", "local-traffic-policy")
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add("internalTrafficPolicy Local, allowed", str(counted))


def test_a_load_balancer_that_can_not_be_asked(scene: Scene, figures: Figures) -> None:
    with _another_balancer(scene):
        scene.deploy("web", gates=(GATE,))
        planned = scene.names()
        refused = scene.stage.safe(*scene.restart(), check=False)
        assert refused.returncode == 1
        assert f"(readiness gate {GATE}), and does not tell when it has stopped to" in refused.stderr
        assert "--allow unseen-load-balancer --settle 5m" in refused.stderr
        assert scene.writes() == []
        with scene.traffic() as counted:
            scene.stage.safe(*scene.restart(), "--allow", "unseen-load-balancer")
            scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add("a load balancer that can't be asked, allowed", str(counted))


def test_what_a_withdrawal_does_not_close(scene: Scene, figures: Figures) -> None:
    """A slice that somebody keeps, a mesh, and flows of UDP: each is refused by name, and all may be answered for."""
    reasons = ("data-plane", "mesh", "selectorless-service")
    scene.deploy("web", annotations={"linkerd.io/proxy-version": "edge"}, service_spec={"ports": [HTTP, STATISTICS]})
    _keep_in_a_slice(scene)
    planned = scene.names()
    for count in range(len(reasons)):
        refused = scene.stage.safe(*scene.restart(), "--allow", ",".join(["downtime", *reasons[:count]]), check=False)
        assert refused.returncode == 1
        assert [f"Blocked({name})" in refused.stderr for name in reasons] == [at >= count for at in range(len(reasons))]
    assert f"EndpointSlice kept of service {scene.namespace}/kept, which has no selector" in refused.stderr
    assert scene.writes() == []
    with scene.traffic() as counted:
        scene.stage.safe(*scene.restart(), "--allow", ",".join(reasons))
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    assert_nothing_left(scene.stage)
    figures.add("a slice of others, a mesh and UDP, allowed", str(counted))


def _keep_in_a_slice(scene: Scene) -> None:
    """Have somebody keep the pods in a slice of a Service without a selector, which for the rig is none to leave."""
    rig, namespace = scene.stage.rig, scene.namespace
    rig.capacity.governing.add((namespace, "kept"))
    references = [
        {"kind": "Pod", "namespace": namespace, "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        for pod in scene.pods()
    ]
    addresses = [pod["status"]["podIP"] for pod in scene.pods()]
    service = {"metadata": {"name": "kept"}, "spec": {"ports": [HTTP]}}
    kept = {
        "metadata": {"name": "kept", "labels": {"kubernetes.io/service-name": "kept"}},
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080}],
        "endpoints": [
            {"addresses": [address], "targetRef": reference}
            for address, reference in zip(addresses, references, strict=True)
        ],
    }
    for path, body in (
        (f"/api/v1/namespaces/{namespace}/services", service),
        (f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices", kept),
    ):
        scene.stage.loop.call(rig.api.create(path, body))


@contextmanager
def _another_balancer(scene: Scene) -> Iterator[None]:
    """Have somebody set the gate of each pod that runs."""
    rig, tasks = scene.stage.rig, set[asyncio.Task[None]]()

    def told(_: Object | None, pod: Object | None) -> None:
        is_ours = pod is not None and pod["metadata"]["namespace"] == scene.namespace
        if pod is not None and is_ours and pod.get("status", {}).get("podIP"):
            tasks.add(asyncio.get_running_loop().create_task(set_gate(rig.api, pod, GATE, HEALTHY)))

    rig.controller.pods.handlers.append(told)
    try:
        yield
    finally:
        rig.controller.pods.handlers.remove(told)

    async def finish() -> None:
        await asyncio.gather(*tasks)

    scene.stage.loop.call(finish())
