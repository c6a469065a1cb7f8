"""What is looked at: by namespace, by name and by label."""

from typing import Any

import pytest

from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.workload import Node
from kubectl_safe.run.scope import Chosen, Scope, choose, readable
from tests.support.builders import a_cluster, a_deployment, a_pod, an_owner, uid

WEB = LabelSelector(match_labels={"app": "web"})
API = LabelSelector(match_labels={"app": "api"})
LONE = a_pod("lone", labels={"app": "api"}, controller=an_owner("Job", "lone"), node="node-2")
OTHER = a_pod("far", labels={"app": "api"}, controller=an_owner("Job", "far"), namespace="bank", node="node-2")
NODES = {name: Node(name=name, resource_version="1", labels={"app": name}) for name in ("node-1", "node-2")}
CLUSTER = a_cluster(
    a_pod(withdrawn=True),
    LONE,
    OTHER,
    without=["web-3", "web-4", "web-5", "web-6"],
    nodes=NODES,
    workloads={uid("web"): a_deployment(labels={"app": "web"})},
)


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        pytest.param({}, "lone web-1 web-2", id="all of a namespace"),
        pytest.param({"namespace": None}, "far lone web-1 web-2", id="all of all"),
        pytest.param({"selector": WEB}, "web-1 web-2", id="by label, also one that a withdrawal took off"),
        pytest.param({"selector": API, "namespace": None}, "far lone", id="by label in all namespaces"),
        pytest.param({"named": {"Deployment": ("web",)}}, "web-1 web-2", id="of a workload, one that left it too"),
        pytest.param({"named": {"Deployment": ()}}, "web-1 web-2", id="of all of a kind"),
        pytest.param({"named": {"Deployment": ()}, "selector": API}, "", id="of all of a kind with a label"),
        pytest.param({"named": {"Pod": ("web-2", "lone")}}, "lone web-2", id="by name"),
        pytest.param({"named": {"Pod": ()}, "selector": API}, "lone", id="pods by label"),
        pytest.param({"named": {"Node": ("node-2",)}}, "far lone", id="on a node, of all namespaces"),
        pytest.param(
            {"named": {"Node": ()}, "selector": LabelSelector(match_labels={"app": "node-1"})},
            "web-1 web-2",
            id="on nodes with a label",
        ),
    ],
)
def test_pods_are_chosen(scope: dict[str, Any], names: str) -> None:
    chosen = choose(Scope(**{"namespace": "shop", **scope}), CLUSTER)
    assert " ".join(pod.name for pod in chosen.pods) == names


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("Deployment", 'deployments.apps "nobody"'),
        ("ReplicationController", 'replicationcontrollers "nobody"'),
        ("Pod", 'pods "nobody"'),
        ("Node", 'nodes "nobody"'),
    ],
)
def test_what_is_named_has_to_be_there(kind: str, why: str) -> None:
    chosen = choose(Scope(namespace="shop", named={kind: ("nobody",)}), CLUSTER)
    assert chosen == Chosen(workloads=(), pods=(), nodes=(), missing=(why,))


def test_what_is_there_of_what_is_named_is_chosen_and_the_others_are_told() -> None:
    named = {"Pod": ("x", "lone", "y"), "Deployment": ("web", "z"), "Node": ("node-1",)}
    chosen = choose(Scope(namespace="shop", named=named), CLUSTER)
    assert [pod.name for pod in chosen.pods] == ["lone", "web-1", "web-2"]
    assert chosen.missing == ('pods "x"', 'pods "y"', 'deployments.apps "z"')


def test_a_pod_whose_mark_is_not_ours_is_put_aside() -> None:
    strange = a_pod(annotations={"kubectl-safe/handoff": "{}"})
    snapshot, left_out = readable(a_cluster(strange))
    assert left_out == (strange,)
    assert strange.uid not in snapshot.pods
