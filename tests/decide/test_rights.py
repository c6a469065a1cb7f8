"""Which rights a command needs, and how the lack of them is told."""

from dataclasses import replace

import pytest

from kubectl_safe.decide.rights import (
    Needs,
    Right,
    on_pods,
    refusal,
    to_drain,
    to_look,
    to_restart,
    to_uncordon,
    to_watch_rollouts,
)
from kubectl_safe.model.pod import Pod
from tests.support.builders import a_pod, an_owner

AGENT = a_pod("agent-1", controller=an_owner("DaemonSet", "agent"), namespace="logs")
BINDINGS = ("targetgroupbindings.elbv2.k8s.aws", "targetgroupbindings.eks.amazonaws.com")
LEASES = "leases.coordination.k8s.io"
READ = [
    "pods",
    "services",
    "endpointslices.discovery.k8s.io",
    "replicasets.apps",
    "deployments.apps",
    "poddisruptionbudgets.policy",
    "networkpolicies.networking.k8s.io",
    *BINDINGS,
]


def a_drain(*, writes: bool = True, nudges: bool = True) -> Needs:
    return to_drain(["node-1"], writes=writes, nudges=nudges)


def a_restart(*, writes: bool = True, nudges: bool = True) -> Needs:
    return to_restart("shop", writes=writes, nudges=nudges)


def words(*rights: Right) -> set[str]:
    """Return rights in words, each of which is there once."""
    told = [str(right) for right in rights]
    assert len(set(told)) == len(told)
    return set(told)


def reading(where: str) -> set[str]:
    return {f"{verb} {kind} {where}" for kind in READ for verb in ("list", "watch")}


def writing(where: str) -> set[str]:
    leases = {f"{verb} {LEASES} {where}" for verb in ("get", "create", "update", "delete")}
    return {f"get pods {where}", f"patch pods {where}", f"create pods/eviction {where}", *leases}


def lacked(where: str) -> set[str]:
    """Return the rights to read that a command goes on without."""
    return {f"list events {where}", *(f"{verb} persistentvolumeclaims {where}" for verb in ("list", "watch"))}


def test_a_drain_that_deletes_pods_needs_that_and_not_to_evict_them() -> None:
    deleting = to_drain(["node-1"], writes=True, nudges=True, deletes=True)
    everywhere = "in all namespaces"
    of_pods = {*writing(everywhere), f"get daemonsets.apps {everywhere}"}
    of_pods = of_pods - {f"create pods/eviction {everywhere}"} | {f"delete pods {everywhere}"}
    assert words(*deleting.of_pods) == of_pods
    assert deleting.grant == "kubectl safe rbac --cluster --for drain --disable-eviction"
    assert a_drain().grant == "kubectl safe rbac --cluster --for drain"
    there = words(*on_pods([a_pod()], deletes=True))
    assert "delete pods in namespace shop" in there
    assert "create pods/eviction in namespace shop" not in there


@pytest.mark.parametrize(
    ("kind", "its"),
    [("Deployment", "deployments"), ("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")],
)
def test_whoever_watches_rollouts_reads_pods_and_what_leads_to_them(kind: str, its: str) -> None:
    needs = to_watch_rollouts("shop", kinds=[kind])
    read = ("pods", "services", "endpointslices.discovery.k8s.io", "replicasets.apps", f"{its}.apps")
    here = "in namespace shop"
    assert words(*needs.required) == {f"{verb} {name} {here}" for name in read for verb in ("list", "watch")}
    assert words(*needs.optional) == {f"{verb} {name} {here}" for name in BINDINGS for verb in ("list", "watch")}
    assert set(needs.optional.values()) == {"target groups are not seen, nor waited for"}


def test_whoever_looks_reads_pods_and_what_they_are_chosen_by() -> None:
    here = "in namespace shop"
    needs = to_look("shop", kinds=["Deployment"])
    read = ("pods", "deployments.apps", "replicasets.apps")
    assert words(*needs.required) == {f"{verb} {name} {here}" for name in read for verb in ("list", "watch")}
    sets = ("statefulsets.apps", "daemonsets.apps", "replicationcontrollers")
    others = ("services", *sets, "endpointslices.discovery.k8s.io", *BINDINGS, "poddisruptionbudgets.policy")
    assert words(*needs.optional) == {f"{verb} {name} {here}" for name in others for verb in ("list", "watch")}
    assert words(*needs.tried) == {f"list {LEASES} in namespace {its}" for its in ("shop", "kube-node-lease")}


def test_whoever_looks_everywhere_sees_nodes_too() -> None:
    needs = to_look(None)
    assert words(*needs.required) == {f"{verb} pods in all namespaces" for verb in ("list", "watch")}
    assert {"list nodes", "watch nodes"} <= words(*needs.optional)
    assert {"list nodes", "watch nodes"} <= words(*to_look(None, kinds=["Node"]).required)


def test_a_restart_needs_rights_in_its_namespace_only() -> None:
    needs = a_restart()
    here = "in namespace shop"
    assert words(*needs.required) == {*reading(here), *writing(here), f"patch replicasets.apps {here}"}
    assert needs.of_pods == ()
    assert words(*needs.optional) == {*(f"patch {its} {here}" for its in BINDINGS), *lacked(here)}


def test_a_drain_reads_everything_everywhere_and_writes_to_its_nodes_and_to_pods() -> None:
    needs = a_drain()
    nodes = {"list nodes", "watch nodes", "patch nodes node-1"}
    leases = {f"{verb} {LEASES} in namespace kube-node-lease" for verb in ("get", "create", "update", "delete")}
    everywhere = "in all namespaces"
    sets = {f"{verb} statefulsets.apps {everywhere}" for verb in ("list", "watch")}
    sets |= {f"{verb} replicationcontrollers {everywhere}" for verb in ("list", "watch")}
    assert words(*needs.required) == {*nodes, *leases, *sets, *reading(everywhere)}
    assert words(*needs.of_pods) == {*writing(everywhere), f"get daemonsets.apps {everywhere}"}
    after = {f"patch statefulsets.apps {everywhere}", f"list {LEASES} {everywhere}"}
    assert words(*needs.optional) == {*(f"patch {its} {everywhere}" for its in BINDINGS), *lacked(everywhere), *after}


@pytest.mark.parametrize(
    ("needs", "exports"),
    [(a_drain(), "in all namespaces"), (a_restart(), "in namespace shop")],
    ids=["drain", "restart"],
)
def test_what_only_some_clusters_serve_is_tried(needs: Needs, exports: str) -> None:
    tried = words(*needs.tried)
    assert {f"{verb} ciliumnetworkpolicies.cilium.io in all namespaces" for verb in ("list", "watch")} <= tried
    assert f"list serviceexports.multicluster.x-k8s.io {exports}" in tried
    assert not tried & words(*needs.required, *needs.optional)


def test_a_restart_tries_to_see_the_policies_of_all_namespaces_and_a_drain_has_to() -> None:
    everywhere = {f"{verb} networkpolicies.networking.k8s.io in all namespaces" for verb in ("list", "watch")}
    assert everywhere <= words(*a_restart().tried)
    assert everywhere <= words(*a_drain().required)
    assert not everywhere & words(*a_drain().tried)


def test_restarts_anywhere_need_in_all_namespaces_what_one_needs_in_its_own() -> None:
    anywhere = to_restart(None, writes=True, nudges=True)
    assert words(*anywhere.required) == {
        right.replace("namespace shop", "all namespaces") for right in words(*a_restart().required)
    }
    assert anywhere.tried == a_drain().tried


def test_an_uncordon_reads_and_patches_its_nodes_and_nothing_else() -> None:
    needs = to_uncordon(["a", "a"])
    assert words(*needs.required) == {"get nodes a", "patch nodes a"}
    assert (needs.of_pods, needs.optional, needs.tried, needs.nodes) == ((), {}, {}, ("a",))


def test_each_node_is_named_once_for_rights_may_be_on_single_nodes() -> None:
    needs = to_drain(["a", "b", "a"], writes=True, nudges=True)
    assert {"patch nodes a", "patch nodes b"} <= words(*needs.required)
    assert needs.nodes == ("a", "b")


@pytest.mark.parametrize("needs", [a_drain(writes=False), a_restart(writes=False)], ids=["drain", "restart"])
def test_a_command_that_writes_nothing_needs_no_right_to_write(needs: Needs) -> None:
    assert {r.verb for r in (*needs.required, *needs.of_pods, *needs.optional)} <= {"get", "list", "watch"}


@pytest.mark.parametrize("needs", [a_drain(nudges=False), a_restart(nudges=False)], ids=["drain", "restart"])
def test_without_nudges_bindings_are_only_read(needs: Needs) -> None:
    assert {r.verb for r in (*needs.required, *needs.optional) if r.is_of_bindings} == {"list", "watch"}


IN_LOGS = "get daemonsets.apps in namespace logs"

PODS = [
    pytest.param([a_pod()], writing("in namespace shop"), id="a pod that is moved"),
    pytest.param([AGENT], {IN_LOGS}, id="a DaemonSet's pod stays"),
    pytest.param([a_pod(), AGENT], {*writing("in namespace shop"), IN_LOGS}, id="each in its own namespace"),
    pytest.param(
        [replace(AGENT, phase="Failed")],
        {*writing("in namespace logs"), IN_LOGS},
        id="a DaemonSet's pod that is finished is moved",
    ),
    pytest.param([a_pod(is_mirror=True)], set(), id="a mirror pod stays"),
]


@pytest.mark.parametrize(("pods", "expected"), PODS)
def test_a_drain_writes_where_the_pods_are_that_it_moves(pods: list[Pod], expected: set[str]) -> None:
    assert words(*on_pods(pods)) == expected


def test_all_that_is_missing_is_told_with_what_to_do() -> None:
    patch = Right(verb="patch", resource="pods", namespace="shop")
    evict = Right(verb="create", resource="pods", subresource="eviction", namespace="shop")
    lease = Right(verb="create", group="coordination.k8s.io", resource="leases", namespace="kube-node-lease")
    assert refusal({patch: "", evict: "no RBAC policy matched", lease: ""}, a_drain()) == (
        "these rights are missing, and nothing was changed:\n"
        "  patch pods in namespace shop\n"
        "  create pods/eviction in namespace shop (no RBAC policy matched)\n"
        "  create leases.coordination.k8s.io in namespace kube-node-lease\n"
        "have a Role or ClusterRole with them bound to you, as kubectl safe rbac --cluster --for drain prints it "
        "(kubectl auth can-i patch pods -n shop)"
    )


QUESTIONS = [
    (Right(verb="list", resource="pods"), "list pods -A"),
    (Right(verb="list", resource="nodes"), "list nodes"),
    (Right(verb="patch", resource="nodes", name="node-1"), "patch nodes/node-1"),
    (
        Right(verb="create", resource="pods", subresource="eviction", namespace="shop"),
        "create pods --subresource=eviction -n shop",
    ),
    (Right(verb="get", group="apps", resource="daemonsets", namespace="shop"), "get daemonsets.apps -n shop"),
]


@pytest.mark.parametrize(("right", "question"), QUESTIONS)
def test_the_question_is_one_that_kubectl_understands(right: Right, question: str) -> None:
    assert right.question == f"kubectl auth can-i {question}"
