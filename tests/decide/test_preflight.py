"""What is refused before the first write."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.preflight import blockers
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    LABELS,
    a_binding,
    a_budget,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_service,
    an_intent,
    arn,
    uid,
)


def of(services: tuple[Any, ...] = (a_service(),), **changes: Any) -> Snapshot:
    return a_cluster(services=services, workloads={uid("web"): a_deployment(**changes)})


EVERY_LABEL = (a_service(selector=LABELS),)

ROWS = [
    pytest.param(of(), {}, "", id="a Deployment with surge is no downtime"),
    pytest.param(of(replicas=1), {}, "", id="nor is one replica with surge"),
    pytest.param(of(max_surge=0), {}, "", id="nor is withdraw-first where others serve"),
    pytest.param(of(replicas=0, max_surge=0), {}, "", id="nor is one that is scaled to nothing"),
    pytest.param(of(replicas=1, max_surge=0), {}, "give it --max-surge 1", id="one replica without surge"),
    pytest.param(of(replicas=1, max_surge=0), {"max_surge": 1}, "", id="which --max-surge remedies"),
    pytest.param(of(max_surge=0), {"max_unavailable": "100%"}, "give it --max-surge 1", id="all at once without surge"),
    pytest.param(
        of(max_surge=0),
        {"max_unavailable": 0},
        "give it --max-surge 1 or --max-unavailable 1",
        id="none beyond and none missing: none could ever go",
    ),
    pytest.param(of(replicas=1, strategy="Recreate"), {"max_surge": 1}, "scale it up first", id="Recreate alone"),
    pytest.param(of(replicas=3, strategy="Recreate"), {}, "", id="Recreate with several goes one by one"),
    pytest.param(
        of(EVERY_LABEL, replicas=1),
        {},
        "its Services use every label that its ReplicaSet selects by; scale it up first",
        id="one replica that no label separates from its Services",
    ),
    pytest.param(of(EVERY_LABEL), {}, "", id="several that no label separates go one by one"),
]


BOTH = (a_budget("all", selector={"app": "web"}), a_budget("web"))

BUDGET_ROWS = [
    pytest.param(a_cluster(budgets=BOTH[:1]), "", id="one budget is the Eviction API's to judge"),
    pytest.param(
        a_cluster(budgets=BOTH),
        "deployment shop/web is under the disruption budgets all and web, and the Eviction API takes pods of one "
        "budget only: let one of them select its pods no more (kubectl edit pdb web -n shop)",
        id="two budgets are both named, with what to do",
    ),
    pytest.param(a_cluster(a_pod(withdrawn=True), budgets=BOTH), "", id="a withdrawn pod has left them"),
    pytest.param(a_cluster(a_pod(phase="Pending"), budgets=BOTH), "", id="a pod that never ran goes past them"),
    pytest.param(
        a_cluster(budgets=(a_budget("web"), a_budget("other", selector={"app": "api"}))),
        "",
        id="a budget of other pods does not count",
    ),
]


@pytest.mark.parametrize(("snapshot", "why"), BUDGET_ROWS)
def test_a_pod_of_two_budgets_can_not_be_evicted_by_anybody(snapshot: Snapshot, why: str) -> None:
    found = blockers(an_intent(snapshot, "web-1"), snapshot)
    assert [b.why for b in found if b.reason == "two-budgets"] == ([why] if why else [])


TWICE = {**LABELS, "tier": "front"}
TIERS = (a_budget("all", selector={"tier": "front"}), a_budget("tier", selector={"tier": "front"}))


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(a_pod(labels=TWICE, withdrawn=True), id="that is withdrawn already"),
        pytest.param(a_pod(labels=TWICE, terminating=True), id="that stops already"),
        pytest.param(a_pod(labels=TWICE, phase="Pending"), id="that never ran"),
        pytest.param(None, id="that is gone"),
    ],
)
def test_two_budgets_matter_to_no_pod_and_still_to_the_next_one(first: Pod | None) -> None:
    pods = [pod for pod in (first, a_pod("web-2", labels=TWICE)) if pod]
    snapshot = a_cluster(*pods, without=[] if first else ["web-1"], budgets=TIERS)
    assert [b.reason for b in blockers(an_intent(a_cluster(), "web-1", "web-2"), snapshot)] == ["two-budgets"]
    assert blockers(an_intent(a_cluster(), "web-1"), snapshot) == []


@pytest.mark.parametrize("strategy", ["RollingUpdate", "Recreate"])
def test_downtime_that_is_allowed_is_not_blocked(strategy: str) -> None:
    snapshot = of(replicas=1, max_surge=0, strategy=strategy)
    allowed = an_intent(snapshot, "web-1", allow=frozenset({"downtime"}))
    assert blockers(an_intent(snapshot, "web-1"), snapshot)
    assert blockers(allowed, snapshot) == []


@pytest.mark.parametrize(("snapshot", "flags", "remedy"), ROWS)
def test_downtime_is_blocked_with_a_remedy(snapshot: Snapshot, flags: dict[str, Any], remedy: str) -> None:
    found = blockers(an_intent(snapshot, **flags), snapshot)
    assert [b.reason for b in found] == (["downtime"] if remedy else [])
    assert all(remedy in b.why for b in found)


@pytest.mark.parametrize(
    ("binding", "words"),
    [
        pytest.param(a_binding(target_type="alb"), "registers neither pods nor nodes", id="unknown targets"),
        pytest.param(a_binding(group=""), "has neither targetGroupARN nor", id="a binding without a group"),
    ],
)
def test_a_load_balancer_that_can_not_be_asked_is_blocked_once(binding: Any, words: str) -> None:
    snapshot = a_cluster(bindings=(binding,))
    (found,) = blockers(an_intent(snapshot), snapshot)
    assert found.reason == "unseen-load-balancer"
    assert words in found.why


def unseen(*pods: Pod, **overrides: Any) -> Snapshot:
    """Return a cluster whose target group can't be asked; its settings are not known either."""
    return a_cluster(*pods, unseen=frozenset({arn()}), **{"groups": {}} | overrides)


NO_GATES = [a_pod(f"web-{n}", gates={}) for n in range(1, 7)]
NO_GATE = (
    "pod shop/web-2 has no readiness gate of binding web, and its target group can't be asked: nothing could confirm "
    "its replacement; have elasticloadbalancing:DescribeTargetHealth allowed, or label namespace shop "
    "elbv2.k8s.aws/pod-readiness-gate-inject=enabled and create its pods anew"
)
TOO_SHORT = (
    "target group web drains for 5m (deregistration delay), longer than --drain-wait 4m59s: give it --drain-wait 5m"
)

UNSEEN = [
    pytest.param(unseen(), 60, [], id="gates, and a delay that nobody knows"),
    pytest.param(unseen(a_pod("web-2", gates={})), 300, [NO_GATE], id="a pod without its gate"),
    pytest.param(unseen(*NO_GATES[1:]), 300, [NO_GATE], id="many without: one of them is told"),
    pytest.param(unseen(a_pod("web-2", gates={}, withdrawn=True)), 300, [], id="what leaves need not be confirmed"),
    pytest.param(unseen(a_pod("web-2", gates={}, terminating=True)), 300, [], id="nor what stops"),
    pytest.param(unseen(a_pod("web-2", gates={}, phase="Failed")), 300, [], id="nor what is finished"),
    pytest.param(a_cluster(*NO_GATES), 300, [], id="a group that is asked needs no gates"),
    pytest.param(unseen(groups={arn(): a_group()}), 300, [], id="a wait as long as a delay that is known"),
    pytest.param(unseen(groups={arn(): a_group()}), 299, [TOO_SHORT], id="a wait that is too short"),
    pytest.param(a_cluster(), 299, [], id="the delay of a group that is asked is seen to end"),
]


@pytest.mark.parametrize(("snapshot", "seconds", "whys"), UNSEEN)
def test_going_by_gates_is_blocked_where_gates_and_time_can_not_tell(
    snapshot: Snapshot, seconds: float, whys: list[str]
) -> None:
    found = blockers(an_intent(snapshot, drain_wait=timedelta(seconds=seconds)), snapshot)
    assert [b.why for b in found] == whys
    assert {b.reason for b in found} <= {"unseen-targets"}
