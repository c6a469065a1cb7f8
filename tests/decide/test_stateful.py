"""Pods of StatefulSets: one at a time, the highest number first, and never out of their governing Service."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.actions import RemoveWake, Wake, Withdraw
from kubectl_safe.decide.decision import Act, For, Wait
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.next import Outcome, next_actions
from kubectl_safe.decide.owners import reference_to, workload_of
from kubectl_safe.decide.preflight import blockers
from kubectl_safe.decide.settings import Settings
from kubectl_safe.decide.stateful import ordinal
from kubectl_safe.model.marks import WAKE
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import Labels, LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Workload
from tests.support.builders import (
    a_binding,
    a_cluster,
    a_group,
    a_pod,
    a_service,
    a_target,
    ago,
    an_endpoint,
    an_owner,
    arn,
    health,
    in_words,
    told,
    uid,
)

LABELS: Labels = {"app": "db", "member-of": "db"}
CONTROLLER = an_owner("StatefulSet", "db")
SERVICE = a_service("db", selector={"app": "db"})
MEMBERS = a_service("db-members", selector={"member-of": "db"}, is_headless=True)
SAME = a_service("db-members", selector={"app": "db"}, is_headless=True)
WEBS = [f"web-{number}" for number in range(1, 7)]


def a_stateful_set(**changes: Any) -> Workload:
    """Return a StatefulSet with three pods."""
    known = Workload(
        kind="StatefulSet",
        namespace="shop",
        name="db",
        uid=uid("db"),
        selector=LabelSelector(match_labels={"app": "db"}),
        replicas=3,
        governing_service="db-members",
    )
    return replace(known, **changes)


def a_member(number: int, *, of: Workload | None = None, withdrawn: bool = False, **changes: Any) -> Pod:
    """Return a pod of it; a withdrawn one has lost the label that its StatefulSet needs."""
    labels = {**LABELS, "pod-template-hash": "-"}
    pod = a_pod(f"db-{number}", labels=labels, controller=CONTROLLER, withdrawn=withdrawn, gates={}, **changes)
    owner = (reference_to(of or a_stateful_set()),) if withdrawn else pod.owners
    return replace(pod, labels={k: v for k, v in pod.labels.items() if k != "pod-template-hash"}, owners=owner)


ALL = tuple(a_member(number) for number in range(3))


def a_database(*changed: Pod, without: tuple[str, ...] = (), workload: Workload | None = None, **over: Any) -> Snapshot:
    """Return a cluster with the StatefulSet alone, and pods in the place of those with their names."""
    pods = {pod.name: pod for pod in (*ALL, *changed) if pod.name not in without}
    its = workload or a_stateful_set()
    values: dict[str, Any] = {"services": (SERVICE, MEMBERS), "bindings": (), "workloads": {its.uid: its}}
    return a_cluster(*pods.values(), without=WEBS, **values | over)


def decided(snapshot: Snapshot, *names: str, **flags: Any) -> Outcome:
    """Return what is decided on a plan of these pods, or of all three."""
    return next_actions(snapshot, an_intent_of(*names, **flags))


def an_intent_of(*names: str, **flags: Any) -> Intent:
    """Return a plan of these pods, or of all three."""
    planned = tuple(
        Planned(uid=uid(name), namespace="shop", name=name, node="node-1", workload=reference_to(a_stateful_set()))
        for name in names or ("db-0", "db-1", "db-2")
    )
    return Intent(pods=planned, settings=Settings(**flags))


def steps(outcome: Outcome) -> list[str]:
    return [in_words(outcome.decisions[uid(f"db-{number}")]) for number in range(3)]


OUT = a_member(2, withdrawn=True)
WAIT = "wait for replacement"


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        pytest.param(a_database(), [WAIT, WAIT, "Withdraw"], id="the highest number goes first, alone"),
        pytest.param(a_database(answers={}), ["AskEviction"] * 3, id="once its budgets allow it"),
        pytest.param(a_database(OUT), [WAIT, WAIT, "Evict"], id="the next waits while it drains"),
        pytest.param(
            a_database(OUT, endpoints=(an_endpoint(OUT, "db-members"),)),
            [WAIT, WAIT, "Evict"],
            id="its governing Service is never left, nor waited for",
        ),
        pytest.param(
            a_database(OUT, endpoints=(an_endpoint(OUT, "db"),)),
            [WAIT, WAIT, "wait for endpoints"],
            id="every other one is",
        ),
        pytest.param(
            a_database(a_member(2, ready=False)), [WAIT, WAIT, "Withdraw"], id="what is not in service goes first"
        ),
        pytest.param(
            a_database(services=(SERVICE, SAME)),
            [WAIT, WAIT, "Evict"],
            id="where it can't leave the others without its governing one, it is evicted as it is",
        ),
        pytest.param(
            a_database(services=(MEMBERS,)), [WAIT, WAIT, "Evict"], id="in no Service but that, it has none to leave"
        ),
        pytest.param(
            a_database(without=("db-2",)),
            [WAIT, WAIT, WAIT],
            id="one that is gone has to be there again, before another goes",
        ),
        pytest.param(
            a_database(without=("db-2",), workload=a_stateful_set(replicas=2)),
            [WAIT, "Withdraw", "gone"],
            id="unless it is not wanted any more",
        ),
        pytest.param(
            a_database(a_member(1, ready=False), workload=a_stateful_set(replicas=2)),
            [WAIT, "Withdraw", "Withdraw"],
            id="one that is to be deleted serves nobody",
        ),
        pytest.param(
            a_database(without=("db-0",), workload=a_stateful_set(replicas=2, first_ordinal=1)),
            ["gone", WAIT, "Withdraw"],
            id="numbers may begin later",
        ),
        pytest.param(
            a_database(a_member(1, ready=False), workload=a_stateful_set(replicas=2, first_ordinal=1)),
            ["Withdraw", "Withdraw", WAIT],
            id="one whose number is too low is to be deleted, too",
        ),
    ],
)
def test_goes(snapshot: Snapshot, expected: list[str]) -> None:
    assert steps(decided(snapshot)) == expected


PUT_BACK = replace(a_member(2), annotations=OUT.annotations, owners=(*a_member(2).owners, *OUT.owners))
"""A withdrawn pod whose labels somebody has put back, so that its StatefulSet has it again."""


def test_a_withdrawal_that_was_taken_back_is_done_again() -> None:
    assert steps(decided(a_database(PUT_BACK))) == [WAIT, WAIT, "Withdraw"]


def test_a_withdrawal_that_is_taken_back_again_and_again_is_given_up_and_its_note_taken_off() -> None:
    planned = replace(an_intent_of("db-2"), given_up={uid("db-2"): "put back"})
    assert told(next_actions(a_database(PUT_BACK), planned), "db-2") == "Undo"
    assert told(next_actions(a_database(), planned), "db-2") == "left"
    let_go = replace(PUT_BACK, owners=OUT.owners, labels=OUT.original_labels)
    assert told(next_actions(a_database(let_go), planned), "db-2") == "Withdraw"


LOST = replace(OUT, owners=())
"""A withdrawn pod from which its StatefulSet has deleted the reference that the withdrawal left."""


def test_a_pod_whose_reference_its_controller_took_is_known_by_its_name() -> None:
    snapshot = a_database(LOST)
    assert workload_of(LOST, snapshot) == reference_to(a_stateful_set())
    assert LOST in snapshot.pods_of(a_stateful_set())
    assert steps(decided(snapshot)) == [WAIT, WAIT, "Evict"]
    assert steps(decided(a_database(LOST, endpoints=(an_endpoint(LOST, "db-members"),)))) == [WAIT, WAIT, "Evict"]


@pytest.mark.parametrize(
    ("pod", "its"),
    [
        pytest.param(replace(LOST, name="other-2"), a_stateful_set(), id="by another name"),
        pytest.param(replace(LOST, name="db-x"), a_stateful_set(), id="by a name that has no number"),
        pytest.param(replace(LOST, namespace="other"), a_stateful_set(), id="in another namespace"),
        pytest.param(replace(LOST, annotations={}), a_stateful_set(), id="never handed over"),
        pytest.param(replace(LOST, is_terminating=True), a_stateful_set(), id="on its way out"),
        pytest.param(LOST, a_stateful_set(kind="Deployment"), id="its controller gives no names"),
        pytest.param(
            LOST, a_stateful_set(selector=LabelSelector(match_labels={"app": "x"})), id="its controller never had it"
        ),
    ],
)
def test_a_pod_without_a_reference_is_nobodys(pod: Pod, its: Workload) -> None:
    assert a_database(pod, workload=its).workload_of(pod) is None


def test_may_be_taken_two_at_a_time() -> None:
    assert steps(decided(a_database(), max_unavailable=2)) == [WAIT, "Withdraw", "Withdraw"]


def test_is_never_given_a_surge() -> None:
    assert told(decided(a_database(), max_surge=1), "db-2") == "Withdraw"


def test_is_withdrawn_by_what_its_governing_service_does_not_use() -> None:
    decision = decided(a_database()).decisions[uid("db-2")]
    assert isinstance(decision, Act)
    assert isinstance(decision.action, Withdraw)
    assert (decision.action.drop, decision.action.owner) == (frozenset({"app"}), reference_to(a_stateful_set()))


def test_is_woken_until_it_has_created_the_pod_whose_name_is_free() -> None:
    missing = a_database(without=("db-2",))
    why = "statefulset shop/db has not created pod db-2 anew yet"
    assert decided(missing, "db-2").decisions[uid("db-2")] == Wait(on=For.REPLACEMENT, why=why)
    assert [type(action) for action in decided(missing, "db-2").chores] == [Wake]
    assert [type(action) for action in decided(missing, "db-2", wake=False).chores] == []
    for seconds, expected in ((4, []), (5, [Wake])):
        lately = replace(missing, woken_at={("shop", "db"): ago(seconds)})
        assert [type(action) for action in decided(lately, "db-2").chores] == expected


def test_is_not_waited_for_once_it_is_deleted_nor_is_anything_for_a_bare_pod() -> None:
    gone = a_database(without=("db-2",), workload=a_stateful_set(is_terminating=True))
    assert told(decided(gone, "db-2"), "db-2") == "gone"
    bare = Intent(pods=(replace(an_intent_of("db-2").pods[0], workload=None),))
    assert told(next_actions(a_database(without=("db-2",)), bare), "db-2") == "gone"


def test_a_mark_that_this_run_has_set_is_taken_away_also_without_the_right_to_set_more() -> None:
    woken = a_stateful_set(annotations={WAKE: "1"}, replicas=2)
    snapshot = a_database(without=("db-2",), workload=woken, woken_at={("shop", "db"): ago(1)})
    assert [type(action) for action in decided(snapshot, "db-2", wake=False).chores] == [RemoveWake]
    assert not decided(replace(snapshot, woken_at={}), "db-2", wake=False).chores


def test_is_not_woken_for_a_pod_that_is_there_again_and_the_mark_is_taken_away() -> None:
    anew = replace(a_member(2), uid=uid("db-2, anew"))
    woken = a_stateful_set(annotations={WAKE: "1"})
    snapshot = a_database(anew, without=("db-2",), workload=woken)
    snapshot = replace(snapshot, pods={**snapshot.pods, anew.uid: anew})
    outcome = decided(snapshot, "db-2")
    assert told(outcome, "db-2") == "gone"
    assert [type(action) for action in outcome.chores] == [RemoveWake]


def blocked(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    """Return why a plan of these pods is not begun."""
    return [f"{its.reason}: {its.why}" for its in blockers(an_intent_of(*names, **flags), snapshot)]


ALONE = a_database(without=("db-1", "db-2"), workload=a_stateful_set(replicas=1))


def test_one_that_can_not_leave_its_services_is_not_refused() -> None:
    assert blockers(an_intent_of(), a_database(services=(SERVICE, SAME))) == []


def test_the_only_pod_is_blocked_unless_downtime_is_allowed() -> None:
    why = (
        "downtime: statefulset shop/db may run no pod beyond its 1, so none would be in service: the name of its pod "
        "has to be free first; scale it up first, or answer for it with --allow downtime"
    )
    assert blocked(ALONE, "db-0") == [why]
    assert blocked(ALONE, "db-0", allow=frozenset({"downtime"})) == []
    assert told(decided(ALONE, "db-0", allow=frozenset({"downtime"})), "db-0") == "Withdraw"


def test_the_last_healthy_target_goes_where_downtime_is_allowed() -> None:
    bound = replace(ALONE, bindings=(a_binding("db"),), groups={arn("db"): a_group("db")})
    target = a_target("db-0", group="db")
    bound = replace(bound, health={target: health()})
    assert told(decided(bound, "db-0"), "db-0") == WAIT
    assert told(decided(bound, "db-0", allow=frozenset({"downtime"})), "db-0") == "Withdraw"


CHANGED: dict[str, Any] = {"strategy": "OnDelete", "current_revision": "db-1", "update_revision": "db-2"}
OLD, NEW = ({**LABELS, "controller-revision-hash": revision} for revision in ("db-1", "db-2"))


@pytest.mark.parametrize(
    ("labels", "changes", "is_blocked"),
    [
        pytest.param(OLD, CHANGED, True, id="it would come back changed"),
        pytest.param(NEW, CHANGED, False, id="it has changed already"),
        pytest.param(LABELS, CHANGED, False, id="nobody knows what it has"),
        pytest.param(OLD, {**CHANGED, "strategy": "RollingUpdate"}, False, id="its StatefulSet changes it itself"),
        pytest.param(OLD, {**CHANGED, "update_revision": "db-1"}, False, id="nothing was changed"),
    ],
)
def test_a_change_that_waits_for_a_pod_to_be_deleted_is_blocked(
    labels: Labels, changes: dict[str, Any], is_blocked: bool
) -> None:
    pods = [replace(pod, labels=labels) for pod in ALL]
    snapshot = a_database(*pods, workload=a_stateful_set(**changes))
    why = (
        "pending-revision: pod shop/db-0 would come back with another template than it has, as statefulset shop/db was "
        "changed and its updateStrategy is OnDelete: answer for it with --allow pending-revision"
    )
    assert blocked(snapshot, "db-0") == ([why] if is_blocked else [])
    assert blocked(snapshot, "db-0", allow=frozenset({"pending-revision"})) == []


@pytest.mark.parametrize(
    ("name", "expected"), [("db-0", 0), ("db-12", 12), ("db", None), ("other-1", None), ("db-x", None)]
)
def test_the_number_of_a_pod_is_in_its_name(name: str, expected: int | None) -> None:
    assert ordinal(a_pod(name), a_stateful_set()) == expected
    assert ordinal(a_pod(name), replace(a_stateful_set(), kind="Deployment")) is None
    assert ordinal(a_pod(f"my-{name}"), replace(a_stateful_set(), name="my-db")) == expected
