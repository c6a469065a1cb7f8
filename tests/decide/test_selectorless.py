"""EndpointSlices that no label takes a pod out of are refused by name, and not waited for where that is allowed."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.decision import Wait
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.selectorless import slices_to_bear
from kubectl_safe.model.service import Endpoint
from kubectl_safe.model.snapshot import Snapshot
from tests.support import builders
from tests.support.builders import (
    NOT_REGISTERED,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    an_endpoint,
    an_intent,
    an_owner,
    decide,
    health,
    uid,
)

ALLOWED = frozenset({"selectorless-service"})
FIRST = a_pod("web-1")
BARE = a_service("master", selector={})
REMEDY = (
    ", and no label takes it out: have whoever keeps that slice take the pod out, or answer for it with "
    "--allow selectorless-service"
)


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return the reasons for which a plan of these pods is not begun, each with its text."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent(snapshot, *names, **flags), snapshot)]


def listing(*places: Endpoint, **changes: Any) -> Snapshot:
    """Return a cluster in which a pod is in further slices; `master` is a Service without a selector."""
    snapshot = a_cluster(**{"services": (a_service(), BARE), **changes})
    return replace(snapshot, endpoints=(*snapshot.endpoints, *places))


@pytest.mark.parametrize(
    ("place", "where"),
    [
        pytest.param(
            an_endpoint(FIRST, "master"),
            "EndpointSlice master-x7k2p of service shop/master, which has no selector",
            id="a Service without a selector",
        ),
        pytest.param(
            an_endpoint(FIRST, "", slice="mine", manager="patroni"),
            "EndpointSlice mine, of no service, which patroni keeps",
            id="a slice of no Service",
        ),
        pytest.param(
            an_endpoint(FIRST, "gone", slice="mine", manager=""),
            "EndpointSlice mine, of no service, which somebody keeps",
            id="a slice of a Service that isn't there, and of nobody",
        ),
        pytest.param(
            an_endpoint(FIRST, "web", slice="mine", manager="patroni"),
            "EndpointSlice mine of service shop/web, which patroni keeps",
            id="a slice beside those of a Service with a selector",
        ),
    ],
)
def test_a_pod_in_a_slice_that_it_can_not_be_taken_out_of(place: Endpoint, where: str) -> None:
    snapshot = listing(place)
    assert told(snapshot) == [f"selectorless-service: pod shop/web-1 is in {where}{REMEDY}"]
    assert told(snapshot, "web-2") == []
    assert told(snapshot, allow=ALLOWED) == []


def test_one_pod_of_each_such_slice_is_told() -> None:
    places = [an_endpoint(a_pod(f"web-{n}"), "master", slice=its) for n in (1, 2) for its in ("one", "two")]
    assert [its.partition(" is in ")[0] for its in told(listing(*places))] == [
        "selectorless-service: pod shop/web-1",
        "selectorless-service: pod shop/web-1",
    ]


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(an_endpoint(FIRST, "gone"), id="of a Service that was just deleted: its controller takes it away"),
        pytest.param(an_endpoint(FIRST, "web", slice="web-2"), id="of a Service that selects it"),
    ],
)
def test_a_slice_that_its_controller_takes_a_pod_out_of(place: Endpoint) -> None:
    assert told(listing(place)) == []


def test_a_slice_of_a_multi_cluster_service_follows_that_of_the_service() -> None:
    exported = an_endpoint(FIRST, "", slice="export", manager="lighthouse", is_exported=True)
    assert [its.partition(":")[0] for its in told(listing(exported))] == ["unseen-load-balancer"]
    assert slices_to_bear(an_intent(listing(exported), allow=ALLOWED), listing(exported)) == frozenset()


def test_the_governing_service_of_a_stateful_set_is_not_left_anyway() -> None:
    database = a_deployment(kind="StatefulSet", governing_service="master")
    pod = a_pod("web-1", controller=replace(an_owner("StatefulSet", "web"), uid=database.uid))
    snapshot = listing(an_endpoint(pod, "master"), pods={pod.uid: pod}, workloads={database.uid: database})
    assert [its for its in told(snapshot, "web-1") if its.startswith("selectorless")] == []


def test_only_slices_that_list_a_planned_pod_are_borne_and_only_where_that_is_allowed() -> None:
    snapshot = listing(an_endpoint(FIRST, "master"), an_endpoint(a_pod("web-2"), "master", slice="other"))
    assert slices_to_bear(an_intent(snapshot, "web-1", allow=ALLOWED), snapshot) == {("shop", "master-x7k2p")}
    assert slices_to_bear(an_intent(snapshot, "web-1"), snapshot) == frozenset()


GONE = a_pod("web-1", withdrawn=True)
LEFT: dict[str, Any] = {"target_health": {"web-1": health("unused", NOT_REGISTERED)}}


def withdrawn(*places: Endpoint, **changes: Any) -> Snapshot:
    """Return a cluster in which a withdrawn pod is still in slices."""
    snapshot = a_cluster(GONE, services=(a_service(), BARE), **LEFT)
    return replace(snapshot, endpoints=(*snapshot.endpoints, *places), **changes)


def test_a_withdrawn_pod_is_waited_for_to_leave_every_slice_but_those_that_are_borne() -> None:
    kept, late = an_endpoint(GONE, "master"), an_endpoint(GONE, "master", slice="late")
    borne = frozenset({("shop", "master-x7k2p")})
    assert builders.told(decide(withdrawn(kept), "web-1")) == "wait for endpoints"
    assert builders.told(decide(withdrawn(kept, kept_slices=borne), "web-1")) == "Evict"
    assert builders.told(decide(withdrawn(kept, late, kept_slices=borne), "web-1")) == "wait for endpoints"
    elsewhere = frozenset({("other", "master-x7k2p")})
    assert builders.told(decide(withdrawn(kept, kept_slices=elsewhere), "web-1")) == "wait for endpoints"


@pytest.mark.parametrize(
    ("place", "where"),
    [
        (an_endpoint(GONE, "web"), "EndpointSlice web-x7k2p"),
        (an_endpoint(GONE, "master"), "EndpointSlice master-x7k2p of service shop/master, which has no selector"),
    ],
    ids=["a slice that it is about to leave", "one that appeared meanwhile"],
)
def test_the_wait_names_the_slice_and_who_has_to_act(place: Endpoint, where: str) -> None:
    decision = decide(withdrawn(place), "web-1").decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert decision.why == f"pod shop/web-1 is still in {where}"


def test_whether_a_pod_is_in_service_is_not_for_the_slices_of_others_to_say() -> None:
    pods = [a_pod(f"web-{n}") for n in range(2, 7)]
    snapshot = listing(*(an_endpoint(pod, "master", ready=False) for pod in pods))
    outcome = decide(snapshot, "web-1", allow=ALLOWED)
    assert builders.told(outcome) == "Release"
    assert outcome.in_service == {uid("web"): 6}
