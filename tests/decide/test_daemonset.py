"""Pods of DaemonSets on a restart: no second one on a node, unless the DaemonSet itself lets one surge."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import Release, Withdraw
from kubectl_safe.decide.decision import Act
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.restart import bearer_of, plan_restart, refusal
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.undo import safe_undo
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload
from tests.support.builders import a_cluster, a_pod, a_service, an_owner, in_words, uid

LABELS: Labels = {"app": "edge", "set": "edge"}
CONTROLLER = an_owner("DaemonSet", "edge")
SERVICE = a_service("edge", selector={"app": "edge"})
SAME = a_service("edge", selector=LABELS)
WEBS = [f"web-{number}" for number in range(1, 7)]


def a_daemon_set(**changes: Any) -> Workload:
    """Return a DaemonSet on three nodes, which knows its pods by a label that no Service selects by."""
    known = Workload(
        kind="DaemonSet",
        namespace="shop",
        name="edge",
        uid=uid("edge"),
        selector=LabelSelector(match_labels={"set": "edge"}),
        replicas=3,
        max_surge=0,
        updated_replicas=3,
        status_replicas=3,
    )
    return replace(known, **changes)


def an_agent(number: int, *, released: bool = False, **changes: Any) -> Pod:
    """Return a pod of it; a released one has lost the label that its DaemonSet needs."""
    node = changes.pop("node", f"node-{number}")
    pod = a_pod(
        f"edge-{number}", labels={**LABELS, "pod-template-hash": "-"}, controller=CONTROLLER, gates={}, **changes
    )
    left = {key: value for key, value in pod.labels.items() if key != "pod-template-hash"}
    if not released:
        return replace(pod, labels=left, node=node)
    given = a_pod(
        f"edge-{number}", labels={"app": "edge", "pod-template-hash": "-"}, released=True, of="edge", gates={}
    )
    noted = {key: text.replace('"pod-template-hash":"-"', '"set":"edge"') for key, text in given.annotations.items()}
    owner = replace(CONTROLLER, is_controller=False)
    return replace(given, labels={"app": "edge"}, annotations=noted, owners=(owner,), node=node)


def a_cluster_of(*changed: Pod, workload: Workload | None = None, **over: Any) -> Snapshot:
    """Return a cluster with the DaemonSet alone, and pods in the place of those with their names."""
    pods = {pod.name: pod for pod in (*map(an_agent, (1, 2, 3)), *changed)}
    its = workload or a_daemon_set()
    values: dict[str, Any] = {"services": (SERVICE,), "bindings": (), "workloads": {its.uid: its}}
    return a_cluster(*pods.values(), without=WEBS, **values | over)


def an_intent_of(snapshot: Snapshot, **flags: Any) -> Intent:
    """Return a restart."""
    (workload,) = snapshot.workloads.values()
    return Intent(pods=plan_restart(workload, None, snapshot), settings=Settings(**flags))


def decided(snapshot: Snapshot, **flags: Any) -> Outcome:
    """Return what is decided on a restart."""
    return next_actions(snapshot, an_intent_of(snapshot, **flags))


def steps(outcome: Outcome) -> list[str]:
    return [in_words(outcome.decisions[uid(f"edge-{number}")]) for number in (1, 2, 3)]


SURGING = a_daemon_set(max_surge=1)
WAIT = "wait for replacement"


def test_without_a_surge_of_its_own_one_is_withdrawn_at_a_time_by_what_its_daemon_set_does_not_need() -> None:
    outcome = decided(a_cluster_of())
    assert steps(outcome) == ["Withdraw", WAIT, WAIT]
    first = outcome.decisions[uid("edge-1")]
    assert isinstance(first, Act)
    assert isinstance(first.action, Withdraw)
    assert first.action.drop == {"app"}


def test_a_flag_lets_no_second_pod_come_to_a_node_of_a_daemon_set_that_lets_none() -> None:
    assert steps(decided(a_cluster_of(), max_surge=3)) == ["Withdraw", WAIT, WAIT]
    assert steps(decided(a_cluster_of(workload=a_daemon_set(max_surge="0%")), max_surge=3))[0] == "Withdraw"


def test_with_a_surge_of_its_own_it_is_released_by_a_label_that_its_daemon_set_needs() -> None:
    outcome = decided(a_cluster_of(workload=SURGING))
    assert steps(outcome) == ["Release", "wait for surge", "wait for surge"]
    first = outcome.decisions[uid("edge-1")]
    assert isinstance(first, Act)
    assert isinstance(first.action, Release)
    assert (first.action.drop, first.action.owner.kind) == ("set", "DaemonSet")


@pytest.mark.parametrize(
    ("workload", "services", "allow", "expected"),
    [
        pytest.param(a_daemon_set(), (SERVICE,), (), "", id="its Service selects by a label of its own"),
        pytest.param(a_daemon_set(), (), (), "", id="no Service"),
        pytest.param(a_daemon_set(), (SAME,), (), "", id="a label of the Service's that the DaemonSet doesn't need"),
        pytest.param(
            a_daemon_set(selector=LabelSelector(match_labels=LABELS)),
            (SERVICE,),
            (),
            "pod shop/edge-1 can't leave service edge without leaving daemonset shop/edge, as both select by the same "
            "labels, and another must not come to its node before it is gone: set its updateStrategy.rollingUpdate to "
            "maxSurge: 1, maxUnavailable: 0, if two can share a node, or have it stopped while it gets requests with "
            "--allow downtime",
            id="the same labels, and no second one may run on its node",
        ),
        pytest.param(
            a_daemon_set(selector=LabelSelector(match_labels=LABELS)), (SERVICE,), ("downtime",), "", id="allowed"
        ),
        pytest.param(
            a_daemon_set(selector=LabelSelector(match_labels=LABELS), max_surge=1), (SERVICE,), (), "", id="surge"
        ),
        pytest.param(
            a_daemon_set(replicas=1),
            (SERVICE,),
            (),
            "daemonset shop/edge may run no pod beyond its 1, so none would be in service: set its "
            "updateStrategy.rollingUpdate to maxSurge: 1, maxUnavailable: 0, if two can share a node, or answer for it "
            "with --allow downtime",
            id="one node",
        ),
        pytest.param(a_daemon_set(replicas=1, max_surge=1), (SERVICE,), (), "", id="one node, with a surge"),
        pytest.param(
            a_daemon_set(strategy="OnDelete", updated_replicas=2),
            (SERVICE,),
            (),
            "pod shop/edge-1 would come back with another template than it has, as daemonset shop/edge was changed and "
            "its updateStrategy is OnDelete: answer for it with --allow pending-revision",
            id="a template that waits for somebody to delete pods",
        ),
        pytest.param(a_daemon_set(strategy="OnDelete"), (SERVICE,), (), "", id="OnDelete, and all are of the newest"),
    ],
)
def test_is_refused(workload: Workload, services: Any, allow: tuple[str, ...], expected: str) -> None:
    snapshot = a_cluster_of(workload=workload, services=services)
    intent = an_intent_of(snapshot, allow=frozenset(allow))
    assert "; ".join(blocked.why for blocked in blockers(intent, snapshot)) == expected


def test_one_that_must_not_miss_any_is_told_what_would_help() -> None:
    snapshot = a_cluster_of()
    (blocked,) = blockers(an_intent_of(snapshot, max_unavailable=0), snapshot)
    assert blocked.why.endswith("so none can go: give it --max-unavailable 1")


def test_where_that_is_allowed_a_pod_is_stopped_as_it_is() -> None:
    its = a_daemon_set(selector=LabelSelector(match_labels=LABELS))
    outcome = decided(a_cluster_of(workload=its), allow=frozenset({"downtime"}))
    assert steps(outcome) == ["Evict", WAIT, WAIT]


def test_with_a_surge_of_its_own_it_may_leave_its_daemon_set_with_its_services() -> None:
    surging = a_cluster_of(workload=a_daemon_set(selector=LabelSelector(match_labels=LABELS), max_surge=1))
    assert labels_to_withdraw(an_agent(1), surging) == frozenset({"app"})


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        pytest.param([], True, id="its node has no other: nothing goes"),
        pytest.param([an_agent(4, ready=False, node="node-1")], True, id="its replacement is not Ready: that goes"),
        pytest.param([an_agent(4, node="node-1")], False, id="its replacement is Ready: that would go"),
        pytest.param([an_agent(4, node="node-2")], True, id="what another node has matters not"),
        pytest.param([an_agent(4, ready=False, node="node-1"), an_agent(5, node="node-1")], False, id="one of two"),
    ],
)
def test_a_release_is_taken_back(others: list[Pod], expected: bool) -> None:
    released = an_agent(1, released=True)
    snapshot = a_cluster_of(released, *others, workload=SURGING)
    assert (safe_undo(released, SURGING, snapshot, undone=set()) is not None) is expected


def test_a_pod_that_was_given_back_is_still_its() -> None:
    orphan = replace(an_agent(1), owners=())
    assert orphan in a_cluster_of(orphan).pods_of(a_daemon_set())
    stranger = replace(an_agent(1), owners=(), labels={"set": "another"})
    assert stranger not in a_cluster_of(stranger).pods_of(a_daemon_set())


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        pytest.param(a_daemon_set(), "", id="it is done with its last rollout"),
        pytest.param(a_daemon_set(updated_replicas=2), "in the middle of a rollout", id="its controller replaces pods"),
        pytest.param(a_daemon_set(updated_replicas=2, strategy="OnDelete"), "", id="it waits for somebody"),
        pytest.param(a_daemon_set(generation=2), "in the middle of a rollout", id="its controller has not seen it"),
    ],
)
def test_a_restart_is_refused(workload: Workload, expected: str) -> None:
    assert expected in refusal(workload, a_cluster_of(workload=workload))
    assert bool(refusal(workload, a_cluster_of(workload=workload))) is bool(expected)


def test_it_bears_the_record_of_its_restart_itself() -> None:
    assert bearer_of(a_daemon_set(), a_cluster_of()) == a_daemon_set()
