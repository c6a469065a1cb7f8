"""How many healthy targets a group keeps, and each of its zones where cross-zone load balancing is off."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.decide.group_floor import group_below_floor
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_service,
    an_endpoint,
    an_intent,
    arn,
    decide,
    health,
    uid,
)

ALLOWED = frozenset({"zone-empty"})


def keeping(pods: int, told: Mapping[str, Any] | None = None, **settings: Any) -> Snapshot:
    """Return a cluster with so many pods, the first of which is released, in a group with these settings."""
    return a_cluster(
        a_pod(released=True),
        without=[f"web-{n}" for n in range(pods + 1, 7)],
        groups={arn(): replace(a_group(), **settings)},
        target_health=told,
    )


def missing(snapshot: Snapshot, **options: Any) -> str:
    return group_below_floor(snapshot.pods[uid("web-1")], leaving=set(), snapshot=snapshot, **options)


NOT_YET = {"web-3": health("initial")}

MINIMUM = [
    pytest.param(keeping(2), "", id="one, where nothing is said"),
    pytest.param(keeping(3, minimum_count=2), "", id="two of two others are healthy"),
    pytest.param(keeping(3, NOT_YET, minimum_count=2), "1 of the 2", id="one of two others is healthy yet"),
    pytest.param(keeping(4, NOT_YET, minimum_percentage=100), "2 of the 3", id="all that stay"),
    pytest.param(keeping(4, NOT_YET, minimum_percentage=60), "", id="60% of three are two, rounded up, and there are"),
    pytest.param(keeping(4, NOT_YET, minimum_percentage=67), "2 of the 3", id="67% of three are three, rounded up"),
    pytest.param(keeping(3, minimum_count=9), "", id="it was not met before: one is enough"),
    pytest.param(keeping(3, NOT_YET, minimum_count=9), "", id="it was not met before: that one is healthy"),
    pytest.param(keeping(3, {"web-3": None}, minimum_count=3), "1 of the 3", id="it may have been met before"),
    pytest.param(
        keeping(2, {"web-2": health("initial")}, minimum_count=9),
        "without a healthy target",
        id="it was not met before, and nobody is left",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), MINIMUM)
def test_a_group_keeps_its_minimum_of_healthy_targets(snapshot: Snapshot, expected: str) -> None:
    if not expected:
        assert missing(snapshot) == ""
        return
    assert expected in missing(snapshot)
    decision = decide(snapshot, "web-1").decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert decision.on is For.REPLACEMENT


def test_what_is_to_be_kept_is_told() -> None:
    assert missing(keeping(3, NOT_YET, minimum_count=2)) == (
        "target group web would be left with 1 of the 2 healthy targets that it is to keep (minimum_healthy_targets)"
    )


def zoned(*zones: str, is_zonal: bool = True, first: Any = None, **changes: Any) -> Snapshot:
    """Return a cluster with a pod in each of these zones."""
    pods = [a_pod(f"web-{n}") for n in range(1, len(zones) + 1)]
    pods[0] = first or pods[0]
    endpoints = tuple(replace(an_endpoint(pod), zone=zone) for pod, zone in zip(pods, zones, strict=True))
    return a_cluster(
        *pods,
        without=[f"web-{n}" for n in range(len(zones) + 1, 7)],
        **{"groups": {arn(): replace(a_group(), is_zonal=is_zonal)}, "endpoints": endpoints} | changes,
    )


RELEASED = a_pod(released=True)
REMEDY = "; have another one there, or answer for it with --allow zone-empty"

ZONES = [
    pytest.param(zoned("a", "a", first=RELEASED), "", id="another one is in its zone"),
    pytest.param(zoned("a", "b", first=RELEASED), " in zone a", id="others are in another zone"),
    pytest.param(zoned("a", "b", first=RELEASED, is_zonal=False), "", id="cross-zone load balancing is on"),
    pytest.param(zoned("a", "b", first=RELEASED, groups={}), "", id="settings are not known"),
    pytest.param(zoned("", "", first=RELEASED), "", id="zones are told of none: all are in one"),
    pytest.param(zoned("a", "", first=RELEASED), " in zone a", id="the other's is not told"),
    pytest.param(zoned("", "a", first=RELEASED), " in a zone that its EndpointSlices don't tell", id="its own is not"),
    pytest.param(
        zoned("a", "a", first=RELEASED, health={}), " in zone a", id="another one is there, and nobody knows if healthy"
    ),
]


@pytest.mark.parametrize(("snapshot", "where"), ZONES)
def test_a_zone_keeps_a_healthy_target(snapshot: Snapshot, where: str) -> None:
    left = f"target group web would be left without a healthy target{where}{REMEDY}"
    assert missing(snapshot) == (left if where else "")


def test_a_zone_keeps_the_minimum_of_its_group() -> None:
    groups = {arn(): replace(a_group(), is_zonal=True, minimum_count=2)}
    snapshot = zoned("a", "a", "b", first=RELEASED, groups=groups)
    assert missing(snapshot) == (
        "target group web would be left with 1 of the 2 healthy targets that it is to keep in zone a "
        f"(minimum_healthy_targets){REMEDY}"
    )


def test_a_zone_may_be_left_empty_where_the_reader_answers_for_it() -> None:
    assert missing(zoned("a", "b", first=RELEASED), allow=ALLOWED) == ""
    assert missing(zoned("a", first=RELEASED), allow=ALLOWED) == (
        "target group web would be left without a healthy target"
    )


def test_the_last_target_of_a_zone_waits_as_for_its_replacement() -> None:
    workloads = {uid("web"): a_deployment(replicas=1)}
    snapshot = zoned("a", "b", first=RELEASED, workloads=workloads)
    decision = decide(snapshot, "web-1").decisions[uid("web-1")]
    assert isinstance(decision, Wait)
    assert (decision.on, decision.why) == (
        For.REPLACEMENT,
        f"target group web would be left without a healthy target in zone a{REMEDY}",
    )
    allowed = decide(snapshot, "web-1", allow=ALLOWED).decisions[uid("web-1")]
    assert "in zone a" not in getattr(allowed, "why", "")


def test_a_pod_that_has_long_been_out_of_service_leaves_no_zone_empty_either() -> None:
    snapshot = zoned("a", "b", first=a_pod(released=True, gates={"target-health.elbv2.k8s.aws/web": False}))
    assert "in zone a" in getattr(decide(snapshot, "web-1").decisions[uid("web-1")], "why", "")


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    flags = {"max_surge": 0, "max_unavailable": 1} | flags
    found = blockers(an_intent(snapshot, *names, **flags), snapshot)
    return [f"{its.reason}: {its.why}" for its in found if its.reason == "zone-empty"]


WHY = (
    "zone-empty: pod shop/web-1 is the only target of group web in zone a, and goes before another comes: what is sent "
    "there goes to targets there alone, as cross-zone load balancing is off; turn that on, have a second pod there, or "
    "answer for it with --allow zone-empty"
)
INSEPARABLE = (a_service(), a_service("hashed", selector={"pod-template-hash": "5d4f8c7b9"}))


@pytest.mark.parametrize(
    ("snapshot", "flags", "is_refused"),
    [
        pytest.param(zoned("a", "b", "b"), {}, True, id="withdraw-first"),
        pytest.param(zoned("a", "b", "b"), {"allow": ALLOWED}, False, id="the reader answers for it"),
        pytest.param(zoned("a", "b", "b"), {"allow": frozenset({"downtime"})}, False, id="or for more than that"),
        pytest.param(zoned("a", "b", "b"), {"max_surge": 1}, False, id="its replacement comes first"),
        pytest.param(
            zoned("a", "b", "b", services=INSEPARABLE), {"max_surge": 1}, True, id="nor where no label separates them"
        ),
        pytest.param(zoned("a", "a", "b"), {}, False, id="another one is there"),
        pytest.param(
            zoned("a", "a", "b", first=a_pod(withdrawn=True)), {}, False, id="it is withdrawn already: too late"
        ),
        pytest.param(zoned("a", "b", "b", is_zonal=False), {}, False, id="cross-zone load balancing is on"),
        pytest.param(zoned("a", "b", first=a_pod(ready=False)), {}, False, id="it gets nothing: it is not ready"),
        pytest.param(
            zoned("a", "b", workloads={uid("web"): a_deployment(replicas=0)}), {}, False, id="scaled to nothing"
        ),
    ],
)
def test_the_only_target_of_a_zone_does_not_go_first(
    snapshot: Snapshot, flags: dict[str, Any], is_refused: bool
) -> None:
    assert told(snapshot, "web-1", **flags) == ([WHY] if is_refused else [])


def test_a_zone_with_another_target_that_is_about_to_be_gone_counts_as_empty() -> None:
    snapshot = zoned("a", "a", "b")
    pods = {**snapshot.pods, uid("web-2"): replace(a_pod("web-2"), is_terminating=True)}
    assert told(replace(snapshot, pods=pods), "web-1") == [WHY]


def test_each_zone_is_told_once() -> None:
    assert len(told(zoned("a", "b", "c"))) == 3
    assert len(told(zoned("a", "b", "b"), "web-2", "web-3")) == 0
