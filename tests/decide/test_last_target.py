"""A target group keeps a healthy target: which one counts as the one that stays, and which one needs none to go."""

from datetime import datetime
from typing import Any

import pytest

from kubectl_safe.decide.group_floor import group_below_floor
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from tests.support.builders import (
    GATE,
    LONG_AGO,
    a_binding,
    a_cluster,
    a_pod,
    a_target,
    ago,
    arn,
    decide,
    health,
    ip_of,
    uid,
)

NO_OTHERS = [f"web-{n}" for n in range(3, 7)]


def two(other: Pod | None = None, *, mine: Pod | None = None, **overrides: Any) -> Snapshot:
    """Return a cluster of the pod that is to go, and another."""
    return a_cluster(mine or a_pod(released=True), other or a_pod("web-2"), without=NO_OTHERS, **overrides)


def told(mine: str = "healthy", other: str = "healthy", asked: float = 1) -> dict[str, Any]:
    return {"target_health": {"web-1": health(mine), "web-2": health(other, asked=asked)}}


def alone(mine: Pod, **overrides: Any) -> Snapshot:
    return a_cluster(mine, without=["web-2", *NO_OTHERS], **overrides)


def unseen(*, mine: bool, other: bool, since: datetime = LONG_AGO) -> Snapshot:
    """Return a cluster whose target group can't be asked, and these gates."""
    return two(
        a_pod("web-2", gates={GATE: other}),
        mine=a_pod(released=True, gates={GATE: mine}, since=since),
        target_health={"web-1": None, "web-2": None},
        unseen=frozenset({arn()}),
    )


ROWS = [
    pytest.param(two(**told()), True, id="another is healthy"),
    pytest.param(two(**told(other="initial")), False, id="another is not healthy yet"),
    pytest.param(two(**told(asked=16)), False, id="another was healthy by an old answer"),
    pytest.param(two(target_health={"web-2": None}), False, id="another was not asked for"),
    pytest.param(two(a_pod("web-2", withdrawn=True), **told()), False, id="another is healthy, and withdrawn"),
    pytest.param(two(a_pod("web-2", terminating=True), **told()), False, id="another is healthy, and terminates"),
    pytest.param(two(a_pod("web-2", ready=False), **told()), False, id="another is healthy, its containers are not"),
    pytest.param(alone(a_pod(released=True)), False, id="it is the last"),
    pytest.param(alone(a_pod(released=True), target_health={"web-1": health("unhealthy")}), True, id="unhealthy"),
    pytest.param(
        alone(a_pod(released=True), target_health={"web-1": health("unavailable")}),
        False,
        id="it is the last, and AWS can't tell of its health",
    ),
    pytest.param(
        alone(a_pod(released=True), target_health={"web-1": None}),
        False,
        id="it is the last, and was not asked for",
    ),
    pytest.param(
        alone(a_pod(released=True), target_health={"web-1": health("unhealthy", asked=16)}),
        False,
        id="it is the last, and was unhealthy by an old answer",
    ),
    pytest.param(alone(a_pod(released=True, ready=False)), True, id="its containers are not ready"),
    pytest.param(alone(a_pod(released=True), bindings=()), True, id="it is in no group"),
    pytest.param(unseen(mine=True, other=True), True, id="an unseen group: another's gate is True"),
    pytest.param(unseen(mine=True, other=False), False, id="an unseen group: another's gate is False"),
    pytest.param(unseen(mine=False, other=False), True, id="an unseen group: its own has long been False"),
    pytest.param(unseen(mine=False, other=False, since=ago(30)), False, id="an unseen group: its own was True"),
    pytest.param(unseen(mine=True, other=False, since=ago(40)), False, id="an unseen group: its own is True"),
]


@pytest.mark.parametrize(("snapshot", "may_go"), ROWS)
def test_a_target_may_go_where(snapshot: Snapshot, may_go: bool) -> None:
    missing = group_below_floor(snapshot.pods[uid("web-1")], leaving=set(), snapshot=snapshot)
    assert missing == ("" if may_go else "target group web would be left without a healthy target")


def test_a_pod_that_is_unhealthy_in_one_group_may_be_the_last_one_of_another() -> None:
    pod, first = a_pod(released=True), Target(group=arn("first"), ip=ip_of("web-1"), port=8080)
    bindings = (a_binding("first", service="web"), a_binding())
    snapshot = alone(pod, bindings=bindings, health={first: health("unhealthy"), a_target(): health()})
    assert "target group web " in group_below_floor(pod, leaving=set(), snapshot=snapshot)


def test_a_gate_that_nobody_has_set_denies_nothing() -> None:
    pod = a_pod(released=True, gates={GATE: True}, conditions={"ContainersReady": Condition(is_true=True)})
    snapshot = alone(pod, target_health={"web-1": None}, unseen=frozenset({arn()}))
    assert group_below_floor(pod, leaving=set(), snapshot=snapshot)


MISSING = [
    pytest.param(
        a_cluster(a_pod(released=True), a_pod("web-7", ready=False), target_health={"web-2": None}),
        "target 10.244.0.3:8080 in web has no fresh health yet",
        id="of one that can't be told, before one that is not ready",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), a_pod("web-6", terminating=True)),
        "its replacement is not created yet",
        id="not of one that terminates",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), a_pod("web-6", withdrawn=True)),
        "its replacement is not created yet",
        id="nor of one that is withdrawn",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, ready=False, since=ago(5))),
        "its replacement is not created yet",
        id="nor of the pod itself",
    ),
    pytest.param(
        a_cluster(
            a_pod(released=True),
            *(a_pod(f"web-{n}", ready=False, since=ago(since)) for n, since in ((4, 40), (5, 20), (6, 20), (3, 30))),
        ),
        "pod shop/web-6 is not ready: Running",
        id="of the newest, and the last by name of several",
    ),
]


@pytest.mark.parametrize(("snapshot", "why"), MISSING)
def test_what_is_missing_is_told(snapshot: Snapshot, why: str) -> None:
    told = getattr(decide(snapshot, "web-1").decisions[uid("web-1")], "why", "")
    assert told.endswith(f" other pods of deployment shop/web are in service: {why}")


def test_a_target_that_leaves_is_not_one_that_stays() -> None:
    snapshot = two(**told())
    assert group_below_floor(snapshot.pods[uid("web-1")], leaving={uid("web-2")}, snapshot=snapshot)


def test_a_gate_since_nobody_knows_when_denies_nothing() -> None:
    pod = a_pod(released=True, conditions={GATE: Condition(is_true=False), "ContainersReady": Condition(is_true=True)})
    snapshot = alone(pod, target_health={"web-1": None}, unseen=frozenset({arn()}))
    assert group_below_floor(pod, leaving=set(), snapshot=snapshot)
