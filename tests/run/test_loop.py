"""What the loop makes of each result, and when it gives up."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Action, AskEviction, Evict, Nudge, Release, RemoveTouch, Touch, Withdraw
from kubectl_safe.kube.outcome import Busy, Conflict, Denied, Gone, Refused
from kubectl_safe.model.marks import TOUCH
from kubectl_safe.model.target import State, TargetHealth
from tests.run.looping import run
from tests.run.world import Heard, World, a_world, unused
from tests.support.builders import (
    GATE,
    NOW,
    a_binding,
    a_budget,
    a_deployment,
    a_pod,
    a_target,
    health,
    uid,
)

SETTLE = timedelta(seconds=15)


def test_one_pod_is_released_withdrawn_and_evicted_in_this_order() -> None:
    world = a_world()
    heard = run(world, "web-1")
    assert world.story() == ["Release web-1", "Withdraw web-1", "Evict web-1"]
    assert heard.gone_pods == [("web-1", True)]


def test_no_more_than_one_pod_serves_beyond_the_replicas_at_any_time() -> None:
    world = a_world()
    run(world)
    assert [line for line in world.story() if not line.startswith("Evict")] == [
        "Release web-1",
        "Withdraw web-1",
        "Release web-2",
        "Withdraw web-2",
        "Release web-3",
        "Withdraw web-3",
    ]
    assert world.story(Evict) == ["Evict web-1", "Evict web-2", "Evict web-3"]


def test_a_pod_that_does_not_end_is_skipped_once_it_was_said_so_and_nothing_has_failed() -> None:
    world = a_world(stop_seconds=3600)
    heard = run(world, "web-1", skip_wait_for_delete=timedelta(seconds=5))
    assert heard.warnings == ['pod "web-1" has DeletionTimestamp older than 5 seconds, skipping']
    assert heard.gone_pods == []
    assert heard.ending is not None
    assert heard.ending.left == ()
    [evicted] = world.when(Evict)
    assert 30 + 6 <= (world.at - NOW).total_seconds() - evicted <= 30 + 7


def test_an_eviction_comes_as_soon_as_settle_is_over_and_not_before() -> None:
    world = a_world(slice_seconds=0.3)
    run(world, "web-1", settle=timedelta(seconds=7.25))
    [withdrawn], [evicted] = world.when(Withdraw), world.when(Evict)
    assert 0.3 + 7.25 <= evicted - withdrawn <= 0.3 + 7.25 + 0.1


@pytest.mark.parametrize("kind", [Release, AskEviction, Withdraw, Evict])
def test_a_conflict_is_tried_again_after_a_hold(kind: type) -> None:
    world = a_world(scripted={kind: [Conflict(), Conflict()]})
    run(world, "web-1")
    assert world.gaps(kind)[:2] == [0.2, 0.2]
    assert world.story() == ["Release web-1", "Withdraw web-1", "Evict web-1"]


def test_a_busy_server_is_left_alone_as_long_as_it_asks_for() -> None:
    world = a_world(scripted={Release: [Busy(message="too many requests", retry_after=12)]})
    heard = run(world, "web-1")
    assert world.gaps(Release) == [12]
    assert heard.warnings == ["pod/shop/web-1 could not be written to (will retry): too many requests"]


def test_a_server_that_stays_busy_is_told_of_once() -> None:
    world = a_world(scripted={Release: [Busy(message="apiserver is down", retry_after=1)] * 20})
    assert len(run(world, "web-1").warnings) == 1


def test_nothing_that_only_waits_makes_the_loop_spin() -> None:
    world = a_world(start_seconds=100, scripted={Withdraw: [Conflict()] * 50})
    run(world, "web-1")
    seconds = (world.at - NOW).total_seconds()
    assert world.looks < 6 * seconds


@pytest.mark.parametrize("kind", [AskEviction, Evict])
def test_a_refused_eviction_is_asked_for_again_after_five_seconds(kind: type) -> None:
    refusal = Refused(message="Cannot evict pod as it would violate the pod's disruption budget.")
    world = a_world(scripted={kind: [refusal, refusal]})
    run(world, "web-1")
    assert world.gaps(kind)[:2] == [5, 5]


def test_a_refused_eviction_is_told_in_the_words_of_kubectl() -> None:
    world = a_world(scripted={Evict: [Refused(message="Cannot evict pod.")]})
    assert run(world, "web-1").warnings == [
        'error when evicting pods/"web-1" -n "shop" (will retry after 5s): Cannot evict pod.'
    ]


@pytest.mark.parametrize(("refusals", "told"), [(1, 0), (2, 1), (5, 1)])
def test_a_leave_that_is_refused_for_long_is_told_once_in_the_words_of_kubectl(refusals: int, told: int) -> None:
    world = a_world(scripted={AskEviction: [Refused(message="Cannot evict pod.")] * refusals})
    assert (
        run(world, "web-1").warnings
        == ['error when evicting pods/"web-1" -n "shop" (will retry after 5s): Cannot evict pod.'] * told
    )


def test_a_pod_that_somebody_else_deletes_is_gone_and_not_evicted_by_us() -> None:
    def delete(action: Action) -> None:
        if isinstance(action, Evict):
            world._remove(action.pod)

    world = a_world(scripted={Evict: [Gone()]}, before=delete)
    assert run(world, "web-1").gone_pods == [("web-1", False)]


def with_load_balancer(**changes: Any) -> World:
    """Return a world whose replacement web-9 is healthy by AWS's word while its gate is not True."""
    pods = [a_pod("web-1", released=True, in_service=1), a_pod("web-9", gates={GATE: False})]
    targets = {a_target("web-1"): health(asked=0), a_target("web-9"): health(asked=0)}
    return a_world(
        pods={pod.uid: pod for pod in pods},
        workloads={uid("web"): a_deployment(replicas=1)},
        bindings=(a_binding(),),
        health=targets,
        **changes,
    )


def open_the_gate(world: World) -> None:
    world.add(a_pod("web-9"))


def answer_every_second(world: World) -> None:
    """Have AWS tell that web-1 left its group once it is withdrawn, and that web-9 is healthy."""
    pod = world.pods.get(uid("web-1"))
    left = pod is None or pod.is_withdrawn
    healthy = TargetHealth(state=State.HEALTHY, asked_at=world.at)
    world.health = {a_target("web-1"): unused(world.at) if left else healthy, a_target("web-9"): healthy}
    world.after(1, lambda: answer_every_second(world))


def test_a_binding_is_nudged_every_five_seconds_while_its_gate_stays_behind() -> None:
    world = with_load_balancer()
    world.after(12, lambda: open_the_gate(world))
    answer_every_second(world)
    run(world, "web-1")
    assert world.when(Nudge) == [0, 5, 10]


def test_nudging_goes_on_where_it_was_only_denied_for_a_moment() -> None:
    world = with_load_balancer(scripted={Nudge: [Denied(message="cannot patch targetgroupbindings")] * 2})
    world.after(12, lambda: open_the_gate(world))
    answer_every_second(world)
    assert run(world, "web-1").warnings == []
    assert world.when(Nudge) == [0, 5, 10]


def test_a_nudge_that_is_denied_again_and_again_only_turns_nudging_off() -> None:
    world = with_load_balancer(scripted={Nudge: [Denied(message="cannot patch targetgroupbindings")] * 9})
    world.after(22, lambda: open_the_gate(world))
    answer_every_second(world)
    heard = run(world, "web-1")
    assert world.when(Nudge) == [0, 5, 10]
    assert heard.warnings == ["Warning: bindings are not nudged from now on: cannot patch targetgroupbindings"]
    assert heard.gone_pods == [("web-1", True)]


def test_actions_decided_on_a_stale_snapshot_are_decided_anew() -> None:
    looks: list[int] = []

    def take_time(action: Action) -> None:
        if isinstance(action, Release):
            looks.append(world.looks)
            world.at += timedelta(seconds=1.5)

    world = a_world(before=take_time)
    run(world, max_surge=3)
    assert len(looks) == 3
    assert len(set(looks)) == 3


def test_actions_decided_on_a_fresh_snapshot_need_no_further_look() -> None:
    world, looks = a_world(), set[int]()
    world.before = lambda action: looks.add(world.looks) if isinstance(action, Release) else None
    run(world, max_surge=3)
    assert len(looks) == 1


def test_a_cluster_so_large_that_deciding_takes_seconds_is_acted_on_all_the_same() -> None:
    class Slow(Heard):
        def looked(self, *_: object) -> None:
            world.at += timedelta(seconds=3)

    world = a_world()
    assert run(world, "web-1", heard=Slow()).gone_pods == [("web-1", True)]


def test_a_process_that_was_stopped_for_a_while_looks_before_it_acts() -> None:
    class StoppedOnce(Heard):
        was_stopped = False

        def looked(self, *_: object) -> None:
            if not self.was_stopped:
                self.was_stopped = True
                world.at += timedelta(hours=1)

    world = a_world()
    run(world, "web-1", heard=StoppedOnce())
    assert world.when(Release) == [3600]
    assert world.looks > 1


def test_nothing_is_written_while_a_watch_is_interrupted() -> None:
    world = a_world(stale=frozenset({"pods"}))
    world.after(30, lambda: setattr(world, "stale", frozenset()))
    run(world, "web-1")
    assert min(at for at, _, _ in world.tried) == NOW + timedelta(seconds=30)


def test_a_break_in_the_view_of_the_slices_begins_the_settle_time_anew() -> None:
    world = a_world(slice_seconds=0)
    world.after(20, lambda: setattr(world, "stale", frozenset({"endpointslices"})))
    world.after(21, lambda: setattr(world, "stale", frozenset()))
    run(world, "web-1", settle=SETTLE)
    [evicted] = world.when(Evict)
    assert 36 <= evicted <= 36.2


def test_a_stale_budget_is_counted_anew_by_a_touch_and_what_was_touched_is_remembered() -> None:
    budget = a_budget(healthy=4)
    world = a_world(budgets=(budget,))
    world.add(replace(a_pod("web-1", withdrawn=True, gates={})))
    world.after(8, lambda: setattr(world, "budgets", (replace(budget, current_healthy=2),)))
    run(world, "web-1")
    assert world.when(Touch) == [0, 5]


def test_a_touch_that_is_denied_again_and_again_is_told_once_and_keeps_no_run_from_its_end() -> None:
    budget = a_budget(healthy=4)
    world = a_world(budgets=(budget,), scripted={Touch: [Denied(message="pods can't be patched")] * 9})
    world.add(a_pod("web-1", withdrawn=True, gates={}))
    heard = run(world, "web-1")
    assert world.when(Touch) == [0, 5, 10]
    assert heard.warnings == ["Warning: budgets are not made to be counted anew from now on: pods can't be patched"]
    assert heard.gone_pods == [("web-1", True)]


def test_a_touch_that_can_not_be_taken_away_keeps_no_run_from_its_end() -> None:
    world = a_world(scripted={RemoveTouch: [Denied(message="pods can't be patched")] * 9})
    world.add(a_pod("web-2", gates={}, annotations={TOUCH: "now"}))
    heard = run(world, "web-1")
    assert heard.gone_pods == [("web-1", True)]
    assert world.gaps(RemoveTouch) == [5.0, 5.0]
    assert heard.warnings == ["Warning: pod/shop/web-2 keeps a mark of this run: pods can't be patched"]


def test_a_touch_is_taken_away_once_that_is_not_denied_any_more() -> None:
    world = a_world(scripted={RemoveTouch: [Denied(message="pods can't be patched")] * 2})
    world.add(a_pod("web-2", gates={}, annotations={TOUCH: "now"}))
    assert run(world, "web-1").warnings == []
    assert len(world.when(RemoveTouch)) == 3
