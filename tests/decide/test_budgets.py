"""What disruption budgets hold back, and how one is counted anew."""

from typing import Any

import pytest

from kubectl_safe.decide.actions import Evict, Touch, Withdraw
from kubectl_safe.model.marks import TOUCH
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    a_budget,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    ago,
    an_answer,
    decide,
    told,
    uid,
)

RELEASED = a_pod(released=True)
REPLACEMENT = a_pod("web-7")
OF_SEVEN: dict[str, Any] = {
    "workloads": {uid("web"): a_deployment(replicas=7)},
    "replica_sets": {uid("web-5d4f8c7b9"): a_replica_set(replicas=7)},
}
LEFT = a_pod("web-6", withdrawn=True)
"""A pod that was withdrawn, and so left its budget."""
KEY = ("shop", "web")

ROWS = [
    pytest.param(a_cluster(RELEASED, REPLACEMENT, answers={}), "AskEviction", id="budgets are asked before withdrawal"),
    pytest.param(
        a_cluster(RELEASED, answers={}), "wait for replacement", id="budgets are not asked before the floor is met"
    ),
    pytest.param(
        a_cluster(answers={"web-1": an_answer(allowed=False)}), "Release", id="a refusal does not hold release"
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, answers={"web-1": an_answer(allowed=False, seconds=4.9)}),
        "wait for budget",
        id="a refused withdrawal waits for 5 s",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, answers={"web-1": an_answer(allowed=False, seconds=5)}),
        "AskEviction",
        id="and then asks again",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, answers={"web-1": an_answer(seconds=10)}),
        "AskEviction",
        id="an old leave is asked for again",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, a_pod("web-8"), LEFT, budgets=(a_budget(healthy=8),)),
        "wait for budget",
        id="a budget that counts a pod that left it holds further withdrawals under it",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, a_pod("web-8"), LEFT, budgets=(a_budget(healthy=7),)),
        "Withdraw",
        id="until its count agrees",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, a_pod("web-8"), LEFT, budgets=(a_budget("api", healthy=8),)),
        "Withdraw",
        id="a budget of other pods holds nothing",
    ),
    pytest.param(
        a_cluster(
            *(RELEASED, REPLACEMENT, a_pod("web-8"), LEFT),
            budgets=(a_budget(healthy=7),),
            withdrawn_since={uid("web-6"): ago(0.5)},
        ),
        "AskEviction",
        id="a leave from before another pod left the budget is asked for again",
    ),
    pytest.param(
        a_cluster(
            *(RELEASED, REPLACEMENT, a_pod("web-8"), LEFT),
            budgets=(a_budget("api"),),
            withdrawn_since={uid("web-6"): ago(0.5)},
        ),
        "Withdraw",
        id="but not where that pod left another budget",
    ),
    pytest.param(
        a_cluster(
            *(RELEASED, REPLACEMENT),
            budgets=(a_budget(healthy=7),),
            answers={"web-1": an_answer(seconds=1), "web-9": an_answer(dry_run=False, seconds=0.5)},
        ),
        "AskEviction",
        id="nor from before an eviction",
    ),
    pytest.param(
        a_cluster(RELEASED, REPLACEMENT, a_pod("web-8", ready=False), budgets=(a_budget(healthy=8),), **OF_SEVEN),
        "Withdraw",
        id="a budget that no pod of ours left is only late",
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_no_pod_is_withdrawn_against_its_budgets(snapshot: Snapshot, expected: str) -> None:
    assert told(decide(snapshot, "web-1")) == expected


@pytest.mark.parametrize(
    ("allowed", "withdrawn"),
    [
        pytest.param(2, ["web-1", "web-2"], id="as many leave at once as it allows"),
        pytest.param(1, ["web-1"], id="each was allowed alone: no more than it allows leave together"),
        pytest.param(0, [], id="none, where somebody else took what the arbiter allowed since then"),
    ],
)
def test_pods_that_leave_at_once_share_what_a_budget_allows(allowed: int, withdrawn: list[str]) -> None:
    snapshot = a_cluster(
        RELEASED,
        a_pod("web-2", released=True),
        REPLACEMENT,
        a_pod("web-8"),
        budgets=(a_budget(healthy=8, disruptions_allowed=allowed),),
    )
    assert [a.pod.name for a in decide(snapshot).actions if isinstance(a, Withdraw)] == withdrawn


STALE: dict[str, Any] = {"budgets": (a_budget(),)}

TOUCH_ROWS = [
    pytest.param(a_cluster(LEFT, REPLACEMENT, **STALE), ["web-1"], [], id="nothing, where the count agrees"),
    pytest.param(a_cluster(LEFT, **STALE), ["web-1", "web-6"], ["web-2"], id="a pod that stays, once"),
    pytest.param(
        a_cluster(LEFT, a_pod("web-5", annotations={TOUCH: "1"}), **STALE),
        ["web-1", "web-6"],
        ["web-5"],
        id="the one that was touched before",
    ),
    pytest.param(a_cluster(LEFT, **STALE), [f"web-{n}" for n in range(1, 7)], [], id="never a pod of the plan"),
    pytest.param(
        a_cluster(LEFT, touched_at={KEY: ago(4.9)}, **STALE), ["web-1"], [], id="at most one in 5 s for a budget"
    ),
    pytest.param(a_cluster(LEFT, touched_at={KEY: ago(5)}, **STALE), ["web-1"], ["web-2"], id="again after 5 s"),
    pytest.param(
        a_cluster(LEFT, touched_at={KEY: ago(3)}, withdrawn_since={LEFT.uid: ago(2)}, **STALE),
        ["web-1"],
        ["web-2"],
        id="at once, where a pod has left it since then",
    ),
    pytest.param(
        a_cluster(LEFT, budgets=(a_budget(healthy=5, disrupted=frozenset({"web-5"})),)),
        ["web-1"],
        ["web-2"],
        id="a pod whose eviction is under way is not counted as healthy",
    ),
    pytest.param(
        a_cluster(LEFT, a_pod("other-1", of="other", labels={"app": "other", HASH: "1"}), **STALE),
        ["other-1"],
        [],
        id="none that another run has to see to",
    ),
]


@pytest.mark.parametrize(("snapshot", "planned", "touched"), TOUCH_ROWS)
def test_a_stale_budget_touches(snapshot: Snapshot, planned: list[str], touched: list[str]) -> None:
    outcome = decide(snapshot, *planned)
    assert [action.pod.name for action in outcome.chores if isinstance(action, Touch)] == touched


def test_a_budget_is_counted_anew_before_the_pod_that_left_it_is_evicted() -> None:
    assert [type(action) for action in decide(a_cluster(LEFT, **STALE), "web-6").actions] == [Touch, Evict]


def test_a_refusal_is_told_in_the_servers_words() -> None:
    answer = an_answer(allowed=False, message="Cannot evict pod as it would violate the pod's disruption budget.")
    decision = decide(a_cluster(RELEASED, REPLACEMENT, answers={"web-1": answer})).decisions[uid("web-1")]
    assert getattr(decision, "why", "") == answer.message
