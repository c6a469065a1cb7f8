"""What a drain takes from a node: `kubectl drain`'s cases (its TestDrain), and the owners that we refuse."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from kubectl_safe.decide.drain import NodePlan, Options, plan_node
from kubectl_safe.model.pod import Pod
from tests.support.builders import a_cluster, a_pod, ago, an_owner

DAEMON_SET = an_owner("DaemonSet", "ds")
JOB = an_owner("Job", "job", "batch/v1")
ALL = {"ignore_daemon_sets": True, "delete_empty_dir_data": True, "force": True}


def pod(**changes: Any) -> Pod:
    return a_pod("bar", **changes)


def plan(*pods: Pod, missing: bool = False, **flags: bool) -> NodePlan:
    names = frozenset({("shop", "ds")}) if missing else frozenset()
    return plan_node("node-1", pods, a_cluster(*pods), Options(**flags), missing_daemon_sets=names)


TAKEN = [
    pytest.param(pod(), {}, "", id="RS-managed pod"),
    pytest.param(pod(controller=DAEMON_SET, phase="Succeeded"), {}, "", id="DS-managed terminated pod"),
    pytest.param(pod(controller=JOB, phase="Succeeded"), {}, "", id="Job-managed terminated pod"),
    pytest.param(
        pod(controller=JOB, has_empty_dir=True), ALL, "deleting Pods with local storage", id="Job with local storage"
    ),
    pytest.param(pod(owners=()), {"force": True}, "deleting Pods that declare no controller", id="naked, --force"),
    pytest.param(pod(owners=(), phase="Failed", has_empty_dir=True), {}, "", id="terminated pod with emptyDir"),
    pytest.param(
        pod(has_empty_dir=True),
        {"delete_empty_dir_data": True},
        "deleting Pods with local storage",
        id="pod with EmptyDir and --delete-emptydir-data",
    ),
    pytest.param(pod(released=True), {}, "", id="a pod that we released declares a controller no more, and goes"),
    pytest.param(pod(terminating=True), {}, "", id="a pod that terminates is waited for"),
]


@pytest.mark.parametrize(("taken", "flags", "warning"), TAKEN)
def test_takes(taken: Pod, flags: dict[str, bool], warning: str) -> None:
    found = plan(taken, **flags)
    assert [p.uid for p in found.pods] == [taken.uid]
    assert found.warnings == ((f"{warning}: shop/bar",) if warning else ())
    assert not found.errors
    assert not found.blocked


def test_takes_a_pod_of_a_daemon_set_that_is_gone_by_force() -> None:
    found = plan(pod(controller=DAEMON_SET), missing=True, force=True)
    assert [p.name for p in found.pods] == ["bar"]
    assert found.warnings == ('daemonsets.apps "ds" not found: shop/bar',)


SKIPPED = [
    pytest.param(pod(controller=DAEMON_SET), "ignoring DaemonSet-managed Pods: shop/bar", id="DS-managed pod"),
    pytest.param(
        pod(controller=DAEMON_SET, has_empty_dir=True),
        "ignoring DaemonSet-managed Pods: shop/bar",
        id="DS-managed pod with emptyDir",
    ),
    pytest.param(pod(is_mirror=True), "", id="mirror pod, without a word"),
]


@pytest.mark.parametrize(("skipped", "warning"), SKIPPED)
def test_leaves_with_ignore_daemonsets(skipped: Pod, warning: str) -> None:
    found = plan(skipped, ignore_daemon_sets=True)
    assert (found.pods, found.errors) == ((), ())
    assert found.warnings == ((warning,) if warning else ())


NO_CONTROLLER = "cannot delete Pods that declare no controller (use --force to override): shop/bar"
LOCAL_STORAGE = "cannot delete Pods with local storage (use --delete-emptydir-data to override): shop/bar"
DAEMONS = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore): shop/bar"

REFUSED = [
    pytest.param(pod(controller=DAEMON_SET), {}, DAEMONS, id="DS-managed pod"),
    pytest.param(
        pod(controller=DAEMON_SET, has_empty_dir=True), {"force": True}, DAEMONS, id="the first filter has the word"
    ),
    pytest.param(pod(owners=()), {}, NO_CONTROLLER, id="naked pod"),
    pytest.param(pod(owners=(), has_empty_dir=True), {"force": True}, LOCAL_STORAGE, id="pod with EmptyDir"),
]


@pytest.mark.parametrize(("refused", "flags", "error"), REFUSED)
def test_refuses_in_kubectls_words(refused: Pod, flags: dict[str, bool], error: str) -> None:
    found = plan(refused, **flags)
    assert (found.pods, found.errors) == ((), (error,))


def test_refuses_a_pod_of_a_daemon_set_that_is_gone() -> None:
    found = plan(pod(controller=DAEMON_SET), missing=True, ignore_daemon_sets=True)
    assert found.errors == ('cannot delete daemonsets.apps "ds" not found: shop/bar',)


@pytest.mark.parametrize(
    ("since", "skip_wait", "is_skipped"),
    [
        pytest.param(ago(60), None, False, id="waited for, without the flag"),
        pytest.param(ago(60), 59, True, id="older"),
        pytest.param(ago(60.9), 60, False, id="as old: kubectl counts whole seconds"),
        pytest.param(ago(61), 60, True, id="one whole second older"),
        pytest.param(ago(-10), 1, False, id="within its grace period, whose end the deletionTimestamp is"),
        pytest.param(None, 1, False, id="not deleted"),
    ],
)
def test_a_pod_that_terminates_for_too_long_stays_before_any_other_question(
    since: datetime | None, skip_wait: int | None, is_skipped: bool
) -> None:
    bare = pod(owners=(), terminating=since is not None, deletion_timestamp=since)
    longest = None if skip_wait is None else timedelta(seconds=skip_wait)
    found = plan_node("node-1", [bare], a_cluster(bare), Options(), skip_wait=longest)
    assert (found.pods, found.warnings) == ((), ())
    assert bool(found.errors) is not is_skipped


def test_names_all_pods_of_one_reason_together() -> None:
    found = plan(a_pod("a", owners=()), a_pod("b", owners=()), a_pod("c", has_empty_dir=True))
    assert found.errors == (
        "cannot delete Pods that declare no controller (use --force to override): shop/a, shop/b",
        "cannot delete Pods with local storage (use --delete-emptydir-data to override): shop/c",
    )


def test_goes_on_after_a_pod_that_stays_and_names_all_of_one_warning_together() -> None:
    pods = [a_pod("a", controller=DAEMON_SET), a_pod("b", has_empty_dir=True), a_pod("c", has_empty_dir=True)]
    found = plan(*pods, **ALL)
    assert [(p.name, p.namespace, p.node) for p in found.pods] == [("b", "shop", "node-1"), ("c", "shop", "node-1")]
    assert found.warnings == (
        "ignoring DaemonSet-managed Pods: shop/a",
        "deleting Pods with local storage: shop/b, shop/c",
    )


def test_a_node_without_pods_has_nothing_to_move() -> None:
    assert plan() == NodePlan(node="node-1")


BLOCKED = [
    pytest.param(an_owner("StatefulSet", "db"), "StatefulSet db", id="StatefulSet"),
    pytest.param(an_owner("ReplicaSet", "bare"), "ReplicaSet bare", id="a ReplicaSet without a Deployment"),
    pytest.param(an_owner("ReplicationController", "rc", "v1"), "ReplicationController rc", id="ReplicationController"),
    pytest.param(an_owner("DaemonSet", "d", "apps.kruise.io/v1alpha1"), "DaemonSet d", id="another's DaemonSet"),
    pytest.param(an_owner("Job", "j", "batch.volcano.sh/v1alpha1"), "Job j", id="another's Job"),
]


@pytest.mark.parametrize(("owner", "named"), BLOCKED)
def test_owners_that_we_can_not_hand_over_are_blocked_by_name(owner: Any, named: str) -> None:
    found = plan(pod(controller=owner), **ALL)
    assert not found.pods
    blocked = found.blocked["shop/bar"]
    assert blocked.reason == "unknown-owner"
    assert blocked.why.startswith(f"pod shop/bar is owned by {named}, of which is not known how it replaces its pods")


@pytest.mark.parametrize(
    ("taken", "is_handed_over"),
    [
        pytest.param(pod(), True, id="a Deployment's pod"),
        pytest.param(pod(released=True), True, id="one that a dead run released"),
        pytest.param(pod(phase="Failed"), False, id="a finished pod"),
        pytest.param(pod(controller=JOB), False, id="a Job's pod"),
        pytest.param(pod(owners=()), False, id="a bare pod"),
    ],
)
def test_hands_over_the_pods_of_deployments(taken: Pod, is_handed_over: bool) -> None:
    (planned,) = plan(taken, **ALL).pods
    assert (planned.workload is not None) is is_handed_over
