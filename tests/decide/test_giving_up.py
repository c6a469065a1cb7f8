"""What is given up at one look, and what is not waited for any longer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.giving_up import Limits, Look, Troubles, give_up
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.progress import Progress
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_replica_set,
    ago,
    an_answer,
    an_intent,
    arn,
    health,
    uid,
)

RELEASED = a_pod(released=True)
COMING = a_pod("web-7", ready=False)
DRAINING = {"web-1": health("draining", "Target.DeregistrationInProgress")}
WAITING = a_cluster(RELEASED, COMING, workloads={uid("web"): a_deployment(progress_deadline=timedelta(seconds=60))})
STAYING = a_cluster(a_pod(withdrawn=True), target_health=DRAINING, groups={arn(): a_group(delay=10)})
HELD = a_cluster(RELEASED, a_pod("web-7"), answers={"web-1": an_answer(allowed=False, message="Cannot evict pod.")})
STOPPING = a_cluster(a_pod(withdrawn=True, terminating=True))
GREEDY = LabelSelector(match_labels={"app": "web"})
ADOPTED = a_cluster(replica_sets={r.uid: r for r in (a_replica_set(), a_replica_set("greedy-0", selector=GREEDY))})


TIERED = {"app": "web", "tier": "front", HASH: "5d4f8c7b9"}
FRONT = a_replica_set("greedy-0", selector=LabelSelector(match_labels={"tier": "front"}))

BOTH_SETS = {r.uid: r for r in (a_replica_set(), FRONT)}


def look(snapshot: Snapshot, *names: str, waited: float = 0, before: Intent | None = None) -> Look:
    """Return a look at pods whose waits have lasted so many seconds."""
    intent = before or an_intent(snapshot, *names)
    outcome = next_actions(snapshot, intent)
    progress = Progress(intent=intent, began=ago(waited))
    progress.count(snapshot, outcome)
    progress.waits = {key: (on, ago(waited)) for key, (on, _) in progress.waits.items()}
    return Look(intent=intent, outcome=outcome, progress=progress, snapshot=snapshot)


def given_up(at: Look, limits: Limits | None = None, **troubles: Any) -> tuple[list[str], list[str]]:
    """Return the names of the pods that are given up after a look, and of those that are overdue."""
    after = give_up(at, limits or Limits(), Troubles(**troubles))
    return sorted(key.removesuffix("-uid") for key in after.given_up), sorted(
        key.removesuffix("-uid") for key in after.overdue
    )


TIMEOUT = Limits(timeout=timedelta(seconds=30))
ROWS = [
    pytest.param(look(WAITING, "web-1", waited=60), None, {}, ([], []), id="a wait that has not reached its deadline"),
    pytest.param(look(WAITING, "web-1", waited=61), None, {}, (["web-1"], []), id="a replacement that is late"),
    pytest.param(
        look(WAITING, "web-1", "web-2", waited=61),
        None,
        {},
        (["web-1", "web-2"], []),
        id="and who would wait for the same",
    ),
    pytest.param(look(STAYING, "web-1", waited=131), None, {}, ([], ["web-1"]), id="a target that stays"),
    pytest.param(
        look(STAYING, "web-1", "web-2", waited=131),
        None,
        {},
        ([], ["web-1"]),
        id="a target that stays keeps nobody else",
    ),
    pytest.param(
        look(STAYING, "web-1", "web-2", waited=131),
        Limits(is_fail_fast=True),
        {},
        (["web-1", "web-2"], ["web-1"]),
        id="but for --fail-fast",
    ),
    pytest.param(look(HELD, "web-1", waited=3600), None, {}, ([], []), id="a budget is waited for without an end"),
    pytest.param(look(HELD, "web-1", waited=29), TIMEOUT, {}, ([], []), id="before --timeout nothing is given up"),
    pytest.param(
        look(HELD, "web-1", waited=30), TIMEOUT, {}, (["web-1"], []), id="at --timeout a release is given back"
    ),
    pytest.param(
        look(STAYING, "web-1", waited=30), TIMEOUT, {}, ([], ["web-1"]), id="and a withdrawn pod not waited for"
    ),
    pytest.param(look(STOPPING, "web-1", waited=30), TIMEOUT, {}, ([], ["web-1"]), id="nor one that is stopping"),
    pytest.param(look(ADOPTED, "web-1", "web-2"), None, {}, (["web-1", "web-2"], []), id="what is blocked is given up"),
    pytest.param(
        look(a_cluster(a_pod(labels=TIERED), replica_sets=BOTH_SETS), "web-1", "web-2"),
        None,
        {},
        (["web-1"], []),
        id="and stands for itself alone",
    ),
    pytest.param(
        look(WAITING, "web-1", "web-2"),
        None,
        {"stop": "interrupted"},
        (["web-1", "web-2"], []),
        id="who stops, stops all",
    ),
    pytest.param(
        look(WAITING, "web-1", "web-2"),
        None,
        {"refused": {uid("web-1"): "denied"}},
        (["web-1", "web-2"], []),
        id="a write that is refused",
    ),
    pytest.param(
        look(STAYING, "web-1", "web-2"),
        None,
        {"refused": {uid("web-1"): "denied"}},
        (["web-2"], ["web-1"]),
        id="an eviction that is refused keeps those of its workload that are queued",
    ),
]


@pytest.mark.parametrize(("at", "limits", "troubles", "expected"), ROWS)
def test_a_pod_is_given_up_or_overdue(
    at: Look, limits: Limits | None, troubles: dict[str, Any], expected: tuple[list[str], list[str]]
) -> None:
    assert given_up(at, limits, **troubles) == expected


def test_the_end_of_the_timeout_tells_what_blocks_besides_why_a_pod_was_given_up() -> None:
    before = replace(an_intent(STAYING, "web-1"), given_up={uid("web-1"): "aborted"})
    after = give_up(look(STAYING, waited=30, before=before), TIMEOUT, Troubles())
    assert after.overdue[uid("web-1")].startswith(
        "aborted; global timeout reached: 30s: target 10.244.0.2:8080 in web "
    )


def test_where_nothing_is_given_up_the_intent_is_the_very_same() -> None:
    at = look(WAITING, "web-1")
    assert give_up(at, Limits(), Troubles()) is at.intent


def test_what_can_not_be_given_back_in_half_a_minute_is_left_for_both_reasons() -> None:
    at = look(
        HELD, "web-1", before=Intent(pods=an_intent(HELD, "web-1").pods, given_up={uid("web-1"): "stop"}), waited=31
    )
    [why] = give_up(at, Limits(), Troubles()).overdue.values()
    assert why.startswith("stop; waited longer than 30s: pod shop/web-1 can't be given back")


def test_the_end_of_timeout_tells_of_the_server_that_does_not_answer() -> None:
    at = look(WAITING, "web-1", waited=30)
    [why] = give_up(at, TIMEOUT, Troubles(unanswered="etcd has no leader")).given_up.values()
    assert why == "global timeout reached: 30s: etcd has no leader"
