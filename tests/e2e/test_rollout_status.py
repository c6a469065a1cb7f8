"""A rollout that is watched by the real kubectl and by ours at once: the same words, and an end that is one."""

import re
from functools import partial
from itertools import groupby

import pytest

from tests.support.background import in_background
from tests.support.scenario import Scene
from tests.support.stage import Stage
from tests.support.workloads import create, kubectl, pod_template, put

pytestmark = pytest.mark.controlplane

DONE = 'deployment "web" successfully rolled out'
OURS = re.compile(r" is terminating| are terminating|target|in service|handed over")
"""What only our lines say."""


def lines_of(out: str) -> list[str]:
    """Return the lines of an output, each once where it is repeated, as kubectl does."""
    return [line for line, _ in groupby(out.splitlines())]


def is_in_order(some: list[str], every: list[str]) -> bool:
    """Tell whether some lines are among others in the same order."""
    rest = iter(every)
    return all(line in rest for line in some)


def targets(scene: Scene) -> int:
    """Return how many targets there are in the target group of the one application, draining ones too."""
    group = scene.stage.rig.deployed[scene.namespace, "web"].group
    assert group
    return len(group.targets)


def test_says_what_kubectl_says_and_waits_for_what_it_leaves_out(scene: Scene) -> None:
    at_once = {"strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}}
    scene.deploy("web", replicas=2, is_load_balanced=True, deregistration_delay=6.0, spec=at_once)
    old = scene.names()
    watched = ("rollout", "status", "deployment/web", "-n", scene.namespace)
    stage = scene.stage
    stage.kubectl("rollout", "restart", "deployment/web", "-n", scene.namespace)
    theirs_command = [str(stage.rig.control_plane.binaries / "kubectl"), *watched]
    with (
        in_background(theirs_command, stage.environment()) as theirs,
        stage.safe_in_background(*watched) as ours,
    ):
        assert theirs.wait(60) == 0
        at_their_end = ours.process.poll()
        assert ours.wait(60) == 0
        left = targets(scene)
    said = [line for line in lines_of(ours.stdout) if not OURS.search(line)]
    assert at_their_end is None, "kubectl ends first, while targets drain"
    assert is_in_order(said, lines_of(theirs.stdout)), f"{ours.stdout}\n{theirs.stdout}"
    assert any("old replicas are pending termination..." in line for line in said)
    assert (said[-1], ours.stdout.splitlines()[-1], theirs.stdout.splitlines()[-1]) == (DONE, DONE, DONE)
    assert re.search(
        r'^Waiting for deployment "web" rollout to finish: .*target.* is draining', ours.stdout, re.MULTILINE
    )
    assert ours.stderr == ""
    assert left == 2
    assert not set(old) & set(scene.names())


def test_says_once_what_kubectl_says_of_every_kind(shared_stage: Stage, namespace: str) -> None:
    create(shared_stage, namespace, "Deployment", "web")
    create(shared_stage, namespace, "StatefulSet", "db", serviceName="db")
    create(shared_stage, namespace, "StatefulSet", "by-hand", serviceName="db", updateStrategy={"type": "OnDelete"})
    create(shared_stage, namespace, "DaemonSet", "agent")
    strategy = {"rollingUpdate": {"partition": 1}}
    create(shared_stage, namespace, "StatefulSet", "parts", serviceName="db", replicas=2, updateStrategy=strategy)
    stuck = {"template": pod_template("stuck", node="nowhere"), "selector": {"matchLabels": {"app": "stuck"}}}
    put(shared_stage, namespace, "Deployment", "stuck", {"spec": {**stuck, "progressDeadlineSeconds": 2}})
    named = ("deployment/web", "statefulset/db", "statefulset/by-hand", "daemonset/agent", "sts/parts", "deploy/stuck")
    for resource in named:
        command = ("rollout", "status", resource, "-n", namespace, "--watch=false")
        shared_stage.wait_until(partial(_is_settled, shared_stage, *command), what=f"{resource} to settle")
        theirs, ours = kubectl(shared_stage, *command), shared_stage.safe(*command, check=False)
        assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)
    by_label = ("rollout", "status", "deploy", "-n", namespace, "-l", "app=none")
    assert shared_stage.safe(*by_label).stderr == kubectl(shared_stage, *by_label).stderr
    several = ("statefulset/db", "deployment/nobody", "daemonset/agent", "deployment/web", "sts/none")
    for resources in (("deployment/nobody",), several, ("deploy,sts", "web", "db")):
        command = ("rollout", "status", *resources, "-n", namespace)
        theirs, ours = kubectl(shared_stage, *command), shared_stage.safe(*command, check=False)
        assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def _is_settled(stage: Stage, *command: str) -> bool:
    done = kubectl(stage, *command)
    return done.returncode == 1 or "aiting" not in done.stdout


def test_waits_for_a_restart_that_kubectl_knows_nothing_of(scene: Scene) -> None:
    scene.deploy("web", replicas=2, is_load_balanced=True, deregistration_delay=6.0)
    watched = ("rollout", "status", "deployment/web", "-n", scene.namespace)
    with scene.stage.safe_in_background(*scene.restart()) as restart:
        restart.await_line("withdrawn")
        with scene.stage.safe_in_background(*watched) as ours:
            ours.await_line("out of 2 pods have been handed over by kubectl safe rollout restart; ")
            assert restart.wait(60) == 0
            assert ours.wait(30) == 0
    assert ours.stdout.splitlines()[-1] == DONE
