"""What becomes of pods that can't go on: given back, left or finished; and the others go on."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Action, AskEviction, Evict, Release, Undo, Withdraw
from kubectl_safe.decide.ending import Standing
from kubectl_safe.decide.giving_up import Limits
from kubectl_safe.kube.outcome import Busy, Denied, Refused, Undone, Untried
from tests.run.looping import left, run
from tests.run.world import World, a_world
from tests.support.builders import NOW, a_binding, a_budget, a_deployment, a_pod, a_target, health, uid

NOT_READY = (
    "2 of 3 other pods of deployment shop/web are in service: pod shop/web-101 is not ready: Running"
    "; see kubectl events -n shop --for pod/web-101"
)
SHORT = a_deployment(replicas=3, progress_deadline=timedelta(seconds=90))


def without_replacements(**changes: Any) -> World:
    """Return a world in which no replacement ever becomes Ready."""
    return a_world(start_seconds=None, workloads={uid("web"): SHORT}, **changes)


@dataclass
class Stop:
    """Somebody who stops a run at an instant, in seconds from its beginning."""

    world: World
    at: float

    @property
    def stop(self) -> str:
        return "interrupted (SIGINT)" if self.world.at >= NOW + timedelta(seconds=self.at) else ""


def test_a_replacement_that_never_comes_is_given_up_at_the_progress_deadline_and_the_pod_is_as_it_was() -> None:
    world = without_replacements()
    before = dict(world.pods)
    heard = run(world)
    assert world.story() == ["Release web-1", "Undo web-1"]
    assert 90 < world.when(Undo)[0] < 92
    assert world.pods == before
    assert left(heard)["web-1"] == (
        Standing.GIVEN_BACK,
        f"waited longer than 90s (progressDeadlineSeconds): {NOT_READY}",
    )


def test_the_queued_pods_of_its_workload_are_not_begun_for_the_same_reason() -> None:
    found = left(run(without_replacements()))
    assert {name: standing for name, (standing, _) in found.items()} == {
        "web-1": Standing.GIVEN_BACK,
        "web-2": Standing.NOT_BEGUN,
        "web-3": Standing.NOT_BEGUN,
    }
    assert len({why for _, why in found.values()}) == 1


def test_what_is_given_up_is_told_at_once() -> None:
    warnings = run(without_replacements(), "web-1").warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("pod shop/web-1 is given up: waited longer than 90s (progressDeadlineSeconds): ")


def test_pods_that_are_given_up_for_the_same_reason_are_told_in_one_line() -> None:
    warnings = run(without_replacements()).warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("pod shop/web-1 and 2 more are given up: ")


@pytest.mark.parametrize("kind", [Release, AskEviction, Withdraw, Evict])
@pytest.mark.parametrize("result", [Denied(message="no right"), Undone(message="put back")])
def test_a_write_that_can_never_be_done_gives_the_pod_up_in_the_servers_words(
    kind: type, result: Denied | Undone
) -> None:
    world = a_world(scripted={kind: [result] * 50})
    heard = run(world, "web-1")
    [(_, why)] = left(heard).values()
    assert why == result.message
    assert (world.at - NOW).total_seconds() < 60


def test_a_pod_that_may_not_be_withdrawn_stays_released_where_giving_it_back_would_cost_a_ready_pod() -> None:
    world = a_world(scripted={Withdraw: [Denied(message="no right")] * 50})
    heard = run(world, "web-1")
    assert world.story() == ["Release web-1"]
    assert left(heard)["web-1"][0] is Standing.RELEASED


def test_a_pod_that_somebody_gives_back_again_and_again_is_given_up() -> None:
    def give_back(action: Action) -> None:
        if isinstance(action, Release):
            world.after(0.2, lambda: world._undo(Undo(pod=world.pods[action.pod.uid], owner=action.owner)))

    world = a_world(before=give_back)
    heard = run(world, "web-1")
    assert len(world.when(Release)) == 5
    assert left(heard).keys() == {"web-1"}
    assert "was changed back 4 times" in heard.warnings[-1]


def test_a_withdrawn_pod_whose_eviction_is_denied_stays_withdrawn_and_the_others_go_on() -> None:
    world = a_world()
    world.before = lambda action: _deny_eviction_of(world, "web-1", action)
    heard = run(world, "web-1", "web-2")
    assert left(heard) == {"web-1": (Standing.WITHDRAWN, "evictions are denied")}
    assert heard.gone_pods == [("web-2", True)]


def test_no_further_pod_of_a_workload_is_begun_once_an_eviction_is_denied() -> None:
    world = a_world(scripted={Evict: [Denied(message="evictions are denied")] * 9})
    world.add(a_pod("web-1", withdrawn=True, gates={}, in_service=2))
    found = left(run(world, settle=timedelta(0)))
    assert world.story(Release) == ["Release web-2"]
    assert {name: why for name, (_, why) in found.items()} == dict.fromkeys(found, "evictions are denied")
    assert found["web-3"][0] is Standing.NOT_BEGUN


def test_an_eviction_that_is_denied_is_not_said_to_be_tried_again() -> None:
    heard = run(a_world(scripted={Evict: [Denied(message="evictions are denied")] * 9}), "web-1")
    assert 'error when evicting pods/"web-1" -n "shop": evictions are denied' in heard.warnings


def _deny_eviction_of(world: World, name: str, action: Action) -> None:
    if isinstance(action, Evict):
        world.scripted[Evict] = [Denied(message="evictions are denied")] if action.pod.name == name else []


def test_fail_fast_begins_no_further_pod_once_one_failed() -> None:
    world = a_world(start_seconds=None)
    world.before = lambda action: _deny_eviction_of(world, "web-1", action)
    world.add(a_pod("web-1", withdrawn=True, gates={}, in_service=2))
    heard = run(world, limits=Limits(is_fail_fast=True))
    assert world.story() == ["Release web-2", "Undo web-2"]
    why = "another pod failed, and --fail-fast was given"
    assert left(heard) == {
        "web-1": (Standing.WITHDRAWN, "evictions are denied"),
        "web-2": (Standing.GIVEN_BACK, why),
        "web-3": (Standing.NOT_BEGUN, "evictions are denied"),
    }


def test_an_eviction_that_can_not_be_asked_for_beforehand_goes_by_the_counts_of_the_budgets() -> None:
    untried = Untried(message="webhook x does not support dry run")
    tight = a_budget(healthy=3, disruptions_allowed=0)
    world = a_world(scripted={AskEviction: [untried] * 500}, budgets=(tight,))
    world.after(60, lambda: setattr(world, "budgets", (replace(tight, disruptions_allowed=1),)))
    heard = run(world, "web-1")
    assert heard.gone_pods == [("web-1", True)]
    assert world.when(Withdraw)[0] >= 60


def test_a_timeout_gives_back_what_is_released_and_says_what_blocked_it() -> None:
    world = a_world(start_seconds=None)
    heard = run(world, "web-1", "web-3", limits=Limits(timeout=timedelta(seconds=60)))
    assert world.story() == ["Release web-1", "Undo web-1"]
    assert left(heard)["web-1"] == (
        Standing.GIVEN_BACK,
        f"global timeout reached: 60s: {NOT_READY}",
    )
    assert 60 <= (world.at - NOW).total_seconds() < 62


def test_a_timeout_does_not_wait_for_what_is_withdrawn() -> None:
    world = a_world()
    limits = Limits(timeout=timedelta(seconds=60))
    heard = run(world, "web-1", limits=limits, settle=timedelta(hours=1))
    standing, why = left(heard)["web-1"]
    assert standing is Standing.WITHDRAWN
    assert why == "global timeout reached: 60s: pod shop/web-1 left every EndpointSlice; settling for 3600s"
    assert 60 <= (world.at - NOW).total_seconds() < 62


def test_a_timeout_leaves_a_pod_released_that_its_budget_holds_while_its_replacement_serves() -> None:
    refusal = Refused(message="Cannot evict pod as it would violate the pod's disruption budget.")
    world = a_world(scripted={AskEviction: [refusal] * 500})
    heard = run(world, "web-1", limits=Limits(timeout=timedelta(seconds=60)))
    standing, why = left(heard)["web-1"]
    assert standing is Standing.RELEASED
    told = refusal.message.removesuffix(".")
    assert why == f"global timeout reached: 60s: {told}; see kubectl safe check deployment/web -n shop"
    assert world.story() == ["Release web-1"]
    assert 60 <= (world.at - NOW).total_seconds() < 63


def test_a_timeout_names_the_server_that_refuses_to_write() -> None:
    world = a_world(scripted={Release: [Busy(message="etcd has no leader", retry_after=1)] * 100})
    found = left(run(world, limits=Limits(timeout=timedelta(seconds=20))))
    assert found["web-1"] == (Standing.NOT_BEGUN, "global timeout reached: 20s: etcd has no leader")


def test_a_timeout_ends_a_run_whose_server_answers_no_write_at_all() -> None:
    world = a_world(start_seconds=None, scripted={Undo: [Busy(message="etcd has no leader", retry_after=1)] * 500})
    found = left(run(world, "web-1", limits=Limits(timeout=timedelta(seconds=20))))
    assert found["web-1"][0] is Standing.RELEASED
    assert (world.at - NOW).total_seconds() < 25


def test_a_target_that_never_leaves_is_given_up_two_minutes_after_its_deregistration_delay() -> None:
    pods = [a_pod("web-1", withdrawn=True, in_service=1), a_pod("web-9")]
    world = a_world(
        pods={pod.uid: pod for pod in pods},
        workloads={uid("web"): a_deployment(replicas=1)},
        bindings=(a_binding(),),
        health={a_target("web-1"): health("draining", "Target.DeregistrationInProgress", asked=-1)},
    )
    heard = run(world, "web-1")
    assert world.story() == []
    standing, why = left(heard)["web-1"]
    assert standing is Standing.WITHDRAWN
    assert why.startswith(
        "waited longer than 180s (deregistration delay and 2m): target 10.244.0.2:8080 in web is draining"
    )


def test_an_interruption_begins_nothing_gives_back_and_finishes_what_is_withdrawn() -> None:
    world = a_world(start_seconds=10)
    heard = run(world, brake=Stop(world, at=12), settle=timedelta(seconds=15))
    assert world.story() == ["Release web-1", "Withdraw web-1", "Release web-2", "Undo web-2", "Evict web-1"]
    assert heard.gone_pods == [("web-1", True)]
    assert heard.stops == ["interrupted (SIGINT)"]
    assert left(heard) == {
        "web-2": (Standing.GIVEN_BACK, "interrupted (SIGINT)"),
        "web-3": (Standing.NOT_BEGUN, "interrupted (SIGINT)"),
    }


def test_an_interruption_finishes_a_released_pod_whose_replacement_already_serves() -> None:
    refusal = Refused(message="not now")
    world = a_world(scripted={AskEviction: [refusal]})
    heard = run(world, "web-1", brake=Stop(world, at=12))
    assert world.story() == ["Release web-1", "Withdraw web-1", "Evict web-1"]
    assert left(heard) == {}


def test_an_interrupted_run_does_not_wait_for_ever_for_a_budget() -> None:
    world = a_world(scripted={AskEviction: [Refused(message="not now")] * 500})
    heard = run(world, "web-1", brake=Stop(world, at=12))
    assert left(heard)["web-1"][0] is Standing.RELEASED
    assert (world.at - NOW).total_seconds() < 80


def test_an_interrupted_run_does_not_wait_for_ever_for_a_watch() -> None:
    world = a_world(stale=frozenset({"pods"}))
    world.add(a_pod("web-1", withdrawn=True, gates={}, in_service=3))
    heard = run(world, "web-1", brake=Stop(world, at=5))
    assert left(heard)["web-1"][0] is Standing.WITHDRAWN
    assert (world.at - NOW).total_seconds() < 80
