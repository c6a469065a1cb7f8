"""Leases of runs that compete: in virtual time, on one server, with everything that may come between."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubectl_safe.kube.backoff import Backoff
from kubectl_safe.model.lease import LeaseName
from kubectl_safe.run import clock
from kubectl_safe.run.identity import our_identity
from kubectl_safe.run.leases import Leases
from tests.support.leases import NOW, A, B, C, FakeLeases, Fault, LeaseServer, Time, a_lease

ALICE, BOB = "alice@laptop pid 4711 3f2a9c1b", "bob@desk pid 12 0badcafe"
DENIED_IN_WORDS = "create of lease shop/kubectl-safe.deployment.a failed: forbidden"


@dataclass
class Heard:
    """Counts how often it was set."""

    count: int = 0

    def set(self) -> None:
        self.count += 1


@dataclass
class Runner:
    """A run that competes for Leases; its clock for people is off."""

    api: FakeLeases
    leases: Leases
    signal: Heard

    @property
    def verbs(self) -> list[str]:
        """What was asked since the last look."""
        asked = [verb for verb, _ in self.api.asked]
        self.api.asked.clear()
        return asked


@dataclass
class Race:
    """Runs on one server, and the time that passes for all of them."""

    time: Time = field(default_factory=Time)
    server: LeaseServer = field(default_factory=LeaseServer)

    def runner(self, identity: str = ALICE, *, hours_off: int = 0, nodes: tuple[str, ...] = ()) -> Runner:
        api, signal = FakeLeases(self.server), Heard()
        leases = Leases(
            api,
            about=f"restart by {identity.partition('@')[0]}",
            signal=signal,
            nodes=nodes,
            holder=identity,
            elapsed=self.time,
            now=lambda: NOW + timedelta(hours=hours_off, seconds=self.time.at),
            backoff=Backoff(first=1, longest=5),
        )
        return Runner(api, leases, signal)

    def run(self, seconds: float, *runners: Runner) -> None:
        """Let time pass, with each of these at work as soon as something is due."""
        until = self.time.at + seconds
        while runners:
            due = min(runner.leases.step() for runner in runners)
            if due > until:
                break
            self.time.at = max(due, self.time.at + 0.001)
        self.time.at = until
        for runner in runners:
            runner.leases.step()


def only(*names: LeaseName) -> frozenset[LeaseName]:
    return frozenset(names)


def test_what_is_wanted_is_taken_renewed_and_given_back() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A])
    assert alice.leases.held == only()
    race.run(0, alice)
    assert alice.leases.held == only(A)
    assert alice.verbs == ["get", "create"]
    race.run(60, alice)
    assert alice.verbs == ["update"] * 6
    assert alice.leases.held == only(A)
    alice.leases.want([])
    assert alice.leases.held == only()
    race.run(0, alice)
    assert alice.verbs == ["delete"]
    assert race.server.leases == {}


def test_who_holds_it_is_told() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A, B])
    race.run(0, alice)
    bob.leases.want([A, C])
    race.run(1, alice, bob)
    assert bob.leases.held == only(C)
    assert {name: str(holder) for name, holder in bob.leases.holders.items()} == {
        A: "alice@laptop (pid 4711): restart by alice"
    }
    assert bob.leases.trouble is None
    assert bob.leases.is_valid


def test_it_is_had_a_second_after_it_was_given_back() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    bob.leases.want([A])
    race.run(100, alice, bob)
    assert bob.leases.held == only()
    alice.leases.want([])
    race.run(1, alice, bob)
    assert bob.leases.held == only(A)
    assert bob.leases.holders == {}


@pytest.mark.parametrize("hours_off", [-5, 0, 5])
def test_a_dead_holder_is_followed_after_thirty_seconds_without_a_change_and_not_before(hours_off: int) -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB, hours_off=hours_off)
    alice.leases.want([A])
    race.run(15, alice)
    bob.leases.want([A])
    race.run(29.9, bob)
    assert bob.leases.held == only()
    race.run(0.2, bob)
    assert bob.leases.held == only(A)
    assert race.server.leases[A].transitions == 1


def test_each_change_begins_the_thirty_seconds_anew() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    race.run(0, alice)
    bob.leases.want([A])
    race.run(28, bob)
    race.run(0, alice)
    race.run(28, bob)
    assert bob.leases.held == only()


def test_who_was_frozen_finds_it_invalid_before_anything_else() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A])
    race.run(0, alice)
    race.time.at += 24.9
    assert alice.leases.is_valid
    race.time.at += 0.1
    assert not alice.leases.is_valid
    assert alice.leases.held == only()
    race.time.at += 3600
    assert not alice.leases.is_valid
    race.run(0, alice)
    assert alice.leases.is_valid, "nobody took it meanwhile"
    assert alice.leases.held == only(A)
    assert alice.leases.lost is None


def test_what_was_taken_from_the_frozen_is_lost_for_ever() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A, B])
    race.run(0, alice)
    bob.leases.want([A])
    race.run(31, bob)
    race.run(1, alice, bob)
    assert str(alice.leases.lost) == (
        "another run has taken over, as this one was pushed out or not seen for too long: "
        "lease shop/kubectl-safe.deployment.a of this run is held by bob@desk (pid 12): restart by bob now; "
        "nothing more is written by this run"
    )
    for _ in range(2):
        assert not alice.leases.is_valid
        assert alice.leases.held == only()
        bob.leases.want([])
        race.run(60, alice, bob)
    assert ("create", A) not in alice.api.asked[2:]


def test_what_was_deleted_may_have_been_anothers_since() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    race.run(0, alice)
    bob.leases.want([A])
    race.run(40, bob)
    bob.leases.want([])
    race.run(0, bob)
    race.run(1, alice)
    assert str(alice.leases.lost).endswith("was deleted; nothing more is written by this run")
    assert race.server.leases == {}


def test_a_lost_run_neither_spins_nor_deletes_what_is_anothers() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    race.run(0, alice)
    bob.leases.take_over([A])
    race.run(0, bob)
    race.run(11, alice, bob)
    alice.leases.want([B])
    alice.leases.want_together([C])
    alice.api.asked.clear()
    assert alice.leases.step() > race.time.at
    alice.leases.end()
    assert alice.api.asked == []
    assert race.server.deleted == []


class Between:
    """Somebody else takes the lease over while our request to delete it is on its way."""

    def __init__(self, race: Race, runner: Runner) -> None:
        self.race, self.runner = race, runner

    def __call__(self) -> None:
        if self.runner.api.asked[-1][0] == "delete":
            self.race.server.put(a_lease(uid=self.race.server.leases[A].uid))


def test_giving_back_never_deletes_anothers() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A])
    race.run(0, alice)
    alice.api.before = Between(race, alice)
    alice.leases.end()
    assert alice.verbs == ["get", "create", "delete", "get"]
    assert race.server.leases[A].holder == a_lease().holder


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
@pytest.mark.parametrize("fault", [Fault.NO_ANSWER, Fault.NOT_DONE])
def test_a_write_without_an_answer_is_looked_after(verb: str, fault: Fault) -> None:
    race = Race()
    alice = race.runner()
    faults = [fault]
    alice.api.fault = lambda asked: faults.pop() if asked == verb and faults else Fault.NONE
    alice.leases.want([A])
    race.run(15, alice)
    assert alice.leases.held == only(A)
    assert alice.leases.lost is None
    alice.leases.want([])
    race.run(2, alice)
    assert faults == []
    assert race.server.leases == {}
    assert alice.leases.trouble is None


def test_at_the_end_everything_is_given_back_also_what_was_created_without_an_answer() -> None:
    race = Race()
    alice = race.runner()
    faults = [Fault.NO_ANSWER]
    alice.api.fault = lambda asked: faults.pop() if asked == "create" and faults else Fault.NONE
    alice.leases.want([A])
    alice.leases.want_together([B, C])
    alice.leases.step()
    assert race.server.leases.keys() == {A, B, C}
    alice.leases.end()
    assert race.server.leases == {}
    assert alice.leases.held == only()


def test_an_end_in_the_middle_of_which_the_process_was_stopped_gives_back_the_rest_too() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A, B, C])
    race.run(0, alice)
    stops = [40.0]
    alice.api.before = lambda: race.run(stops.pop()) if stops else None
    alice.leases.end()
    assert race.server.leases == {}


def test_an_end_that_a_silent_server_does_not_answer_is_not_asked_for_again() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A, B, C])
    race.run(0, alice)
    alice.api.fault = lambda _: Fault.NOT_DONE
    race.run(11, alice)
    alice.api.asked.clear()
    alice.api.before = lambda: race.run(5)
    alice.leases.end()
    assert alice.verbs == ["delete", "delete"]
    assert alice.leases.trouble == Fault.NOT_DONE.value


@pytest.mark.parametrize("fault", [Fault.NOT_DONE, Fault.DENIED])
def test_an_end_that_is_refused_for_a_moment_is_asked_for_again(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubectl_safe.run.leases.GIVE_BACK_AGAIN", (0.001, 0.001, 0.001))
    race = Race()
    alice = race.runner()
    alice.leases.want([A, B])
    race.run(0, alice)
    faults = iter([fault] * 4)
    alice.api.fault = lambda _: next(faults, Fault.NONE)
    alice.leases.end()
    assert race.server.leases == {}


def test_an_end_is_asked_for_whatever_failed_before() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A, B])
    race.run(0, alice)
    alice.api.fault = lambda _: Fault.NO_ANSWER
    race.run(10.5, alice)
    assert alice.leases.trouble == Fault.NO_ANSWER.value
    alice.api.fault = lambda _: Fault.NONE
    alice.leases.end()
    assert race.server.leases == {}


def test_a_trouble_is_over_once_it_is_known_who_is_in_the_way() -> None:
    race = Race()
    race.server.put(a_lease())
    alice = race.runner()
    alice.api.fault = lambda _: Fault.NOT_DONE
    alice.leases.want_together([A, B])
    race.run(1, alice)
    assert alice.leases.trouble == Fault.NOT_DONE.value
    alice.api.fault = lambda _: Fault.NONE
    race.run(5, alice)
    assert alice.leases.trouble is None
    assert alice.leases.holders.keys() == {A}


def test_renewals_that_fail_for_a_while_end_the_trust_and_not_the_run() -> None:
    race = Race()
    alice = race.runner()
    alice.leases.want([A])
    race.run(0, alice)
    alice.api.fault = lambda _: Fault.NOT_DONE
    race.run(24, alice)
    assert alice.leases.is_valid
    assert alice.leases.trouble == Fault.NOT_DONE.value
    race.run(2, alice)
    assert not alice.leases.is_valid
    alice.api.fault = lambda _: Fault.NONE
    race.run(1, alice)
    assert alice.leases.is_valid
    assert alice.leases.trouble is None


def test_trust_counts_from_when_a_renewal_was_sent() -> None:
    race = Race()
    alice = race.runner()

    def freeze() -> None:
        race.time.at += 26

    alice.api.after = freeze
    alice.leases.want([A])
    alice.leases.step()
    assert alice.leases.held == only()
    assert not alice.leases.is_valid


@pytest.mark.parametrize("wants", [Leases.want, Leases.want_together, Leases.take_over])
def test_what_is_denied_says_so(wants: Callable[[Leases, list[LeaseName]], None]) -> None:
    race = Race()
    alice = race.runner()
    alice.api.fault = lambda verb: Fault.DENIED if verb == "create" else Fault.NONE
    wants(alice.leases, [A])
    race.run(20, alice)
    assert alice.leases.trouble == DENIED_IN_WORDS
    assert alice.leases.held == only()
    assert len(alice.verbs) < 40
    alice.api.fault = lambda _: Fault.NONE
    race.run(6, alice)
    assert alice.leases.held == only(A)
    assert alice.leases.trouble is None


def test_of_what_is_wanted_together_nothing_is_kept_while_one_is_missing() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    bob.leases.want([B])
    race.run(0, bob)
    alice.leases.want([C])
    alice.leases.want_together([B, A])
    race.run(30, alice, bob)
    assert alice.leases.held == only(C)
    assert race.server.leases.keys() == {B, C}
    assert alice.leases.holders.keys() == {B}
    bob.leases.want([])
    race.run(6, alice, bob)
    assert alice.leases.held == only(A, B, C)


def test_what_was_kept_is_given_back_where_the_next_batch_can_not_be_had() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want_together([A, B])
    bob.leases.want([C])
    race.run(0, alice, bob)
    alice.leases.want_together([B, C])
    race.run(0, alice, bob)
    assert alice.leases.held == only()
    assert race.server.leases.keys() == {C}


def test_they_are_taken_in_order_and_the_first_that_is_lost_to_another_ends_the_attempt() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    bob.leases.want([B])

    def between() -> None:
        if alice.api.asked[-1] == ("create", A):
            bob.leases.step()

    alice.api.before = between
    alice.leases.want_together([C, B, A])
    alice.leases.step()
    creates = [name for verb, name in alice.api.asked if verb == "create"]
    assert creates == [A, B]
    assert race.server.leases.keys() == {B}


def test_who_is_pushed_out_has_time_to_notice() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    bob.leases.want([A])
    race.run(0, alice, bob)
    bob.leases.take_over([A])
    bob.leases.step()
    assert race.server.leases[A].holder == BOB, "whoever waited for it before"
    assert alice.leases.held == only(A), "it can't know yet"
    assert bob.leases.held == only()
    race.run(29.9, bob)
    assert bob.leases.held == only()
    race.run(0.2, bob)
    assert bob.leases.held == only(A)
    race.run(1, alice)
    assert alice.leases.lost is not None


def test_nobody_is_waited_for_where_nobody_was() -> None:
    race = Race()
    race.server.put(a_lease(A, holder=""))
    bob = race.runner(BOB)
    bob.leases.take_over([A, B])
    race.run(0, bob)
    assert bob.leases.held == only(A, B)


def test_what_another_was_pushed_out_of_is_given_back_only_when_that_one_must_have_noticed() -> None:
    race = Race()
    alice, bob, carol = race.runner(), race.runner(BOB), race.runner("carol@home pid 1 00000000")
    alice.leases.want([A])
    race.run(0, alice)
    bob.leases.take_over([A])
    race.run(1, bob)
    bob.leases.want([])
    carol.leases.want([A])
    race.run(23.9, bob, carol)
    assert alice.leases.held == only(A), "it was frozen all the time, and can't know"
    assert carol.leases.held == only()
    race.run(7, bob, carol)
    assert carol.leases.held == only(A)
    assert alice.leases.held == only()


def pushing_without_an_answer() -> tuple[Race, Runner, Runner]:
    """Return alice, who holds a lease, and bob, who has pushed her out and got no answer."""
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    race.run(0, alice)
    faults = [Fault.NO_ANSWER]
    bob.api.fault = lambda asked: faults.pop() if asked == "update" and faults else Fault.NONE
    bob.leases.take_over([A])
    bob.leases.step()
    assert race.server.leases[A].holder == BOB
    return race, alice, bob


def test_who_pushed_another_out_without_an_answer_waits_as_well() -> None:
    race, alice, bob = pushing_without_an_answer()
    race.run(24, bob)
    assert alice.leases.held == only(A)
    assert bob.leases.held == only()
    race.run(8, bob)
    assert bob.leases.held == only(A)


def test_who_pushed_another_out_without_an_answer_gives_back_as_late() -> None:
    race, alice, bob = pushing_without_an_answer()
    bob.leases.want([])
    race.run(24, bob)
    assert alice.leases.held == only(A)
    assert race.server.leases.keys() == {A}
    race.run(8, bob)
    assert race.server.leases == {}


def test_each_change_sets_the_signal() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    alice.leases.want([A])
    race.run(0, alice)
    assert alice.signal.count == 1, "it is taken"
    race.run(25, alice)
    assert alice.signal.count == 1, "renewals change nothing"
    bob.leases.take_over([A])
    race.run(0, bob)
    race.run(11, alice)
    assert alice.signal.count == 2, "it is lost"


def assert_one_at_most(runners: list[Runner]) -> None:
    """Claim that nothing is held by two at this moment."""
    for one, other in zip(runners, runners[1:] + runners[:1], strict=True):
        shared = one.leases.held & other.leases.held
        assert not (shared and one.leases.is_valid and other.leases.is_valid), shared


class Chaos:
    """Three runs, and in the midst of each request others' steps, freezes, lost answers, and pushing."""

    def __init__(self, seed: int) -> None:
        self.random, self.race = Random(seed), Race()
        self.runners = [
            self.race.runner(f"{who}@x pid 1 00000000", hours_off=self.random.randint(-9, 9)) for who in "abc"
        ]
        self.busy: list[Runner] = []
        self.faulty = self.random.choice([0.0, 0.1, 0.4])
        for runner in self.runners:
            runner.api.before = runner.api.after = self.come_between
            runner.api.fault = self.fault

    def fault(self, _: str) -> Fault:
        lost = self.random.random() < self.faulty
        return self.random.choice([Fault.NO_ANSWER, Fault.NOT_DONE]) if lost else Fault.NONE

    def come_between(self) -> None:
        assert_one_at_most(self.runners)
        # The first of those whose requests are on their way may be frozen meanwhile.
        freeze = self.random.uniform(0, 40) if len(self.busy) == 1 else 0.0
        self.race.time.at += self.random.choice([0.0, 0.01, 0.01, 0.3, freeze])
        others = [runner for runner in self.runners if runner not in self.busy]
        if others and self.random.random() < 0.3:
            self.step(self.random.choice(others))
        assert_one_at_most(self.runners)

    def step(self, runner: Runner) -> None:
        self.busy.append(runner)
        runner.leases.step()
        self.busy.pop()

    def change_a_mind(self) -> None:
        leases = self.random.choice(self.runners).leases
        names = self.random.sample([A, B, C], self.random.randint(0, 2))
        nothing: list[Callable[[list[LeaseName]], None]] = [lambda _: None] * 13
        self.random.choice([*[leases.want] * 4, *[leases.want_together] * 2, leases.take_over, *nothing])(names)

    def go_on(self) -> None:
        self.change_a_mind()
        for _ in range(self.random.randint(1, 4)):
            self.step(self.random.choice(self.runners))
            self.race.time.at += self.random.choice([0.0, 0.1, 1.0, 9.0])
            assert_one_at_most(self.runners)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_never_do_two_hold_the_same(seed: int) -> None:
    chaos = Chaos(seed)
    for _ in range(60):
        chaos.go_on()


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_who_wants_the_same_in_another_order_comes_to_an_end(seed: int) -> None:
    random, race = Random(seed), Race()
    wanted = {ALICE: [A, B], BOB: [B, A], "carol@home pid 1 00000000": [C, B]}
    waiting = {who: race.runner(who) for who in wanted}
    everybody = list(waiting.values())
    for who, runner in waiting.items():
        runner.leases.want_together(wanted[who])
        runner.api.before = lambda: setattr(race.time, "at", race.time.at + random.choice([0.01, 0.1]))
    for _ in range(120):
        for runner in random.sample(everybody, len(everybody)):
            runner.leases.step()
        assert_one_at_most(everybody)
        for who in [who for who, runner in waiting.items() if runner.leases.held]:
            assert waiting[who].leases.held == frozenset(wanted[who])
            waiting.pop(who).leases.want_together([])
        race.time.at += 0.5
    assert not waiting
    assert race.server.leases == {}


class Waiting(Heard):
    """Lets a test wait for what it expects."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def set(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, is_so: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(is_so, timeout=10)


def test_the_thread_takes_what_is_wanted_at_once_and_gives_it_back_at_the_end() -> None:
    server, signal = LeaseServer(), Waiting()
    with Leases(FakeLeases(server), about="drain node-a", signal=signal) as leases:
        leases.want([A])
        signal.until(lambda: leases.held == only(A))
        assert server.leases[A].holder == leases.identity
        leases.want([B])
        signal.until(lambda: leases.held == only(B))
        assert server.leases.keys() == {B}
    assert not leases._thread.is_alive()
    assert server.leases == {}
    assert leases.held == only()


def test_nothing_that_is_asked_waits_for_a_request() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        assert go_on.wait(10)

    api = FakeLeases(LeaseServer(), before=hang)
    with Leases(api, about="drain node-a", signal=Heard()) as leases:
        leases.want([A])
        assert asked.wait(10)
        assert (leases.held, leases.holders, leases.lost, leases.is_valid) == (only(), {}, None, True)
        leases.want([])
        go_on.set()


def test_we_are_another_at_each_call() -> None:
    assert our_identity() != our_identity()
    assert " pid " in our_identity()


def test_elapsed_time_goes_on() -> None:
    first = clock.elapsed()
    assert clock.elapsed() >= first > 0


def test_what_is_only_watched_is_neither_taken_nor_told_of() -> None:
    race = Race()
    alice = race.runner()
    race.server.put(a_lease(A))
    alice.leases.watch([A, B])
    race.run(20, alice)
    assert alice.verbs == ["get"] * 10
    assert (alice.leases.held, alice.leases.holders) == (only(), {})
    assert list(race.server.leases) == [A]


def test_a_dead_holder_of_what_was_watched_is_followed_as_soon_as_it_is_wanted() -> None:
    race = Race()
    alice = race.runner()
    race.server.put(a_lease(A))
    alice.leases.watch([A])
    race.run(31, alice)
    alice.leases.want([A])
    alice.leases.watch([])
    race.run(0, alice)
    assert alice.leases.held == only(A)
    alice.leases.want([])
    race.run(0, alice)
    assert race.server.leases == {}


def test_a_living_holder_of_what_was_watched_is_waited_for() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    bob.leases.want([A])
    race.run(0, bob)
    alice.leases.watch([A])
    race.run(60, alice, bob)
    alice.leases.want([A])
    race.run(5, alice, bob)
    assert alice.leases.held == only()
    assert bob.leases.held == only(A)


def test_who_was_pushed_out_is_told_of_until_it_must_have_noticed() -> None:
    race = Race()
    alice, bob = race.runner(), race.runner(BOB)
    bob.leases.want([A])
    race.run(0, bob)
    alice.leases.take_over([A])
    race.run(15, alice, bob)
    assert [str(holder) for holder in alice.leases.holders.values()] == ["bob@desk (pid 12): restart by bob"]
    race.run(16, alice, bob)
    assert alice.leases.held == only(A)
    assert alice.leases.holders == {}


def test_the_leases_that_a_dead_drain_of_our_nodes_held_are_swept_and_no_others() -> None:
    race = Race()
    dead, other, ours = (
        race.runner(BOB, nodes=("node-a",)),
        race.runner("carol", nodes=("node-b",)),
        race.runner(nodes=("node-a",)),
    )
    for runner, name in ((dead, A), (other, B), (ours, C)):
        runner.leases.want([name])
        race.run(0, runner)
    ours.leases.sweep()
    assert race.server.leases.keys() == {B, C}
