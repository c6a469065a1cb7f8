"""How a run ended is told of every pod that was given up, and where it stands."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.ending import Ending, LeftPod, Standing, cut_short, ending_of
from kubectl_safe.decide.next import next_actions
from kubectl_safe.model.pod import Pod
from tests.support.builders import a_cluster, a_pod, an_intent, uid

STOPPING = a_pod(withdrawn=True, terminating=True)

STANDINGS = [
    pytest.param(a_pod(), "not begun, serves on", False, id="not begun"),
    pytest.param(a_pod(released=True), "released, serves on without its controller", True, id="released"),
    pytest.param(a_pod(withdrawn=True), "withdrawn, runs on and gets no new requests", True, id="withdrawn"),
    pytest.param(STOPPING, "evicted, still stopping", True, id="evicted"),
]


@pytest.mark.parametrize(("pod", "standing", "is_under_way"), STANDINGS)
def test_a_run_that_ended_tells_where_each_pod_stands_that_it_left(pod: Pod, standing: str, is_under_way: bool) -> None:
    # Not yet seen absent from its slices, it can't be evicted.
    snapshot = a_cluster(pod, without=["web-3"], absent_since={})
    intent = replace(an_intent(a_cluster(), "web-1", "web-2", "web-3"), overdue={pod.uid: "late"})
    ending = ending_of(intent, next_actions(snapshot, intent), given_back=frozenset({uid("web-2")}), stop="by alice")
    left = LeftPod(pod=intent.pods[0], standing=Standing(standing), why="late")
    assert ending == Ending(planned=3, left=(left,), stop="by alice")
    assert ending.under_way == ((left,) if is_under_way else ())


def test_a_pod_that_was_given_back_is_told_from_one_that_was_not_begun() -> None:
    snapshot = a_cluster()
    intent = replace(an_intent(snapshot, "web-1", "web-2"), given_up=dict.fromkeys((uid("web-1"), uid("web-2")), "x"))
    ending = ending_of(intent, next_actions(snapshot, intent), given_back=frozenset({uid("web-2")}), stop="")
    assert [entry.standing.value for entry in ending.left] == [
        "not begun, serves on",
        "given back, serves on as before",
    ]
    assert not ending.under_way


@pytest.mark.parametrize(("pod", "standing", "is_under_way"), STANDINGS)
def test_a_run_that_was_left_at_once_tells_of_every_pod_that_is_there(
    pod: Pod, standing: str, is_under_way: bool
) -> None:
    ending = cut_short(an_intent(a_cluster(), "web-1", "web-2"), a_cluster(pod, without=["web-2"]), stop="twice")
    (planned,) = an_intent(a_cluster(), "web-1").pods
    left = LeftPod(pod=planned, standing=Standing(standing), why="twice")
    assert ending == Ending(planned=2, left=(left,), stop="twice")
    assert bool(ending.under_way) is is_under_way


def test_a_run_that_left_nothing_did_all_that_it_set_out_to_do() -> None:
    snapshot = a_cluster(without=["web-1"])
    intent = an_intent(a_cluster(), "web-1")
    done = ending_of(intent, next_actions(snapshot, intent), given_back=frozenset(), stop="")
    assert done == cut_short(intent, snapshot, stop="") == Ending(planned=1)
    assert done.stop == ""
