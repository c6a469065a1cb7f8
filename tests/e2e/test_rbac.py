"""What `kubectl safe rbac` prints is enough on a real API server, and the smallest: whatever is taken away is missed.

That it is enough: real runs without a refusal or a warning. That nothing is in vain: the audit log has each right used,
and without any one of them the command tells exactly that one, or has not seen what it is for.
"""

import asyncio
import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from kubectl_safe.decide.rights import CONTROLLER_HOME, Needs, Right
from kubectl_safe.decide.roles import COMMANDS, OF_NODES, needs_of
from kubectl_safe.kube.cache import Signal
from kubectl_safe.kube.client import Client, connect
from kubectl_safe.kube.cluster import Cluster
from kubectl_safe.kube.network import network_of
from kubectl_safe.kube.rights import denied
from kubectl_safe.model.connection import Connection
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.network import EXPORTING
from kubectl_safe.model.policy import POLICY_KINDS
from kubectl_safe.run.rights import check_rights
from kubectl_safe.sandbox.api import ApiError
from kubectl_safe.sandbox.application import Balanced
from kubectl_safe.sandbox.controlplane import ControlPlane
from kubectl_safe.sandbox.rig import Rig, RigSettings
from kubectl_safe.sandbox.targetgroupbinding import AUTO_MODE_GROUP, GROUP
from tests.support.audit import requests_by
from tests.support.figures import Figures
from tests.support.loop import LoopThread, eventually
from tests.support.networkpolicies import DEFINITIONS
from tests.support.scenario import Scene
from tests.support.stage import NAMESPACE, USERS, Stage

pytestmark = pytest.mark.controlplane

CONTROLLER = "aws-load-balancer-controller"
TEAM, OPERATOR = "team", "operator"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
SETTLE = ("--settle", "6s")
"""Longer than a Lease goes without being renewed, together with the rest of a handoff."""

UNSERVED = ("cilium.io", "projectcalico.org")
"""Cilium keeps pods from being withdrawn, and the other one is not read beside Calico's own."""
EVERYWHERE_FIRST = {("list", "apps", "deployments"), ("list", "coordination.k8s.io", "leases")}
"""What a check of a namespace tries in all of them, before it is content with some."""

BOTH_APIS = (Balanced(), Balanced(name="auto", port="admin", pod_port=8081, api=AUTO_MODE_GROUP))


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A role as it was printed, and who it is bound to."""

    user: str
    namespace: str | None
    commands: Sequence[str]
    roles: Mapping[str, list[dict[str, Any]]]
    """The rules of each role, by its path."""

    def needs(self, nodes: Sequence[str]) -> Needs:
        """Return what its commands need together, on these nodes."""
        every = needs_of(self.commands, self.namespace)
        required = {right: None for its in every for right in its.required}
        # A role in a namespace needs no name to be about that namespace alone.
        optional = {
            replace(right, name=""): lost
            for its in every
            for right, lost in its.optional.items()
            if right not in required
        }
        return Needs(
            required=tuple(required),
            of_pods=tuple({right: None for its in every for right in its.of_pods if right not in required}),
            optional=optional,
            tried={right: lost for its in every for right, lost in its.tried.items() if right not in required},
            nodes=() if self.namespace else tuple(nodes),
        )

    @property
    def rights(self) -> list[tuple[str, Right]]:
        """Each right on its own, with the path of its role."""
        return [(path, right) for path, rules in self.roles.items() for right in rights_of(path, rules)]


@dataclass
class Told:
    """Hears what a check of rights warns of."""

    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def rights_of(path: str, rules: Iterable[Mapping[str, list[str]]]) -> Iterator[Right]:
    namespace = path.split("/")[5] if "/namespaces/" in path else None
    for rule in rules:
        for group in rule["apiGroups"]:
            for name in rule["resources"]:
                resource, _, sub = name.partition("/")
                for verb in rule["verbs"]:
                    yield Right(verb=verb, group=group, resource=resource, subresource=sub, namespace=namespace)


@pytest.fixture(scope="module")
def stage(binaries: Path) -> Iterator[Stage]:
    """A stage with every kind of workload, on a cluster that serves most of what some clusters serve."""
    settings = RigSettings(binding_groups=(GROUP, AUTO_MODE_GROUP))
    with (
        LoopThread() as loop,
        loop.entered(ControlPlane(binaries, users={**USERS, TEAM: [], OPERATOR: []})) as control_plane,
        loop.entered(Rig(control_plane, settings)) as rig,
    ):
        its = Stage(loop=loop, rig=rig)
        for group, plural in served():
            loop.call(rig.api.create(DEFINITIONS, definition(group, plural)))
        loop.call(await_watches(rig), seconds=30)
        # Without one a check can't tell whether it is somewhere else.
        image = f"--image=registry.example/{CONTROLLER}:v3.5.0"
        its.kubectl("create", "deployment", CONTROLLER, "-n", CONTROLLER_HOME, image, "--replicas=0")
        its.kubectl("label", "deployment", CONTROLLER, "-n", CONTROLLER_HOME, f"app.kubernetes.io/name={CONTROLLER}")
        scene = Scene(stage=its, namespace=NAMESPACE)
        scene.deploy("web", is_load_balanced=True, balanced=BOTH_APIS)
        scene.deploy("db", kind="StatefulSet", member_labels={"member-of": "db"})
        # Withdrawn by a label that its controller does not select by.
        scene.deploy("edge", kind="DaemonSet", replicas=3, controller_labels={"agent": "edge"})
        yield its


def served() -> Iterator[tuple[str, str]]:
    yield from ((group, plural) for group, kinds in POLICY_KINDS.items() for plural in kinds if group not in UNSERVED)
    yield from ((group, "serviceexports") for group in EXPORTING)


async def await_watches(rig: Rig) -> None:
    """Wait until all kinds that were just defined can be watched: their storage takes a moment to begin."""

    async def is_watched(path: str) -> bool:
        try:
            await rig.api.get_text(f"{path}?watch=true&timeoutSeconds=1")
        except ApiError:
            return False
        return True

    paths = [f"/apis/{group}/v1/{plural}" for group, plural in served()]
    await asyncio.gather(*(eventually(partial(is_watched, path), what=f"a watch on {path}") for path in paths))


def definition(group: str, plural: str) -> dict[str, Any]:
    """Return the definition of a kind, as far as anybody here looks at one."""
    singular = plural.removesuffix("s") if not plural.endswith("ies") else f"{plural.removesuffix('ies')}y"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    is_namespaced = plural in {"networkpolicies", "applicationnetworkpolicies", "serviceexports"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # What a name in k8s.io takes.
            "annotations": {"api-approved.kubernetes.io": "unapproved, for a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced" if is_namespaced else "Cluster",
            "names": {"kind": singular.capitalize(), "plural": plural, "singular": singular},
            "versions": [version],
        },
    }


def grant(stage: Stage, user: str, *scope: str) -> Granted:
    """Apply what the command prints for a user, just as it is."""
    kubectl = str(stage.rig.control_plane.binaries / "kubectl")
    printed = stage.safe("rbac", *scope, "--user", user, user=user).stdout
    subprocess.run([kubectl, "apply", "-f", "-"], env=stage.rig.environment(), input=printed, text=True, check=True)
    found = {
        path_of(its): its["rules"] for its in yaml.safe_load_all(printed) if its["kind"] in {"Role", "ClusterRole"}
    }
    namespace = None if "--cluster" in scope else NAMESPACE
    commands = [name for name in COMMANDS if namespace is None or name not in OF_NODES]
    granted = Granted(user=user, namespace=namespace, commands=commands, roles=found)
    with client_of(stage, user) as client:
        await_rights(stage, client, [right for _, right in granted.rights])
    return granted


def path_of(role: Mapping[str, Any]) -> str:
    meta = role["metadata"]
    where = f"/namespaces/{meta['namespace']}" if role["kind"] == "Role" else ""
    return f"{RBAC}{where}/{role['kind'].lower()}s/{meta['name']}"


@contextmanager
def client_of(stage: Stage, user: str) -> Iterator[Client]:
    kubeconfig = str(stage.rig.control_plane.kubeconfig_for(user))
    client = connect(Connection(kubeconfig=kubeconfig), now=lambda: datetime.now(UTC))  # noqa: TID251 - a real server
    try:
        yield client
    finally:
        client.close()


def await_rights(stage: Stage, client: Client, rights: Sequence[Right], *, are_there: bool = True) -> None:
    """Wait until the API server knows of rights, or of their lack."""
    stage.wait_until(lambda: bool(denied(client, rights)) is not are_there, what="the API server to know", seconds=20)


@pytest.fixture(scope="module")
def team(stage: Stage) -> Granted:
    return grant(stage, TEAM, "-n", NAMESPACE)


@pytest.fixture(scope="module")
def operator(stage: Stage) -> Granted:
    return grant(stage, OPERATOR, "--cluster")


def test_a_restart_needs_nothing_beyond_what_is_printed_for_its_namespace(
    stage: Stage, team: Granted, figures: Figures
) -> None:
    try_restarts(stage, team)
    with stage.traffic(rate=60) as counted:
        done = stage.safe("rollout", "restart", "deployment/web", "-n", NAMESPACE, *SETTLE, user=TEAM)
    figures.add("restart with what rbac prints", str(counted))
    assert (done.stderr, counted.losses) == ("", ())
    look(stage, team, "-n", NAMESPACE)
    assert_all_was_used(stage, team, refused=EVERYWHERE_FIRST)


def test_a_drain_needs_nothing_beyond_what_is_printed_for_the_cluster(
    stage: Stage, operator: Granted, figures: Figures
) -> None:
    try_restarts(stage, operator)
    node = max(stage.rig.nodes.names, key=lambda its: sum(p["spec"].get("nodeName") == its for p in pods(stage, "web")))
    with stage.traffic(rate=60) as counted:
        drained = stage.safe("drain", node, "--ignore-daemonsets", *SETTLE, user=OPERATOR)
    uncordoned = stage.safe("uncordon", node, user=OPERATOR)
    figures.add("drain with what rbac prints", str(counted))
    assert [line for line in drained.stderr.splitlines() if "ignoring DaemonSet-managed Pods" not in line] == []
    assert uncordoned.stderr == ""
    assert counted.losses == ()
    look(stage, operator, "-A")
    assert_all_was_used(stage, operator, refused=set())


def pods(stage: Stage, app: str) -> list[dict[str, Any]]:
    return [pod for pod in stage.rig.controller.pods.of(NAMESPACE) if pod["metadata"]["labels"].get("app") == app]


def try_restarts(stage: Stage, granted: Granted) -> None:
    """Have restarts of all kinds tried, each kind of write among it, and hear of nothing to complain of."""

    def tried(workload: str) -> str:
        flags = ("-n", NAMESPACE, "--dry-run=server", "--max-unavailable", "1")
        return stage.safe("rollout", "restart", workload, *flags, user=granted.user).stderr

    with ThreadPoolExecutor() as threads:
        assert list(threads.map(tried, ("deployment/web", "statefulset/db", "daemonset/edge"))) == ["", "", ""]


def look(stage: Stage, granted: Granted, *scope: str) -> None:
    """Run the commands that only look, and hear of nothing that they leave out."""
    told = stage.safe("rollout", "status", "deployment/web", "-n", NAMESPACE, user=granted.user)
    assert (told.stderr, "successfully rolled out" in told.stdout) == ("", True)
    assert stage.safe("status", *scope, user=granted.user).stderr == ""
    found = stage.safe("check", *scope, "-o", "json", "--fail-on", "never", user=granted.user)
    lacking = {its["object"]["name"] for its in json.loads(found.stdout)["findings"] if its["code"] == "rights-missing"}
    assert lacking == ({"drain"} if granted.namespace else set())
    assert "can't be read" not in found.stderr


def assert_all_was_used(stage: Stage, granted: Granted, *, refused: set[tuple[str, str, str]]) -> None:
    """No other request of the user was refused, and each right was used by one, but for those of what wasn't there."""
    asked = list(requests_by(granted.user, stage.rig.control_plane.audit_log))
    assert {(its.verb, its.group, its.resource) for its in asked if its.status == 403} == refused
    used = {(its.verb, its.group, its.resource) for its in asked}
    unused = set()
    for _, right in granted.rights:
        resource = "/".join(filter(None, [right.resource, right.subresource]))
        if (right.verb, right.group, resource) not in used and right.group not in UNSERVED:
            unused.add((right.verb, right.group, resource))
    assert unused == set()


@pytest.mark.parametrize("who", ["team", "operator"])
def test_whatever_is_taken_away_is_missed(stage: Stage, request: pytest.FixtureRequest, who: str) -> None:
    granted: Granted = request.getfixturevalue(who)
    needs = granted.needs(stage.rig.nodes.names)
    with client_of(stage, granted.user) as client:
        assert missed(client, needs, granted) == set()
        for path, right in granted.rights:
            if right.group in UNSERVED:
                continue
            with taken_away(stage, client, granted, path, right):
                assert missed(client, needs, granted) == {without_place(right)}


def without_place(right: Right | str) -> str:
    """Return a right in words, wherever it is needed."""
    return str(right).partition(" in ")[0]


@contextmanager
def taken_away(stage: Stage, client: Client, granted: Granted, path: str, right: Right) -> Iterator[None]:
    """Take one right out of a role for a while."""
    rest = [its for its in rights_of(path, granted.roles[path]) if its != right]
    rules = [
        {
            "apiGroups": [its.group],
            "resources": ["/".join(filter(None, [its.resource, its.subresource]))],
            "verbs": [its.verb],
        }
        for its in rest
    ]
    api, loop = stage.rig.api, stage.loop
    loop.call(api.patch(path, {"rules": rules}, kind="merge-patch"))
    await_rights(stage, client, [right], are_there=False)
    try:
        yield
    finally:
        loop.call(api.patch(path, {"rules": granted.roles[path]}, kind="merge-patch"))
        await_rights(stage, client, [right])


def missed(client: Client, needs: Needs, granted: Granted) -> set[str]:
    """Return the rights that are told to be missing, by a refusal or a warning, or that leave something unseen."""
    heard = Told()
    try:
        found = {without_place(right) for right in check_rights(client, needs, heard)}
    except KubectlSafeError as error:
        return {without_place(line.strip()) for line in str(error).splitlines()[1:-1]}
    assert len(heard.warnings) == len(found)
    return found or {without_place(right) for right in unseen(client, needs, granted)}


def unseen(client: Client, needs: Needs, granted: Granted) -> Iterable[Right]:
    """Return the rights without which policies of other namespaces, or what only some clusters have, are not seen."""
    with Cluster(client, namespace=granted.namespace, signal=Signal()) as cluster:
        policies = cluster.narrowed | cluster.observe().policies.unseen
        exports = network_of(client, cluster.served, granted.namespace).unlisted_exports
    kinds = {f"{its}.networking.k8s.io" if its == "networkpolicies" else its for its in policies}
    kinds |= {f"serviceexports.{group}" for group in EXPORTING if f'API group "{group}"' in exports}
    return denied(client, [right for right in needs.tried if f"{right.resource}.{right.group}" in kinds])
