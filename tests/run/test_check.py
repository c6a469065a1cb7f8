"""`check`: what it looks at, and what it goes on without."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from kubectl_safe.decide.check.verdict import Checked
from kubectl_safe.kube.errors import ApiError
from kubectl_safe.kube.rights import REVIEWS
from kubectl_safe.model.errors import KubectlSafeError
from kubectl_safe.model.marks import HANDOFF
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from kubectl_safe.run.check import check
from kubectl_safe.run.onlooker import nobody
from kubectl_safe.run.scope import Scope, readable
from tests.decide.check.scenes import a_good_cluster
from tests.support.builders import NOW, a_budget, a_pod, ago, uid

if TYPE_CHECKING:
    from kubectl_safe.kube.client import Client

LABEL = "elbv2.k8s.aws/pod-readiness-gate-inject"
SHOP = Scope(namespace="shop")
EVERYTHING = Scope(namespace=None)


@dataclass
class Server:
    """An API server with a load balancer controller, that denies some rights and reads."""

    denies: tuple[str, ...] = ()
    """Rights as `verb resource`."""
    has_leases: bool = False
    """Whether runs died that held some."""
    clock_offset: timedelta = timedelta(0)
    asked: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, *, query: Any = None, body: Any = None) -> dict[str, Any]:  # noqa: ARG002 - Client
        self.asked.append(f"{method} {path}")
        if path == REVIEWS:
            its = body["spec"]["resourceAttributes"]
            return {"status": {"allowed": f"{its['verb']} {its['resource']}" not in self.denies}}
        resource = path.rpartition("/")[2]
        if f"list {resource}" in self.denies:
            raise ApiError(f"{resource} is forbidden", status=403)
        shop = {"metadata": {"name": "shop", "labels": {LABEL: "enabled"}}}
        if resource == "shop":
            return shop
        if resource == "nope":
            raise ApiError('namespaces "nope" not found', status=404)
        has = {
            "namespaces": [shop],
            "deployments": [CONTROLLER],
            "mutatingwebhookconfigurations": [HOOK],
            "leases": [a_lease(*name) for name in LEASES] if self.has_leases else [],
        }
        return {"items": has.get(resource, [])}


CONTROLLER = {
    "metadata": {"namespace": "kube-system", "name": "aws-load-balancer-controller"},
    "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "lbc:v3.5.0"}]}}},
    "status": {"readyReplicas": 2},
}
HOOK = {
    "metadata": {"name": "hook"},
    "webhooks": [{"name": "mpod.elbv2.k8s.aws", "clientConfig": {"url": "https://hook"}}],
}


LEASES = (
    ("shop", "kubectl-safe.deployment.web"),
    ("bank", "kubectl-safe.deployment.till"),
    ("kube-node-lease", "kubectl-safe.node-1"),
    ("kube-node-lease", "kubectl-safe.node-7"),
)


def a_lease(namespace: str, name: str) -> dict[str, Any]:
    spec = {"holderIdentity": "eve", "renewTime": ago(900).isoformat(), "leaseDurationSeconds": 30}
    return {"metadata": {"namespace": namespace, "name": name, "uid": name, "resourceVersion": "1"}, "spec": spec}


@dataclass
class View:
    """A cluster that is looked at."""

    snapshot: Snapshot
    looks: list[list[str]] = field(default_factory=list)
    """The names of the pods of each look."""
    left_out: tuple[Pod, ...] = ()

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]] = nobody) -> Snapshot:
        seen, self.left_out = readable(self.snapshot)
        self.looks.append([pod.name for pod in choose(seen)])
        return seen


def run(scope: Scope, snapshot: Snapshot, server: Server | None = None, **options: Any) -> Checked:
    return checking(scope, View(snapshot), server or Server(), **options)


def checking(
    scope: Scope,
    view: View,
    server: Server,
    *,
    shadows: Mapping[str, str] | None = None,
    steps: list[str] | None = None,
) -> Checked:
    return check(
        scope,
        view,
        cast("Client", server),
        ignored=frozenset(),
        shadows=shadows or {},
        now=lambda: NOW,
        progress=(steps if steps is not None else []).append,
    )


def codes(checked: Checked) -> list[str]:
    return [its.code for its in checked.findings]


NODES = {"node-1": Node(name="node-1", resource_version="1")}
OTHERS = a_pod("web-9", namespace="bank", owners=(), labels={"app": "web"}, node="node-2", uid="bank-uid")


@pytest.mark.parametrize(
    ("scope", "pods", "workloads"),
    [
        pytest.param(SHOP, 6, 1, id="a namespace"),
        pytest.param(Scope(namespace="bank"), 1, 0, id="another namespace"),
        pytest.param(EVERYTHING, 7, 1, id="everything"),
        pytest.param(Scope(namespace="shop", named={"Deployment": ("web",)}), 6, 1, id="a workload and its pods"),
        pytest.param(Scope(namespace="shop", named={"Pod": ("web-1",)}), 1, 1, id="a pod and its workload"),
        pytest.param(Scope(namespace="bank", named={"Node": ("node-1",)}), 2, 1, id="what is on a node, wherever"),
        pytest.param(
            Scope(namespace="shop", named={"Pod": ("web-1",), "Deployment": ("web",)}), 6, 1, id="nothing twice"
        ),
    ],
)
def test_what_is_looked_at(scope: Scope, pods: int, workloads: int) -> None:
    checked = run(scope, a_good_cluster(OTHERS, nodes=NODES))
    assert (checked.pods, checked.workloads) == (pods, workloads)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ({"Pod": ("none",)}, 'pods "none" not found'),
        ({"Node": ("none",)}, 'nodes "none" not found'),
        ({"StatefulSet": ("web",)}, 'statefulsets.apps "web" not found'),
        ({"ReplicationController": ("web",)}, 'replicationcontrollers "web" not found'),
    ],
)
def test_what_is_named_has_to_be_there(named: Mapping[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(KubectlSafeError) as raised:
        run(Scope(namespace="shop", named=named), a_good_cluster(nodes=NODES))
    assert str(raised.value) == f"Error from server (NotFound): {told}"


def test_nothing_is_found_in_a_good_cluster_and_nothing_is_written() -> None:
    server = Server()
    assert run(EVERYTHING, a_good_cluster(nodes=NODES), server) == Checked(findings=(), workloads=1, pods=6)
    assert {asked for asked in server.asked if not asked.startswith("GET ")} == {f"POST {REVIEWS}"}


def test_aws_is_asked_about_the_pods_that_are_checked_and_only_where_there_are_bindings() -> None:
    view = View(a_good_cluster(OTHERS))
    checking(Scope(namespace="shop", named={"Pod": ("web-2",)}), view, Server())
    assert view.looks == [[], ["web-2"]]
    view = View(a_good_cluster(bindings=()))
    checking(SHOP, view, Server())
    assert view.looks == [[]]


def test_what_may_not_be_read_is_told_and_what_may_not_be_done_is_found() -> None:
    server = Server(denies=("list events", "patch nodes", "patch replicasets"))
    checked = run(SHOP, a_good_cluster(nodes=NODES), server)
    assert checked.unread == ("events of targetgroupbindings can't be read: events is forbidden",)
    facts = {its.subject.name: its.fact for its in checked.findings}
    assert facts == {
        "rollout restart": "you may not patch replicasets.apps in namespace shop",
        "drain": "you may not patch nodes node-1",
        "check": "you may not list events in namespace shop",
    }


def test_a_mark_that_can_not_be_read_is_found_and_keeps_nobody_from_finding_the_rest() -> None:
    strange = replace(a_pod("web-1"), annotations={HANDOFF: "soon"})
    both = (a_budget("all", selector={"app": "web"}), a_budget("web"))
    checked = run(SHOP, a_good_cluster(strange, budgets=both))
    assert codes(checked) == ["two-budgets", "mark-unreadable"]
    assert checked.pods == 5
    elsewhere = replace(strange, namespace="bank", owners=(), node="node-2")
    assert codes(run(SHOP, a_good_cluster(elsewhere))) == []
    assert uid("web-1") == strange.uid


def test_shadows_are_found_and_steps_are_told() -> None:
    steps: list[str] = []
    checked = run(SHOP, a_good_cluster(), shadows={"kubectl safe drain": "/x"}, steps=steps)
    assert codes(checked) == ["shadowed-command"]
    assert steps[-1] == "looking at 6 pods"


@pytest.mark.parametrize(
    ("scope", "count"), [pytest.param(SHOP, 2, id="a namespace and its nodes"), pytest.param(EVERYTHING, 4, id="all")]
)
def test_leases_of_dead_runs_are_told_where_they_have_to_do_with_what_is_checked(scope: Scope, count: int) -> None:
    checked = run(scope, a_good_cluster(), Server(has_leases=True))
    assert codes(checked) == ["leftover-lease"] * count


@dataclass
class Later(View):
    """A cluster in which a pod goes while AWS is asked, which tells of it as it was before."""

    def look(self, choose: Callable[[Snapshot], Iterable[Pod]] = nobody) -> Snapshot:
        now = super().look(choose)
        left = {its: pod for its, pod in now.pods.items() if pod.name != "web-6"}
        return replace(now, pods=left) if len(self.looks) > 1 else now


def test_a_target_of_a_pod_that_went_while_aws_was_asked_is_no_fault() -> None:
    assert codes(checking(SHOP, Later(a_good_cluster(nodes=NODES)), Server())) == []
    strange = replace(a_good_cluster(), pods={})
    assert codes(checking(SHOP, Later(replace(strange, pods=a_good_cluster(without={"web-5"}).pods)), Server())) == [
        "target-without-pod"
    ]


def test_a_budget_that_covers_nothing_is_found_where_its_whole_namespace_is_checked() -> None:
    seen = a_good_cluster(budgets=(a_budget(expected_pods=6), a_budget("none")))
    assert codes(run(SHOP, seen)) == codes(run(EVERYTHING, seen)) == ["budget-covers-nothing"]
    assert codes(run(Scope(namespace="shop", named={"Deployment": ("web",)}), seen)) == []
    assert codes(run(Scope(namespace="bank"), seen)) == []
    labelled = LabelSelector(match_labels={"app": "web"})
    assert codes(run(Scope(namespace="shop", selector=labelled), seen)) == []


def test_a_namespace_that_is_not_there_can_not_be_checked() -> None:
    with pytest.raises(KubectlSafeError, match='namespaces "nope" not found'):
        run(Scope(namespace="nope"), Snapshot(at=NOW))
