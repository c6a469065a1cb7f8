"""Which pods and settings a refusal before the first write is about."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kubectl_safe.decide.intent import Intent
from kubectl_safe.decide.preflight import blockers, workloads_of
from kubectl_safe.model.snapshot import Snapshot
from tests.support.builders import (
    LABELS,
    a_binding,
    a_budget,
    a_cluster,
    a_deployment,
    a_group,
    a_pod,
    a_service,
    an_intent,
    arn,
    uid,
)

BOTH = (a_budget("all", selector={"app": "web"}), a_budget("web"))
CANARY = {**LABELS, "canary": "true"}


def of(*pods: Any, **deployment: Any) -> Snapshot:
    """Return a cluster, where a Service selects by all that a canary has."""
    services = (a_service(), a_service("canary", selector=CANARY))
    return a_cluster(*pods, services=services, workloads={uid("web"): a_deployment(**deployment)})


def told(snapshot: Snapshot, *names: str, **flags: Any) -> list[str]:
    return [blocked.why for blocked in blockers(an_intent(snapshot, *names, **flags), snapshot)]


ALLOW = ", or answer for it with --allow downtime"
NONE = "deployment shop/web may run no pod beyond its 1, so none would be in service"

FINE = [
    pytest.param(of(), {"max_unavailable": 0}, id="nothing may be missing, and one may be beyond"),
    pytest.param(of(replicas=2, max_surge=0), {}, id="one of two serves while the other is replaced"),
    pytest.param(of(replicas=1), {}, id="the only one leaves its ReplicaSet first"),
    pytest.param(of(a_pod(released=True), replicas=1), {}, id="it has left that already"),
    pytest.param(of(a_pod("web-2", labels=CANARY), replicas=1), {}, id="another can't, and is not planned"),
]


@pytest.mark.parametrize(("snapshot", "flags"), FINE)
def test_it_is_no_downtime_where(snapshot: Snapshot, flags: dict[str, Any]) -> None:
    assert told(snapshot, "web-1", **flags) == []


def test_it_is_downtime_where_a_planned_pod_can_not_leave_its_replica_set_first() -> None:
    (why,) = told(of(a_pod("web-2", labels=CANARY), replicas=1), "web-1", "web-2")
    assert why == f"{NONE}: its Services use every label that its ReplicaSet selects by; scale it up first{ALLOW}"


def test_downtime_is_told_with_all_that_it_comes_from() -> None:
    assert told(of(replicas=1, max_surge=0)) == [f"{NONE}: give it --max-surge 1{ALLOW}"]
    two = "its strategy is Recreate, so two pods must never run at once; scale it up first"
    assert told(of(replicas=1, strategy="Recreate")) == [f"{NONE}: {two}{ALLOW}"]
    both = "give it --max-surge 1 or --max-unavailable 1"
    assert told(of(max_surge=0), max_unavailable=0) == [
        f"deployment shop/web may run no pod beyond its 6 and miss none, so none can go: {both}"
    ]


def test_a_deployment_whose_services_use_all_its_labels_has_to_miss_one() -> None:
    (why,) = told(of(a_pod("web-2", labels=CANARY)), "web-1", "web-2", max_unavailable=0)
    assert why.endswith("and miss none, so none can go: give it --max-unavailable 1")
    assert told(of(a_pod("web-2", labels=CANARY)), "web-1", max_unavailable=0) == []


UNTOLD = "registers neither pods nor nodes (targetType alb): what its target group sends requests to is not known"


@pytest.mark.parametrize(
    ("binding", "why"),
    [
        (
            a_binding(target_type="alb"),
            UNTOLD,
        ),
        (a_binding(group=""), "has neither targetGroupARN nor targetGroupName: its target group can't be asked"),
    ],
    ids=["unknown targets", "no ARN"],
)
def test_a_binding_that_can_not_be_asked_about_is_named(binding: Any, why: str) -> None:
    assert told(a_cluster(bindings=(binding,))) == [f"targetgroupbinding shop/web {why}"]


def test_a_pod_of_two_budgets_and_no_deployment_is_named_itself() -> None:
    snapshot = a_cluster(budgets=BOTH)
    (planned,) = an_intent(snapshot, "web-1").pods
    (found,) = blockers(Intent(pods=(replace(planned, workload=None),)), snapshot)
    assert found.why.startswith("pod shop/web-1 is under the disruption budgets all and web, and ")


def test_of_several_budgets_the_last_one_is_named_as_the_one_to_change() -> None:
    snapshot = a_cluster(
        budgets=(a_budget("b", selector={"app": "web"}), a_budget("a", selector={"app": "web"}), *BOTH)
    )
    (why,) = told(snapshot, "web-1")
    assert "the disruption budgets a and all and b and web, " in why
    assert why.endswith("let one of them select its pods no more (kubectl edit pdb web -n shop)")


def test_what_is_on_its_way_out_does_not_keep_the_next_from_being_looked_at() -> None:
    pods = [a_pod(withdrawn=True, gates={}), a_pod("web-2", gates={})]
    (why,) = told(a_cluster(*pods, unseen=frozenset({arn()}), groups={}), drain_wait=timedelta(minutes=5))
    assert why.startswith("pod shop/web-2 has no readiness gate of binding web, ")


def test_without_drain_wait_a_delay_that_is_known_is_too_long() -> None:
    group = a_group(delay=1)
    assert told(a_cluster(unseen=frozenset({arn()}), groups={arn(): group})) == [
        "target group web drains for 1s (deregistration delay), longer than --drain-wait 0s: give it --drain-wait 1s"
    ]
    assert told(a_cluster(unseen=frozenset({arn()}), groups={arn(): a_group(delay=0)})) == []


def test_deployments_are_looked_at_once_and_in_the_order_of_the_plan() -> None:
    known = {d.uid: d for d in (a_deployment(), a_deployment("green"))}
    snapshot = a_cluster(workloads=known)
    web, other, bare, gone = an_intent(snapshot, "web-1", "web-2", "web-3", "web-4").pods
    assert web.workload
    green = replace(web.workload, uid=uid("green"))
    plan = Intent(
        pods=(
            replace(other, workload=green),
            web,
            replace(bare, workload=None),
            replace(gone, workload=replace(green, uid="gone")),
            replace(web, uid="other"),
        )
    )
    assert [d.name for d in workloads_of(plan, snapshot)] == ["green", "web"]
