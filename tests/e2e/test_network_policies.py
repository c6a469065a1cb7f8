"""Network policies, on the real control plane: refused before anything is written, avoided where another label does.

The rig enforces none: what is claimed is which labels are taken, and that nothing is lost by that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.networkpolicies import (
    CILIUM_POLICIES,
    DEFINITIONS,
    NETWORK_POLICIES,
    a_cilium_policy,
    a_network_policy,
    cilium_definition,
    letting_in,
)
from tests.support.scenario import Scene

pytestmark = pytest.mark.controlplane

ALLOW = "let its Services select it by a label that no policy looks at, or answer for it with --allow policy-change"


def test_policies_that_look_at_the_labels_of_pods(scene: Scene, figures: Figures) -> None:
    selector = {"app": "web", "tier": "front"}
    scene.deploy("web", pod_labels={"tier": "front"}, service_spec={"selector": selector})
    node = scene.busiest_node()
    with _there(scene, NETWORK_POLICIES, a_network_policy("db", ingress=letting_in("app", tier="front"))):
        for command in (scene.restart(), scene.drain(node)):
            _assert_refused(scene, command, f"networkpolicy {scene.namespace}/db looks at label app of pod")
        planned = scene.names()
        with scene.traffic() as counted:
            scene.stage.safe(*scene.restart(), "--allow", "policy-change")
            scene.await_full_strength()
        scene.assert_handed_over(planned, counted)
        figures.add("a network policy, allowed", str(counted))
    with _there(scene, NETWORK_POLICIES, a_network_policy("db", ingress=letting_in(app="web"))):
        new = scene.names()
        with scene.traffic() as counted:
            scene.stage.safe(*scene.restart())
            scene.await_full_strength()
        scene.assert_handed_over(planned + new, counted)
    figures.add("a network policy, avoided by another label", str(counted))
    taken = {key for write in scene.writes() if write.name in new for key in _taken_off(write.body)}
    assert taken == {"pod-template-hash", "tier"}
    assert_nothing_left(scene.stage)


def test_policies_of_another_kind(scene: Scene) -> None:
    scene.deploy("web")
    scene.stage.loop.call(scene.stage.rig.api.create(DEFINITIONS, cilium_definition()))
    scene.stage.kubectl("wait", "--for=condition=Established", "crd/ciliumnetworkpolicies.cilium.io")
    with _there(scene, CILIUM_POLICIES, a_cilium_policy("db", "app")):
        _assert_refused(scene, scene.restart(), f"ciliumnetworkpolicies.cilium.io {scene.namespace}/db looks at label")
    # Cilium itself is one more thing to answer for: it leads requests to pods of Services, too.
    refused = scene.stage.safe(*scene.restart(), "--dry-run=server", check=False)
    assert "Blocked(data-plane)" in refused.stderr
    assert "Blocked(policy-change)" not in refused.stderr
    scene.stage.safe(*scene.restart(), "--dry-run=server", "--allow", "data-plane")
    scene.stage.kubectl("delete", "crd", "ciliumnetworkpolicies.cilium.io")


def _assert_refused(scene: Scene, command: tuple[str, ...], why: str) -> None:
    refused = scene.stage.safe(*command, check=False)
    assert refused.returncode == 1
    assert f"Blocked(policy-change): {why}" in refused.stderr
    assert ALLOW in refused.stderr
    assert scene.writes() == []


@contextmanager
def _there(scene: Scene, path: str, policy: dict[str, Any]) -> Iterator[None]:
    api, path = scene.stage.rig.api, path.format(scene.namespace)
    scene.stage.loop.call(api.create(path, policy))
    yield
    scene.stage.loop.call(api.delete(f"{path}/{policy['metadata']['name']}"))


def _taken_off(body: dict[str, Any]) -> set[str]:
    labels = body.get("metadata", {}).get("labels") or {}
    return {key for key, value in labels.items() if value is None}
