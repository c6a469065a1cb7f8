"""Who may be released and withdrawn, and what everyone else waits for."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.actions import Release, Withdraw
from kubectl_safe.decide.next import next_actions
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    HASH,
    LABELS,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    a_service,
    a_target,
    ago,
    an_answer,
    an_intent,
    an_owner,
    decide,
    health,
    in_words,
    told,
    uid,
)

SELECTOR = LabelSelector(match_labels={"app": "web"})
RELEASED = a_pod(released=True)
REPLACEMENT = a_pod("web-7")

ROWS = [
    pytest.param(a_cluster(), "Release", id="a pod that serves is released first"),
    pytest.param(
        a_cluster(RELEASED), "wait for replacement", id="a released pod stays until its replacement is in service"
    ),
    pytest.param(a_cluster(RELEASED, REPLACEMENT), "Withdraw", id="a replacement in service lets the pod go"),
    pytest.param(
        a_cluster(a_pod(released=True, owners=(an_owner(),)), REPLACEMENT),
        "wait for release",
        id="a pod that still has its controller is not withdrawn",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7", ready=False)),
        "wait for replacement",
        id="a replacement that is not Ready holds the withdrawal",
    ),
    pytest.param(
        a_cluster(RELEASED, a_pod("web-7", gates={GATE: False})),
        "wait for replacement",
        id="a replacement whose readiness gate is not True holds the withdrawal",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-7": health("initial")}),
        "wait for replacement",
        id="a replacement that is Ready but whose target is `initial` holds the withdrawal",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-7": None}),
        "wait for replacement",
        id="an unknown health never advances",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-7": health(asked=16)}),
        "wait for replacement",
        id="an old health never advances",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, target_health={"web-1": None}),
        "wait for cache",
        id="a pod of which nobody knows whether it serves is not withdrawn",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None}),
        "wait for cache",
        id="a pod of which nobody knows whether it serves is not released",
    ),
    pytest.param(
        a_cluster(
            RELEASED,
            a_pod("web-7", since=ago(9)),
            workloads={uid("web"): a_deployment(min_ready=timedelta(seconds=10))},
        ),
        "wait for replacement",
        id="a replacement that is Ready for less than minReadySeconds holds the withdrawal",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_a_pod_goes_only_where_its_replacement_was_seen(snapshot: Snapshot, expected: str) -> None:
    assert told(decide(snapshot)) == expected


DOWN = a_pod("web-2", ready=False)

SURGE_ROWS = [
    pytest.param(a_cluster(), {}, ["web-1"], id="no more pods are released than maxSurge"),
    pytest.param(a_cluster(), {"max_surge": 3}, ["web-1", "web-2", "web-3"], id="--max-surge goes before maxSurge"),
    pytest.param(a_cluster(), {"max_surge": "25%"}, ["web-1", "web-2"], id="a percentage is rounded up"),
    pytest.param(a_cluster(RELEASED), {"max_surge": 2}, ["web-2"], id="a released pod counts as surge"),
    pytest.param(a_cluster(a_pod(withdrawn=True)), {}, ["web-2"], id="a pod that drains does not count as surge"),
    pytest.param(a_cluster(DOWN), {}, ["web-2"], id="a pod that is out of service goes first"),
    pytest.param(
        a_cluster(DOWN, target_health={"web-3": None}),
        {},
        [],
        id="nothing is released where it can't be told how many are in service, and they may be too few",
    ),
    pytest.param(
        a_cluster(a_pod("web-7"), target_health={"web-3": None}),
        {},
        ["web-1"],
        id="a pod that can't be told does not matter where the others are enough",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "released"), SURGE_ROWS)
def test_releases_within_the_surge(snapshot: Snapshot, flags: dict[str, Any], released: list[str]) -> None:
    outcome = decide(snapshot, **flags)
    assert [a.pod.name for a in outcome.actions if isinstance(a, Release)] == released


def test_a_release_drops_the_hash_and_notes_how_many_were_in_service() -> None:
    outcome = decide(a_cluster(DOWN), "web-1")
    (release,) = outcome.actions
    assert isinstance(release, Release)
    assert (release.drop, release.in_service, release.owner.kind) == (HASH, 5, "Deployment")


def test_a_withdrawal_drops_what_services_select_by_and_notes_the_targets() -> None:
    outcome = decide(a_cluster(RELEASED, REPLACEMENT), "web-1")
    (withdraw,) = outcome.actions
    assert isinstance(withdraw, Withdraw)
    assert (withdraw.drop, withdraw.targets) == (frozenset({"app"}), (a_target(),))


FIRST: dict[str, Any] = {"workloads": {uid("web"): a_deployment(max_surge=0)}}

WITHDRAW_FIRST_ROWS = [
    pytest.param(a_cluster(**FIRST), {}, ["web-1"], id="withdraw-first goes one at a time"),
    pytest.param(a_cluster(**FIRST), {"max_unavailable": 2}, ["web-1", "web-2"], id="or as max-unavailable says"),
    pytest.param(a_cluster(**FIRST), {"max_unavailable": 0}, [], id="withdraw-first needs max-unavailable"),
    pytest.param(
        a_cluster(a_pod(withdrawn=True), **FIRST), {}, [], id="the next waits for the replacement of the one before"
    ),
    pytest.param(
        a_cluster(a_pod(withdrawn=True), REPLACEMENT, **FIRST), {}, ["web-2"], id="and goes once that is in service"
    ),
    pytest.param(
        a_cluster(DOWN, a_pod("web-3", ready=False), **FIRST),
        {},
        ["web-2", "web-3"],
        id="pods that are out of service need no floor, and those that serve wait for them",
    ),
    pytest.param(
        a_cluster(workloads={uid("web"): a_deployment(strategy="Recreate")}),
        {},
        ["web-1"],
        id="strategy Recreate is withdraw-first",
    ),
    pytest.param(
        a_cluster(services=(a_service(selector=LABELS),)),
        {},
        ["web-1"],
        id="a Service that uses every label of the ReplicaSet's selector makes it withdraw-first",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "withdrawn"), WITHDRAW_FIRST_ROWS)
def test_withdraws_first_where_no_pod_may_be_added(
    snapshot: Snapshot, flags: dict[str, Any], withdrawn: list[str]
) -> None:
    outcome = decide(snapshot, **flags)
    assert [a.pod.name for a in outcome.actions if isinstance(a, Withdraw)] == withdrawn


OTHER_ROWS = [
    pytest.param(
        a_cluster(replica_sets={r.uid: r for r in (a_replica_set(), a_replica_set("greedy-0", selector=SELECTOR))}),
        "blocked by adoption",
        id="a pod that another ReplicaSet would adopt is not released",
    ),
    pytest.param(
        a_cluster(a_pod(owners=())), "wait for release", id="a pod whose ReplicaSet let it go is waited for by name"
    ),
    pytest.param(
        a_cluster(replica_sets={}), "wait for release", id="a pod of a ReplicaSet that is not known is left alone"
    ),
    pytest.param(a_cluster(a_pod(terminating=True)), "wait for termination", id="a pod that stops is waited for"),
    pytest.param(a_cluster(without=["web-1"]), "gone", id="a pod whose UID is gone is done"),
    pytest.param(
        a_cluster(a_pod(released=True), services=()),
        "wait for replacement",
        id="a pod in no Service waits for its replacement all the same",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), REPLACEMENT, services=()),
        "Evict",
        id="a pod in no Service is evicted without a withdrawal",
    ),
    pytest.param(
        a_cluster(
            a_pod(released=True), REPLACEMENT, services=(), answers={"web-1": an_answer(dry_run=False, seconds=60)}
        ),
        "wait for termination",
        id="an eviction that was accepted is not asked for again",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), OTHER_ROWS)
def test_knows_the_rarer_cases(snapshot: Snapshot, expected: str) -> None:
    plan = an_intent(a_cluster())
    assert in_words(next_actions(snapshot, plan).decisions[uid("web-1")]) == expected


def noted(snapshot: Snapshot) -> list[int]:
    """Return what the pods that are released now are noted to owe."""
    return [action.in_service for action in decide(snapshot).actions if isinstance(action, Release)]


def test_pods_that_became_ready_a_moment_ago_are_owed_like_those_in_service() -> None:
    fresh = [a_pod(f"web-{n}", since=ago(5)) for n in range(1, 7)]
    slow = {uid("web"): a_deployment(min_ready=timedelta(seconds=60))}
    assert noted(a_cluster(*fresh, workloads=slow)) == [6]
    assert told(decide(a_cluster(a_pod(released=True, since=ago(5)), *fresh[1:], workloads=slow))) == (
        "wait for replacement"
    )


def test_a_pod_that_is_out_for_long_is_owed_to_nobody() -> None:
    assert noted(a_cluster(a_pod("web-6", ready=False, since=ago(31)))) == [5]
    assert noted(a_cluster(a_pod("web-6", ready=False, since=ago(29)))) == [6]
