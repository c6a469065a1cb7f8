"""Which of several objects is asked why a replacement doesn't come, and whose words are left out."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.actions import AskEviction
from kubectl_safe.decide.decision import Act, For, Wait
from kubectl_safe.decide.warnings import in_their_words, subjects_of
from kubectl_safe.model.event import Subject
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import a_cluster, a_pod, a_replica_set, ago, an_intent

OLD = a_pod(released=True)
WAIT = Wait(on=For.REPLACEMENT, why="it is late")
SET = "replicaset shop/web-5d4f8c7b9"


def asked(snapshot: Snapshot, *, workload: bool = True, on: For = For.REPLACEMENT) -> list[str]:
    """Return who is asked why the wait of `web-1` doesn't end."""
    (planned,) = an_intent(a_cluster(), "web-1").pods
    planned = planned if workload else replace(planned, workload=None)
    return [str(subject) for subject in subjects_of(planned, replace(WAIT, on=on), snapshot)]


@pytest.mark.parametrize(
    "pod",
    [
        pytest.param(a_pod("web-7"), id="that is Ready"),
        pytest.param(a_pod("web-7", ready=False, withdrawn=True), id="that is withdrawn"),
        pytest.param(a_pod("web-7", ready=False, terminating=True), id="that terminates"),
        pytest.param(a_pod("web-7", ready=False, phase="Failed"), id="that ran to its end"),
    ],
)
def test_a_pod_is_no_replacement(pod: Pod) -> None:
    assert asked(a_cluster(OLD, pod)) == [SET]


def test_a_pod_is_not_asked_about_itself() -> None:
    assert asked(a_cluster(a_pod(released=True, ready=False))) == [SET]


def test_the_newest_pod_is_asked_about_and_the_last_by_name_of_several() -> None:
    coming = [a_pod(f"web-{n}", ready=False, since=ago(since)) for n, since in ((7, 5), (8, 9), (9, 5))]
    for pods in (coming, coming[::-1]):
        assert asked(a_cluster(OLD, *pods)) == ["pod shop/web-9"]


def test_a_replica_set_is_asked_about_only_where_it_is_to_have_pods() -> None:
    sets = [a_replica_set(), a_replica_set("web-0", replicas=0)]
    assert asked(a_cluster(OLD, replica_sets={r.uid: r for r in sets})) == [SET]


def test_nobody_is_asked_about_a_pod_that_is_gone_or_has_no_deployment() -> None:
    assert asked(a_cluster(without=["web-1"]), on=For.TARGETS) == []
    assert asked(a_cluster(OLD), workload=False) == []
    assert asked(a_cluster(OLD, workloads={})) == []


def test_only_a_wait_is_told_in_the_words_of_events() -> None:
    words = {Subject(kind="ReplicaSet", namespace="shop", name="web-5d4f8c7b9"): "FailedCreate: no"}
    snapshot = a_cluster(OLD, warnings=words)
    (planned,) = an_intent(snapshot, "web-1").pods
    asks = Act(action=AskEviction(pod=OLD))
    assert in_their_words(planned, asks, snapshot) is asks
    assert in_their_words(planned, WAIT, snapshot) == replace(WAIT, why=f"it is late; {SET}: FailedCreate: no")
    assert in_their_words(planned, WAIT, a_cluster(OLD)) == WAIT
