"""When a target group is asked, and about what."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.health import REACTION
from kubectl_safe.decide.next import next_actions
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    NOT_REGISTERED,
    NOW,
    a_cluster,
    a_pod,
    a_target,
    ago,
    an_intent,
    arn,
    decide,
    health,
)

POD = a_pod(withdrawn=True)
ONLY = [f"web-{n}" for n in range(2, 7)]


def alone(**changes: Any) -> Snapshot:
    return a_cluster(POD, without=ONLY, **changes)


def due(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds) + REACTION


ROWS = [
    pytest.param(
        alone(target_health={"web-1": health(asked=25)}),
        due(280),
        id="nothing is asked while a target drains, until the delay is nearly over",
    ),
    pytest.param(
        alone(target_health={"web-1": health("draining", asked=5)}, began=ago(20)),
        NOW,
        id="a target that drained before this process began is asked again and again",
    ),
    pytest.param(
        alone(target_health={"web-1": health("draining", asked=5)}), due(280), id="a target seen draining waits as well"
    ),
    pytest.param(
        alone(target_health={"web-1": None}), due(-20), id="a target of which nobody knows anything is asked at once"
    ),
    pytest.param(
        alone(target_health={"web-1": health("unused", NOT_REGISTERED, asked=25)}),
        due(-20),
        id="a target that was never registered is asked at once",
    ),
    pytest.param(
        alone(target_health={"web-1": health("unused", NOT_REGISTERED, asked=5)}),
        NOW + timedelta(seconds=10),
        id="a target that is gone is asked again when that answer gets old",
    ),
    pytest.param(a_cluster(), NOW + timedelta(seconds=14), id="a healthy target is asked again when that gets old"),
    pytest.param(
        a_cluster(a_pod("web-7", gates={GATE: False}, since=ago(2)), target_health={"web-7": None}),
        due(3),
        id="a replacement is asked for when it can be healthy at the earliest",
    ),
    pytest.param(
        a_cluster(a_pod("web-7", ready=False), target_health={"web-7": None}),
        NOW + timedelta(seconds=14),
        id="a replacement that is not up is not asked for",
    ),
]


@pytest.mark.parametrize(("snapshot", "not_before"), ROWS)
def test_asks_no_sooner_than_an_answer_can_be_news(snapshot: Snapshot, not_before: datetime) -> None:
    assert decide(snapshot, "web-1").wishes[arn()].not_before == not_before


def test_asks_about_all_targets_of_a_group_at_once() -> None:
    wish = decide(a_cluster(a_pod("web-7"))).wishes[arn()]
    assert wish.targets == {a_target(f"web-{n}") for n in range(1, 8)}


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(a_cluster(bindings=()), id="a pod behind no load balancer"),
        pytest.param(a_cluster(a_pod(terminating=True), without=ONLY), id="a pod that stops"),
        pytest.param(a_cluster(without=["web-1"]), id="a workload whose planned pods are gone"),
        pytest.param(a_cluster(POD, unseen=frozenset({arn()})), id="a group that can't be asked"),
    ],
)
def test_asks_nothing_for(snapshot: Snapshot) -> None:
    assert not decide(snapshot, "web-1").wishes


def test_asks_nothing_of_others_once_nothing_is_left_to_withdraw() -> None:
    snapshot = a_cluster(POD, a_pod("web-7"), target_health={"web-1": health(asked=25)})
    assert decide(snapshot, "web-1").wishes[arn()].not_before == due(280)


@pytest.mark.parametrize(
    ("pod", "is_given_up", "not_before"),
    [
        pytest.param(a_pod(released=True), True, NOW + timedelta(seconds=1), id="released and given up"),
        pytest.param(a_pod(released=True), False, due(3), id="released"),
        pytest.param(a_pod(), True, due(3), id="given up before it was released"),
    ],
)
def test_asks_as_soon_as_may_be_about_what_may_go_for_a_pod_that_is(
    pod: Pod, is_given_up: bool, not_before: datetime
) -> None:
    replacement = a_pod("web-7", gates={GATE: False}, since=ago(2))
    snapshot = a_cluster(pod, replacement, target_health={"web-7": health("initial", asked=4)})
    intent = replace(an_intent(snapshot, "web-1"), given_up={pod.uid: "stopped"} if is_given_up else {})
    assert next_actions(snapshot, intent).wishes[arn()].not_before == not_before
