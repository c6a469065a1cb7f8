"""A rollout is finished once its old pods and their targets are gone, and its new ones are in service everywhere."""

from typing import Any

import pytest

from kubectl_safe.decide.native_rollout import Complete, Failed
from kubectl_safe.decide.rollout_status import not_gone, rollout_status
from kubectl_safe.model.marks import OPERATION, Operation
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import Target
from kubectl_safe.model.workload import Workload
from tests.support.builders import (
    GATE,
    NOT_REGISTERED,
    a_cluster,
    a_deployment,
    a_pod,
    a_replica_set,
    a_target,
    an_endpoint,
    an_owner,
    arn,
    health,
    uid,
)

WEB = a_deployment()
DONE = 'deployment "web" successfully rolled out'
ROLLING = a_deployment(updated_replicas=5)
IN_KUBECTLS_WORDS = 'Waiting for deployment "web" rollout to finish: 5 out of 6 new replicas have been updated...'
GONE = health("unused", NOT_REGISTERED)


def old(number: int = 7, **changes: Any) -> Any:
    """Return a pod beside those that are in service."""
    return a_pod(f"web-{number}", **changes)


def restarting(*planned: str, **changes: Any) -> Snapshot:
    """Return the cluster with the record of a restart of these pods, each of a UID of its own."""
    record = Operation(id="1", started="then", options="", pods=frozenset(planned))
    marked = a_replica_set(annotations={OPERATION: record.dumps()})
    return a_cluster(*changes.pop("pods", ()), replica_sets={marked.uid: marked}, **changes)


def lacks(what: str) -> str:
    return f'Waiting for deployment "web" rollout to finish: {what}...'


def told(snapshot: Snapshot, workload: Workload = WEB, *, seen: frozenset[Target] = frozenset()) -> str:
    """Return the lines as they would be printed, one after the other."""
    match rollout_status(workload, snapshot, seen=seen):
        case Complete(line=line):
            return line
        case Failed(why=why):
            return f"error: {why}"
        case its:
            return "\n".join(line for line in (its.line, its.lacks) if line)


CHECK = "see kubectl safe check deployment/web -n shop"
ROWS = [
    pytest.param(a_cluster(), DONE, id="all pods are in service, and none else is there"),
    pytest.param(
        a_cluster(old(phase="Failed"), target_health={"web-7": GONE}),
        DONE,
        id="one that ran to its end does not count",
    ),
    pytest.param(
        a_cluster(old(phase="Failed", terminating=True), target_health={"web-7": health()}),
        lacks("target 10.244.0.8:8080 in web of an old pod is still registered: healthy"),
        id="but its target may get requests",
    ),
    pytest.param(
        a_cluster(old(phase="Failed"), target_health={"web-7": health()}),
        lacks("target 10.244.0.8:8080 in web of an old pod is still registered: healthy"),
        id="also before anybody deletes it",
    ),
    pytest.param(
        a_cluster(old(terminating=True), target_health={"web-7": health("draining")}),
        lacks("1 old pod is terminating, its target 10.244.0.8:8080 in web is draining"),
        id="an old pod terminates, and its target drains",
    ),
    pytest.param(
        a_cluster(old(terminating=True), target_health={"web-7": health("draining", asked=100)}),
        lacks("1 old pod is terminating, its target 10.244.0.8:8080 in web is draining"),
        id="a target drains for minutes, and need not be asked all the time",
    ),
    pytest.param(
        a_cluster(old(terminating=True), target_health={"web-7": GONE}),
        lacks("1 old pod is terminating"),
        id="an old pod terminates, and its target is gone",
    ),
    pytest.param(
        a_cluster(old(terminating=True), target_health={"web-7": health("unused", NOT_REGISTERED, asked=100)}),
        lacks("1 old pod is terminating, its target 10.244.0.8:8080 in web has no fresh health yet"),
        id="that its target was not registered long ago says nothing",
    ),
    pytest.param(
        a_cluster(
            old(terminating=True), target_health={"web-7": health("draining")}, stale_health={arn(): "Throttling"}
        ),
        lacks("1 old pod is terminating, its target 10.244.0.8:8080 in web has no fresh health: Throttling"),
        id="its target group can't be asked now",
    ),
    pytest.param(
        a_cluster(old(withdrawn=True), target_health={"web-7": health()}),
        lacks("1 old pod is withdrawn, its target 10.244.0.8:8080 in web is still registered: healthy"),
        id="a withdrawn pod whose target is registered still",
    ),
    pytest.param(
        a_cluster(old(released=True)), lacks("1 old pod is released"), id="a released one serves, so its target stays"
    ),
    pytest.param(
        a_cluster(
            old(released=True),
            *(old(n, withdrawn=True) for n in (8, 9)),
            old(10, terminating=True),
            target_health={"web-9": health("draining"), "web-10": health("draining")},
        ),
        lacks(
            "1 old pod is released, 2 old pods are withdrawn, 1 old pod is terminating, "
            "2 targets of old pods are not gone: 10.244.0.10:8080 in web is draining"
        ),
        id="several of each",
    ),
    pytest.param(
        a_cluster(old(terminating=True), unseen=frozenset({arn()})),
        lacks("1 old pod is terminating"),
        id="a target group that can't be asked: the pod alone is waited for",
    ),
    pytest.param(
        a_cluster(unseen=frozenset({arn()}), health={}), DONE, id="and gates alone tell that the others are in service"
    ),
    pytest.param(
        a_cluster(a_pod(gates={}), unseen=frozenset({arn()}), health={}), DONE, id="or readiness, where there is none"
    ),
    pytest.param(
        a_cluster(a_pod(gates={GATE: False}), target_health={"web-1": health("initial")}),
        lacks(f"5 of 6 pods are in service: pod shop/web-1 waits for its readiness gate {GATE}: ")[:-3]
        + "target 10.244.0.2:8080 in web is initial (see kubectl safe check deployment/web -n shop)...",
        id="a gate is not True",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": health("unhealthy", "Target.Timeout")}),
        lacks(
            "5 of 6 pods are in service: pod shop/web-1 is Ready, but its target 10.244.0.2:8080 in web is unhealthy: "
            f"Target.Timeout (HTTP got no answer in time) ({CHECK})"
        ),
        id="all gates are True, and a target is not healthy",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None}),
        lacks("5 of 6 pods are known to be in service: target 10.244.0.2:8080 in web has no fresh health yet"),
        id="nobody knows of a target whether it is healthy",
    ),
    pytest.param(
        a_cluster(target_health={"web-1": None, "web-2": health("initial")}),
        lacks(
            "4 of 6 pods are in service: pod shop/web-2 is Ready, but its target 10.244.0.3:8080 in web is initial "
            f"({CHECK})"
        ),
        id="of another one that is known",
    ),
    pytest.param(
        a_cluster(endpoints=tuple(an_endpoint(a_pod(f"web-{n}")) for n in range(2, 7))),
        lacks(f"5 of 6 pods are in service: pod shop/web-1 is in no EndpointSlice of service web yet ({CHECK})"),
        id="a pod is in no slice",
    ),
    pytest.param(
        restarting(uid("web-1")[:8], "gone-uid", pods=[a_pod(uid=uid("web-1"))]),
        lacks("1 out of 2 pods have been handed over by kubectl safe rollout restart"),
        id="a restart has come half-way",
    ),
    pytest.param(
        a_cluster(stale=frozenset({"services", "pods"})),
        lacks("pods can't be seen now; services can't be seen now"),
        id="what was true before a watch lost its connection may be over",
    ),
    pytest.param(
        restarting(
            uid("web-1")[:8],
            pods=[a_pod(withdrawn=True), a_pod("web-2", ready=False)],
            target_health={"web-1": health("draining")},
        ),
        lacks(
            "0 out of 1 pods have been handed over by kubectl safe rollout restart; "
            "1 old pod is withdrawn, its target 10.244.0.2:8080 in web is draining; "
            "4 of 5 pods are in service: pod shop/web-2 is not ready: Running (see kubectl events -n "
            "shop --for pod/web-2)"
        ),
        id="all that a rollout can lack",
    ),
    pytest.param(restarting("gone-uid"), DONE, id="one whose pods are all gone is over"),
]


@pytest.mark.parametrize(("snapshot", "lines"), ROWS)
def test_is_finished_once_nothing_is_left_out(snapshot: Snapshot, lines: str) -> None:
    assert told(snapshot) == lines


def test_tells_both_what_the_controller_does_and_what_it_leaves_out() -> None:
    snapshot = a_cluster(old(terminating=True), target_health={"web-7": GONE})
    assert told(snapshot, ROLLING) == f"{IN_KUBECTLS_WORDS}\n{lacks('1 old pod is terminating')}"
    assert told(a_cluster(), ROLLING) == IN_KUBECTLS_WORDS


def test_what_failed_is_not_waited_for() -> None:
    stuck = a_deployment(progress="ProgressDeadlineExceeded")
    assert told(a_cluster(old(terminating=True)), stuck) == 'error: deployment "web" exceeded its progress deadline'


def test_waits_for_the_target_of_a_pod_that_is_gone() -> None:
    before = a_cluster(old(terminating=True), target_health={"web-7": health("draining")})
    seen = not_gone(WEB, before)
    assert a_target("web-7") in seen
    draining = a_cluster(health={**a_cluster().health, a_target("web-7"): health("draining")})
    assert told(draining) == DONE
    assert told(draining, seen=seen) == lacks("target 10.244.0.8:8080 in web of an old pod is draining")
    over = a_cluster(health={**a_cluster().health, a_target("web-7"): GONE})
    assert told(over, seen=not_gone(WEB, draining, seen=seen)) == DONE
    assert a_target("web-7") not in not_gone(WEB, over, seen=seen)


def test_an_address_that_another_pod_has_by_now_is_that_ones() -> None:
    seen = frozenset({a_target("web-1")})
    assert told(a_cluster(), seen=seen) == DONE
    unready = a_cluster(a_pod(ready=False), target_health={"web-1": GONE})
    assert a_target("web-1") in not_gone(WEB, unready, seen=seen)


def test_a_target_of_a_group_that_can_t_be_asked_is_not_remembered() -> None:
    assert not not_gone(WEB, a_cluster(unseen=frozenset({arn()})), seen=frozenset({a_target("web-9")}))


def test_members_beyond_the_replicas_of_a_stateful_set_are_not_waited_for() -> None:
    of = an_owner("StatefulSet", "web")
    members = [a_pod(f"web-{n}", controller=of, ready=n < 6) for n in range(1, 7)]
    for replicas, expected in (
        (6, "statefulset rolling update complete"),
        (7, 'Waiting for statefulset "web" rollout'),
    ):
        its = a_deployment(kind="StatefulSet", replicas=replicas)
        snapshot = a_cluster(*members, workloads={its.uid: its}, replica_sets={}, target_health={"web-6": GONE})
        assert told(snapshot, its).startswith(expected)
