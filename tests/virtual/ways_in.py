"""Ways into pods that a withdrawal alone does not close: what somebody arranges, and what has to hold of them."""

from collections import Counter
from itertools import accumulate
from typing import Any

from kubectl_safe.sandbox.application import POD_PORT, Application
from kubectl_safe.sandbox.elbv2 import HEALTHY
from kubectl_safe.sandbox.ways_in import ELSEWHERE
from tests.support.virtual.aws import CALLER
from tests.support.virtual.stage import VirtualStage
from tests.virtual.acts import Expected
from tests.virtual.scenario import NAMESPACE, Scenario

SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{NAMESPACE}/endpointslices"


def keep_in_slices(stage: VirtualStage, scenario: Scenario) -> None:
    """Have somebody keep the pods of applications in a slice of a Service without a selector, whatever becomes of them.

    By the account of the rig it is none that a pod leaves.
    """
    for name in scenario.kept:
        kept = f"{name}-kept"
        stage.rig.capacity.governing.add((NAMESPACE, kept))
        ports = [{"name": "http", "port": 80, "targetPort": POD_PORT}]
        for path, body in ((SERVICES, {"spec": {"ports": ports}}), (SLICES, _slice_of(name, stage))):
            stage.loop.finish(stage.rig.api.create(path, {"metadata": {"name": kept}, **body}))


def _slice_of(name: str, stage: VirtualStage) -> dict[str, Any]:
    pods = [pod for pod in stage.rig.controller.pods.of(NAMESPACE) if pod["metadata"]["labels"].get("app") == name]
    return {
        "metadata": {
            "name": f"{name}-kept",
            "labels": {
                "kubernetes.io/service-name": f"{name}-kept",
                "endpointslice.kubernetes.io/managed-by": "keeper",
            },
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": POD_PORT, "protocol": "TCP"}],
        "endpoints": [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": True},
                "targetRef": {
                    "kind": "Pod",
                    "namespace": NAMESPACE,
                    "name": pod["metadata"]["name"],
                    "uid": pod["metadata"]["uid"],
                },
            }
            for pod in pods
        ],
    }


def assert_other_clusters_kept_their_targets(stage: VirtualStage, scenario: Scenario) -> None:
    """I11 for groups that are shared: what another cluster has there is healthy at the end, and was never asked for."""
    shared = [b for app in scenario.applications if app.is_load_balanced for b in app.balanced if b.is_shared]
    targets = [target for group in stage.rig.elbv2.groups.values() for target in group.targets.items()]
    kept = [target for target, its in targets if target.id == ELSEWHERE and its.health == HEALTHY]
    assert len(kept) == len(shared), f"I11: of another cluster's targets in {len(shared)} groups {kept} were left"
    ours = [call for call in stage.rig.elbv2.journal if call.caller == CALLER]
    asked = [call for call in ours if any(target.id == ELSEWHERE for target in call.targets)]
    assert not asked, f"I11: another cluster's target was asked for: {asked[0]}"


def assert_each_node_kept_a_pod(stage: VirtualStage, scenario: Scenario, began: float, expected: Expected) -> None:
    """I1 for each node, of Services by which it asks its own pods only; but for what others take away."""
    if expected.takes != 0:
        return
    for app in scenario.applications:
        if app.service_spec.get("internalTrafficPolicy") == "Local":
            for node in scenario.nodes:
                lowest = _lowest_on(node, app, stage, began)
                assert lowest != 0, f"I1: {node} was left without a pod of {app.name}"


def _lowest_on(node: str, app: Application, stage: VirtualStage, began: float) -> int | None:
    """Return the lowest number of pods in service on a node since a moment; None where none was there then."""
    changes: Counter[float] = Counter()
    for pod in stage.rig.capacity.of(NAMESPACE, app.labels):
        for at, serves in pod.service if pod.node == node else ():
            changes[max(at, began)] += 1 if serves else -1
    counts = list(accumulate(changes[at] for at in sorted(changes)))
    return min(counts) if counts and min(changes) == began and counts[0] else None
