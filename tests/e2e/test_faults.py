"""Faults in the middle of a run: it waits as long as they last, loses nothing, and completes by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubectl_safe.sandbox.elbv2 import no_fault
from kubectl_safe.sandbox.elbv2_faults import expired_token, refusing
from kubectl_safe.sandbox.rig import ACCESS_KEY
from kubectl_safe.sandbox.targets import CALLER as CONTROLLER
from tests.support.background import Background
from tests.support.claims import assert_nothing_left
from tests.support.cuts import CutProxy
from tests.support.figures import Figures
from tests.support.scenario import Scene
from tests.support.stage import USER

pytestmark = pytest.mark.controlplane

DOWN_SECONDS = 2.0
EXPIRED_SECONDS = 8.0
THROTTLED_SECONDS = 20.0
WATCHES = 5
"""Of pods, ReplicaSets, Deployments, Services and EndpointSlices, and there are more."""
CONTROLLER_SECONDS = 30.0


def test_the_api_server_is_restarted_while_a_pod_is_withdrawn(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=1)
    with _completed(scene, scene.restart("web"), figures, "the API server restarted"):
        scene.when(scene.withdrawn, what="the withdrawal")
        scene.stage.loop.call(scene.stage.rig.control_plane.restart("kube-apiserver", down=DOWN_SECONDS))


def test_the_watches_are_cut_again_and_again(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=1)
    control_plane = scene.stage.rig.control_plane
    with scene.stage.loop.entered(CutProxy(control_plane.url)) as proxy:
        kubeconfig = str(proxy.kubeconfig(control_plane.kubeconfig_for(USER)))
        command = (*scene.restart("web"), "--kubeconfig", kubeconfig)
        with _completed(scene, command, figures, "all connections cut three times"):
            for moment in (scene.released, scene.withdrawn, scene.stopping):
                scene.when(moment, what=moment.__name__)
                scene.stage.loop.call(proxy.cut())
        assert min(proxy.was_cut) >= WATCHES


def test_the_credentials_for_aws_run_out_half_way_and_are_renewed(scene: Scene, figures: Figures) -> None:
    scene.deploy("web", replicas=1, is_load_balanced=True)
    elbv2 = scene.stage.rig.elbv2
    with _completed(scene, scene.restart("web"), figures, f"AWS credentials expired for {EXPIRED_SECONDS:g} s"):
        scene.when(scene.withdrawn, what="the withdrawal")
        began = time.time()
        elbv2.fault = refusing(expired_token, caller=ACCESS_KEY, until=began + EXPIRED_SECONDS)
        scene.stage.wait_until(lambda: bool(scene.evicted()), what="the eviction")
    elbv2.fault = no_fault
    refused = [call for call in elbv2.journal if call.time >= began and call.error == "ExpiredToken"]
    assert refused
    [eviction] = scene.evictions()
    assert eviction.at >= began + EXPIRED_SECONDS, "nobody could tell that its target was gone"


def test_aws_throttles_everybody(scene: Scene, figures: Figures) -> None:
    """The controller too can neither register the replacement nor deregister the old pod."""
    scene.deploy("web", replicas=1, is_load_balanced=True)
    elbv2 = scene.stage.rig.elbv2
    with _completed(scene, scene.restart("web"), figures, f"AWS throttled for {THROTTLED_SECONDS:g} s"):
        scene.when(scene.released, what="the release")
        began = time.time()
        elbv2.throttled_until = began + THROTTLED_SECONDS
    throttled = {call.caller for call in elbv2.journal if call.time >= began and call.error == "Throttling"}
    assert throttled == {ACCESS_KEY, CONTROLLER}
    [eviction] = scene.evictions()
    assert eviction.at >= began + THROTTLED_SECONDS


def test_the_load_balancer_controller_is_down(scene: Scene, figures: Figures) -> None:
    """Pods that come meanwhile have no gate: only the target group tells that they don't serve yet."""
    scene.deploy("web", replicas=1, is_load_balanced=True)
    node = scene.busiest_node()
    with _completed(scene, scene.drain(node), figures, f"controller down for {CONTROLLER_SECONDS:g} s"):
        scene.when(lambda: scene.is_cordoned(node), what="the cordon")
        began = time.time()
        scene.stage.loop.call(scene.stage.rig.stop_controller(CONTROLLER_SECONDS))
    [eviction] = scene.evictions()
    assert eviction.at >= began + CONTROLLER_SECONDS


@contextmanager
def _completed(scene: Scene, command: tuple[str, ...], figures: Figures, what: str) -> Iterator[Background]:
    """Run a command under traffic; after what happens meanwhile it completes by itself, and leaves nothing."""
    planned = scene.names()
    began = time.time()
    with scene.traffic() as counted, scene.stage.safe_in_background(*command) as process:
        yield process
        assert process.wait() == 0, process.stderr
        scene.await_full_strength()
    scene.assert_handed_over(planned, counted)
    figures.add(what, f"completed after {time.time() - began:.0f} s; {counted}")
    assert_nothing_left(scene.stage)
