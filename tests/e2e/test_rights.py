"""Users of few rights on a real API server: what is enough is enough, and what is missing is told before a write."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig
from kubectl_safe.sandbox.targets import CALLER as CONTROLLER
from tests.support.audit import Write, writes_by
from tests.support.claims import assert_the_floor_held
from tests.support.figures import Figures
from tests.support.loop import LoopThread
from tests.support.stage import NAMESPACE, USER, Stage, api, web

pytestmark = pytest.mark.controlplane

TEAM, HALF, NOBODY = "team", "half", "nobody"
"""Who may all that a restart needs in one namespace; who may all of that but evict; and who may nothing."""

NODE = "node-a"
READ = ["get", "list", "watch"]
RULES: dict[str, tuple[Sequence[str], str]] = {
    "read": (READ, "pods,services,endpointslices.discovery.k8s.io,poddisruptionbudgets.policy"),
    "read-policies": (READ, "networkpolicies.networking.k8s.io"),
    "read-workloads": (READ, "replicasets.apps,deployments.apps,targetgroupbindings.elbv2.k8s.aws"),
    "patch": (["patch"], "pods,replicasets.apps"),
    "leases": (["get", "create", "update", "delete"], "leases.coordination.k8s.io"),
    "evict": (["create"], "pods/eviction"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """A stage, and commands run on it by somebody else than its administrator."""

    stage: Stage

    def safe(self, user: str, *arguments: str, has_aws: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run `kubectl safe` as a user to its end, with AWS credentials or without."""
        control_plane = self.stage.rig.control_plane
        environment = self.stage.environment() | {"KUBECONFIG": str(control_plane.kubeconfig_for(user))}
        if not has_aws:
            environment = {name: value for name, value in environment.items() if "_ACCESS_KEY" not in name}
        command = [str(control_plane.binaries / "kubectl"), "safe", *arguments]
        return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=240, check=False)

    def writes(self, user: str) -> list[Write]:
        """Return what a user has written, dry runs among it."""
        return writes_by(user, self.stage.rig.control_plane.audit_log)

    def evictions(self, user: str) -> list[Write]:
        """Return the evictions of a user in earnest."""
        return [w for w in self.writes(user) if w.resource == "pods/eviction" and not w.is_dry_run]


@pytest.fixture(scope="module")
def users(binaries: Path) -> Iterator[Users]:
    """A stage with two applications in a namespace, in which two users have a Role."""
    groups: dict[str, list[str]] = {USER: ["system:masters"], TEAM: [], HALF: [], NOBODY: []}
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(binaries, users=groups)) as control_plane,
        loop.entered(Rig(control_plane)) as rig,
    ):
        stage = Stage(loop=loop, rig=rig)
        stage.deploy(web(), api())
        for name, (verbs, resources) in RULES.items():
            stage.kubectl(
                "create", "role", name, "-n", NAMESPACE, f"--verb={','.join(verbs)}", f"--resource={resources}"
            )
            for user in (TEAM, HALF) if name != "evict" else (TEAM,):
                stage.kubectl(
                    *("create", "rolebinding", f"{user}-{name}", "-n", NAMESPACE, f"--role={name}", f"--user={user}")
                )
        yield Users(stage=stage)


def test_rights_in_one_namespace_are_enough_to_restart_there_without_a_loss(users: Users, figures: Figures) -> None:
    with users.stage.traffic() as counted:
        both = ("rollout", "restart", "deployment/web", "deployment/api", "-n", NAMESPACE)
        done = users.safe(TEAM, *both, "--settle", "6s", "--max-surge", "2")
        users.stage.await_full_strength()
    figures.add("restart with rights in one namespace only", str(counted))
    assert done.returncode == 0, done.stderr
    assert counted.losses == ()
    assert_the_floor_held(users.stage, counted)
    assert "without the right to list events in namespace shop" in done.stderr
    assert "without the right to patch targetgroupbindings.elbv2.k8s.aws in namespace shop" in done.stderr
    assert "without the right to list and watch networkpolicies in all namespaces" in done.stderr
    assert len(users.evictions(TEAM)) == sum(application.replicas for application in users.stage.applications)


RESTART = ("rollout", "restart", "deployment/web", "-n", NAMESPACE, "--max-surge", "100%", "--settle", "6s")


def test_without_credentials_for_aws_the_command_is_refused_and_nothing_is_written(users: Users) -> None:
    before = len(users.writes(TEAM))
    done = users.safe(TEAM, *RESTART, has_aws=False)
    assert (done.returncode, done.stdout) == (1, "")
    told = done.stderr.splitlines()[-1]
    assert told.startswith(
        "error: nothing was changed: elasticloadbalancing:DescribeTargetGroups on target groups shop-web: "
        "NoCredentialsError"
    )
    assert told.endswith("or go by readiness gates alone: --allow unseen-targets --drain-wait 5m")
    assert len(users.writes(TEAM)) == before


def test_by_gates_and_time_alone_a_restart_loses_nothing_either(users: Users, figures: Figures) -> None:
    calls = len(users.stage.rig.elbv2.journal)
    with users.stage.traffic() as counted:
        done = users.safe(TEAM, *RESTART, "--allow", "unseen-targets", "--drain-wait", "12s", has_aws=False)
        users.stage.await_full_strength()
    figures.add("restart by gates and time alone", f"{counted}; {counted.ended - counted.began:.0f} s")
    assert done.returncode == 0, done.stderr
    assert counted.losses == ()
    assert_the_floor_held(users.stage, counted)
    assert {call.caller for call in users.stage.rig.elbv2.journal[calls:]} == {CONTROLLER}
    histories = {pod.name: pod for pod in users.stage.pods(users.stage.applications[0])}
    evictions = [e for e in users.evictions(TEAM) if e.at >= counted.began]
    assert len(evictions) == users.stage.applications[0].replicas
    for eviction in evictions:
        gone = histories[eviction.name].not_registered
        assert gone is not None
        assert eviction.at >= gone, f"{eviction.name} was still draining"


def test_a_missing_right_to_evict_is_named_and_nothing_is_written(users: Users) -> None:
    done = users.safe(HALF, "rollout", "restart", "deployment/web", "-n", NAMESPACE)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: these rights are missing, and nothing was changed:\n"
        "  create pods/eviction in namespace shop\n"
        "have a Role or ClusterRole with them bound to you, as kubectl safe rbac -n shop --for restart prints it "
        "(kubectl auth can-i create pods --subresource=eviction -n shop)\n"
    )
    assert users.writes(HALF) == []


def test_rights_in_one_namespace_are_not_enough_to_drain(users: Users) -> None:
    before = len(users.writes(TEAM))
    done = users.safe(TEAM, "drain", NODE)
    assert done.returncode == 1
    told = {line.strip() for line in done.stderr.splitlines()}
    assert {
        "patch nodes node-a",
        "list pods in all namespaces",
        "create leases.coordination.k8s.io in namespace kube-node-lease",
    } <= told
    assert len(users.writes(TEAM)) == before


def test_what_is_suggested_to_ask_is_a_question_that_kubectl_answers(users: Users) -> None:
    done = users.safe(NOBODY, "drain", NODE)
    question = done.stderr.rpartition("(kubectl ")[2].rstrip().rstrip(")").split()
    rig = users.stage.rig
    asked = subprocess.run(
        [str(rig.control_plane.binaries / "kubectl"), *question],
        env=os.environ | {"KUBECONFIG": str(rig.control_plane.kubeconfig_for(NOBODY))},
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert asked.stdout == "no\n", asked.stderr


def test_a_drain_needs_rights_on_pods_only_where_the_pods_of_its_node_are(users: Users) -> None:
    """The user reads everything, may cordon, and has the rest in the one namespace that has pods on the node."""
    stage = users.stage
    reads = "pods,services,nodes,endpointslices.discovery.k8s.io,poddisruptionbudgets.policy,daemonsets.apps"
    policies = "networkpolicies.networking.k8s.io"
    owners = "replicasets.apps,deployments.apps,statefulsets.apps,replicationcontrollers"
    for name, verbs, resources in (
        ("read", "get,list,watch", f"{reads},{owners},{policies},targetgroupbindings.elbv2.k8s.aws"),
        ("cordon", "patch", "nodes"),
    ):
        stage.kubectl("create", "clusterrole", f"safe-{name}", f"--verb={verbs}", f"--resource={resources}")
        stage.kubectl("create", "clusterrolebinding", f"safe-{name}", f"--clusterrole=safe-{name}", f"--user={TEAM}")
    lease_verbs = ",".join(RULES["leases"][0])
    leases = ("create", "role", "leases", "-n", "kube-node-lease", f"--verb={lease_verbs}")
    stage.kubectl(*leases, f"--resource={RULES['leases'][1]}")
    stage.kubectl("create", "rolebinding", "leases", "-n", "kube-node-lease", "--role=leases", f"--user={TEAM}")
    done = users.safe(TEAM, "drain", NODE, "--dry-run=server")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"node/{NODE} drained (server dry run)\n")
