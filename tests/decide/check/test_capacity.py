"""Whether there is enough left: what is found of rollouts, replicas, nodes and autoscalers, and what isn't."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.check.capacity import taken_first
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.autoscaler import Autoscaler
from kubectl_safe.model.workload import Node
from tests.decide.check.scenes import a_good_cluster, a_good_deployment, a_good_pod, a_setup, facts, found, good_pods
from tests.support.builders import HASH, a_deployment, a_pod, a_replica_set, a_service, an_owner, uid

NONE: dict[str, Any] = {"services": (), "bindings": ()}


def of(*pods: Any, cluster: Any = None, **deployment: Any) -> Facts:
    its = a_good_deployment(**deployment)
    return facts(a_good_cluster(*pods, **{"workloads": {uid("web"): its}} | (cluster or {})))


def told(code: str, seen: Facts) -> list[str]:
    findings = found(code, seen)
    assert all(str(its.subject) == "deployment.apps/web" for its in findings)
    return [its.fact for its in findings]


@pytest.mark.parametrize(
    ("unavailable", "surge", "replicas", "taken"),
    [
        (0, 1, 6, 0),
        (2, 1, 6, 2),
        ("25%", "25%", 6, 1),
        ("25%", "25%", 3, 0),
        ("100%", "25%", 3, 3),
        ("10%", 0, 3, 1),
        ("10%", "0%", 3, 1),
        (0, "10%", 3, 0),
    ],
)
def test_how_many_pods_a_rollout_takes_first(unavailable: Any, surge: Any, replicas: int, taken: int) -> None:
    its = a_deployment(max_unavailable=unavailable, max_surge=surge, replicas=replicas)
    assert taken_first(its) == taken


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="none first"),
        pytest.param(of(max_unavailable=5), "", id="one is left"),
        pytest.param(of(max_unavailable=6, cluster=NONE), "", id="nobody asks it"),
        pytest.param(of(max_unavailable=1, replicas=0), "", id="there is none"),
        pytest.param(of(max_unavailable=6, kind="StatefulSet"), "", id="names that can't exist twice"),
        pytest.param(of(max_unavailable=6), "maxUnavailable 6 lets a rollout stop all of its 6 pods at once", id="all"),
        pytest.param(
            of(max_unavailable="100%", replicas=1),
            "maxUnavailable 100% lets a rollout stop its only pod at once",
            id="the only one",
        ),
        pytest.param(
            of(strategy="Recreate"),
            "strategy Recreate stops all of its 6 pods before another one starts",
            id="Recreate",
        ),
    ],
)
def test_a_rollout_that_leaves_no_pod(seen: Facts, fact: str) -> None:
    assert told("rollout-downtime", seen) == ([fact] if fact else [])


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(of(), "", id="none first"),
        pytest.param(of(max_unavailable=6), "", id="all is another fault"),
        pytest.param(of(max_unavailable=2, strategy="Recreate"), "", id="Recreate is another fault"),
        pytest.param(of(max_unavailable=2, cluster=NONE), "", id="nobody asks it"),
        pytest.param(of(max_unavailable=2, kind="StatefulSet"), "", id="names that can't exist twice"),
        pytest.param(
            of(max_unavailable="25%"),
            "maxUnavailable 25% lets a plain rollout stop 1 of 6 pods before others are ready",
            id="some",
        ),
    ],
)
def test_a_rollout_at_reduced_capacity(seen: Facts, fact: str) -> None:
    assert [its.fact for its in found("rollout-capacity", seen)] == ([fact] if fact else [])


@pytest.mark.parametrize(("surge", "written"), [("25%", "25%"), (0, "1"), ("0%", "1")])
def test_a_rollout_that_takes_nothing_first(surge: Any, written: str) -> None:
    [its] = found("rollout-capacity", of(max_unavailable=2, max_surge=surge))
    assert its.remedy.splitlines() == [
        "# kubectl edit deployment.apps/web -n shop, in spec:",
        "strategy:",
        "  type: RollingUpdate",
        f"  rollingUpdate: {{maxSurge: {written}, maxUnavailable: 0}}",
    ]


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="several"),
        pytest.param(of(replicas=1, cluster=NONE), False, id="nobody asks it"),
        pytest.param(of(replicas=1, kind="DaemonSet"), False, id="one for each node"),
        pytest.param(of(replicas=1, is_terminating=True), False, id="on its way out"),
        pytest.param(of(replicas=1), True, id="one"),
    ],
)
def test_a_single_replica(seen: Facts, is_found: bool) -> None:
    findings = found("single-replica", seen)
    assert [its.remedy for its in findings] == ["kubectl scale deployment/web -n shop --replicas=2"] * is_found


TOGETHER = good_pods(node="node-1")
NODE = Node(name="node-1", resource_version="1")
ELSEWHERE = a_pod("alone", labels={"app": "alone"}, owners=(), node="node-2")
ONE_NODE = {"nodes": {"node-1": NODE}}
CORDONED = {"nodes": {"node-1": NODE, "node-2": Node(name="node-2", resource_version="1", is_unschedulable=True)}}


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="on several"),
        pytest.param(of(*TOGETHER, cluster=NONE), False, id="nobody asks them"),
        pytest.param(of(*TOGETHER, cluster=ONE_NODE), False, id="there is no other"),
        pytest.param(of(*TOGETHER, cluster={"nodes": {}}), False, id="which others there are is not known"),
        pytest.param(
            of(*TOGETHER, ELSEWHERE, cluster={"nodes": {}}),
            True,
            id="another pod tells of another node",
        ),
        pytest.param(
            of(*TOGETHER, ELSEWHERE, cluster=CORDONED),
            False,
            id="another pod is on a node that takes no further",
        ),
        pytest.param(of(*TOGETHER, cluster=CORDONED), False, id="no pod may go to the other"),
        pytest.param(of(*TOGETHER[:-1], *good_pods(node=None)[-1:]), False, id="one is not on a node yet"),
        pytest.param(of(*TOGETHER, kind="DaemonSet"), False, id="one for each node"),
        pytest.param(of(cluster={"without": {f"web-{n}" for n in range(2, 7)}}), False, id="one pod"),
        pytest.param(of(*TOGETHER), True, id="all on one"),
    ],
)
def test_all_replicas_on_one_node(seen: Facts, is_found: bool) -> None:
    assert told("all-on-one-node", seen) == (["all of its 6 pods are on node node-1"] if is_found else [])
    for its in found("all-on-one-node", seen):
        assert its.remedy.splitlines()[-1] == '  labelSelector: {matchLabels: {app: "web"}}'


def scaled(current: int = 3, minimum: int = 2, maximum: int = 6, **changes: Any) -> Facts:
    known = {"namespace": "shop", "name": "web-hpa", "kind": "Deployment", "target": "web"} | changes
    its = Autoscaler(**known, current=current, minimum=minimum, maximum=maximum)
    return facts(setup=a_setup(autoscalers=(its,)))


@pytest.mark.parametrize(
    ("seen", "fact"),
    [
        pytest.param(facts(setup=a_setup(autoscalers=None)), "", id="could not be read"),
        pytest.param(scaled(), "", id="room for more"),
        pytest.param(scaled(6, target="other"), "", id="of something else"),
        pytest.param(scaled(6, namespace="bank"), "", id="of another namespace"),
        pytest.param(scaled(6, minimum=6), "", id="it is to be there always"),
        pytest.param(scaled(6), "deployment/web has 6 replicas of at most 6", id="all that it may have"),
        pytest.param(
            scaled(6, minimum=6, is_limited=True),
            "deployment/web has 6 replicas of at most 6, and would have more",
            id="it would have more",
        ),
    ],
)
def test_an_autoscaler_at_its_maximum(seen: Facts, fact: str) -> None:
    findings = found("autoscaler-at-maximum", seen)
    assert [its.fact for its in findings] == ([fact] if fact else [])
    for its in findings:
        assert its.remedy == """kubectl patch hpa web-hpa -n shop --type=merge -p '{"spec":{"maxReplicas":9}}'"""


def beside(*pods: Any, fine: Any = None, **web: Any) -> Facts:
    """Return a workload with another one before it that is set up well, or in a way of its own."""
    labels = {"app": "api", HASH: "1"}
    others = [
        a_good_pod(f"api-{n}", labels=labels, controller=an_owner(name="api-1"), ips=(f"10.9.0.{n}",), gates={})
        for n in (1, 2, 3)
    ]
    api, its = a_good_deployment("api", replicas=3, **fine or {}), a_good_deployment(**web)
    replica_sets = {uid("web-5d4f8c7b9"): a_replica_set(), uid("api-1"): a_replica_set("api-1", of="api")}
    cluster = a_good_cluster(
        *pods,
        *others,
        workloads={uid("api"): api, uid("web"): its},
        replica_sets=replica_sets,
        services=(a_service(), a_service("api")),
    )
    return facts(cluster)


@pytest.mark.parametrize(
    ("code", "seen"),
    [
        ("rollout-downtime", beside(max_unavailable=6)),
        ("rollout-downtime", beside(max_unavailable=6, fine={"kind": "StatefulSet"})),
        ("rollout-capacity", beside(max_unavailable=2, fine={"strategy": "Recreate"})),
        ("all-on-one-node", beside(*TOGETHER)),
    ],
)
def test_a_workload_that_is_fine_hides_no_other(code: str, seen: Facts) -> None:
    assert [str(its.subject) for its in found(code, seen)] == ["deployment.apps/web"]


def test_two_replicas_on_one_node_are_told_too() -> None:
    two = {"without": {f"web-{n}" for n in range(3, 7)}}
    assert told("all-on-one-node", of(*TOGETHER, cluster=two)) == ["all of its 2 pods are on node node-1"]


def test_an_autoscaler_that_has_room_hides_no_other() -> None:
    known: dict[str, Any] = {
        "namespace": "shop",
        "kind": "Deployment",
        "target": "web",
        "minimum": 1,
        "maximum": 1,
        "current": 1,
    }
    its = (Autoscaler(name="free", **known), Autoscaler(name="full", is_limited=True, **known))
    [finding] = found("autoscaler-at-maximum", facts(setup=a_setup(autoscalers=its)))
    assert (str(finding.subject), finding.subject.namespace) == ("horizontalpodautoscaler.autoscaling/full", "shop")
    assert '"maxReplicas":2' in finding.remedy


def test_of_one_pod_that_is_checked_all_others_count() -> None:
    one = tuple(good_pods()[:1])
    assert found("all-on-one-node", facts(a_good_cluster(), pods=one)) == []
    [its] = found("all-on-one-node", facts(a_good_cluster(*TOGETHER), pods=one))
    assert its.fact == "all of its 6 pods are on node node-1"
    ending = (*good_pods(node="node-1")[:2], *(replace(pod, is_terminating=True) for pod in good_pods()[2:]))
    [its] = found("all-on-one-node", facts(a_good_cluster(*ending)))
    assert its.fact == "all of its 2 pods are on node node-1"
