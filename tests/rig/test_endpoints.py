"""Which pods belong in a target group."""

from typing import Any

import pytest

from kubectl_safe.sandbox.elbv2 import Target
from kubectl_safe.sandbox.endpoints import Resolution, resolve, service_port

GATE = "target-health.elbv2.k8s.aws/web"
HTTP = {"name": "http", "port": 80}
TARGET = Target("10.244.0.2", 8080)


def resolved(
    *,
    ready: bool | None = True,
    terminating: bool = False,
    containers_ready: str = "True",
    node: str = "True",
    gates: tuple[str, ...] = (GATE,),
    port: str = "http",
    is_known: bool = True,
) -> Resolution:
    listed: dict[str, Any] = {
        "addresses": [TARGET.id],
        "conditions": {"ready": ready, "terminating": terminating},
        "targetRef": {"kind": "Pod", "name": "web-1"},
    }
    pod = {
        "spec": {"nodeName": "node-a", "readinessGates": [{"conditionType": gate} for gate in gates]},
        "status": {"conditions": [{"type": "ContainersReady", "status": containers_ready}]},
    }
    listing = {
        "metadata": {"namespace": "default"},
        "ports": [{"name": port, "port": TARGET.port}],
        "endpoints": [listed],
    }
    nodes = {("", "node-a"): {"status": {"conditions": [{"type": "Ready", "status": node}]}}}
    pods = {("default", "web-1"): pod} if is_known else {}
    return resolve(HTTP, [listing], pods, nodes, gate=GATE)


@pytest.mark.parametrize(
    ("facts", "belongs"),
    [
        pytest.param({}, True, id="an endpoint that is ready"),
        pytest.param({"ready": False}, True, id="a pod that only its gates keep from being ready"),
        pytest.param({"ready": False, "gates": (GATE, "other")}, True, id="whichever gate that is"),
        pytest.param({"ready": False, "containers_ready": "False"}, False, id="not one whose containers are not"),
        pytest.param({"ready": False, "terminating": True}, False, id="not one that terminates"),
        pytest.param(
            {"containers_ready": "False", "terminating": True}, True, id="any that publishNotReadyAddresses lists"
        ),
        pytest.param({"ready": False, "node": "False"}, False, id="not one on a node that is not ready"),
        pytest.param({"ready": False, "node": "Unknown"}, True, id="one on a silent node where there is none better"),
        pytest.param({"port": "metrics"}, False, id="not by another port of the Service"),
        pytest.param({"is_known": False}, False, id="not before its pod is in the cache"),
    ],
)
def test_a_pod_belongs_in_the_target_group(facts: dict[str, Any], belongs: bool) -> None:
    assert list(resolved(**facts).endpoints) == ([TARGET] if belongs else [])


@pytest.mark.parametrize(
    ("facts", "may_grow"),
    [
        pytest.param({"ready": False, "containers_ready": "False"}, True, id="with its gate"),
        pytest.param({"ready": False, "containers_ready": "False", "gates": ()}, False, id="not without"),
        pytest.param({"is_known": False}, True, id="or when it is not in the cache yet"),
        pytest.param({}, False, id="nor when it belongs there already"),
    ],
)
def test_a_pod_that_is_not_ready_is_polled_for(facts: dict[str, Any], may_grow: bool) -> None:
    assert resolved(**facts).may_grow == may_grow


@pytest.mark.parametrize("wanted", [80, "http"])
def test_a_port_is_found_by_number_and_by_name(wanted: int | str) -> None:
    assert service_port({"spec": {"ports": [{"name": "metrics", "port": 9090}, HTTP]}}, wanted) == HTTP
