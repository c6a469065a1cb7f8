"""What to do about one Lease, by what was observed of it and for how long."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.leasing import (
    DURATION,
    MARGIN,
    RENEW_EVERY,
    Create,
    Fine,
    Held,
    Lost,
    Renew,
    Step,
    TakeOver,
    Term,
    created,
    is_of_a_dead_run,
    is_valid,
    next_step,
    renewed,
    taken_over,
)
from kubectl_safe.model.lease import (
    Holder,
    Lease,
    LeaseName,
    identity,
    lease_of_node,
    lease_of_workload,
    readable,
)
from tests.support.leases import A, a_lease

US = "alice@laptop pid 4711 3f2a9c1b"
BOBS, OURS, NOBODYS = a_lease(), a_lease(holder=US), a_lease(holder="")
BOB = Holder(identity=BOBS.holder, about="restart web", since=datetime(2026, 11, 23, 11, 0, tzinfo=UTC))
LONG, SHORT = timedelta(hours=1), timedelta(seconds=29.9)


def decide(seen: Lease | None, *, unchanged: timedelta = SHORT, **flags: Any) -> Step:
    return next_step(seen, us=US, unchanged_for=unchanged, term=None, **flags)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(decide(None), Create(), id="none is created"),
        pytest.param(decide(BOBS), Held(by=BOB), id="another's that changed within its duration is held"),
        pytest.param(
            decide(BOBS, unchanged=DURATION), TakeOver(lease=BOBS), id="one that did not change is taken over"
        ),
        pytest.param(
            decide(a_lease(duration=LONG), unchanged=DURATION), Held(by=BOB), id="the duration is that of its holder"
        ),
        pytest.param(
            decide(a_lease(duration=timedelta(0))), Held(by=BOB), id="one without a duration is given the usual one"
        ),
        pytest.param(decide(NOBODYS, unchanged=timedelta(0)), TakeOver(lease=NOBODYS), id="nobody's is taken at once"),
        pytest.param(decide(OURS), Renew(lease=OURS), id="ours by an answer that was lost is renewed"),
        pytest.param(
            decide(BOBS, is_forced=True),
            TakeOver(lease=BOBS, usable_after=DURATION),
            id="a living holder who is pushed out has the duration to notice",
        ),
        *(
            pytest.param(
                decide(a_lease(duration=duration), is_forced=True, unchanged=timedelta(0)),
                TakeOver(lease=a_lease(duration=duration), usable_after=usable_after),
                id=f"and the longer of both durations, where his is {duration}",
            )
            for duration, usable_after in ((LONG, LONG), (SHORT, DURATION), (timedelta(0), DURATION))
        ),
        pytest.param(
            decide(BOBS, is_forced=True, unchanged=DURATION),
            TakeOver(lease=BOBS),
            id="a dead one has nothing to notice",
        ),
        pytest.param(decide(NOBODYS, is_forced=True), TakeOver(lease=NOBODYS), id="nor has nobody"),
        pytest.param(
            decide(OURS, has_pushed=True),
            Renew(lease=OURS, usable_after=DURATION),
            id="who pushed somebody out by an answer that was lost waits as well",
        ),
    ],
)
def test_a_lease_that_we_have_not(step: Step, expected: Step) -> None:
    assert step == expected


def of_ours(seen: Lease | None, *, since: timedelta = timedelta(0), **flags: Any) -> Step:
    term = Term(uid="uid", since_renewal=since)
    return next_step(seen, us=US, unchanged_for=timedelta(0), term=term, **flags)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        pytest.param(of_ours(OURS), Fine(), id="it rests after a renewal"),
        pytest.param(of_ours(OURS, since=RENEW_EVERY), Renew(lease=OURS), id="it is renewed every ten seconds"),
        pytest.param(of_ours(OURS, since=LONG), Renew(lease=OURS), id="and after an hour, if nobody took it"),
        pytest.param(of_ours(BOBS), Lost(to=BOB), id="another's is lost"),
        pytest.param(of_ours(BOBS, is_forced=True), Lost(to=BOB), id="nor is it pushed for again"),
        pytest.param(of_ours(NOBODYS), Lost(to=None), id="one whose holder was cleared is lost"),
        pytest.param(of_ours(None), Lost(to=None), id="one that was deleted may have been another's since"),
        pytest.param(of_ours(a_lease(holder=US, uid="new")), Lost(to=None), id="so may one that was created anew"),
    ],
)
def test_a_lease_that_we_took(step: Step, expected: Step) -> None:
    assert step == expected


@pytest.mark.parametrize("year", ["1970", "2999", ""], ids=["the past", "the future", "no time"])
def test_never_looks_at_another_clock(year: str) -> None:
    time = f"{year}-01-01T00:00:00.000000Z" if year else ""
    seen = a_lease(since=time, renewed=time)
    assert isinstance(decide(seen, unchanged=SHORT), Held)
    assert isinstance(decide(seen, unchanged=DURATION), TakeOver)


def test_a_holder_stops_to_trust_it_before_another_may_take_it_over() -> None:
    assert is_valid(DURATION - MARGIN - timedelta(milliseconds=1))
    assert not is_valid(DURATION - MARGIN)
    assert RENEW_EVERY * 2 < DURATION - MARGIN, "one renewal may fail"


def test_a_lease_says_who_has_it_since_when_and_what_for() -> None:
    lease = created(A, us=US, about="drain node-a", at="2026-11-23T12:00:00.000000Z")
    assert str(lease.held_by) == "alice@laptop (pid 4711): drain node-a"
    assert lease.held_by.since == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    later = renewed(lease, at="2026-11-23T12:00:10.000000Z")
    assert (later.since, later.renewed) == (lease.since, "2026-11-23T12:00:10.000000Z")


def test_a_lease_lasts_thirty_seconds_and_is_renewed_every_ten() -> None:
    seconds = [it.total_seconds() for it in (DURATION, RENEW_EVERY, MARGIN, Renew(lease=OURS).usable_after)]
    assert seconds == [30, 10, 5, 0]
    assert TakeOver(lease=BOBS).usable_after == timedelta(0)


def test_a_lease_that_is_created_has_nothing_yet_that_only_the_server_gives() -> None:
    lease = created(A, us=US, about="drain", at="now", nodes=("node-a",))
    assert (lease.uid, lease.resource_version, lease.transitions) == ("", "", 0)
    assert (lease.holder, lease.since, lease.renewed, lease.duration, lease.nodes) == (
        US,
        "now",
        "now",
        DURATION,
        ("node-a",),
    )
    assert renewed(replace(lease, duration=SHORT), at="later").duration == DURATION
    taken = taken_over(replace(BOBS, duration=SHORT, nodes=("node-b",)), us=US, about="", at="now", nodes=("node-a",))
    assert (taken.duration, taken.nodes) == (DURATION, ("node-a",))
    assert taken_over(BOBS, us=US, about="", at="now").nodes == created(A, us=US, about="", at="now").nodes == ()


def test_a_lease_that_is_taken_over_keeps_what_the_server_compares() -> None:
    ours = taken_over(BOBS, us=US, about="drain node-a", at="now")
    assert (ours.uid, ours.resource_version) == (BOBS.uid, BOBS.resource_version)
    assert (ours.holder, ours.about, ours.since, ours.renewed, ours.transitions) == (
        US,
        "drain node-a",
        "now",
        "now",
        1,
    )


@pytest.mark.parametrize(
    ("holder", "words"),
    [
        (identity(user="alice", host="laptop", pid=4711, nonce="3f2a9c1b"), "alice@laptop (pid 4711)"),
        ("kube-scheduler_1a2b", "kube-scheduler_1a2b"),
        ("", ""),
    ],
    ids=["ours", "another tool's", "nobody"],
)
def test_a_holder_is_told_as_people_say_it(holder: str, words: str) -> None:
    assert readable(holder) == words


def test_leases_have_an_order_and_their_place() -> None:
    assert lease_of_node("node-a") == LeaseName("kube-node-lease", "kubectl-safe.node-a")
    web = lease_of_workload("Deployment", "shop", "web")
    assert str(web) == "shop/kubectl-safe.deployment.web"
    assert sorted([web, lease_of_node("node-a")]) == [lease_of_node("node-a"), web]


def test_long_names_are_cut_and_stay_different() -> None:
    first, second = (lease_of_workload("Deployment", "shop", "x" * 240 + end).name for end in ("-1", "-2"))
    assert len(first) == len(second) == 253
    assert first != second
    dotted = lease_of_node("x" * 228 + "." * 30 + "y").name
    assert len(dotted) <= 253
    assert ".-" not in dotted


@pytest.mark.parametrize(
    ("holder", "nodes", "is_dead"),
    [
        pytest.param("bob", ("node-a",), True, id="another's, of a drain of a node of ours"),
        pytest.param("bob", ("node-b", "node-a"), True, id="of a drain of several, ours among them"),
        pytest.param("bob", ("node-b",), False, id="of a drain of another node"),
        pytest.param("bob", (), False, id="of no drain"),
        pytest.param(US, ("node-a",), False, id="our own"),
    ],
)
def test_who_holds_a_node_knows_which_leases_are_of_a_dead_drain(
    holder: str, nodes: tuple[str, ...], is_dead: bool
) -> None:
    lease = created(A, us=holder, about="drain", at="now", nodes=nodes)
    assert is_of_a_dead_run(lease, us=US, nodes=frozenset({"node-a"})) is is_dead
