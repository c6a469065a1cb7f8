"""Pods to which no replacement is owed: they leave their Services before they are evicted."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.aborting import plan_abort
from kubectl_safe.decide.actions import Withdraw
from kubectl_safe.decide.decision import Act, Blocked
from kubectl_safe.decide.drain import Options, plan_node
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.rehearsal import rehearsals
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.marks import HANDOFF, WITHDRAWN, Handoff
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_cluster, a_pod, a_service, a_target, an_answer, an_owner, health, in_words, uid

SERVICE = a_service("bare", selector={"app": "bare"})
LABELS = {"app": "bare", "pod-template-hash": "-"}
CLONES = an_owner("CloneSet", "clones", "apps.kruise.io/v1alpha1")
NOTE = Handoff(dropped={"app": "bare"}, in_service=0, is_alone=True).dumps()


def bare(**changes: Any) -> Pod:
    """Return a pod that nothing controls, in a Service of its own."""
    values: dict[str, Any] = {"labels": {"app": "bare"}, "owners": ()}
    return replace(a_pod("bare-1", labels=LABELS, gates={}), **values | changes)


WITHDRAWN_ONE = bare(labels={WITHDRAWN: ""}, annotations={HANDOFF: NOTE})


def snapshot_of(pod: Pod, **over: Any) -> Snapshot:
    """Return a cluster with one such pod, which the Eviction API was not asked about."""
    values: dict[str, Any] = {"services": (SERVICE,), "bindings": (), "answers": {}}
    return a_cluster(pod, **values | over)


def decided(pod: Pod, **over: Any) -> Any:
    """Return what is decided on it."""
    planned = Planned(uid=pod.uid, namespace=pod.namespace, name=pod.name, node="node-1", workload=None)
    return next_actions(snapshot_of(pod, **over), Intent(pods=(planned,))).decisions[pod.uid]


ALLOWED = {"bare-1": an_answer()}


@pytest.mark.parametrize(
    ("pod", "over", "expected"),
    [
        pytest.param(bare(), {}, "AskEviction", id="in a Service: its budget is asked first"),
        pytest.param(bare(), {"answers": ALLOWED}, "Withdraw", id="then it leaves the Service"),
        pytest.param(bare(), {"answers": {"bare-1": an_answer(seconds=11)}}, "AskEviction", id="that answer is old"),
        pytest.param(
            bare(), {"answers": {"bare-1": an_answer(allowed=False)}}, "wait for budget", id="its budget lets it not go"
        ),
        pytest.param(
            bare(), {"answers": {"bare-1": an_answer(dry_run=False)}}, "wait for termination", id="evicted already"
        ),
        pytest.param(bare(), {"services": ()}, "Evict", id="in no Service"),
        pytest.param(bare(), {"endpoints": ()}, "Evict", id="in no slice: it gets no requests"),
        pytest.param(bare(phase="Failed"), {}, "Evict", id="it ran to its end"),
        pytest.param(
            bare(owners=(an_owner("Job", "batch", "batch/v1"),)), {"answers": ALLOWED}, "Withdraw", id="of a Job"
        ),
        pytest.param(WITHDRAWN_ONE, {}, "Evict", id="out for the settle time"),
        pytest.param(WITHDRAWN_ONE, {"absent_since": {}}, "wait for endpoints", id="not yet seen out of its slices"),
    ],
)
def test_is_decided(pod: Pod, over: dict[str, Any], expected: str) -> None:
    assert in_words(decided(pod, **over)) == expected


def test_nobody_becomes_its_owner() -> None:
    decision = decided(bare(), answers=ALLOWED)
    assert isinstance(decision, Act)
    assert isinstance(decision.action, Withdraw)
    assert decision.action.owner is None
    assert decision.action.drop == frozenset({"app"})


def test_its_target_is_waited_for() -> None:
    noted = Handoff(dropped={"app": "bare"}, in_service=0, targets=(f"{a_target().group}=8080",), is_alone=True)
    pod = replace(WITHDRAWN_ONE, annotations={HANDOFF: noted.dumps()})
    target = replace(a_target(), ip=pod.ips[0])
    assert in_words(decided(pod, health={target: health("draining")})) == "wait for targets"


def planned_by_a_drain(pod: Pod, *allow: str) -> Any:
    """Return whether a drain takes it, and as whose: None for nobody's."""
    options = Options(ignore_daemon_sets=True, delete_empty_dir_data=True, force=True)
    plan = plan_node("node-1", [pod], snapshot_of(pod), options, allow=frozenset(allow))
    return plan.blocked.get(str(pod)) or [planned.workload for planned in plan.pods]


def test_a_drain_that_is_run_again_finds_it_again() -> None:
    assert planned_by_a_drain(bare()) == [None]
    assert planned_by_a_drain(WITHDRAWN_ONE) == [None]


def test_an_unknown_owner_is_refused_by_name_unless_that_is_allowed() -> None:
    pod = bare(owners=(CLONES,))
    blocked = planned_by_a_drain(pod)
    assert isinstance(blocked, Blocked)
    assert blocked.why == (
        "pod shop/bare-1 is owned by CloneSet clones, of which is not known how it replaces its pods: answer for it "
        "with --allow unknown-owner, and it leaves its Services and is evicted, whether another serves by then or not"
    )
    assert planned_by_a_drain(pod, "unknown-owner") == [None]


def test_an_abort_finishes_it() -> None:
    intent = plan_abort([WITHDRAWN_ONE, bare()], snapshot_of(WITHDRAWN_ONE), Settings())
    assert [(planned.name, planned.workload) for planned in intent.pods] == [("bare-1", None)]


def test_its_withdrawal_is_tried_once_before_the_first_write() -> None:
    pods = [bare(), replace(bare(), name="bare-2", uid=uid("bare-2"))]
    snapshot = a_cluster(*pods, services=(SERVICE,), bindings=())
    planned = tuple(Planned(uid=p.uid, namespace="shop", name=p.name, node="node-1", workload=None) for p in pods)
    tried = list(rehearsals(Intent(pods=planned), snapshot))
    assert [(type(action), action.pod.name) for action in tried if isinstance(action, Withdraw)] == [
        (Withdraw, "bare-1")
    ]
