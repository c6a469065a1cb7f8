"""From when on an answer about one target can be news."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.health import wishes, wishes_to_watch
from kubectl_safe.model.pod import Condition, Pod
from kubectl_safe.model.target import Target, TargetHealth
from tests.support.builders import (
    GATE,
    NOT_REGISTERED,
    NOW,
    a_binding,
    a_cluster,
    a_pod,
    a_target,
    ago,
    arn,
    health,
    ip_of,
    uid,
)

REACTION = timedelta(seconds=0.3)
NAMES = [f"web-{n}" for n in range(1, 7)]
GONE = health("unused", NOT_REGISTERED, asked=20)


def when(pod: Pod, **overrides: Any) -> datetime:
    """Return when to ask about the only pod there is."""
    snapshot = a_cluster(pod, without=[name for name in NAMES if name != pod.name], **overrides)
    return wishes([pod], confirms=True, snapshot=snapshot)[arn()].not_before


def told(state: str, asked: float = 1) -> dict[str, Any]:
    return {"target_health": {"web-1": health(state, asked=asked)}}


def ready(since: datetime | None) -> Pod:
    """Return a pod whose containers are ready since then."""
    return a_pod(gates={GATE: False}, conditions={"ContainersReady": Condition(is_true=True, since=since)})


LEAVING = [
    pytest.param({"target_health": {"web-1": GONE}}, ago(20) + REACTION, id="at once, gone before it was withdrawn"),
    pytest.param(
        {"target_health": {"web-1": health("unused", NOT_REGISTERED, asked=19)}},
        ago(4),
        id="again, once the answer that it is gone gets old",
    ),
    pytest.param(
        {"target_health": {"web-1": health("unused", "Target.NotInUse")}}, ago(20) + REACTION, id="at once, not in use"
    ),
    pytest.param({**told("draining"), "groups": {}}, ago(20) + REACTION, id="at once, where its delay is not known"),
    pytest.param(told("draining"), NOW + timedelta(seconds=280) + REACTION, id="after its delay"),
    pytest.param(
        {**told("draining"), "withdrawn_since": {}}, NOW + timedelta(seconds=300) + REACTION, id="from now on"
    ),
    pytest.param(
        {**told("draining"), "began": ago(20)}, NOW + timedelta(seconds=4), id="all 5 s, withdrawn by another"
    ),
]


@pytest.mark.parametrize(("overrides", "expected"), LEAVING)
def test_a_target_that_leaves_is_asked_for(overrides: dict[str, Any], expected: datetime) -> None:
    assert when(a_pod(withdrawn=True), **overrides) == expected


COMING = [
    pytest.param(ready(ago(9)), told("initial"), ago(4) + REACTION, id="after two health checks"),
    pytest.param(ready(ago(9)), {**told("initial"), "groups": {}}, ago(9) + REACTION, id="at once, of checks unknown"),
    pytest.param(
        ready(None), told("initial"), NOW + timedelta(seconds=5) + REACTION, id="ready nobody knows since when"
    ),
    pytest.param(
        ready(ago(9)),
        {**told("initial"), "ready_since": {uid("web-1"): ago(8.5)}},
        ago(3.5) + REACTION,
        id="as it was seen, which is more exact",
    ),
    pytest.param(
        ready(ago(9)), told("healthy", asked=3), NOW + timedelta(seconds=12), id="healthy: when that gets old"
    ),
]


@pytest.mark.parametrize(("pod", "overrides", "expected"), COMING)
def test_a_target_that_comes_is_asked_for(pod: Pod, overrides: dict[str, Any], expected: datetime) -> None:
    assert when(pod, **overrides) == expected


TWO: dict[str, Any] = {"bindings": (a_binding("first", service="web"), a_binding())}


def in_first(name: str) -> Target:
    return Target(group=arn("first"), ip=ip_of(name), port=8080)


def test_a_group_that_can_not_be_asked_does_not_keep_others_from_being_asked() -> None:
    snapshot = a_cluster(**TWO, unseen=frozenset({arn("first")}))
    assert wishes(snapshot.pods.values(), confirms=True, snapshot=snapshot).keys() == {arn()}


def test_a_pod_that_stops_is_asked_about_with_the_others_in_all_its_groups() -> None:
    pods = [a_pod(terminating=True), a_pod("web-2", withdrawn=True)]
    snapshot = a_cluster(*pods, without=NAMES[2:], **TWO)
    found = wishes(pods, confirms=False, snapshot=snapshot)
    assert {group: wish.targets for group, wish in found.items()} == {
        arn("first"): {in_first("web-1"), in_first("web-2")},
        arn(): {a_target("web-1"), a_target("web-2")},
    }


def test_the_latest_answer_of_a_group_bars_the_next_question() -> None:
    pods = [a_pod(withdrawn=True), a_pod("web-2", withdrawn=True), a_pod("web-3", withdrawn=True)]
    since = {uid("web-1"): ago(300), uid("web-2"): ago(293), uid("web-3"): ago(200)}
    asked = {name: health("draining", asked=seconds) for name, seconds in (("web-1", 2), ("web-2", 60), ("web-3", 60))}
    snapshot = a_cluster(*pods, without=NAMES[3:], withdrawn_since=since, target_health=asked)
    wish = wishes(pods, confirms=False, snapshot=snapshot)[arn()]
    assert wish.not_before == NOW + timedelta(seconds=7) + REACTION, "no question before 3 s from now"


def test_who_takes_a_release_back_asks_about_all_that_is_not_ready_yet_at_once() -> None:
    replacement = a_pod("web-7", gates={GATE: False})
    for known, due in ((None, NOW), (health("initial", asked=2), NOW + timedelta(seconds=3))):
        snapshot = a_cluster(replacement, without=NAMES, target_health={"web-7": known})
        found = wishes([replacement], confirms=True, undoes=True, snapshot=snapshot)[arn()]
        assert found.targets == {a_target("web-7")}
        assert found.not_before == due


@pytest.mark.parametrize(
    ("pod", "health_of_it", "seconds"),
    [
        pytest.param(a_pod(), health(asked=3), 7, id="a healthy one stays so for long"),
        pytest.param(a_pod(), health("initial", asked=3), 2, id="one that is to become healthy may be so any time"),
        pytest.param(a_pod(terminating=True), health("draining", asked=3), 7, id="one that drains does so for long"),
        pytest.param(a_pod(terminating=True), health(asked=3), 2, id="one of a pod on its way out may drain any time"),
        pytest.param(a_pod(withdrawn=True), health(asked=3), 2, id="or of a withdrawn one"),
        pytest.param(a_pod(), None, 0, id="one that nobody knows of is asked for now"),
    ],
)
def test_who_looks_on_asks_again_soon_where_something_may_change(
    pod: Pod, health_of_it: TargetHealth | None, seconds: float
) -> None:
    snapshot = a_cluster(pod, target_health={"web-1": health_of_it, "web-2": health(asked=3)})
    wanted = wishes_to_watch([a_target("web-1"), a_target("web-2")], snapshot)
    [wish] = wanted.values()
    assert wish.targets == {a_target("web-1"), a_target("web-2")}
    assert wish.not_before == ago(-seconds)


def test_who_looks_on_asks_for_the_target_of_a_pod_that_is_gone_soon_unless_it_drains() -> None:
    for state, seconds in (("healthy", 2), ("draining", 7)):
        snapshot = a_cluster(health={a_target("web-9"): health(state, asked=3)})
        assert wishes_to_watch([a_target("web-9")], snapshot)[arn()].not_before == ago(-seconds)


def test_who_looks_on_asks_no_group_that_can_not_be_asked() -> None:
    by_name = Target(group="web", ip="10.0.0.1", port=80)
    unseen = a_cluster(unseen=frozenset({arn()}))
    assert wishes_to_watch([by_name, a_target("web-1")], unseen) == {}
    assert wishes_to_watch([by_name, a_target("web-1")], a_cluster()).keys() == {arn()}
