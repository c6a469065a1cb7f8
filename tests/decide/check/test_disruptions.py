"""Disruption budgets: what is found of them, and what isn't."""

from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from tests.decide.check.scenes import a_good_cluster, a_good_deployment, a_good_pod, facts, found, good_pods
from tests.support.builders import REPLICAS, a_budget, a_replica_set, a_service, an_owner, uid

OTHER = {"app": "other"}


def of(*pods: Any, cluster: Any = None, whole: bool = True, **budget: Any) -> Facts:
    its = a_budget(**{"expected_pods": REPLICAS} | budget)
    namespaces = frozenset({"shop"} if whole else ())
    return facts(a_good_cluster(*pods, **{"budgets": (its,)} | (cluster or {})), whole=namespaces)


def told(code: str, seen: Facts) -> list[str]:
    return [f"{its.subject}: {its.fact}" for its in found(code, seen)]


BUDGET = "poddisruptionbudget.policy/web"


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(of(max_unavailable=1), "", id="one"),
        pytest.param(of(min_available=6), "", id="all that there are is another fault"),
        pytest.param(of(max_unavailable=0, selector=OTHER), "", id="of other pods"),
        pytest.param(of(max_unavailable=0), "maxUnavailable is 0", id="none"),
        pytest.param(of(max_unavailable="0%"), "maxUnavailable is 0%", id="none of a hundred"),
        pytest.param(of(min_available="100%"), "minAvailable is 100%", id="all of a hundred"),
    ],
)
def test_a_budget_that_never_allows_an_eviction(seen: Facts, words: str) -> None:
    fact = f"{BUDGET}: its {words}: none of its 6 pods may ever be evicted"
    assert told("budget-allows-nothing", seen) == ([fact] if words else [])
    for its in found("budget-allows-nothing", seen):
        assert its.remedy == (
            """kubectl patch pdb web -n shop --type=merge -p '{"spec":{"minAvailable":null,"maxUnavailable":1}}'"""
        )


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        pytest.param(of(max_unavailable=1), "", id="one may go"),
        pytest.param(of(min_available=5), "", id="all but one"),
        pytest.param(of(min_available="80%"), "", id="most of them"),
        pytest.param(of(min_available="100%"), "", id="always all is another fault"),
        pytest.param(of(min_available=1, expected_pods=0), "", id="none is expected"),
        pytest.param(of(min_available=6), "minAvailable is 6", id="all"),
        pytest.param(of(min_available="90%"), "minAvailable is 90%", id="rounded up to all"),
    ],
)
def test_a_budget_that_wants_every_pod_there_is(seen: Facts, words: str) -> None:
    fact = f"{BUDGET}: its {words}, of 6 pods that there are to be: one may be evicted only while there is one more"
    assert told("budget-keeps-all", seen) == ([fact] if words else [])


def test_a_budget_that_wants_the_only_pod() -> None:
    [fact] = told("budget-keeps-all", of(min_available=1, expected_pods=1))
    assert "its minAvailable is 1, of 1 pod that there are to be" in fact


AWAY: dict[str, Any] = {"disruptions_allowed": 0, "max_unavailable": 1, "current_healthy": 5, "desired_healthy": 5}


@pytest.mark.parametrize(
    ("seen", "rest"),
    [
        pytest.param(of(max_unavailable=1), None, id="one may go"),
        pytest.param(of(disruptions_allowed=0, max_unavailable=0), None, id="never is another fault"),
        pytest.param(of(disruptions_allowed=0, min_available=6), None, id="all is another fault"),
        pytest.param(of(**AWAY), "", id="some are away"),
        pytest.param(of(a_good_pod("web-2", ready=False), **AWAY), "; not ready: web-2", id="one is not ready"),
    ],
)
def test_a_budget_that_allows_nothing_now(seen: Facts, rest: str | None) -> None:
    fact = f"{BUDGET}: it allows no disruption now: 5 pods are healthy, and 5 have to be{rest}"
    assert told("budget-exhausted", seen) == ([] if rest is None else [fact])


WANTED = {"replica_sets": {uid("other"): a_replica_set("other-1", of="other", template_labels=OTHER)}}


@pytest.mark.parametrize(
    ("seen", "is_found"),
    [
        pytest.param(of(), False, id="pods"),
        pytest.param(of(selector=OTHER, whole=False), False, id="only some of the namespace is checked"),
        pytest.param(of(selector=OTHER, cluster=WANTED), False, id="what is scaled to nothing"),
        pytest.param(of(selector=OTHER), True, id="nothing"),
    ],
)
def test_a_budget_that_covers_nothing(seen: Facts, is_found: bool) -> None:
    fact = f"{BUDGET}: its selector selects no pod, and no pod that a workload would create"
    assert told("budget-covers-nothing", seen) == ([fact] if is_found else [])


NONE: dict[str, Any] = {"budgets": ()}


@pytest.mark.parametrize(
    ("cluster", "is_found"),
    [
        pytest.param({}, False, id="one"),
        pytest.param({**NONE, "services": (), "bindings": ()}, False, id="nobody asks its pods"),
        pytest.param({**NONE, "workloads": {uid("web"): a_good_deployment(replicas=1)}}, False, id="a single pod"),
        pytest.param({**NONE, "workloads": {uid("web"): a_good_deployment(kind="DaemonSet")}}, False, id="one a node"),
        pytest.param(NONE, True, id="none"),
        pytest.param({"budgets": (a_budget(selector=OTHER),)}, True, id="one of other pods"),
    ],
)
def test_replicas_without_a_budget(cluster: Any, is_found: bool) -> None:
    findings = found("budget-missing", facts(a_good_cluster(*good_pods(), **cluster)))
    assert [its.fact for its in findings] == ["no PodDisruptionBudget covers its 6 pods"] * is_found
    for its in findings:
        assert its.remedy == "kubectl create pdb web -n shop --selector=app=web --max-unavailable=1"


def test_budgets_that_are_fine_hide_no_others_and_are_told_by_name() -> None:
    spent: dict[str, Any] = {"disruptions_allowed": 0, "max_unavailable": 1}
    budgets = (
        a_budget("fine", max_unavailable=1),
        a_budget("web", **spent),
        a_budget("early", selector={"app": "web"}, **spent),
    )
    seen = facts(a_good_cluster(budgets=(*budgets, a_budget("elsewhere", namespace="bank", max_unavailable=0))))
    findings = [its.subject for code in ("budget-exhausted", "budget-allows-nothing") for its in found(code, seen)]
    assert [(its.namespace, its.name) for its in findings] == [("shop", "early"), ("shop", "web")]


def test_of_many_pods_that_are_not_ready_the_first_are_named() -> None:
    unready = [a_good_pod(f"web-{n}", ready=False) for n in range(1, 6)]
    [fact] = told("budget-exhausted", of(*unready, **AWAY))
    assert fact.endswith("; not ready: web-1, web-2, web-3 and 2 more")


def test_a_namespace_that_is_not_checked_hides_no_other() -> None:
    budgets = (a_budget(namespace="bank"), a_budget("none", selector=OTHER))
    seen = facts(a_good_cluster(budgets=budgets), whole=frozenset({"shop"}))
    assert [its.subject.name for its in found("budget-covers-nothing", seen)] == ["none"]


def test_two_replicas_without_a_budget_are_told_too() -> None:
    workloads = {uid("web"): a_good_deployment(replicas=2)}
    assert len(found("budget-missing", facts(a_good_cluster(budgets=(), workloads=workloads)))) == 1


def test_of_one_pod_that_is_checked_all_others_count() -> None:
    seen = facts(a_good_cluster(budgets=(a_budget(max_unavailable=0),)), pods=tuple(good_pods()[:1]))
    [its] = found("budget-allows-nothing", seen)
    assert its.fact == "its maxUnavailable is 0: none of its 6 pods may ever be evicted"
    assert found("budget-allows-nothing", facts(seen.snapshot, pods=())) == []


def test_two_workloads_of_which_one_has_a_budget() -> None:
    labels = {"app": "api", "pod-template-hash": "1"}
    others = [
        a_good_pod(f"api-{n}", labels=labels, controller=an_owner(name="api-1"), ips=(f"10.9.0.{n}",), gates={})
        for n in (1, 2)
    ]
    seen = a_good_cluster(
        *others,
        workloads={uid(its): a_good_deployment(its, replicas=2) for its in ("web", "api")},
        replica_sets={uid("web-5d4f8c7b9"): a_replica_set(), uid("api-1"): a_replica_set("api-1", of="api")},
        services=(a_service(), a_service("api")),
    )
    assert [str(its.subject) for its in found("budget-missing", facts(seen))] == ["deployment.apps/api"]
