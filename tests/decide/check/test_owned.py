"""ReplicaSets that something else makes, an Argo Rollout for one: what is found is told of that, and remedied there."""

from dataclasses import replace
from typing import Any

import pytest

from kubectl_safe.decide.check.facts import Facts
from kubectl_safe.model.autoscaler import Autoscaler
from kubectl_safe.model.pod import OwnerReference
from kubectl_safe.model.selector import LabelSelector
from kubectl_safe.model.workload import Node, alone
from tests.decide.check.scenes import a_container, a_namespace, a_setup, facts, found, good_pods
from tests.support.builders import a_cluster, a_replica_set, an_owner

ROLLOUT = an_owner("Rollout", "web", "argoproj.io/v1alpha1")
NODES = {name: Node(name=name, resource_version="1") for name in ("node-1", "node-2")}
SET = an_owner("CloneSet", "web", "apps.kruise.io/v1alpha1")


def owned(owner: OwnerReference | None = ROLLOUT, *, canary: int = 0, **pod: Any) -> Facts:
    """Return pods of a ReplicaSet, and of a second one that is smaller."""
    selector = LabelSelector(match_labels={"app": "web", "rollouts-pod-template-hash": "5d4f8c7b9"})
    stable = a_replica_set(owner=owner, selector=selector)
    other = a_replica_set("web-7b8c6d5f4", owner=owner, selector=selector, replicas=canary)
    pods = good_pods(**{"labels": {**selector.match_labels}} | pod)
    pods = [*pods[canary:], *(replace(p, owners=(an_owner(name=other.name),)) for p in pods[:canary])]
    sets = {its.uid: its for its in (stable, other)}
    workloads = {key: its for key, one in sets.items() if (its := alone(one))}
    seen = a_cluster(*pods, workloads=workloads, replica_sets=sets, budgets=(), nodes=NODES)
    autoscaler = Autoscaler(
        namespace="shop", name="web", kind="Rollout", target="web", current=6, minimum=2, maximum=6, is_limited=True
    )
    return facts(seen, setup=a_setup(autoscalers=(autoscaler,)))


def told(code: str, seen: Facts) -> list[tuple[str, str]]:
    return [(str(its.subject), its.remedy.splitlines()[-1]) for its in found(code, seen)]


@pytest.mark.parametrize("canary", [0, 2])
def test_a_budget_covers_all_revisions_of_what_makes_the_replicasets_and_is_told_once(canary: int) -> None:
    remedy = "kubectl create pdb web -n shop --selector=app=web --max-unavailable=1"
    assert told("budget-missing", owned(canary=canary)) == [("rollout.argoproj.io/web", remedy)]


def test_a_canary_of_one_pod_is_no_single_replica() -> None:
    assert told("single-replica", owned(canary=1)) == []


def test_what_is_to_be_edited_is_what_makes_the_replicaset() -> None:
    [its] = found("prestop-missing", owned(containers=(a_container(pre_stop=None),)))
    assert its.remedy.startswith("# kubectl edit rollout.argoproj.io/web -n shop, in spec.template.spec:\n")
    assert told("all-on-one-node", owned(node="node-1"))[0][1] == '  labelSelector: {matchLabels: {app: "web"}}'


def test_the_autoscaler_of_what_makes_the_replicaset() -> None:
    [its] = found("autoscaler-at-maximum", owned())
    assert its.fact.startswith("rollout/web has 6 replicas of at most 6")


@pytest.mark.parametrize(
    ("owner", "subject", "remedy"),
    [
        (ROLLOUT, "rollout.argoproj.io/web", "kubectl argo rollouts restart web -n shop  # a plugin of Argo Rollouts"),
        (
            SET,
            "cloneset.apps.kruise.io/web",
            "kubectl delete pod web-1 -n shop  # and wait until another one is Ready, then so with 5 others",
        ),
        (
            None,
            "replicaset.apps/web-5d4f8c7b9",
            "kubectl delete pod web-1 -n shop  # and wait until another one is Ready, then so with 5 others",
        ),
    ],
)
def test_pods_are_never_made_anew_all_at_once(owner: OwnerReference | None, subject: str, remedy: str) -> None:
    seen = owned(owner, readiness_gates=())
    assert told("gate-missing", seen) == [(subject, remedy)]
    unlabelled = replace(seen, setup=a_setup(namespaces={"shop": a_namespace(value=None)}))
    assert told("gates-not-injected", unlabelled) == [("namespace/shop", remedy)]


def test_a_pod_that_nobody_creates_anew() -> None:
    pods = good_pods(readiness_gates=(), controller=None)
    [its] = found("gate-missing", facts(a_cluster(*pods[:1], without={f"web-{n}" for n in range(2, 7)}, workloads={})))
    assert (str(its.subject), its.remedy) == (
        "pod/web-1",
        "kubectl delete pod web-1 -n shop  # nothing that is known creates it anew",
    )
