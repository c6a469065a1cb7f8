"""Load balancers and other clusters that can't be asked when they stop to send requests are refused by name."""

from typing import Any

import pytest

from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.network import Network
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_cluster,
    a_pod,
    a_service,
    an_endpoint,
    an_intent,
)

NEG = "cloud.google.com/load-balancer-neg-ready"
LATTICE = "application-networking.k8s.aws/pod-readiness-gate"
ALLOWED = frozenset({"unseen-load-balancer"})
GROUP = "a Google Cloud network endpoint group"
EXPORTED = Network(exported=frozenset({("shop", "web")}))


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return the reasons for which a plan of these pods is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent(snapshot, *names, **flags), snapshot)]


def behind(gate: str) -> Snapshot:
    """Return a cluster whose first pod has a readiness gate of another load balancer."""
    return a_cluster(a_pod("web-1", gates={GATE: True, gate: True}))


@pytest.mark.parametrize(
    ("gate", "balancer"),
    [
        pytest.param(NEG, GROUP, id="NEG"),
        pytest.param(LATTICE, "Amazon VPC Lattice", id="Lattice"),
    ],
)
def test_a_load_balancer_that_can_not_be_asked(gate: str, balancer: str) -> None:
    why = (
        f"unseen-load-balancer: {balancer} sends requests to the pods of deployment shop/web (readiness gate {gate}), "
        "and does not tell when it has stopped to: answer for it, with a time that it takes, by "
        "--allow unseen-load-balancer --settle 5m"
    )
    assert told(behind(gate), "web-1", "web-2") == [why]
    assert told(behind(gate), "web-1", allow=ALLOWED) == []
    assert told(behind(gate), "web-2") == []
    assert told(behind("example.com/warm"), "web-1") == []
    for gone in ({"withdrawn": True}, {"terminating": True}, {"phase": "Succeeded"}):
        assert told(a_cluster(a_pod("web-1", gates={gate: True}, **gone)), "web-1") == []


FIRST = a_pod("web-1")


@pytest.mark.parametrize(
    ("snapshot", "who"),
    [
        pytest.param(
            a_cluster(services=(a_service(is_in_endpoint_group=True),)),
            f"{GROUP} sends requests to the pods of deployment shop/web (by annotations of service shop/web)",
            id="a Service with endpoint groups",
        ),
        pytest.param(
            a_cluster(network=EXPORTED),
            "another cluster sends requests to the pods of deployment shop/web (serviceexport shop/web)",
            id="an exported Service",
        ),
        pytest.param(
            a_cluster(
                services=(), endpoints=(an_endpoint(FIRST, "", slice="export", manager="lighthouse", is_exported=True),)
            ),
            "another cluster sends requests to the pods of deployment shop/web "
            "(endpointslice shop/export of a Multi-Cluster Service)",
            id="a slice of a Multi-Cluster Service",
        ),
    ],
)
def test_who_sends_requests_to_pods_and_can_not_be_asked(snapshot: Snapshot, who: str) -> None:
    [refused] = told(snapshot)
    assert refused.startswith(f"unseen-load-balancer: {who}, and does not tell when it has stopped to: ")
    assert told(snapshot, allow=ALLOWED) == []


def test_exports_that_may_not_be_listed_may_be_of_any_service() -> None:
    network = Network(unlisted_exports="serviceexports is forbidden")
    [refused] = told(a_cluster(network=network), "web-1")
    assert refused == (
        "unseen-load-balancer: other clusters may send requests to the pods of deployment shop/web, as ServiceExports "
        "can't be listed: serviceexports is forbidden; have that allowed, or answer for it by "
        "--allow unseen-load-balancer --settle 5m"
    )
    assert told(a_cluster(network=network), "web-1", allow=ALLOWED) == []
    assert told(a_cluster(network=network, services=()), "web-1") == []


def test_an_exported_service_of_another_name_is_none_of_ours() -> None:
    for elsewhere in (("shop", "api"), ("other", "web")):
        assert told(a_cluster(network=Network(exported=frozenset({elsewhere}))), "web-1") == []


def test_a_pod_that_nobody_replaces_is_told_by_its_name() -> None:
    bare = a_pod("web-9", gates={NEG: True}, owners=())
    [refused] = told(a_cluster(bare, replica_sets={}), "web-9")
    assert refused.startswith(f"unseen-load-balancer: {GROUP} sends requests to pod shop/web-9 (readiness gate ")
