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
