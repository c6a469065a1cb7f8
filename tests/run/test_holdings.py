"""What a run may write to is what it holds: it waits for the rest, says for whom, and stops when it has lost some."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from kubectl_safe.kube.outcome import Busy
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.lease import Holder, LeaseName, lease_of_node, lease_of_workload
from kubectl_safe.run.holdings import Holdings
from tests.run.looping import left, run
from tests.run.world import World, a_world
from tests.support.builders import NOW, a_cluster, an_intent, uid

NODE, WEB = lease_of_node("node-1"), lease_of_workload("Deployment", "shop", "web")
ALICE = Holder(
    identity="alice@laptop pid 4711 3f2a9c1b", about="drain node-2", since=datetime(2026, 11, 23, 12, tzinfo=UTC)
)


@dataclass
class Desk:
    """Leases that are handed out as a test says."""

    others: dict[LeaseName, Holder] = field(default_factory=dict)
    lost: str | None = None
    is_valid: bool = True
    trouble: str | None = None
    single: frozenset[LeaseName] = frozenset()
    group: frozenset[LeaseName] = frozenset()
    pushed: frozenset[LeaseName] = frozenset()
    watched: frozenset[LeaseName] = frozenset()
    swept: int = 0

    @property
    def held(self) -> frozenset[LeaseName]:
        group = self.group if not self.group & self.others.keys() else frozenset()
        return frozenset((self.single | group) - self.others.keys())

    @property
    def holders(self) -> dict[LeaseName, Holder]:
        return {name: who for name, who in self.others.items() if name in self.single | self.group}

    def want(self, names: Iterable[LeaseName]) -> None:
        self.single = frozenset(names)

    def want_together(self, names: Iterable[LeaseName]) -> None:
        self.group = frozenset(names)

    def watch(self, names: Iterable[LeaseName]) -> None:
        self.watched = frozenset(names)

    def sweep(self) -> None:
        self.swept += 1

    def take_over(self, names: Iterable[LeaseName]) -> None:
        self.single = self.pushed = frozenset(names)


def holdings(world: World, desk: Desk, told: list[str] | None = None) -> Holdings:
    return Holdings(desk, signal=world, now=world.now, tell=(told if told is not None else []).append)


def test_it_waits_for_what_another_has_and_says_once_who_since_when_and_for_what() -> None:
    world, desk, told = a_world(), Desk(others={NODE: ALICE}), list[str]()
    world.after(40, desk.others.clear)
    holdings(world, desk, told).hold({NODE: "node/node-1"})
    assert (world.at - NOW).total_seconds() >= 40
    assert ALICE.since is not None
    at = f"{ALICE.since.astimezone():%H:%M:%S}"
    assert told == [f"node/node-1 is in the hands of alice@laptop (pid 4711) since {at} (drain node-2)"]


def test_while_it_waits_for_a_node_the_workloads_of_a_dead_run_are_watched_too() -> None:
    world, desk, seen = a_world(), Desk(others={NODE: ALICE}), list[frozenset[LeaseName]]()
    world.after(5, lambda: seen.append(desk.watched))
    world.after(10, desk.others.clear)
    held = holdings(world, desk)
    held.hold({NODE: "node/node-1"}, before=an_intent(a_cluster(), "web-1").pods)
    held.begin(an_intent(a_cluster(), "web-1").pods)
    assert seen == [{WEB}]
    assert desk.watched == frozenset()


def test_it_waits_no_longer_than_it_may() -> None:
    world, desk = a_world(), Desk(others={NODE: ALICE})
    with pytest.raises(
        KubectlSafeError, match=r"global timeout reached: node/node-1 is in the hands of alice.*nothing"
    ):
        holdings(world, desk).hold({NODE: "node/node-1"}, until=NOW + timedelta(seconds=10))
    assert (world.at - NOW).total_seconds() == 10


def test_what_keeps_leases_from_being_taken_is_told() -> None:
    world, desk, told = a_world(), Desk(others={NODE: ALICE}, trouble="leases may not be created"), list[str]()
    desk.others = {NODE: ALICE}
    world.after(5, desk.others.clear)
    holdings(world, desk, told).hold({NODE: "node/node-1"})
    assert told


def test_a_run_that_has_lost_a_lease_ends() -> None:
    world, desk = a_world(), Desk(lost="lease x is held by bob")
    held = holdings(world, desk)
    with pytest.raises(KubectlSafeError, match=r"^lease x is held by bob$"):
        held.check()
    with pytest.raises(KubectlSafeError, match=r"^lease x is held by bob$"):
        held.fence()


def test_nothing_is_written_while_a_lease_is_not_renewed_in_time() -> None:
    world, desk = a_world(), Desk(is_valid=False)
    held = holdings(world, desk)
    assert isinstance(held.fence(), Busy)
    desk.is_valid = True
    assert held.fence() is None


def test_nothing_is_written_before_what_the_whole_run_needs_is_held() -> None:
    world, desk = a_world(), Desk()
    held = holdings(world, desk)
    held.hold({NODE: "node/node-1"})
    desk.others = {NODE: ALICE}
    assert isinstance(held.fence(), Busy)


def test_a_workload_that_another_works_on_is_named_with_who_has_it() -> None:
    world, desk = a_world(), Desk(others={WEB: ALICE})
    held = holdings(world, desk)
    held.begin(an_intent(a_cluster(), "web-1").pods)
    assert held.taken[uid("web")].startswith("deployment shop/web is in the hands of alice@laptop (pid 4711)")
    desk.others.clear()
    assert held.taken == {}


def test_the_lease_of_a_workload_is_given_back_once_nothing_of_it_is_left_to_do() -> None:
    world, desk = a_world(), Desk()
    held = holdings(world, desk)
    held.hold({NODE: "node/node-1"})
    held.begin(an_intent(a_cluster(), "web-1").pods)
    assert desk.held == {NODE, WEB}
    held.keep(frozenset())
    assert desk.held == {NODE}
    assert uid("web") in held.taken, "what was given back is not worked on any more"


def test_what_the_whole_run_holds_is_not_wanted_a_second_time() -> None:
    world, desk = a_world(), Desk()
    held = holdings(world, desk)
    held.hold({WEB: "deployment shop/web"})
    held.begin(an_intent(a_cluster(), "web-1").pods)
    assert not desk.single
    assert desk.group == {WEB}


def test_what_dead_drains_left_is_swept_only_while_the_nodes_are_ours() -> None:
    world, desk = a_world(), Desk()
    held = holdings(world, desk)
    held.hold({NODE: "node/node-1"})
    held.sweep()
    assert desk.swept == 1
    desk.others = {NODE: ALICE}
    held.sweep()
    assert desk.swept == 1


def test_what_was_taken_over_by_force_is_kept_beside_the_workloads() -> None:
    world, desk = a_world(), Desk()
    held = holdings(world, desk)
    held.hold({NODE: "node/node-1"}, is_by_force=True)
    assert desk.pushed == {NODE}
    held.begin(an_intent(a_cluster(), "web-1").pods)
    assert desk.held == {NODE, WEB}


def test_the_pods_of_a_workload_wait_for_its_lease_and_go_on_with_it() -> None:
    world, desk = a_world(), Desk(others={WEB: ALICE})
    world.after(100, desk.others.clear)
    heard = run(world, "web-1", holdings=holdings(world, desk))
    assert min(at for at, _, _ in world.tried) == NOW + timedelta(seconds=100)
    assert left(heard) == {}
