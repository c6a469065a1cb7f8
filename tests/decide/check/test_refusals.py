"""What a handoff would refuse: the same list, told of the workload or the node, each with its `--allow`."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.allow import ALLOWABLE
from kubectl_safe.decide.check import RULES, findings, severity_of
from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.decide.check.finding import Severity
from kubectl_safe.decide.check.verdict import Checked
from kubectl_safe.model.pod import OwnerReference
from kubectl_safe.model.workload import Node
from tests.decide.check.scenes import facts, found
from tests.support.builders import (
    a_budget,
    a_cluster,
    a_deployment,
    a_pod,
    a_service,
    an_owner,
    arn,
    uid,
)

LOCAL = (a_service(local_policies=frozenset({"internalTrafficPolicy"})),)
CLONE = an_owner("CloneSet", "clones", "apps.kruise.io/v1alpha1")


def of(nodes: tuple[str, ...] = (), **changes: Any) -> Facts:
    return facts(a_cluster(nodes={its: Node(name=its, resource_version="1") for its in nodes}, **changes), nodes=nodes)


def workload(**changes: Any) -> Facts:
    return of(workloads={uid("web"): a_deployment(**changes)})


@pytest.mark.parametrize("reason", sorted(ALLOWABLE))
def test_whatever_can_be_answered_for_has_a_rule(reason: str) -> None:
    assert f"--allow {reason}" in RULES[reason].title
    answered, _, lost = RULES[reason].why.partition(f"{ALLOWABLE[reason]}. ")
    assert answered
    assert lost.endswith(".")


@pytest.mark.parametrize("code", [*sorted(ALLOWABLE), "two-budgets", "not-restartable"])
def test_of_a_well_set_up_application_nothing_is_refused(code: str) -> None:
    assert found(code, of(nodes=("node-1",))) == []


def test_a_restart_that_would_be_refused_is_told_of_its_workload() -> None:
    [its] = found("downtime", workload(replicas=1, max_surge=0))
    assert str(its.subject) == "deployment.apps/web"
    assert its.fact.startswith("deployment shop/web")
    assert its.remedy.splitlines() == [
        "kubectl safe rollout restart deployment/web -n shop --max-surge 1",
        "kubectl safe rollout restart deployment/web -n shop --allow downtime",
    ]


def test_where_nothing_is_safer_only_the_answer_is_told() -> None:
    [its] = found("downtime", workload(replicas=1, strategy="Recreate"))
    assert its.remedy == "kubectl safe rollout restart deployment/web -n shop --allow downtime"


def test_a_drain_that_would_be_refused_is_told_of_its_node() -> None:
    assert found("local-traffic-policy", of(services=LOCAL)) == []
    [its] = found("local-traffic-policy", of(nodes=("node-1",), services=LOCAL))
    assert str(its.subject) == "node/node-1"
    assert its.remedy == "kubectl safe drain node-1 --ignore-daemonsets --allow local-traffic-policy"


def test_what_only_the_restart_of_a_daemonset_would_refuse_is_no_more_than_a_note() -> None:
    agents = a_deployment(kind="DaemonSet", max_surge=0)
    pods = [replace(pod, owners=(an_owner("DaemonSet", "web"),)) for pod in a_cluster().pods.values()]
    of_agents = facts(a_cluster(*pods, workloads={agents.uid: agents}))
    [its] = found("downtime", of_agents)
    assert (str(its.subject), severity_of(its)) == ("daemonset.apps/web", Severity.NOTE)
    assert [severity_of(its) for its in found("downtime", workload(replicas=1, max_surge=0))] == [Severity.ERROR]
    severities = [severity_of(its) for its in findings(of_agents)]
    assert severities == sorted(severities, reverse=True)
    assert not Checked(findings=(its,), workloads=1, pods=6).fails("error")


def test_what_both_would_refuse_is_told_once() -> None:
    both = (a_budget("all", selector={"app": "web"}), a_budget("web"))
    [*findings] = found("two-budgets", of(nodes=("node-1",), budgets=both))
    assert {str(its.subject) for its in findings} == {"deployment.apps/web"}
    assert findings[0].remedy == "kubectl edit pdb web -n shop"


@pytest.mark.parametrize(
    ("owner", "count"),
    [
        pytest.param(CLONE, 1, id="a controller that is not known"),
        pytest.param(an_owner("Job", "job", "batch/v1"), 0, id="a Job"),
        pytest.param(an_owner(), 0, id="a Deployment"),
    ],
)
def test_pods_of_a_controller_that_is_not_known(owner: OwnerReference, count: int) -> None:
    seen = facts(a_cluster(a_pod("web-1", controller=owner), a_pod("web-2", controller=owner)))
    findings = found("unknown-owner", seen)
    assert [str(its.subject) for its in findings] == ["pod/web-1"] * count
    assert all(its.remedy.startswith("kubectl safe drain node-1 --ignore-daemonsets --allow") for its in findings)


@pytest.mark.parametrize(
    ("seen", "remedy"),
    [
        pytest.param(workload(), "", id="at rest"),
        pytest.param(workload(is_paused=True), "kubectl rollout resume deployment/web -n shop", id="paused"),
        pytest.param(workload(generation=2), "kubectl rollout status deployment/web -n shop", id="in a rollout"),
        pytest.param(workload(is_terminating=True), "kubectl get deployment/web --watch -n shop", id="being deleted"),
    ],
)
def test_a_workload_that_cannot_be_restarted_now(seen: Facts, remedy: str) -> None:
    assert [its.remedy for its in found("not-restartable", seen)] == ([remedy] if remedy else [])


def test_a_group_that_aws_does_not_let_us_ask_is_told_of_its_workload() -> None:
    seen = of(unseen=frozenset({arn()}), stale_health={arn(): "AccessDenied"})
    [its] = found("unseen-targets", seen)
    assert (str(its.subject), its.fact) == (
        "deployment.apps/web",
        "target group web of deployment shop/web can't be asked: AccessDenied",
    )
    assert its.remedy == ("kubectl safe rollout restart deployment/web -n shop --allow unseen-targets --drain-wait 5m")
