"""When a withdrawn pod may be evicted."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Evict
from kubectl_safe.decide.decision import For, Wait
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetHealth
from tests.support.builders import (
    HASH,
    LABELS,
    NOT_REGISTERED,
    a_binding,
    a_budget,
    a_cluster,
    a_pod,
    a_service,
    ago,
    an_answer,
    an_endpoint,
    arn,
    decide,
    health,
    told,
)

POD = a_pod(withdrawn=True)
TWO_LABELS = a_pod(withdrawn=True, labels={**LABELS, "tier": "front"})
TIER = a_service(selector={"tier": "front"})


def since(*, absent: float | None = 20, withdrawn: float | None = 20) -> dict[str, Any]:
    return {
        "absent_since": {} if absent is None else {POD.uid: ago(absent)},
        "withdrawn_since": {} if withdrawn is None else {POD.uid: ago(withdrawn)},
    }


def gone(asked: float = 1) -> dict[str, Any]:
    return {"target_health": {"web-1": health("unused", NOT_REGISTERED, asked=asked)}}


def in_state(state: str, reason: str = "") -> dict[str, Any]:
    return {"target_health": {"web-1": health(state, reason)}}


def unseen(**overrides: Any) -> Snapshot:
    """Return a cluster whose target group can't be asked, and was never."""
    return a_cluster(POD, target_health={"web-1": None}, unseen=frozenset({arn()}), **overrides)


ROWS = [
    pytest.param(a_cluster(POD), {}, "Evict", id="settled and NotRegistered: evicted"),
    pytest.param(
        a_cluster(POD, endpoints=(an_endpoint(POD, ready=False),)),
        {},
        "wait for endpoints",
        id="a pod that is in a slice, ready or not, is not evicted",
    ),
    pytest.param(a_cluster(POD, **since(absent=14.9)), {}, "wait for settle", id="settle: 15 s of absence by default"),
    pytest.param(a_cluster(POD, **since(absent=15)), {}, "Evict", id="settle ends with its last second"),
    pytest.param(
        a_cluster(POD, **since(withdrawn=14)), {}, "wait for settle", id="absence before the withdrawal does not settle"
    ),
    pytest.param(a_cluster(POD, **since(absent=6)), {"settle": 6}, "Evict", id="--settle goes before the default"),
    pytest.param(
        a_cluster(POD, services=(a_service(is_headless=True),)),
        {},
        "wait for settle",
        id="settle: 30 s where a Service is headless, for clients keep its DNS answers",
    ),
    pytest.param(
        a_cluster(POD, **since(absent=None)), {}, "wait for endpoints", id="absence that was not seen does not count"
    ),
    pytest.param(
        a_cluster(POD, **since(withdrawn=None)),
        {},
        "wait for endpoints",
        id="a withdrawal that this process has not seen does not count",
    ),
    pytest.param(
        a_cluster(POD, **in_state("draining", "Target.DeregistrationInProgress")),
        {},
        "wait for targets",
        id="a draining target holds the eviction",
    ),
    pytest.param(a_cluster(POD, **in_state("healthy")), {}, "wait for targets", id="a registered target holds it"),
    pytest.param(
        a_cluster(POD, **in_state("unused", "Target.NotInUse")),
        {},
        "wait for targets",
        id="`unused` with Target.NotInUse is not gone",
    ),
    pytest.param(a_cluster(POD, target_health={"web-1": None}), {}, "wait for targets", id="an unknown target is not"),
    pytest.param(
        a_cluster(POD, **gone(asked=8), **since(withdrawn=8)),
        {"settle": 0},
        "wait for targets",
        id="NotRegistered only counts when asked after the withdrawal",
    ),
    pytest.param(a_cluster(POD, **gone(asked=19)), {}, "wait for targets", id="NotRegistered only counts while fresh"),
    pytest.param(a_cluster(POD, bindings=()), {}, "Evict", id="without a binding there is no target to wait for"),
    pytest.param(
        a_cluster(POD, answers={"web-1": an_answer(allowed=False, seconds=4.9)}),
        {},
        "wait for budget",
        id="a refusal by a budget is waited out for 5 s",
    ),
    pytest.param(
        a_cluster(POD, answers={"web-1": an_answer(allowed=False, seconds=5)}), {}, "Evict", id="and then asked again"
    ),
    pytest.param(
        a_cluster(POD, answers={"web-1": an_answer(dry_run=False)}),
        {},
        "wait for termination",
        id="an eviction that was accepted is not asked for again",
    ),
    pytest.param(
        unseen(**since(absent=400, withdrawn=299)),
        {"drain_wait": 300},
        "wait for settle",
        id="an unseen group: --drain-wait is waited",
    ),
    pytest.param(
        unseen(**since(absent=400, withdrawn=300)),
        {"drain_wait": 300},
        "Evict",
        id="an unseen group: it counts from the withdrawal that was seen",
    ),
    pytest.param(
        unseen(**since(absent=14)),
        {"drain_wait": 1},
        "wait for settle",
        id="an unseen group: the settle time is waited beside it",
    ),
    pytest.param(unseen(), {}, "wait for targets", id="an unseen group: without --drain-wait nothing tells"),
    pytest.param(
        a_cluster(POD, target_health={"web-1": None}, stale_health={arn(): "AccessDenied"}),
        {"drain_wait": 1},
        "wait for targets",
        id="a group that is denied half-way is waited for",
    ),
    pytest.param(
        a_cluster(
            POD,
            bindings=(a_binding("other", service="web"), a_binding()),
            unseen=frozenset({arn("other")}),
            **in_state("draining"),
        ),
        {"drain_wait": 1},
        "wait for targets",
        id="a seen group is waited for beside an unseen one",
    ),
    pytest.param(
        a_cluster(TWO_LABELS, a_pod("web-7", labels={**LABELS, "tier": "front"}), services=(TIER,)),
        {},
        "Withdraw",
        id="a Service that selects it since then: withdrawn again",
    ),
    pytest.param(
        a_cluster(TWO_LABELS, a_pod("web-7"), services=(TIER,)),
        {},
        "wait for replacement",
        id="but not from a Service that selects no other",
    ),
    pytest.param(
        a_cluster(TWO_LABELS, services=(TIER,)),
        {},
        "wait for replacement",
        id="but not while too few others serve",
    ),
    pytest.param(
        a_cluster(POD, **gone(asked=8), **since(absent=7.9)),
        {"settle": 1},
        "wait for targets",
        id="NotRegistered only counts when asked after the pod had left the slices: it may have come back to them",
    ),
    pytest.param(a_cluster(a_pod(withdrawn=True, ready=False)), {}, "Evict", id="a withdrawn pod that crashed goes on"),
]


@pytest.mark.parametrize(("snapshot", "flags", "expected"), ROWS)
def test_a_pod_is_evicted_once_every_way_to_it_was_seen_closed(
    snapshot: Snapshot, flags: dict[str, float], expected: str
) -> None:
    assert told(decide(snapshot, "web-1", **in_time(flags))) == expected


@pytest.mark.parametrize(
    ("snapshot", "pins"),
    [
        pytest.param(a_cluster(POD), True, id="pinned where no budget selects the pod"),
        pytest.param(
            a_cluster(POD, budgets=(a_budget(),)), True, id="pinned where the withdrawal took it from its budget"
        ),
        pytest.param(
            a_cluster(
                a_pod(withdrawn=True, labels={"app": "web", HASH: "1", "tier": "front"}),
                budgets=(a_budget(selector={"tier": "front"}),),
            ),
            False,
            id="not pinned under a budget, which would be charged for the conflict",
        ),
    ],
)
def test_an_eviction_pins_the_resource_version_only_where_no_budget_selects(snapshot: Snapshot, pins: bool) -> None:
    (evict,) = (action for action in decide(snapshot, "web-1").actions if isinstance(action, Evict))
    assert evict.pins_resource_version is pins


def test_says_how_long_a_target_may_drain() -> None:
    snapshot = a_cluster(POD, **in_state("draining", "Target.DeregistrationInProgress"))
    assert getattr(decide(snapshot, "web-1").decisions[POD.uid], "why", "") == (
        "target 10.244.0.2:8080 in web is draining (Target.DeregistrationInProgress) "
        "(deregistration delay of web: 300s)"
    )


@pytest.mark.parametrize(
    ("known", "fact"),
    [
        pytest.param(None, "was not asked for since the withdrawal", id="that was not asked since"),
        pytest.param(
            health("draining"), "is draining (deregistration delay of web: 300s)", id="that was last seen draining"
        ),
        pytest.param(
            health("unused", NOT_REGISTERED, asked=19), "was gone, but that answer is old", id="that was gone"
        ),
    ],
)
def test_says_why_a_target_is_not_asked_again(known: TargetHealth | None, fact: str) -> None:
    snapshot = a_cluster(POD, target_health={"web-1": known}, stale_health={arn(): "AccessDenied: have it allowed"})
    why = getattr(decide(snapshot, "web-1").decisions[POD.uid], "why", "")
    assert why == f"target 10.244.0.2:8080 in web {fact}: AccessDenied: have it allowed"


def test_says_how_long_an_unseen_target_is_taken_to_drain_and_when_that_ends() -> None:
    decision = decide(unseen(), "web-1", drain_wait=timedelta(minutes=5)).decisions[POD.uid]
    assert decision == Wait(
        on=For.SETTLE,
        why="target group web can't be asked; waiting --drain-wait 5m",
        until=ago(20) + timedelta(minutes=5),
    )


def in_time(flags: dict[str, float]) -> dict[str, timedelta]:
    return {name: timedelta(seconds=seconds) for name, seconds in flags.items()}


def test_a_released_pod_whose_service_went_away_settles_before_it_is_evicted() -> None:
    released = a_pod(released=True)
    gone: dict[str, Any] = {"services": (), "endpoints": (), "bindings": (), "began": ago(60)}
    just_left = a_cluster(released, a_pod("web-7"), absent_since={released.uid: ago(5)}, **gone)
    assert told(decide(just_left)) == "wait for settle"
    long_ago = a_cluster(released, a_pod("web-7"), absent_since={released.uid: ago(15)}, **gone)
    assert told(decide(long_ago)) == "Evict"
    never_in_one = a_cluster(released, a_pod("web-7"), absent_since={released.uid: ago(60)}, **gone)
    assert told(decide(never_in_one)) == "Evict"
