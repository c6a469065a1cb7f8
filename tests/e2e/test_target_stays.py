"""A target that never leaves its group: the pod is not evicted, and the reader knows who keeps it.

The deadline, two minutes beyond the deregistration delay, is claimed in virtual time (tests/run/test_giving_up.py and
tests/run/test_warnings.py); here `--timeout` stands for it.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.elbv2 import TargetGroup
from kubectl_safe.sandbox.elbv2 import no_fault as no_call_fault
from kubectl_safe.sandbox.elbv2_faults import access_denied, refusing
from kubectl_safe.sandbox.targets import CALLER
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.stage import Stage
from tests.support.stuck import as_they_are, await_in_service, bring_up, small, traffic_to

pytestmark = pytest.mark.controlplane

FLAGS = ("--settle", "6s")
TIMEOUT = ("--timeout", "14s")


def test_a_target_that_drains_for_ever_keeps_its_pod_and_is_named(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    app = small(namespace, "sticky", is_load_balanced=True)
    bring_up(shared_stage, app)
    before = as_they_are(shared_stage, app)
    command = ("rollout", "restart", "deployment/sticky", "-n", namespace, *FLAGS)
    with traffic_to(shared_stage, app) as counted:
        with drains_forever(shared_stage, app):
            told = _fails_with_the_old_pod_withdrawn(shared_stage, app, *command, *TIMEOUT)
        assert re.search(
            rf"^global timeout reached: 14s: target \S+:8080 in {namespace}-sticky is draining "
            rf"\(Target\.DeregistrationInProgress\) \(deregistration delay of {namespace}-sticky: 2s\)$",
            told,
            re.MULTILINE,
        )
        _completes(shared_stage, app, *command)
    assert len([e for e in shared_stage.evictions() if e.name in {pod["name"] for pod in before.values()}]) == 1
    figures.add("a target that drained for ever", str(counted))


def test_a_controller_that_may_not_deregister_is_quoted_from_its_events(
    shared_stage: Stage, namespace: str, figures: Figures
) -> None:
    app = small(namespace, "denied", is_load_balanced=True)
    bring_up(shared_stage, app)
    command = ("rollout", "restart", "deployment/denied", "-n", namespace, *FLAGS)
    with traffic_to(shared_stage, app) as counted:
        with may_not_deregister(shared_stage, app):
            told = _fails_with_the_old_pod_withdrawn(shared_stage, app, *command, *TIMEOUT)
        assert re.search(
            rf"^global timeout reached: 14s: target \S+:8080 in {namespace}-denied is still healthy: the load balancer "
            rf"controller has not deregistered it yet; targetgroupbinding {namespace}/denied: FailedReconcile \d+s "
            r"ago: Failed reconcile due to operation error Elastic Load Balancing v2: DeregisterTargets, .*"
            r"api error AccessDenied: User: \S+ is not authorized to perform: "
            r"elasticloadbalancing:DeregisterTargets because .*$",
            told,
            re.MULTILINE,
        )
        # The controller pauses for up to 1000 s after failures: any change of the binding ends that.
        shared_stage.loop.call(_wake(shared_stage, app))
        _completes(shared_stage, app, *command)
    figures.add("a controller that might not deregister", str(counted))


def test_abort_waits_for_the_target_too_and_says_what_it_leaves(shared_stage: Stage, namespace: str) -> None:
    app = small(namespace, "clinging", is_load_balanced=True)
    bring_up(shared_stage, app)
    subject = ("deployment/clinging", "-n", namespace)
    with traffic_to(shared_stage, app):
        with drains_forever(shared_stage, app):
            _fails_with_the_old_pod_withdrawn(
                shared_stage, app, "rollout", "restart", *subject, *FLAGS, *("--timeout", "15s")
            )
            aborted = shared_stage.safe("abort", *subject, "--settle", "6s", "--timeout", "10s", check=False)
            assert aborted.returncode == 1
            assert re.search(
                r"^error: 1 of 1 pod was neither given back nor handed over\n"
                rf"aborted; global timeout reached: 10s: target \S+:8080 in {namespace}-clinging is draining .*\n"
                rf"  withdrawn, runs on and gets no new requests: {namespace}/clinging-\S+\n"
                r"run the same command again to go on\n\Z",
                aborted.stderr,
                re.MULTILINE,
            )
        shared_stage.safe("abort", *subject, "--settle", "6s")
        await_in_service(shared_stage, app)
    assert_nothing_left(shared_stage)


@contextmanager
def drains_forever(stage: Stage, app: Application) -> Iterator[None]:
    """Have no target leave the group of an application meanwhile."""
    group = _group(stage, app)
    group.drains_forever = True
    try:
        yield
    finally:
        group.drains_forever = False


@contextmanager
def may_not_deregister(stage: Stage, app: Application) -> Iterator[None]:
    """Have AWS refuse the controller to deregister targets of the group of an application meanwhile."""
    stage.rig.elbv2.fault = refusing(
        access_denied, caller=CALLER, action="DeregisterTargets", group=_group(stage, app).arn
    )
    try:
        yield
    finally:
        stage.rig.elbv2.fault = no_call_fault


def _group(stage: Stage, app: Application) -> TargetGroup:
    group = stage.rig.deployed[app.namespace, app.name].group
    assert group is not None
    return group


async def _wake(stage: Stage, app: Application) -> None:
    stage.rig.controller.look(app.namespace, app.name)


def _fails_with_the_old_pod_withdrawn(stage: Stage, app: Application, *command: str) -> str:
    """Run a command that ends at its `--timeout`: the old pod runs on, withdrawn; return what it says at the end."""
    (old,) = as_they_are(stage, app).values()
    began = time.time()
    done = stage.safe(*command, check=False)
    assert done.returncode == 1, done.stdout
    found = {pod.name: pod for pod in stage.pods(app)}
    assert found[old["name"]].withdrawn is not None
    assert found[old["name"]].terminating is None, "it was evicted while its target was there"
    assert not [e for e in stage.evictions() if e.name == old["name"] and e.at >= began]
    assert stage.rig.capacity.now(app.namespace, app.labels) == app.replicas, "its replacement serves"
    told = done.stderr[done.stderr.index("error: ") :]
    assert f"\n  withdrawn, runs on and gets no new requests: {app.namespace}/{old['name']}\n" in told
    assert told.endswith(f"or end it with: kubectl safe abort deployment/{app.name} -n {app.namespace}\n")
    return told


def _completes(stage: Stage, app: Application, *command: str) -> None:
    """Run the command to its end: it evicts what is withdrawn, and leaves nothing of ours."""
    stage.safe(*command)
    await_in_service(stage, app)
    assert_nothing_left(stage)
