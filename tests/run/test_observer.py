"""What only a process that keeps looking can know: since when something is so."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from kubectl_safe.decide.health import Wish
from kubectl_safe.kube.observed import Observed
from kubectl_safe.model.marks import HANDOFF
from kubectl_safe.model.snapshot import EvictionAnswer
from kubectl_safe.model.target import EXCLUDE_LABEL
from kubectl_safe.run.observer import Observer
from tests.run.world import World, a_world
from tests.support.builders import NOW, a_deployment, a_group, a_pod, an_endpoint, an_owner, arn, uid


def after(seconds: float) -> datetime:
    """Return an instant after the beginning."""
    return NOW + timedelta(seconds=seconds)


def looking(world: World) -> tuple[Observer, Callable[[float], None]]:
    """Return an observer that has looked once, and what lets time pass."""
    observer = Observer(world, now=world.now)
    observer.look()

    def pass_to(seconds: float) -> None:
        world.at = after(seconds)

    return observer, pass_to


def test_a_pod_is_absent_since_it_was_first_seen_in_no_slice() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    assert observer.look().absent_since == {}
    pass_to(3)
    world._endpoints = {}
    assert observer.look().absent_since == {uid("web-1"): after(3)}
    pass_to(9)
    assert observer.look().absent_since == {uid("web-1"): after(3)}


@dataclass
class Still:
    """A cluster in which nothing changes."""

    seen: Observed

    def observe(self) -> Observed:
        return self.seen


@pytest.mark.parametrize(("services", "is_absent"), [(["db-members"], True), (["db-members", "db"], False)])
def test_a_place_in_the_governing_service_of_its_stateful_set_is_no_presence(
    services: list[str], is_absent: bool
) -> None:
    database = a_deployment("db", kind="StatefulSet", governing_service="db-members")
    pod = a_pod("db-0", controller=an_owner("StatefulSet", "db"))
    pod = replace(pod, owners=(replace(pod.owners[0], uid=database.uid),))
    seen = Observed(
        pods={pod.uid: pod},
        replica_sets={},
        workloads={database.uid: database},
        nodes={},
        services=(),
        endpoints=tuple(an_endpoint(pod, service) for service in services),
        budgets=(),
        bindings=(),
        stale=frozenset(),
    )
    found = Observer(Still(seen), now=lambda: NOW).look().absent_since
    assert found == ({pod.uid: NOW} if is_absent else {})


def test_a_place_in_a_slice_of_no_service_is_presence_until_that_slice_is_borne() -> None:
    pod = a_pod("web-1")
    seen = Observed(
        pods={pod.uid: pod},
        replica_sets={},
        workloads={},
        nodes={},
        services=(),
        endpoints=(an_endpoint(pod, "", slice="mine"),),
        budgets=(),
        bindings=(),
        stale=frozenset(),
    )
    observer = Observer(Still(seen), now=lambda: NOW)
    assert observer.look().absent_since == {}
    for borne, expected in (("shop", {pod.uid: NOW}), ("other", {})):
        observer.kept_slices = frozenset({(borne, "mine")})
        assert observer.look().absent_since == expected
        assert observer.look().kept_slices == observer.kept_slices


def test_an_endpoint_that_flashes_back_begins_the_absence_anew() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    world._endpoints = {}
    observer.look()
    pass_to(5)
    world._endpoints = {uid("web-1"): False}
    assert observer.look().absent_since == {}
    pass_to(6)
    world._endpoints = {}
    assert observer.look().absent_since == {uid("web-1"): after(6)}


def test_a_node_is_excluded_since_that_was_first_seen_on_a_watch_without_a_break() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    assert observer.look().excluded_since == {}
    pass_to(3)
    world.nodes["node-1"] = replace(world.nodes["node-1"], labels={EXCLUDE_LABEL: ""})
    assert observer.look().excluded_since == {"node-1": after(3)}
    pass_to(9)
    assert observer.look().excluded_since == {"node-1": after(3)}
    world.stale = frozenset({"nodes"})
    assert observer.look().excluded_since == {}
    world.stale = frozenset()
    assert observer.look().excluded_since == {"node-1": after(9)}


def test_target_groups_are_asked_from_the_first_wish_on_that_there_is() -> None:
    observer, _ = looking(world := a_world("web-1"))
    observer.begin_to_ask = lambda: setattr(observer, "target_health", world)
    observer.want({})
    assert observer.target_health is None
    wishes = {arn(): Wish(targets=frozenset(), not_before=NOW)}
    observer.want(wishes)
    assert world.wanted == wishes


def test_an_absence_that_nobody_watched_begins_anew() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    world._endpoints = {}
    observer.look()
    pass_to(5)
    world.stale = frozenset({"endpointslices"})
    assert observer.look().absent_since == {}
    pass_to(6)
    world.stale = frozenset()
    assert observer.look().absent_since == {uid("web-1"): after(6)}


def test_another_watch_that_breaks_leaves_the_absence_alone() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    world._endpoints = {}
    observer.look()
    pass_to(5)
    world.stale = frozenset({"poddisruptionbudgets"})
    assert observer.look().absent_since == {uid("web-1"): NOW}


def test_an_absence_counts_from_after_the_look_that_saw_it() -> None:
    class Slow:
        def observe(self) -> Observed:
            world.at += timedelta(seconds=2)
            return world.observe()

    world = a_world("web-1")
    world._endpoints = {}
    snapshot = Observer(Slow(), now=world.now).look()
    assert snapshot.at == NOW
    assert snapshot.absent_since == {uid("web-1"): after(2)}


def test_a_pod_is_withdrawn_since_it_was_first_seen_so() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    pass_to(2)
    world.add(a_pod("web-1", withdrawn=True))
    assert observer.look().withdrawn_since == {uid("web-1"): after(2)}
    pass_to(8)
    assert observer.look().withdrawn_since == {uid("web-1"): after(2)}


def test_a_pod_that_is_withdrawn_once_more_is_withdrawn_since_then() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    world.add(a_pod("web-1", withdrawn=True))
    observer.look()
    pass_to(3)
    world.add(a_pod("web-1", withdrawn=True, annotations={HANDOFF: '{"dropped":{"app":"web","tier":"front"}}'}))
    assert observer.look().withdrawn_since == {uid("web-1"): after(3)}


def test_a_pod_whose_mark_others_took_off_is_withdrawn_since_it_bears_it_again() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    world.add(a_pod("web-1", withdrawn=True))
    observer.look()
    world.add(a_pod("web-1", released=True))
    observer.look()
    pass_to(3)
    world.add(a_pod("web-1", withdrawn=True))
    assert observer.look().withdrawn_since == {uid("web-1"): after(3)}


def test_a_pod_is_ready_since_it_was_seen_to_become_so_and_not_if_it_was_so_before() -> None:
    world = a_world("web-1")
    world.add(a_pod("web-2", ready=False))
    observer, pass_to = looking(world)
    pass_to(4)
    world.add(a_pod("web-2"))
    assert observer.look().ready_since == {uid("web-2"): after(4)}
    pass_to(9)
    assert observer.look().ready_since == {uid("web-2"): after(4)}


def test_a_pod_that_becomes_ready_again_is_ready_since_the_last_time() -> None:
    world = a_world("web-1")
    observer, pass_to = looking(world)
    for seconds, ready in ((1, False), (2, True), (3, False), (4, True)):
        pass_to(seconds)
        world.add(a_pod("web-1", ready=ready))
        snapshot = observer.look()
    assert snapshot.ready_since == {uid("web-1"): after(4)}


def test_a_snapshot_does_not_change_by_what_is_learned_later() -> None:
    observer = Observer(a_world("web-1"), now=lambda: NOW)
    before = observer.look()
    observer.memory.answers[uid("web-1")] = EvictionAnswer(at=NOW, is_dry_run=True, is_allowed=True)
    observer.memory.nudged_at["elbv2.k8s.aws", "shop", "web"] = NOW
    observer.memory.touched_at["shop", "web"] = NOW
    assert (before.answers, before.nudged_at, before.touched_at) == ({}, {}, {})
    assert uid("web-1") in observer.look().answers


@pytest.mark.parametrize(("groups", "seconds"), [(0, 15), (1, 15), (15, 15), (40, 40)])
def test_an_answer_may_be_three_polls_old_or_older_where_many_groups_take_turns(groups: int, seconds: int) -> None:
    observer = Observer(a_world("web-1"), now=lambda: NOW)
    observer.groups = {arn(f"web-{n}"): a_group(f"web-{n}") for n in range(groups)}
    assert observer.look().health_max_age == timedelta(seconds=seconds)
