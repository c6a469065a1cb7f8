"""Where the record of a restart is looked for, and which pods a restart plans."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.intent import Planned
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.restart import bearer_of, left_behind, plan_restart, recorded, refusal, under_way
from kubectl_safe.model.marks import OPERATION, Operation
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import ReplicaSet
from tests.support.builders import NOW, a_cluster, a_deployment, a_pod, a_replica_set, an_owner, uid

RECORD = Operation(id="1", started="then", options="", pods=frozenset({"web-1-ui"})).dumps()
WEB = a_deployment()


def a_set(name: str = "web-1", *, replicas: int = 0, is_recorded: bool = True, **changes: Any) -> ReplicaSet:
    """Return a ReplicaSet with a record, of the Deployment unless its owner is another."""
    annotations = {OPERATION: RECORD} if is_recorded else {}
    return replace(a_replica_set(name, annotations=annotations, replicas=replicas), **changes)


def with_sets(*sets: ReplicaSet) -> Snapshot:
    return a_cluster(replica_sets={r.uid: r for r in sets})


def test_of_several_records_that_counts_which_stands_where_the_pods_are() -> None:
    sets = [a_set("web-1", replicas=1), a_set("web-2", replicas=3), a_set("web-3", replicas=9, is_recorded=False)]
    for order in (sets, sets[::-1]):
        assert recorded(WEB, with_sets(*order)) == sets[1]


ORPHAN = a_set(owner=None)
OTHERS = [
    pytest.param(a_set(), id="one that a Deployment has"),
    pytest.param(a_set(owner=None, namespace="other"), id="one of another namespace"),
    pytest.param(a_set(owner=None, is_recorded=False), id="one without a record"),
    pytest.param(a_set(owner=None, selector=LabelSelector(match_labels={"app": "api"})), id="one of other pods"),
]


@pytest.mark.parametrize("other", OTHERS)
def test_the_replica_set_that_a_deleted_deployment_left_behind_is_not(other: ReplicaSet) -> None:
    assert left_behind(WEB, with_sets(other)) is None
    found = replace(ORPHAN, name="web-9", uid="web-9-uid")
    assert left_behind(WEB, with_sets(other, found)) == found


def test_a_replica_set_may_be_left_behind_that_selects_by_no_more_than_its_deployment_did() -> None:
    found = replace(ORPHAN, selector=WEB.selector)
    assert left_behind(WEB, with_sets(found)) == found


def test_a_replica_set_with_one_pod_is_the_current_one_and_none_without() -> None:
    one, none = a_set("web-1", replicas=1), a_set("web-0", replicas=0)
    assert bearer_of(WEB, with_sets(none, one)) == one
    assert bearer_of(WEB, with_sets(none)) is None


def test_a_replica_set_that_nobody_owns_or_another_does_is_none_of_a_deployment() -> None:
    api = a_replica_set("api-1", of="api", annotations={OPERATION: RECORD})
    snapshot = with_sets(ORPHAN, api)
    assert recorded(WEB, snapshot) is None
    assert bearer_of(WEB, snapshot) is None


def test_a_rollout_of_one_pod_is_one() -> None:
    sets = [a_set("web-1", replicas=1), a_set("web-2", replicas=1)]
    assert "is in the middle of a rollout: wait for it" in refusal(WEB, with_sets(*sets))
    assert refusal(WEB, with_sets(sets[0])) == ""
    assert refusal(a_deployment(observed_generation=2), with_sets(sets[0])) == ""


@pytest.mark.parametrize("node", ["node-1", None])
def test_a_pod_is_planned_as_it_is(node: str | None) -> None:
    pod = a_pod(node=node)
    snapshot = a_cluster(pod, without=[f"web-{n}" for n in range(2, 7)])
    planned = Planned(uid=pod.uid, namespace="shop", name="web-1", node=node or "", workload=reference_to(WEB))
    assert plan_restart(WEB, None, snapshot) == (planned,)


def a_record(of: str, *, op: str = "1", pods: str = "gone", since: timedelta = timedelta(minutes=1)) -> ReplicaSet:
    """Return a ReplicaSet with the record of a restart of `web` and `api`, whose pods are gone but for these."""
    operation = Operation(
        id=op,
        started=(NOW - since).isoformat(),
        options="",
        pods=frozenset({pods}),
        deployments=frozenset({"web", "api"}),
    )
    return a_replica_set(f"{of}-5d4f8c7b9", of=of, annotations={OPERATION: operation.dumps()})


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("sets", "expected"),
    [
        pytest.param([a_record("web")], {"web", "api"}, id="with the other one of its command, not with a third"),
        pytest.param(
            [a_record("web"), a_record("db", pods="web-1-ui")],
            {"web", "db"},
            id="but not while a third goes on with it",
        ),
        pytest.param(
            [a_record("web"), a_record("api", op="2", since=DAY)], {"web"}, id="nor where it has another record"
        ),
        pytest.param([a_record("web", since=timedelta(hours=1))], {"web", "api"}, id="for an hour"),
        pytest.param(
            [a_record("web", since=timedelta(hours=-1))], {"web", "api"}, id="by a clock that is an hour behind"
        ),
        pytest.param([a_record("web", since=timedelta(hours=1, seconds=1))], set(), id="not longer"),
    ],
)
def test_a_restart_that_lacks_but_its_last_writes_is_over(sets: list[ReplicaSet], expected: set[str]) -> None:
    deployments = [a_deployment(), a_deployment("api"), a_deployment("db")]
    pod = a_pod(controller=an_owner(name="db-5d4f8c7b9"))
    snapshot = a_cluster(pod, replica_sets={r.uid: r for r in sets}, workloads={d.uid: d for d in deployments})
    assert set(under_way(deployments, "", snapshot)) == {uid(name) for name in expected}
