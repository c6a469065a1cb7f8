"""Pods of a service mesh, whose clients learn of endpoints from its control plane, are refused by name."""

from typing import Any

from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_cluster, a_pod, a_service, an_intent


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return the reasons for which a plan of these pods is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent(snapshot, *names, **flags), snapshot)]


MESHED = a_cluster(a_pod("web-1", mesh="Istio"), a_pod("web-2", mesh="Istio"), bindings=())


def test_a_pod_in_a_mesh_and_in_a_service_is_refused_once_a_mesh() -> None:
    [refused] = told(MESHED)
    assert refused == (
        "mesh: pod shop/web-1 is in a mesh (Istio), whose control plane tells the clients of "
        "service shop/web of its endpoints, and what its own proxy lets in goes by its labels: answer for it, with a "
        "time that the mesh takes to tell all of them, by --allow mesh --settle 1m"
    )
    assert told(MESHED, allow=frozenset({"mesh"})) == []


def test_what_is_not_planned_or_has_left_already_may_be_in_a_mesh() -> None:
    assert told(MESHED, "web-3") == []
    gone = a_cluster(a_pod("web-1", mesh="Istio", withdrawn=True), bindings=())
    assert told(gone, "web-1") == []


def test_a_pod_in_a_mesh_that_no_service_leads_to_has_nothing_to_leave() -> None:
    assert told(a_cluster(a_pod("web-1", mesh="Linkerd"), services=(a_service("other"),), bindings=())) == []
