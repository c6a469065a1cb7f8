"""From when on a withdrawn pod settles, until when, and what is noted on one that is withdrawn again."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Withdraw
from kubectl_safe.decide.decision import Act, For, Wait
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.withdrawal import evict_when_out
from kubectl_safe.model.marks import HANDOFF, WITHDRAWN, Handoff
from kubectl_safe.model.target import Target, TargetHealth
from tests.support.builders import (
    HASH,
    LABELS,
    NOT_REGISTERED,
    a_binding,
    a_cluster,
    a_pod,
    a_service,
    a_target,
    ago,
    arn,
    decide,
    health,
    in_words,
    ip_of,
    uid,
)

POD = a_pod(withdrawn=True)
FREE: dict[str, Any] = {"services": (), "endpoints": ()}


def of_web_1(snapshot: Any, **flags: Any) -> Any:
    return decide(snapshot, "web-1", **flags).decisions[uid("web-1")]


def test_a_pod_settles_from_the_later_of_withdrawal_and_absence_on() -> None:
    later: list[dict[str, Any]] = [{"absent_since": {POD.uid: ago(4)}}, {"withdrawn_since": {POD.uid: ago(4)}}]
    for since in later:
        assert of_web_1(a_cluster(POD, **since)) == Wait(
            on=For.SETTLE,
            why="pod shop/web-1 left every EndpointSlice; settling for 15s",
            until=ago(4) + timedelta(seconds=15),
        )


def test_a_pod_that_was_in_no_slice_when_it_was_first_looked_at_need_not_settle() -> None:
    released = a_pod(released=True)
    for began, expected in ((ago(5), "Evict"), (ago(6), "wait for settle"), (None, "wait for settle")):
        snapshot = a_cluster(
            released, a_pod("web-7"), bindings=(), began=began, absent_since={released.uid: ago(5)}, **FREE
        )
        assert in_words(of_web_1(snapshot)) == expected


AGAIN = a_pod(withdrawn=True, in_service=5, labels={**LABELS, "tier": "front"})
BY_ANOTHER = replace(
    a_pod("web-1", labels={"app": "web", "tier": "front", WITHDRAWN: "", HASH: LABELS[HASH]}), annotations={}
)


@pytest.mark.parametrize(("pod", "noted"), [(AGAIN, 5), (BY_ANOTHER, 0)], ids=["by us", "by nobody knows whom"])
def test_a_pod_that_was_withdrawn_and_is_selected_again_keeps_what_it_noted(pod: Any, noted: int) -> None:
    front = a_service("front", selector={"tier": "front"})
    other = a_pod("web-7", labels={**LABELS, "tier": "front"})
    decision = of_web_1(a_cluster(pod, other, without=["web-6"], services=(front,)))
    assert isinstance(decision, Act)
    assert isinstance(decision.action, Withdraw)
    assert (decision.action.drop, decision.action.in_service) == (frozenset({"tier"}), noted)


NOTED = Handoff(dropped={HASH: LABELS[HASH]}, in_service=6, targets=(f"{arn()}=8080",)).dumps()


def test_a_pod_whose_label_was_taken_off_again_is_held_to_the_withdrawal_that_was_seen() -> None:
    pod = a_pod(released=True, annotations={HANDOFF: NOTED})
    for asked, expected in ((5, "wait for targets"), (4, "Evict")):
        snapshot = a_cluster(
            pod,
            bindings=(),
            health={a_target(): health("unused", NOT_REGISTERED, asked=asked)},
            withdrawn_since={pod.uid: ago(5)},
            **FREE,
        )
        assert in_words(evict_when_out(pod, snapshot, Settings())) == expected


def gone(asked: float) -> TargetHealth:
    return health("unused", NOT_REGISTERED, asked=asked)


def test_an_answer_that_a_target_is_gone_counts_for_as_long_as_it_may_be_old() -> None:
    for asked, expected in ((15, "Evict"), (15.1, "wait for targets")):
        assert in_words(of_web_1(a_cluster(POD, target_health={"web-1": gone(asked)}))) == expected


def test_every_target_of_a_pod_has_to_be_gone() -> None:
    first = Target(group=arn("first"), ip=ip_of("web-1"), port=8080)
    bindings = (a_binding("first", service="web"), a_binding())
    snapshot = a_cluster(POD, bindings=bindings, health={first: gone(1), a_target(): health("draining")})
    assert in_words(of_web_1(snapshot)) == "wait for targets"
    unseen = replace(snapshot, unseen=frozenset({arn("first")}))
    assert in_words(of_web_1(unseen, drain_wait=timedelta(seconds=1))) == "wait for targets"


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("draining", "is draining"),
        ("healthy", "is still healthy: the load balancer controller has not deregistered it yet"),
        ("unhealthy", "is still unhealthy: the load balancer controller has not deregistered it yet"),
        ("initial", "is still initial: the load balancer controller has not deregistered it yet"),
        ("unused", "is unused"),
    ],
)
def test_a_target_that_is_not_gone_says_what_it_is(state: str, why: str) -> None:
    snapshot = a_cluster(POD, groups={}, target_health={"web-1": health(state)})
    assert of_web_1(snapshot) == Wait(on=For.TARGETS, why=f"target 10.244.0.2:8080 in web {why}")
