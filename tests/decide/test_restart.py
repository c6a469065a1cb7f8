"""Which pods a restart moves, and which Deployments it refuses."""

from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.restart import bearer_of, plan_restart, recorded, refusal, uid_prefixes, under_way
from kubectl_safe.model.marks import OPERATION, Operation
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import ReplicaSet, Workload
from tests.support.builders import NOW, a_cluster, a_deployment, a_pod, a_replica_set, uid

OLD = a_replica_set("web-0", replicas=2)
SCALED_DOWN = a_replica_set("web-0", replicas=0)


def with_sets(*others: ReplicaSet) -> Snapshot:
    return a_cluster(replica_sets={r.uid: r for r in (a_replica_set(), *others)})


ROWS = [
    pytest.param(a_deployment(), a_cluster(), "", id="one that is done is taken"),
    pytest.param(a_deployment(), with_sets(SCALED_DOWN), "", id="old ReplicaSets that are scaled down don't matter"),
    pytest.param(a_deployment(is_paused=True), a_cluster(), "is paused: resume it first", id="a paused one"),
    pytest.param(a_deployment(is_terminating=True), a_cluster(), "is being deleted", id="one that is being deleted"),
    pytest.param(a_deployment(generation=2), a_cluster(), "middle of a rollout", id="one whose controller is behind"),
    pytest.param(a_deployment(), with_sets(OLD), "middle of a rollout", id="one with two ReplicaSets that have pods"),
    pytest.param(a_deployment(updated_replicas=5), a_cluster(), "middle of a rollout", id="one with pods not updated"),
]


def a_stateful_set(**changes: Any) -> Workload:
    revisions = {"current_revision": "db-1", "update_revision": "db-2"}
    return a_deployment("db", kind="StatefulSet", **(revisions | changes))


ROWS += [
    pytest.param(a_stateful_set(update_revision="db-1"), a_cluster(), "", id="a StatefulSet that is done"),
    pytest.param(
        a_stateful_set(),
        a_cluster(),
        "statefulset shop/db is in the middle of a rollout: wait for it (kubectl rollout status statefulset/db)",
        id="a StatefulSet whose pods are replaced by its controller",
    ),
    pytest.param(a_stateful_set(partition=2), a_cluster(), "", id="one whose partition holds pods back"),
    pytest.param(a_stateful_set(strategy="OnDelete"), a_cluster(), "", id="one that waits for pods to be deleted"),
    pytest.param(a_stateful_set(generation=2, partition=2), a_cluster(), "middle of a rollout", id="one not observed"),
]


def test_the_record_of_a_stateful_set_stands_on_itself() -> None:
    operation = Operation(id="1", started="then", options="", pods=frozenset())
    its = a_stateful_set(annotations={OPERATION: operation.dumps()})
    snapshot = a_cluster(workloads={its.uid: its})
    assert recorded(a_stateful_set(), snapshot) == bearer_of(a_stateful_set(), snapshot) == its
    assert recorded(a_stateful_set(), a_cluster()) is None
    assert bearer_of(a_stateful_set(replicas=0), a_cluster()) is None


@pytest.mark.parametrize(("deployment", "snapshot", "why"), ROWS)
def test_refuses_with_the_remedy(deployment: Workload, snapshot: Snapshot, why: str) -> None:
    assert why in refusal(deployment, snapshot)
    assert bool(refusal(deployment, snapshot)) is bool(why)


def test_plans_every_pod_that_is_there_and_did_not_run_to_its_end() -> None:
    planned = plan_restart(
        a_deployment(), None, a_cluster(a_pod("web-2", phase="Failed"), a_pod("web-3", terminating=True))
    )
    assert [p.name for p in planned] == ["web-1", "web-3", "web-4", "web-5", "web-6"]
    assert {p.workload.uid for p in planned if p.workload} == {uid("web")}


def test_continues_what_a_dead_run_began_and_takes_no_replacement() -> None:
    pods = [a_pod(uid="1a2b3c4d-old"), a_pod("web-2", uid="99999999-released", released=True)]
    operation = Operation(id="a", started="2026-11-23T12:00:00Z", options="", pods=frozenset({"1a2b3c4d"}))
    record = a_replica_set(annotations={OPERATION: operation.dumps()})
    snapshot = a_cluster(*pods, replica_sets={record.uid: record})
    assert recorded(a_deployment(), snapshot) == record
    assert [p.name for p in plan_restart(a_deployment(), record.operation, snapshot)] == ["web-1", "web-2"]


def test_the_record_stands_on_the_replica_set_that_has_the_pods() -> None:
    assert bearer_of(a_deployment(), with_sets(SCALED_DOWN)) == a_replica_set()
    assert recorded(a_deployment(), with_sets(SCALED_DOWN)) is None


def test_a_record_notes_eight_characters_of_each_uid() -> None:
    assert uid_prefixes([a_pod(uid="1a2b3c4d-5e6f")]) == {"1a2b3c4d"}


def recording(*pods: str, of: str = "web", op: str = "1", since: str = "then", **changes: object) -> ReplicaSet:
    """Return a ReplicaSet with the record of a restart of these pods."""
    operation = Operation(
        id=op,
        started=since,
        options="--max-surge=1",
        pods=frozenset(uid(pod)[:8] for pod in pods),
        deployments=frozenset({"web", "api"}),
    )
    hashed = "5d4f8c7b9" if of == "web" else "77"
    return a_replica_set(f"{of}-{hashed}", of=of, annotations={OPERATION: operation.dumps()}, **changes)


def ago(**duration: float) -> str:
    return (NOW - timedelta(**duration)).isoformat()


WEB, API = a_deployment(), a_deployment("api")


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        pytest.param((recording("web-1"),), {"web"}, id="a pod of its plan is there"),
        pytest.param((recording("gone-1"),), set(), id="all pods of its plan are gone: it is over"),
        pytest.param(
            (recording("web-1"), recording("gone-1", of="api")),
            {"web", "api"},
            id="done, but begun by one command with one that is not: that is not done again",
        ),
        pytest.param(
            (recording("web-1"), recording("gone-1", of="api", op="2")),
            {"web"},
            id="done, and begun by another command",
        ),
        pytest.param(
            (recording("gone-1", since=ago(minutes=59)),),
            {"web", "api"},
            id="all pods are gone, and its process was killed lately: it is not done again, nor is its other",
        ),
        pytest.param(
            (recording("web-1", since=ago(minutes=1)),),
            {"web"},
            id="killed before it had noted the other one, which is still to be done",
        ),
        pytest.param(
            (recording("gone-1", since=ago(minutes=1)), recording("api-1", of="api", since=ago(hours=2))),
            {"web", "api"},
            id="both have a record of one command",
        ),
        pytest.param((recording("gone-1", since=ago(minutes=61)),), set(), id="killed too long ago: another one"),
        pytest.param((recording("gone-1", since="2026-11-23T12:00:00"),), set(), id="of no time zone: another one"),
        pytest.param(
            (recording("gone-1", since=ago(minutes=1), replicas=0), a_replica_set("web-2", replicas=3)),
            set(),
            id="killed lately, and rolled out since: another one",
        ),
    ],
)
def test_a_restart_is_under_way_while_a_pod_of_its_command_is_there(
    sets: tuple[ReplicaSet, ...], expected: set[str]
) -> None:
    snapshot = a_cluster(replica_sets={r.uid: r for r in sets}, workloads={d.uid: d for d in (WEB, API)})
    assert set(under_way([WEB, API], "--max-surge=1", snapshot)) == {uid(name) for name in expected}


def test_a_restart_that_is_over_is_none_of_a_command_with_other_options() -> None:
    record = recording("gone-1", since=ago(minutes=1))
    assert not under_way([WEB], "", a_cluster(replica_sets={record.uid: record}))
