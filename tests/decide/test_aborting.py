"""Which pods an abort ends, and how."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.aborting import plan_abort
from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.next import next_actions
from kubectl_safe.decide.owners import reference_to
from kubectl_safe.decide.settings import Settings
from kubectl_safe.model.pod import Pod
from tests.support.builders import a_cluster, a_deployment, a_pod, an_owner, told, uid

COMING = a_pod("web-7", ready=False)


def aborted(pod: Pod, **overrides: Any) -> Intent:
    """Return the plan to end what is under way in a cluster with this pod."""
    snapshot = a_cluster(pod, **overrides)
    return plan_abort([snapshot.pods[pod.uid]], snapshot, Settings(settle=None, max_draining=1))


@pytest.mark.parametrize(
    ("pod", "is_planned"),
    [
        pytest.param(a_pod(), False, id="not a pod whose handoff was not begun"),
        pytest.param(a_pod(released=True), True, id="a released pod"),
        pytest.param(a_pod(withdrawn=True), True, id="a withdrawn pod"),
        pytest.param(a_pod(withdrawn=True, terminating=True), True, id="a pod that stops after its handoff"),
        pytest.param(a_pod(terminating=True), False, id="not a pod that somebody else stops"),
        pytest.param(a_pod(released=True, owners=()), False, id="not a pod that was set free: nobody knows of what"),
    ],
)
def test_an_abort_ends(pod: Pod, is_planned: bool) -> None:
    assert aborted(pod).uids == ({pod.uid} if is_planned else set())


def test_an_abort_gives_back_what_is_released_and_finishes_what_is_withdrawn() -> None:
    for pod, expected in ((a_pod(released=True), "Undo"), (a_pod(withdrawn=True), "Evict")):
        intent = aborted(pod)
        assert intent.given_up == {pod.uid: "aborted"}
        assert intent.settings == Settings(max_draining=1)
        assert told(next_actions(a_cluster(pod, COMING), intent)) == expected


def test_an_abort_tells_the_workload_of_a_pod_also_where_it_is_gone() -> None:
    pod = a_pod(released=True, node=None)
    for deployments in ({uid("web"): a_deployment()}, {}):
        (planned,) = aborted(pod, workloads=deployments).pods
        assert (str(planned), planned.node, planned.workload) == ("shop/web-1", "", reference_to(a_deployment()))


def test_an_abort_tells_the_workload_of_a_pod_that_something_adopted() -> None:
    pod = a_pod(released=True)
    pod = replace(pod, owners=(an_owner("StatefulSet", "db"), *pod.owners))
    (planned,) = aborted(pod, workloads={}).pods
    assert planned.workload == reference_to(a_deployment())
    assert planned.node == "node-1"
