"""A replacement that never comes into service: its release is taken back, and the reader knows what keeps it."""

import re
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from kubectl_safe.sandbox.application import Application
from kubectl_safe.sandbox.pod_fault import PodFault
from tests.support.claims import assert_nothing_left
from tests.support.figures import Figures
from tests.support.loop import eventually
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

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.controlplane

GATE = "example.com/approved"

REASONS = {
    "unhealthy": (
        r"0 of 1 other pods of deployment NS/unhealthy are in service: pod NS/(?P<pod>unhealthy-\S+) waits for its "
        r"readiness gate target-health\.elbv2\.k8s\.aws/unhealthy: target \S+:8080 in NS-unhealthy is unhealthy: "
        r"Target\.ResponseCodeMismatch \(GET /\S+ got 404\); see kubectl safe check deployment/unhealthy -n NS"
    ),
    "crashing": (
        r"0 of 1 other pods of deployment NS/crashing are in service: pod NS/(?P<pod>crashing-\S+) is not ready: "
        r"CrashLoopBackOff: back-off 5m0s restarting failed container=app pod=(?P=pod)_NS\(\S+\); "
        r"see kubectl logs (?P=pod) -n NS --previous, while it is there"
    ),
    "unpulled": (
        r"0 of 1 other pods of deployment NS/unpulled are in service: pod NS/(?P<pod>unpulled-\S+) is not ready: "
        r'ImagePullBackOff: Back-off pulling image "sandbox\.invalid/app:1": ErrImagePull: .* not found; '
        r"see kubectl events -n NS --for pod/(?P=pod)"
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
def run(shared_stage: Stage) -> Run:
    """The restart after which all is told, and nothing mended yet."""
    namespace = f"never-{uuid4().hex[:6]}"
    shared_stage.kubectl("create", "namespace", namespace)
    well = small(namespace, "well")
    gated = small(namespace, "gated", gates=(GATE,))
    others = [small(namespace, name, is_load_balanced=name == "unhealthy") for name in FAULTS]
    bring_up(shared_stage, gated, gate=GATE)
    bring_up(shared_stage, *others)
    # Its replacement comes, however busy the machine is.
    bring_up(shared_stage, well, progress_deadline=60)
    it = Run(stage=shared_stage, namespace=namespace, applications=(well, gated, *others))
    it.before = as_they_are(shared_stage, *it.applications)
    with traffic_to(shared_stage, *it.applications), faults(shared_stage, FAULTS):
        it.done = shared_stage.safe(*it.command, check=False)
        it.after = as_they_are(shared_stage, *it.applications)
    return it


@pytest.mark.parametrize("name", REASONS)
def test_a_pod_whose_replacement_never_comes_is_given_back_and_told_why(run: Run, name: str) -> None:
    before = run.of(name, run.before)
    assert run.of(name, run.after) == before
    assert_never_left_service(run.stage, before)
    (pod,) = before.values()
    reason = REASONS[name].replace("NS", run.namespace)
    told = re.search(
        rf"^waited longer than 6s \(progressDeadlineSeconds\): {reason}\n"
        rf"  given back, serves on as before: {run.namespace}/{pod['name']}\n",
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
    names = " ".join(f"deployment/{application.name}" for application in run.applications)
    ends = f"or end it with: kubectl safe abort {names} -n {run.namespace}"
    assert run.done.stderr.endswith(f"\nrun the same command again to go on, {ends}\n")


def test_the_same_command_completes_it_once_the_cause_is_mended(run: Run, figures: Figures) -> None:
    with ExitStack() as mended:
        counted = mended.enter_context(traffic_to(run.stage, *run.applications))
        mended.enter_context(gates_set(run.stage, GATE, run.applications[1]))
        run.stage.safe(*run.command)
        await_in_service(run.stage, *run.applications)
    figures.add("replacements never in service, mended", str(counted))
    now = as_they_are(run.stage, *run.applications)
    assert not now.keys() & run.before.keys()
    assert run.of("well", now) == run.of("well", run.after), "what was done is not done again"
    assert_nothing_left(run.stage)


def test_a_quota_that_is_exceeded_is_told_in_its_own_words(shared_stage: Stage, namespace: str) -> None:
    app = small(namespace, "limited")
    bring_up(shared_stage, app, progress_deadline=4)
    _limit_pods(shared_stage, namespace)
    command = ("rollout", "restart", "deployment/limited", "-n", namespace, "--settle", "6s")
    with traffic_to(shared_stage, app):
        told = _fails_and_leaves_all_as_it_was(shared_stage, app, *command)
        assert re.search(
            rf"are in service: replicaset limited-\S+ can't create a pod: pods \"limited-\S+\" is forbidden: "
            rf"exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1; "
            rf"see kubectl events -n {namespace} --for replicaset/limited-\S+\n"
            rf"  given back, serves on as before: {namespace}/limited-",
            told,
        )
        shared_stage.kubectl("delete", "resourcequota", "few", "-n", namespace)
        _completes(shared_stage, app, *command)


def test_a_replacement_that_no_node_takes_is_told_in_the_schedulers_words(shared_stage: Stage, namespace: str) -> None:
    app = small(namespace, "homeless")
    others = ("node-b", "node-c")
    shared_stage.kubectl("cordon", *others)
    bring_up(shared_stage, app, progress_deadline=4)
    command = ("drain", "node-a", "--pod-selector", "app=homeless", "--settle", "6s")
    with traffic_to(shared_stage, app):
        told = _fails_and_leaves_all_as_it_was(shared_stage, app, *command)
        words = "is not ready: 0/3 nodes are available: 3 node(s) were unschedulable."
        assert re.search(rf"pod {namespace}/homeless-\S+ {re.escape(words)}", told)
        assert "\nnode/node-a stays cordoned; to take that back: kubectl safe uncordon node-a\n" in told
        shared_stage.kubectl("uncordon", *others)
        _completes(shared_stage, app, *command)


def test_a_replacement_for_which_no_node_has_room_is_told_in_the_schedulers_words(
    shared_stage: Stage, namespace: str
) -> None:
    app = small(namespace, "large", replicas=3)
    bring_up(shared_stage, app, progress_deadline=4)
    # Nodes have 16 CPUs: one such pod fits on each.
    shared_stage.kubectl("set", "resources", "deployment/large", "-n", namespace, "--requests=cpu=10")
    shared_stage.kubectl("rollout", "status", "deployment/large", "-n", namespace)
    await_in_service(shared_stage, app)
    command = ("rollout", "restart", "deployment/large", "-n", namespace, "--settle", "6s")
    with traffic_to(shared_stage, app):
        told = _fails_and_leaves_all_as_it_was(shared_stage, app, *command)
        assert "error: 3 of 3 pods were not handed over\n" in told
        assert re.search(
            rf"pod {namespace}/large-\S+ is not ready: 0/3 nodes are available: 3 Insufficient cpu\..*; "
            r"with --max-surge 0 a pod makes room for its replacement first\n",
            told,
        )
        assert re.search(rf"\n  not begun, serves on: {namespace}/large-\S+, {namespace}/large-\S+\n", told)
        shared_stage.safe("abort", "deployment/large", "-n", namespace)
        _completes(shared_stage, app, *command, "--max-surge", "0")


def test_with_fail_fast_no_other_pod_is_begun(shared_stage: Stage, namespace: str) -> None:
    bad, good = small(namespace, "bad"), small(namespace, "good", replicas=3, start_delay=2.5)
    bring_up(shared_stage, bad, progress_deadline=3)
    bring_up(shared_stage, good, progress_deadline=60)
    before, others = as_they_are(shared_stage, bad), as_they_are(shared_stage, good)
    command = ("rollout", "restart", "deployment/bad", "deployment/good", "-n", namespace, "--settle", "6s")
    with traffic_to(shared_stage, bad, good) as counted, faults(shared_stage, {"bad": PodFault.CRASH_LOOP}):
        done = shared_stage.safe(*command, "--fail-fast", check=False)
    assert done.returncode == 1
    assert as_they_are(shared_stage, bad) == before
    assert_never_left_service(shared_stage, before)
    assert "CrashLoopBackOff" in done.stderr
    assert "\nanother pod failed, and --fail-fast was given\n" in done.stderr
    after = as_they_are(shared_stage, good)
    kept = [pod["name"] for uid, pod in others.items() if after.get(uid) == pod]
    assert kept
    assert_never_left_service(shared_stage, {uid: pod for uid, pod in others.items() if uid in after})
    assert {uid: pod for uid, pod in after.items() if uid in others} == {
        uid: pod for uid, pod in others.items() if uid in after
    }, "what was not begun, or given back, is as it was"
    assert shared_stage.lowest(good, counted) == good.replicas
    shared_stage.safe("abort", "deployment/bad", "deployment/good", "-n", namespace)
    assert_nothing_left(shared_stage)


def _limit_pods(stage: Stage, namespace: str) -> None:
    """Allow a namespace no more pods than it has, and wait until that is counted."""
    core = f"/api/v1/namespaces/{namespace}"
    body = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}}}

    async def limit() -> None:
        await stage.rig.api.create(f"{core}/resourcequotas", body)

        async def is_counted() -> bool:
            status = (await stage.rig.api.get(f"{core}/resourcequotas/few")).get("status", {})
            return bool(status.get("used") == {"pods": "1"})

        await eventually(is_counted, what="the count of pods")

    stage.loop.call(limit())


def _fails_and_leaves_all_as_it_was(stage: Stage, app: Application, *command: str) -> str:
    """Run a command that fails; return what it says at the end."""
    before = as_they_are(stage, app)
    done = stage.safe(*command, check=False)
    assert done.returncode == 1, done.stdout
    pods = stage.rig.controller.pods
    stage.wait_until(lambda: len(pods.of(app.namespace)) == app.replicas, what="the end of the replacement")
    assert as_they_are(stage, app) == before
    assert_never_left_service(stage, before)
    assert "\nrun the same command again to go on" in done.stderr
    return done.stderr[done.stderr.index("error: ") :]


def _completes(stage: Stage, app: Application, *command: str) -> None:
    """Run the command to its end: other pods serve then, and nothing of ours is left."""
    before = as_they_are(stage, app)
    stage.safe(*command)
    await_in_service(stage, app)
    assert not as_they_are(stage, app).keys() & before.keys()
    assert_nothing_left(stage)
