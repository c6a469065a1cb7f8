"""Whose events can tell why a wait doesn't end, and how their words are told."""

from typing import Any

import pytest

from kubectl_safe.decide.warnings import subjects_of
from kubectl_safe.model.event import Subject
from kubectl_safe.model.pod import Condition
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    a_cluster,
    a_pod,
    a_replica_set,
    an_intent,
    decide,
    health,
    uid,
)

OLD = a_pod(released=True)
UNSCHEDULED = {"PodScheduled": Condition(is_true=False, reason="Unschedulable", message="0/3 nodes are available")}
DRAINING = {"web-1": health("draining")}


def refused() -> dict[str, Any]:
    replica_set = a_replica_set(failure="exceeded quota")
    return {"replica_sets": {replica_set.uid: replica_set}}


ROWS = [
    pytest.param(
        a_cluster(a_pod(withdrawn=True), target_health=DRAINING),
        ["targetgroupbinding shop/web"],
        id="a target that doesn't go: those of its binding",
    ),
    pytest.param(
        a_cluster(OLD, a_pod("web-7", ready=False)),
        ["pod shop/web-7"],
        id="a replacement whose containers are not ready: its own",
    ),
    pytest.param(
        a_cluster(OLD, a_pod("web-7", ready=False, gates={}, waiting_reason="X", waiting_message="why")),
        [],
        id="a replacement that says why itself: none",
    ),
    pytest.param(
        a_cluster(OLD, a_pod("web-7", node=None, phase="Pending", gates={}, conditions=UNSCHEDULED)),
        [],
        id="a replacement that no node takes: none, as it has the scheduler's words",
    ),
    pytest.param(
        a_cluster(OLD, a_pod("web-7", gates={GATE: False})),
        ["pod shop/web-7", "targetgroupbinding shop/web"],
        id="a replacement that waits for its gate: those of the binding too",
    ),
    pytest.param(
        a_cluster(OLD, without=["web-7"]), ["replicaset shop/web-5d4f8c7b9"], id="no replacement: the ReplicaSet's"
    ),
    pytest.param(a_cluster(OLD, **refused()), [], id="a ReplicaSet that says why itself: none"),
    pytest.param(a_cluster(), [], id="a pod that doesn't wait: none"),
    pytest.param(a_cluster(a_pod(withdrawn=True), absent_since={}), [], id="another wait: none"),
]


@pytest.mark.parametrize(("snapshot", "expected"), ROWS)
def test_asks_whoever_can_tell_why_a_wait_does_not_end(snapshot: Snapshot, expected: list[str]) -> None:
    (planned,) = an_intent(snapshot, "web-1").pods
    found = subjects_of(planned, decide(snapshot, "web-1").decisions[planned.uid], snapshot)
    assert [str(subject) for subject in found] == expected


def test_a_wait_is_told_in_the_words_of_the_events_of_its_own_objects() -> None:
    binding = Subject(kind="TargetGroupBinding", namespace="shop", name="web")
    other = Subject(kind="TargetGroupBinding", namespace="shop", name="api")
    snapshot = a_cluster(
        a_pod(withdrawn=True), target_health=DRAINING, warnings={binding: "FailedReconcile 4s ago: no", other: "-"}
    )
    decision = decide(snapshot, "web-1").decisions[uid("web-1")]
    assert getattr(decision, "why", "") == (
        "target 10.244.0.2:8080 in web is draining (deregistration delay of web: 300s); "
        "targetgroupbinding shop/web: FailedReconcile 4s ago: no"
    )
