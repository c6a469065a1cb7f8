"""The plan, to the letter, in 100 columns."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.estimate import estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.workload import Node
from kubectl_safe.render.plan import plan_lines
from tests.support.builders import (
    LABELS,
    a_binding,
    a_budget,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_service,
    a_target,
    an_intent,
    arn,
    uid,
)

GOLDEN = """\
BATCH    POD     NODE    OWNER
1        web-1   node-1  deployment/web
1        web-2   node-1  deployment/web
2        web-3   node-1  deployment/web
-        bare-1  node-1  -

Each pod of deployment/web is released, withdrawn, evicted. It waits, before it is
  released   for one of 2 places beyond 6 replicas
  withdrawn  until 6 others are in service: Ready, all gates True, in every EndpointSlice of web,
             healthy in target group web
  evicted    until it is out of every EndpointSlice for 15s, and Target.NotRegistered in target
             group web

Pods without a batch leave their Services and are evicted; no replacement is waited for.

TARGET GROUP    ACCOUNT       REGION     DEREGISTRATION DELAY
web             123456789012  eu-west-1  5m

budget shop/web allows no disruption now; replacements may change that

about 5 min: 2 batches x 0s until the replacements are in service + 300s deregistration delay of web"""

WITHDRAW_FIRST = """\
BATCH    POD    NODE    OWNER
1        web-1  node-1  deployment/web
2        web-2  node-1  deployment/web

Each pod of deployment/web is withdrawn, evicted, and then replaced. It waits, before it is
  withdrawn  until 5 others are in service: Ready, all gates True, in every EndpointSlice of web
  evicted    until it is out of every EndpointSlice for 30s

about 60 s: 2 batches x (30s settle + 0s until a replacement is in service)"""


NOT_ASKED = """\
BATCH    POD    NODE    OWNER
1        web-1  node-1  deployment/web

Each pod of deployment/web is released, withdrawn, evicted. It waits, before it is
  released   for one of 1 places beyond 6 replicas
  withdrawn  until 6 others are in service: Ready, all gates True, in every EndpointSlice of web,
             the gate of target group web True, which is not asked
  evicted    until it is out of every EndpointSlice for 15s, and withdrawn for 6m, as target group
             web is not asked

TARGET GROUP    ACCOUNT       REGION     DEREGISTRATION DELAY
web             123456789012  eu-west-1  5m
target group web is not asked: confirmed by gates, drained for 6m

about 6 min: 1 batch x 0s until the replacements are in service + 360s --drain-wait"""


def drawn(intent: Intent, snapshot: Snapshot) -> str:
    """Return the plan as it is printed."""
    return "\n".join(plan_lines(intent, snapshot, estimate(intent, snapshot)))


def without_handoff(pod_name: str, namespace: str = "shop") -> Planned:
    """Return a planned pod that is evicted as kubectl does."""
    return Planned(uid=uid(pod_name), namespace=namespace, name=pod_name, node="node-1", workload=None)


def plan_of(snapshot: Snapshot, *names: str, also: tuple[Planned, ...] = (), **flags: Any) -> str:
    """Return the plan of handing over these pods, and of evicting others."""
    intent = an_intent(snapshot, *names, **flags)
    return drawn(replace(intent, pods=intent.pods + also), snapshot)


def test_a_plan_says_what_in_which_order_what_each_step_waits_for_and_how_long_it_takes() -> None:
    bare = a_pod("bare-1", owners=(), labels={"app": "bare"}, gates={})
    snapshot = a_cluster(bare, budgets=(a_budget(disruptions_allowed=0),))
    plan = plan_of(snapshot, "web-1", "web-2", "web-3", also=(without_handoff("bare-1"),), max_surge=2)
    assert plan == GOLDEN
    assert max(len(line) for line in plan.splitlines()) <= 100


def test_a_plan_says_whose_connections_outlive_their_target() -> None:
    snapshot = a_cluster(groups={arn(): replace(a_group(), keeps_flows=True)})
    told = "connections through target group web outlive its deregistration delay and end with their pod, unless its"
    assert told in " ".join(plan_of(snapshot, "web-1").split())
    assert "outlive" not in plan_of(a_cluster(), "web-1")


def test_a_plan_without_surge_says_that_replacements_come_last() -> None:
    snapshot = a_cluster(
        bindings=(),
        services=(a_service(is_headless=True),),
        workloads={uid("web"): a_deployment(max_surge=0)},
        answers={},
    )
    assert plan_of(snapshot, "web-1", "web-2") == WITHDRAW_FIRST


def test_the_zeros_of_an_account_and_names_like_numbers_stay_what_they_are() -> None:
    group = arn().replace("123456789012", "012345678901")
    binding_group = {group: replace(a_group(), arn=group)}
    snapshot = a_cluster(a_pod("web-1", node="1e5"))
    snapshot = replace(
        snapshot, bindings=tuple(replace(b, group=group) for b in snapshot.bindings), groups=binding_group
    )
    plan = plan_of(snapshot, "web-1")
    assert "web             012345678901  eu-west-1  5m" in plan
    assert "1        web-1  1e5     deployment/web" in plan
    assert a_target().group != group


def test_namespaces_are_told_where_there_are_several() -> None:
    plan = plan_of(a_cluster(), "web-1", also=(without_handoff("agent", "kube-system"),))
    assert plan.splitlines()[:3] == [
        "BATCH    NAMESPACE    POD    NODE    OWNER",
        "1        shop         web-1  node-1  deployment/web",
        "-        kube-system  agent  node-1  -",
    ]


def test_a_group_whose_settings_are_not_known_is_told_so() -> None:
    assert "eu-west-1  ?" in plan_of(a_cluster(groups={}), "web-1")


def test_a_group_that_is_not_asked_is_told_with_what_is_gone_by() -> None:
    snapshot = a_cluster(unseen=frozenset({arn()}))
    assert plan_of(snapshot, "web-1", drain_wait=timedelta(minutes=6)) == NOT_ASKED


def test_a_plan_says_which_nodes_leave_target_groups_first() -> None:
    port = replace(a_service().ports[0], node_port=30080)
    snapshot = a_cluster(
        services=(a_service(ports=(port,)),),
        bindings=(a_binding("nodes", target_type="instance", service="web"),),
        groups={arn("nodes"): a_group("nodes")},
        nodes={"node-1": Node(name="node-1", resource_version="1", instance_id="i-1")},
    )
    for pods in ((), an_intent(snapshot, "web-1").pods):
        intent = Intent(pods=pods, nodes=("node-1",))
        first, second, empty, *others = plan_lines(intent, snapshot, estimate(intent, snapshot))
        assert [first, second, empty] == [
            "Node node-1 gets label node.kubernetes.io/exclude-from-external-load-balancers, and no pod is begun",
            "before it is out of target group nodes.",
            "",
        ]
    assert any(line.startswith("TARGET GROUP") and "nodes" in line for line in others)


def test_a_plan_of_nothing_says_so() -> None:
    snapshot = a_cluster()
    assert drawn(replace(an_intent(snapshot), pods=()), snapshot) == "no pod has to be moved"


def test_a_plan_without_handoffs_promises_no_time() -> None:
    snapshot = a_cluster()
    plan = drawn(Intent(pods=(without_handoff("agent"),)), snapshot)
    assert plan.splitlines()[-1] == "no pod has to be handed over"


PINNED = a_service("pinned", selector={**LABELS})


def test_a_plan_says_that_pods_leave_first_where_no_label_tells_them_from_their_services() -> None:
    plan = plan_of(a_cluster(services=(PINNED,), bindings=()), "web-1", "web-2", max_surge=2)
    assert plan.splitlines()[1:7] == [
        "1        web-1  node-1  deployment/web",
        "2        web-2  node-1  deployment/web",
        "",
        "Each pod of deployment/web is withdrawn, evicted, and then replaced, as its Services use every label",
        "by which its controller knows it. It waits, before it is",
        "  withdrawn  until 5 others are in service: Ready, all gates True, in every EndpointSlice of pinned",
    ]
    assert plan.endswith("about 30 s: 2 batches x (15s settle + 0s until a replacement is in service)")


@pytest.mark.parametrize(
    ("surge", "steps"),
    [
        (1, ["released, evicted. It waits, before it is", "  released   for one of 1 places beyond 6 replicas"]),
        (0, ["evicted, and then replaced. It waits, before it is"]),
    ],
    ids=["surge", "withdraw-first"],
)
def test_a_plan_withdraws_no_pod_that_is_in_no_service(surge: int, steps: list[str]) -> None:
    plan = plan_of(a_cluster(services=(), bindings=(), health={}), "web-1", max_surge=surge).splitlines()
    others = 6 - (surge == 0)
    assert plan[3 : 4 + len(steps)] == [
        f"Each pod of deployment/web is {steps[0]}",
        *steps[1:],
        f"  evicted    until {others} others are in service: Ready, all gates True",
    ]


def test_a_plan_names_services_that_call_pods_ready_that_are_not() -> None:
    peers = a_service("peers", selector={"app": "web"}, publishes_unready=True)
    plan = plan_of(a_cluster(services=(a_service(), peers)), "web-1")
    told = "service shop/peers publishes the addresses of pods that are not ready: what is sent to it may reach a "
    assert f"{told}replacement before that serves" in " ".join(plan.split())
    assert max(len(line) for line in plan.splitlines()) <= 100
    assert "publishes" not in plan_of(a_cluster(), "web-1")
