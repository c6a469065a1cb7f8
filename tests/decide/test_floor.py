"""How many others must be in service before a pod may leave."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from kubectl_safe.decide.actions import Withdraw
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    GATE,
    LONG_AGO,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    ago,
    arn,
    decide,
    health,
    told,
    uid,
)


def scaled(to: int) -> dict[str, Any]:
    return {"workloads": {uid("web"): a_deployment(replicas=to)}}


def down(*names: str) -> list[Pod]:
    return [a_pod(name, ready=False) for name in names]


def unseen(*pods: Pod, **overrides: Any) -> Snapshot:
    """Return a cluster whose target group can't be asked, and was never."""
    nobody_knows = {f"web-{n}": None for n in range(1, 7)}
    return a_cluster(*pods, target_health=nobody_knows, unseen=frozenset({arn()}), **overrides)


def gated(is_true: bool, since: datetime) -> list[Pod]:
    """Return all other pods with their gate so."""
    return [a_pod(f"web-{n}", gates={GATE: is_true}, since=since) for n in range(2, 7)]


ROWS = [
    pytest.param(
        a_cluster(a_pod(released=True, in_service=4), *down("web-5", "web-6"), a_pod("web-7")),
        {},
        "Withdraw",
        id="fewer in service at release lowers the floor",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, in_service=4), *down("web-5", "web-6")),
        {},
        "wait for replacement",
        id="but not by more than that",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, in_service=6), *down("web-6"), a_pod("web-7")),
        {},
        "wait for replacement",
        id="a crash later does not lower the floor",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, in_service=7)),
        {"max_unavailable": 1},
        "Withdraw",
        id="max-unavailable lets a pod go before its replacement is there",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, in_service=5), without=["web-6"]),
        {"max_unavailable": 1},
        "wait for replacement",
        id="what was taken out before does not lower the floor again",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), without=["web-5", "web-6"], **scaled(3)),
        {},
        "Withdraw",
        id="the surplus after a scale-down goes",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), **scaled(8)),
        {},
        "wait for replacement",
        id="after a scale-up what was in service at release is owed, and no more",
    ),
    pytest.param(
        a_cluster(a_pod(released=True), without=[f"web-{n}" for n in range(2, 7)], **scaled(0)),
        {},
        "Withdraw",
        id="the last pod of a Deployment that was scaled to nothing goes",
    ),
    pytest.param(
        a_cluster(
            a_pod(released=True, in_service=6), target_health={f"web-{n}": health("unhealthy") for n in range(2, 7)}
        ),
        {"max_unavailable": "100%"},
        "wait for replacement",
        id="the last healthy target of a group stays, whatever max-unavailable says",
    ),
    pytest.param(
        a_cluster(
            a_pod(released=True, gates={GATE: True, "example.com/other": False}),
            target_health={f"web-{n}": health("unhealthy") for n in range(2, 7)},
        ),
        {},
        "wait for replacement",
        id="a pod that is out of service stays where its target is the last healthy one",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, ready=False), *down("web-2", "web-3")),
        {},
        "Withdraw",
        id="a pod that has long been out of service needs no floor",
    ),
    pytest.param(
        a_cluster(
            a_pod(released=True, ready=False, since=ago(5)),
            *(a_pod(f"web-{n}", ready=False, since=ago(5)) for n in range(2, 7)),
        ),
        {},
        "wait for replacement",
        id="pods that all went out of service a moment ago keep their floor: they may be back at once",
    ),
    pytest.param(
        a_cluster(
            a_pod(released=True),
            *down(*(f"web-{n}" for n in range(2, 7))),
            target_health={f"web-{n}": health(asked=9) for n in range(2, 7)},
        ),
        {"max_unavailable": "100%"},
        "wait for replacement",
        id="a target that was healthy before its pod went down is not counted on",
    ),
    pytest.param(
        a_cluster(a_pod(released=True, ready=False), target_health={f"web-{n}": None for n in range(1, 7)}),
        {},
        "Withdraw",
        id="a pod whose containers are not ready is no target that counts",
    ),
    pytest.param(
        unseen(a_pod(released=True, in_service=6)),
        {"max_unavailable": 1},
        "Withdraw",
        id="an unseen group: others whose gates are True keep it up",
    ),
    pytest.param(
        unseen(a_pod(released=True, in_service=6), *gated(False, since=LONG_AGO)),
        {"max_unavailable": "100%"},
        "wait for replacement",
        id="an unseen group: the last pod whose gate is True stays",
    ),
    pytest.param(
        unseen(a_pod(released=True, gates={GATE: True, "example.com/other": False}), *gated(False, since=LONG_AGO)),
        {},
        "wait for replacement",
        id="an unseen group: a pod that is out of service by another gate stays where it is the last one",
    ),
    pytest.param(
        unseen(a_pod(released=True, gates={GATE: False}), *gated(False, since=LONG_AGO)),
        {},
        "Withdraw",
        id="an unseen group: a pod whose gate has long been False takes nothing from it",
    ),
    pytest.param(
        unseen(a_pod(released=True, in_service=0, gates={GATE: False}, since=ago(20)), *gated(False, since=LONG_AGO)),
        {},
        "wait for replacement",
        id="an unseen group: a gate that is False for a moment may be behind its target",
    ),
]


@pytest.mark.parametrize(("snapshot", "flags", "expected"), ROWS)
def test_a_pod_leaves_only_above_the_floor(snapshot: Snapshot, flags: dict[str, Any], expected: str) -> None:
    assert told(decide(snapshot, "web-1", **flags)) == expected


def test_pods_that_leave_at_once_do_not_count_on_each_other() -> None:
    snapshot = a_cluster(a_pod(released=True), a_pod("web-2", released=True), a_pod("web-7"))
    outcome = decide(snapshot)
    assert (told(outcome, "web-1"), told(outcome, "web-2")) == ("Withdraw", "wait for replacement")


def test_two_deployments_behind_one_group_do_not_take_its_last_targets_at_once() -> None:
    blue, green = a_deployment(replicas=1), a_deployment("green", replicas=1)
    other = replace(
        a_pod("web-2", released=True, of="green", in_service=1),
        owners=(reference_to(green),),
    )
    snapshot = a_cluster(
        a_pod(released=True, in_service=1),
        other,
        without=[f"web-{n}" for n in range(3, 7)],
        workloads={blue.uid: blue, green.uid: green},
        replica_sets={r.uid: r for r in (a_replica_set(), a_replica_set("green-1", of="green"))},
    )
    planned = (
        Planned(uid=pod.uid, namespace="shop", name=pod.name, node="node-1", workload=pod.owners[0])
        for pod in snapshot.pods.values()
    )
    outcome = next_actions(snapshot, Intent(pods=tuple(planned), settings=Settings(max_unavailable=1)))
    assert sum(isinstance(action, Withdraw) for action in outcome.actions) == 1


def test_says_which_pod_is_missing_and_why() -> None:
    snapshot = a_cluster(a_pod(released=True), a_pod("web-7"), target_health={"web-7": health("initial")})
    decision = decide(snapshot).decisions[uid("web-1")]
    assert getattr(decision, "why", "") == (
        "5 of 6 other pods of deployment shop/web are in service: pod shop/web-7 is Ready, but its "
        "target 10.244.0.8:8080 in web is initial"
    )


QUOTA = 'pods "web-5d4f8c7b9-x" is forbidden: exceeded quota: few, requested: pods=1, used: pods=6, limited: pods=6'


def test_says_why_no_replacement_can_be_created_whatever_else_is_missing() -> None:
    refused = a_replica_set(failure=QUOTA)
    snapshot = a_cluster(a_pod(released=True), *down("web-2"), replica_sets={refused.uid: refused})
    decision = decide(snapshot).decisions[uid("web-1")]
    assert getattr(decision, "why", "") == (
        f"4 of 6 other pods of deployment shop/web are in service: replicaset web-5d4f8c7b9 can't create a pod: {QUOTA}"
    )
