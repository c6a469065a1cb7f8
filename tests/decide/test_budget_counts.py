"""What a budget counts, what it should count, and which pods that concerns."""

from datetime import datetime
from typing import Any

import pytest

from kubectl_safe.decide.budgets import (
    exhausted_budget,
    has_left_since,
    is_stale,
    spent_budget,
    stale_budget,
    touches,
)
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.marks import HANDOFF, Handoff
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    HASH,
    LABELS,
    a_budget,
    a_cluster,
    a_pod,
    ago,
    an_answer,
    uid,
)

TIERED = {**LABELS, "tier": "front"}
TIER = a_budget("tier", selector={"tier": "front"})
API = a_budget("api")
LEFT = a_pod("web-6", withdrawn=True)
OF_THE_API = a_pod("api-1", of="api", labels={"app": "api", HASH: "1"})
LEFT_API = a_pod("api-1", of="api", labels={"app": "api", HASH: "1"}, withdrawn=True)
APP = frozenset({"app"})


def left_tier(name: str) -> Pod:
    """Return a pod that left a budget of its tier."""
    handoff = Handoff(dropped={"tier": "front"}, in_service=6).dumps()
    return a_pod(name, withdrawn=True, annotations={HANDOFF: handoff})


STALE = [
    pytest.param(a_pod(), APP, (a_budget(),), "web", id="the one it would leave"),
    pytest.param(a_pod(), frozenset({HASH}), (a_budget(),), None, id="not one that it stays under"),
    pytest.param(OF_THE_API, APP, (a_budget(),), None, id="not one that it is not under"),
    pytest.param(a_pod(), APP, (a_budget(healthy=5),), None, id="not one whose count agrees"),
]


@pytest.mark.parametrize(("pod", "drop", "budgets", "expected"), STALE)
def test_a_pod_is_held_back_by_a_stale_budget(
    pod: Pod, drop: frozenset[str], budgets: tuple[Budget, ...], expected: str | None
) -> None:
    found = stale_budget(pod, drop, a_cluster(pod, LEFT, budgets=budgets))
    assert (found and found.name) == expected


COUNTS = [
    pytest.param(a_cluster(LEFT), a_budget(healthy=6), True, id="it counts the one that left"),
    pytest.param(a_cluster(LEFT), a_budget(healthy=5), False, id="it does not"),
    pytest.param(a_cluster(), a_budget(healthy=7), False, id="it is late, and none of ours left it"),
    pytest.param(a_cluster(LEFT_API), a_budget(healthy=7), False, id="it is late, and one left another"),
    pytest.param(
        a_cluster(a_pod("web-6", released=True)),
        a_budget(selector={HASH: LABELS[HASH]}),
        False,
        id="it counts one that was released, whose replacement has it counted anew",
    ),
    pytest.param(
        a_cluster(a_pod("web-6", withdrawn=True, labels=TIERED)), TIER, False, id="it is late, and one stayed under it"
    ),
    pytest.param(a_cluster(LEFT, a_pod("web-2", ready=False)), a_budget(healthy=5), True, id="one is not Ready"),
    pytest.param(a_cluster(LEFT, a_pod("web-2", terminating=True)), a_budget(healthy=5), True, id="one terminates"),
    pytest.param(
        a_cluster(LEFT), a_budget(healthy=5, disrupted=frozenset({"web-2"})), True, id="one's eviction was allowed"
    ),
]


@pytest.mark.parametrize(("snapshot", "budget", "expected"), COUNTS)
def test_a_budget_is_stale_where(snapshot: Snapshot, budget: Budget, expected: bool) -> None:
    assert is_stale(budget, snapshot) is expected


EXHAUSTED = [
    pytest.param(a_pod(), a_budget(disruptions_allowed=0), "web", id="it allows none"),
    pytest.param(a_pod(), a_budget(disruptions_allowed=1), None, id="it allows one"),
    pytest.param(a_pod(ready=False), a_budget(disruptions_allowed=0), None, id="but the pod is not counted by it"),
    pytest.param(a_pod(), a_budget("api", disruptions_allowed=0), None, id="but it is of other pods"),
]


@pytest.mark.parametrize(("pod", "budget", "expected"), EXHAUSTED)
def test_a_budget_is_exhausted_where(pod: Pod, budget: Budget, expected: str | None) -> None:
    found = exhausted_budget(pod, a_cluster(pod, budgets=(budget,)))
    assert (found and found.name) == expected


SPENT = [
    pytest.param(["web-2"], a_budget(), "web", id="by one that it allows"),
    pytest.param(["web-2"], a_budget(disruptions_allowed=2), None, id="not by one of two"),
    pytest.param(["web-2", "web-3"], a_budget(disruptions_allowed=2), "web", id="by two of two"),
    pytest.param([], a_budget(disruptions_allowed=0), None, id="not by nothing: the arbiter was asked since"),
    pytest.param(["web-2"], a_budget(disruptions_allowed=0), "web", id="by one beside what the arbiter allowed"),
    pytest.param(["web-4"], a_budget(), None, id="not by one that is not counted"),
    pytest.param(["api-1"], a_budget(), None, id="not by one of another"),
    pytest.param(["api-1"], API, None, id="nor one of other pods"),
]


@pytest.mark.parametrize(("leaving", "budget", "expected"), SPENT)
def test_a_budget_is_spent(leaving: list[str], budget: Budget, expected: str | None) -> None:
    snapshot = a_cluster(OF_THE_API, a_pod("web-4", ready=False), budgets=(budget,))
    found = spent_budget(snapshot.pods[uid("web-1")], {uid(name) for name in leaving}, snapshot)
    assert (found and found.name) == expected


def seen(*, withdrawn: dict[str, datetime] | None = None, **answers: Any) -> dict[str, Any]:
    return {"withdrawn_since": withdrawn or {}, "answers": answers}


EVICTED = {"web-6": an_answer(dry_run=False, seconds=5)}
LEAVES = [
    pytest.param(a_cluster(LEFT, **seen(withdrawn={LEFT.uid: ago(5)})), True, id="one was withdrawn at that moment"),
    pytest.param(a_cluster(LEFT, **seen(withdrawn={LEFT.uid: ago(6)})), False, id="one was withdrawn before it"),
    pytest.param(
        a_cluster(LEFT_API, **seen(withdrawn={LEFT_API.uid: ago(5)})), False, id="one was withdrawn from another"
    ),
    pytest.param(a_cluster(withdrawn_since={}, answers=EVICTED), True, id="an eviction was accepted at that moment"),
    pytest.param(
        a_cluster(withdrawn_since={}, answers={"web-6": an_answer(dry_run=False, seconds=6)}),
        False,
        id="an eviction was accepted before it",
    ),
    pytest.param(a_cluster(withdrawn_since={}, answers={"web-6": an_answer(seconds=5)}), False, id="one was asked for"),
    pytest.param(
        a_cluster(withdrawn_since={}, answers={"web-6": an_answer(dry_run=False, allowed=False, seconds=5)}),
        False,
        id="an eviction was refused",
    ),
    pytest.param(
        a_cluster(without=["web-6"], withdrawn_since={}, answers=EVICTED), True, id="one that is gone was evicted"
    ),
    pytest.param(
        a_cluster(withdrawn_since={}, answers={"web-1": an_answer(dry_run=False, seconds=5)}), False, id="it was itself"
    ),
]


@pytest.mark.parametrize(("snapshot", "expected"), LEAVES)
def test_a_leave_is_void_where_since_then(snapshot: Snapshot, expected: bool) -> None:
    under = Snapshot(**{name: getattr(snapshot, name) for name in snapshot.__dataclass_fields__} | UNDER)
    assert has_left_since(under.pods[uid("web-1")], ago(5), under) is expected


UNDER: dict[str, Any] = {"budgets": (a_budget(),)}


def test_no_leave_of_a_pod_without_a_budget_is_void() -> None:
    snapshot = a_cluster(LEFT, withdrawn_since={LEFT.uid: ago(1)}, budgets=(API,))
    assert not has_left_since(snapshot.pods[uid("web-1")], ago(5), snapshot)


def test_a_touch_is_due_at_once_only_for_the_budget_that_a_pod_left_since() -> None:
    both = (a_budget(healthy=6), TIER)
    pods = [a_pod(f"web-{n}", labels=TIERED) for n in range(1, 5)] + [left_tier("web-5"), LEFT]
    last = {("shop", budget.name): ago(3) for budget in both}
    for since, expected in (
        ({LEFT.uid: ago(2)}, ["web"]),
        ({uid("web-5"): ago(2)}, ["tier"]),
        ({LEFT.uid: ago(3)}, []),
        ({uid("gone"): ago(2)}, []),
    ):
        snapshot = a_cluster(*pods, budgets=both, touched_at=last, withdrawn_since=since)
        assert [touch.budget.name for touch in touches([uid("web-1")], snapshot)] == expected
