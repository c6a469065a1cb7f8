"""A replacement that never comes into service: its release is taken back, and the reader knows what keeps it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import uuid4

import pytest

from kubectl_safe.sandbox.applications import Application
from kubectl_safe.sandbox.pod_fault import PodFault
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.stage import Stage
from tests.support.stuck import (
    Pods,
    as_they_are,
    assert_never_left_service,
    await_in_service,
    bring_up,
    faults,
    gates_set,
    small,
    traffic_to,
)

pytestmark = pytest.mark.controlplane

GATE = "example.com/approved"

REASONS = {
    "unhealthy": (
        r"0 of 1 other pods of deployment NS/unhealthy are in service: pod NS/(?P<pod>unhealthy-\S+) waits for its "
        r"readiness gate target-health\.elbv2\.k8s\.aws/unhealthy: target \S+:8080 in NS-unhealthy is unhealthy "
        r"\(Target\.ResponseCodeMismatch\): Health checks failed with these codes: \[404\]"
    ),
    "crashing": (
        r"0 of 1 other pods of deployment NS/crashing are in service: pod NS/(?P<pod>crashing-\S+) is not ready: "
        r"CrashLoopBackOff: back-off 5m0s restarting failed container=app pod=(?P=pod)_NS\(\S+\)"
    ),
    "unpulled": (
        r"0 of 1 other pods of deployment NS/unpulled are in service: pod NS/(?P<pod>unpulled-\S+) is not ready: "
        r'ImagePullBackOff: Back-off pulling image "sandbox\.invalid/app:1": ErrImagePull: .* not found'
    ),
    "gated": (
        r"0 of 1 other pods of deployment NS/gated are in service: pod NS/(?P<pod>gated-\S+) waits for its readiness "
        r"gate example\.com/approved, which nobody has set yet"
    ),
}
FAULTS = {"unhealthy": PodFault.UNHEALTHY, "crashing": PodFault.CRASH_LOOP, "unpulled": PodFault.IMAGE_PULL}


@dataclass(kw_only=True)
class Run:
    """A restart of several applications of which all but `well` get no replacement into service."""

    stage: Stage
    namespace: str
    applications: tuple[Application, ...]
    before: Pods = field(default_factory=dict)
    after: Pods = field(default_factory=dict)
    done: "subprocess.CompletedProcess[str]" = field(init=False)

    @property
    def command(self) -> tuple[str, ...]:
        names = [f"deployment/{application.name}" for application in self.applications]
        return ("rollout", "restart", *names, "-n", self.namespace, "--settle", "6s")

    def of(self, name: str, pods: Pods) -> Pods:
        """Return the pods of one application."""
        return {uid: pod for uid, pod in pods.items() if pod["labels"].get("app") == name}


@pytest.fixture(scope="module")
def run(shared_stage: Stage) -> Iterator[Run]:
    """The restart after which all is told, and nothing mended yet."""
    namespace = f"never-{uuid4().hex[:6]}"
    shared_stage.kubectl("create", "namespace", namespace)
    well = small(namespace, "well")
    gated = small(namespace, "gated", gates=(GATE,))
    others = [small(namespace, name, is_load_balanced=name == "unhealthy") for name in FAULTS]
    bring_up(shared_stage, gated, gate=GATE)
    bring_up(shared_stage, well, *others)
    it = Run(stage=shared_stage, namespace=namespace, applications=(well, gated, *others))
    it.before = as_they_are(shared_stage, *it.applications)
    with traffic_to(shared_stage, *it.applications), faults(shared_stage, FAULTS):
        it.done = shared_stage.safe(*it.command, check=False)
        it.after = as_they_are(shared_stage, *it.applications)
    print(it.done.stdout, it.done.stderr, sep="\n----\n")
    yield it


@pytest.mark.parametrize("name", REASONS)
def test_a_pod_whose_replacement_never_comes_is_given_back_and_told_why(run: Run, name: str) -> None:
    before = run.of(name, run.before)
    assert run.of(name, run.after) == before
    assert_never_left_service(run.stage, before)
    (pod,) = before.values()
    reason = REASONS[name].replace("NS", run.namespace)
    told = re.search(
        rf"^waited longer than 6s: {reason}\n  given back, serves on as before: {run.namespace}/{pod['name']}\n",
        run.done.stderr,
        re.MULTILINE,
    )
    assert told, run.done.stderr
    assert f"pod/{pod['name']} given back to its controller: it serves on as before\n" in run.done.stdout
    replacements = [p for p in run.stage.rig.capacity.of(run.namespace, {"app": name}) if p.uid not in before]
    assert [p.name for p in replacements] == [told["pod"]]
    assert replacements[0].terminating is not None
    assert not replacements[0].service


def test_the_others_of_the_command_go_on_to_the_end(run: Run) -> None:
    assert not run.of("well", run.before).keys() & run.of("well", run.after).keys()
    assert len(run.of("well", run.after)) == 1


def test_it_fails_and_says_what_to_do(run: Run) -> None:
    assert run.done.returncode == 1
    assert "\nerror: 4 of 5 pods were not handed over\n" in f"\n{run.done.stderr}"
    assert run.done.stderr.endswith("\nrun the same command again to go on\n")


def test_the_same_command_completes_it_once_the_cause_is_mended(run: Run, figures: Figures) -> None:
    with ExitStack() as mended:
        counted = mended.enter_context(traffic_to(run.stage, *run.applications))
        mended.enter_context(gates_set(run.stage, GATE, run.applications[1]))
        done = run.stage.safe(*run.command)
        print(done.stdout, done.stderr, sep="\n----\n")
        await_in_service(run.stage, *run.applications)
    figures.add("replacements never in service, mended", str(counted))
    assert not as_they_are(run.stage, *run.applications).keys() & run.before.keys()
    assert_nothing_left(run.stage)
