"""What a recorder keeps of the snapshots that it is shown."""

import tracemalloc
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import TargetHealth
from kubectl_safe.render.recorder import MOST_LEVELS, MOST_MARKS, Recorder
from kubectl_safe.render.timeline import Health, Phase, PodLine, Timeline, Traffic
from kubectl_safe.render.track import MOST_CHANGES
from tests.support.builders import (
    NOT_REGISTERED,
    NOW,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    an_endpoint,
    an_intent,
    health,
    uid,
)

DRAINING = health("draining")
GONE = health("unused", NOT_REGISTERED)


def at(seconds: float) -> datetime:
    """Return an instant after NOW."""
    return NOW + timedelta(seconds=seconds)


def look(seconds: float, *pods: Pod, **changes: Any) -> Snapshot:
    """Return the cluster some seconds later."""
    return a_cluster(*pods, at=at(seconds), **changes)


def recorded(*snapshots: Snapshot, planned: Iterable[str] = ("web-1",), ended: float = 10) -> Timeline:
    """Return the timeline of these looks."""
    recorder = Recorder(title="kubectl safe drain node-1")
    recorder.follow(an_intent(snapshots[0], *planned).pods)
    for snapshot in snapshots:
        recorder.look(snapshot)
    return recorder.timeline(at(ended))


def line(timeline: Timeline, name: str = "web-1") -> PodLine:
    """Return the row of a pod."""
    return next(pod for pod in timeline.pods if pod.name == name)


def story(pod: PodLine) -> list[tuple[Any, float, float]]:
    """Return the phases of a pod with the seconds from which and to which each held."""
    return [(i.state, (i.since - NOW).total_seconds(), (i.until - NOW).total_seconds()) for i in pod.phases]


STARTING = a_pod("web-7", ready=False)
WAITING_FOR_GATE = a_pod("web-7", gates={"target-health.elbv2.k8s.aws/web": False})
PHASES = [
    pytest.param(a_pod(), {}, Phase.SERVING, id="in service"),
    pytest.param(a_pod(released=True), {}, Phase.RELEASED, id="released and in service"),
    pytest.param(a_pod(ready=False), {}, Phase.FAILING, id="not ready after it was in service"),
    pytest.param(a_pod(ready=False, released=True), {}, Phase.FAILING, id="released and not ready any more"),
    pytest.param(a_pod(withdrawn=True), {}, Phase.WITHDRAWN, id="withdrawn"),
    pytest.param(a_pod(terminating=True), {}, Phase.CUT_OFF, id="terminating while in service"),
    pytest.param(
        a_pod(), {"target_health": {"web-1": health("unhealthy")}}, Phase.FAILING, id="unhealthy in its target group"
    ),
    pytest.param(a_pod(), {"target_health": {"web-1": None}}, Phase.SERVING, id="unknown is what was seen last"),
    pytest.param(
        a_pod(terminating=True), {"services": ()}, Phase.STOPPING, id="terminating, and no Service ever led to it"
    ),
]


@pytest.mark.parametrize(("pod", "changes", "phase"), PHASES)
def test_a_pod_in_service_is_then_shown_as(pod: Pod, changes: dict[str, Any], phase: Phase) -> None:
    timeline = recorded(look(0), look(4, pod, **changes))
    if phase is Phase.SERVING:
        assert story(line(timeline)) == [(Phase.SERVING, 0, 10)]
    else:
        assert story(line(timeline)) == [(Phase.SERVING, 0, 4), (phase, 4, 10)]


def test_a_whole_handoff_has_each_of_its_steps() -> None:
    timeline = recorded(
        look(0),
        look(1, a_pod(released=True)),
        look(3, a_pod(withdrawn=True), target_health={"web-1": DRAINING}),
        look(6, a_pod(withdrawn=True), target_health={"web-1": GONE}),
        look(8, a_pod(withdrawn=True, terminating=True)),
        look(9, without=["web-1"]),
    )
    pod = line(timeline)
    assert story(pod) == [
        (Phase.SERVING, 0, 1),
        (Phase.RELEASED, 1, 3),
        (Phase.WITHDRAWN, 3, 8),
        (Phase.STOPPING, 8, 9),
    ]
    assert pod.gone == at(9)
    assert [(s.since, s.until) for s in pod.listed] == [(at(0), at(3))]
    assert [(i.state, i.since, i.until) for i in pod.targets] == [
        (Health.HEALTHY, at(0), at(3)),
        (Health.DRAINING, at(3), at(6)),
    ]
    assert timeline.moved == 1


def test_a_new_pod_starts_arrives_and_serves() -> None:
    timeline = recorded(look(0), look(1, STARTING), look(3, WAITING_FOR_GATE), look(5, a_pod("web-7")))
    assert story(line(timeline, "web-7")) == [
        (Phase.STARTING, 1, 3),
        (Phase.ARRIVING, 3, 5),
        (Phase.SERVING, 5, 10),
    ]
    assert not line(timeline, "web-7").is_planned


def test_a_pod_that_was_never_ready_is_not_called_cut_off() -> None:
    timeline = recorded(look(0), look(1, STARTING), look(3, replace(STARTING, is_terminating=True)))
    assert [state for state, *_ in story(line(timeline, "web-7"))] == [Phase.STARTING, Phase.STOPPING]


ORPHANS = [
    pytest.param(health("draining", asked=-4.5), [Phase.SERVING, Phase.ORPHANED], id="an answer that came since"),
    pytest.param(health("draining", asked=-3), [Phase.SERVING], id="an answer from before"),
    pytest.param(health("unused", NOT_REGISTERED, asked=-4.5), [Phase.SERVING], id="not registered any more"),
]


@pytest.mark.parametrize(("answer", "phases"), ORPHANS)
def test_a_pod_that_is_gone_is_still_a_target_only_by(answer: TargetHealth, phases: list[Phase]) -> None:
    pod = line(recorded(look(0), _without_web_1(4, answer), _without_web_1(5, answer)))
    assert [state for state, *_ in story(pod)] == phases
    assert pod.gone == at(4)


def _without_web_1(seconds: float, answer: TargetHealth) -> Snapshot:
    with_it, without = look(seconds, target_health={"web-1": answer}), look(seconds, without=["web-1"])
    return replace(without, health=with_it.health)


def test_a_target_that_nobody_asks_about_is_not_shown_as_healthy_after_the_withdrawal() -> None:
    withdrawn = look(2, a_pod(withdrawn=True), target_health={"web-1": health(asked=1)})
    withdrawn = replace(withdrawn, withdrawn_since={uid("web-1"): at(2)})
    assert [i.state for i in line(recorded(look(0), withdrawn)).targets] == [Health.HEALTHY, Health.LEAVING]


def test_a_slice_that_lists_a_pod_as_not_ready_does_not_count() -> None:
    pod = a_pod()
    timeline = recorded(look(0), look(2, endpoints=(an_endpoint(pod, ready=False),)))
    assert [(s.since, s.until) for s in line(timeline).listed] == [(at(0), at(2))]


def test_capacity_is_told_when_it_changes_against_what_is_wanted() -> None:
    scaled = {uid("web"): a_deployment(replicas=8)}
    timeline = recorded(
        look(0), look(1), look(2, a_pod(terminating=True)), look(4, without=["web-1"], workloads=scaled)
    )
    [capacity] = timeline.capacity
    assert capacity.workload == "deployment shop/web"
    assert [(level.at, level.in_service, level.wanted) for level in capacity.levels] == [
        (at(0), 6, 6),
        (at(2), 5, 6),
        (at(4), 5, 8),
    ]
    assert capacity.lowest is capacity.levels[2]


def test_pods_in_service_all_along_have_no_row_and_are_counted() -> None:
    timeline = recorded(look(0), look(1, a_pod("web-2", ready=False)))
    assert [pod.name for pod in timeline.pods] == ["web-1", "web-2"]
    assert timeline.capacity[0].unchanged == 4


def test_a_pod_of_a_workload_that_is_not_planned_is_not_kept() -> None:
    other = a_pod("api-1", of="api", controller=None, owners=())
    assert [pod.name for pod in recorded(look(0, other)).pods] == ["web-1"]


def test_a_planned_pod_without_a_workload_has_a_row_of_its_own() -> None:
    bare = a_pod("bare-1", owners=(), gates={}, labels={"app": "bare"})
    recorder = Recorder(title="drain")
    recorder.follow([Planned(uid=bare.uid, namespace="shop", name="bare-1", node="node-1", workload=None)])
    recorder.look(look(0, bare))
    recorder.look(look(1, replace(bare, is_terminating=True)))
    recorder.look(look(2))
    [pod] = recorder.timeline(at(3)).pods
    assert (pod.workload, pod.gone, [i.state for i in pod.phases]) == ("", at(2), [Phase.SERVING, Phase.STOPPING])


def test_a_replacement_is_beside_the_only_pod_that_it_can_have_come_for() -> None:
    first = a_pod(released=True)
    second = a_pod("web-2", released=True)
    timeline = recorded(
        look(0),
        look(1, first),
        look(2, first, a_pod("web-7", ready=False)),
        look(3, first, second, a_pod("web-7")),
        look(4, first, second, a_pod("web-7"), a_pod("web-8", ready=False)),
        planned=["web-1", "web-2"],
    )
    assert [(p.name, p.replaces) for p in timeline.pods] == [
        ("web-1", ""),
        ("web-7", "web-1"),
        ("web-2", ""),
        ("web-8", "web-2"),
    ]


def test_of_two_that_left_at_once_it_is_not_told_which_one_a_new_pod_came_for() -> None:
    left = a_pod(released=True), a_pod("web-2", released=True)
    timeline = recorded(
        look(0),
        look(1, *left),
        look(2, *left, a_pod("web-8", ready=False)),
        look(3, *left, a_pod("web-8", ready=False), a_pod("web-7", ready=False)),
        planned=["web-1", "web-2", "web-3"],
    )
    assert [(p.name, p.replaces) for p in timeline.pods] == [
        ("web-1", ""),
        ("web-2", ""),
        ("web-8", ""),
        ("web-7", ""),
        ("web-3", ""),
    ]


def test_running_totals_become_buckets_of_a_second_and_the_first_ones_are_not_counted() -> None:
    recorder = Recorder(title="drain", began=NOW)
    for seconds, sent, lost in [
        (0, 50, {"reset": 1}),
        (0.5, 150, {}),
        (1, 250, {"reset": 4}),
        (1.5, 300, {"reset": 4}),
    ]:
        recorder.count(at(seconds), sent, lost)
    timeline = recorder.timeline(at(2))
    half = timedelta(seconds=0.5)
    assert timeline.traffic == (
        Traffic(at=at(0), sent=200, lost={"reset": 3}),
        Traffic(at=at(1), sent=50, lost={}, lasted=half),
    )
    assert (timeline.sent, timeline.lost) == (250, {"reset": 3})


def test_hours_of_traffic_are_told_more_coarsely_and_completely() -> None:
    recorder = Recorder(title="drain", began=NOW)
    for second in range(2 * 3600 + 1):
        recorder.count(at(second), 200 * second, {"reset": second // 3600})
    timeline = recorder.timeline(at(7200))
    assert len(timeline.traffic) <= 1801
    assert (timeline.sent, timeline.lost) == (200 * 7200, {"reset": 2})
    assert sum((bucket.lasted for bucket in timeline.traffic), timedelta(0)) == timedelta(hours=2)


def test_marks_are_kept_up_to_a_number() -> None:
    recorder = Recorder(title="drain", began=NOW)
    for second in range(MOST_MARKS + 5):
        recorder.mark(at(second), f"mark {second}")
    marks = recorder.timeline(at(1)).marks
    assert (len(marks), marks[0].text) == (MOST_MARKS, "mark 0")


def test_a_pod_that_flaps_for_hours_is_kept_up_to_a_number_of_changes_and_that_is_told() -> None:
    recorder = Recorder(title="drain")
    looks = look(0), look(0, a_pod(ready=False))
    recorder.follow(an_intent(looks[0], "web-1").pods)
    for number in range(2 * MOST_LEVELS + 1):
        recorder.look(replace(looks[number % 2], at=at(number / 1000)))
    timeline = recorder.timeline(at(10))
    pod = line(timeline)
    assert (len(pod.phases), pod.is_cut, pod.phases[-1].state) == (MOST_CHANGES, True, Phase.SERVING)
    assert len(timeline.capacity[0].levels) <= MOST_LEVELS + 1


def test_two_hours_with_5000_pods_of_which_100_are_planned_take_less_than_2_mib() -> None:
    pods = {f"other-{n}": a_pod(f"other-{n}", owners=(), labels={"app": "other"}, gates={}) for n in range(4900)}
    planned = {f"web-{n}": a_pod(f"web-{n}") for n in range(1, 101)}
    snapshot = look(0, *planned.values(), *pods.values(), services=(a_service("web"),), health={})
    workload = reference_to(a_deployment())
    recorder = Recorder(title="drain")
    recorder.follow(
        Planned(uid=p.uid, namespace="shop", name=p.name, node="node-1", workload=workload) for p in planned.values()
    )
    tracemalloc.start()
    for second in range(7200):
        recorder.count(at(second), second, {})
        if second % 900 == 0:
            recorder.look(replace(snapshot, at=at(second)))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2 * 2**20
