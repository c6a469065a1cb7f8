"""Disruption budgets: those that allow nothing, those that protect nothing, and pods without one.

Source: kubernetes.io, Specifying a Disruption Budget for your Application.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from kubectl_safe.decide.check.capacity import RESIZABLE, matched, pods_of, served
from kubectl_safe.decide.check.facts import Facts, is_live
from kubectl_safe.decide.check.finding import Finding, Rule, Severity
from kubectl_safe.decide.check.subject import Subject, of_workload
from kubectl_safe.decide.check.words import counted, named
from kubectl_safe.model.budget import Budget
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.workload import ReplicaSet, Workload, resolve

if TYPE_CHECKING:
    from kubectl_safe.model.selector import Labels


def _budgets(facts: Facts) -> Iterator[tuple[Budget, list[Pod]]]:
    """Return the budgets of checked pods, with all pods that they cover."""
    checked = {pod.uid for pod in facts.live_pods}
    of: dict[str, list[Pod]] = {}
    for pod in sorted(filter(is_live, facts.snapshot.pods.values()), key=lambda its: its.name):
        of.setdefault(pod.namespace, []).append(pod)
    for budget in sorted(facts.snapshot.budgets, key=lambda its: (its.namespace, its.name)):
        pods = [pod for pod in of.get(budget.namespace, ()) if budget.selects(pod.namespace, pod.labels)]
        if any(pod.uid in checked for pod in pods):
            yield budget, pods


def _never_allows(budget: Budget) -> bool:
    return budget.max_unavailable in {0, "0%"} or budget.min_available == "100%"


def _keeps_all(budget: Budget) -> bool:
    """Tell whether it wants as many pods as there are to be; its percentages are rounded up, as Kubernetes does."""
    wanted, expected = budget.min_available, budget.expected_pods
    return wanted is not None and expected > 0 and resolve(wanted, expected) >= expected and not _never_allows(budget)


def _subject(budget: Budget) -> Subject:
    return Subject(kind="poddisruptionbudget.policy", name=budget.name, namespace=budget.namespace)


def _told(budget: Budget) -> str:
    if budget.max_unavailable is not None:
        return f"maxUnavailable is {budget.max_unavailable}"
    return f"minAvailable is {budget.min_available}"


def _of_spec(budget: Budget) -> str:
    patch = '{"spec":{"minAvailable":null,"maxUnavailable":1}}'
    return f"kubectl patch pdb {budget.name} -n {budget.namespace} --type=merge -p '{patch}'"


def _budget_allows_nothing(facts: Facts) -> Iterator[Finding]:
    for budget, pods in _budgets(facts):
        if _never_allows(budget):
            yield Finding(
                code="budget-allows-nothing",
                subject=_subject(budget),
                fact=f"its {_told(budget)}: none of its {counted(len(pods), 'pod')} may ever be evicted",
                remedy=_of_spec(budget),
            )


def _budget_keeps_all(facts: Facts) -> Iterator[Finding]:
    for budget, _ in _budgets(facts):
        if _keeps_all(budget):
            yield Finding(
                code="budget-keeps-all",
                subject=_subject(budget),
                fact=f"its {_told(budget)}, of {counted(budget.expected_pods, 'pod')} that there are to be: one may be "
                "evicted only while there is one more",
                remedy=_of_spec(budget),
            )


def _budget_exhausted(facts: Facts) -> Iterator[Finding]:
    for budget, pods in _budgets(facts):
        if _never_allows(budget) or _keeps_all(budget) or budget.disruptions_allowed > 0:
            continue
        unready = [pod for pod in pods if not pod.is_ready]
        names = f"; not ready: {named(unready)}" if unready else ""
        yield Finding(
            code="budget-exhausted",
            subject=_subject(budget),
            fact=f"it allows no disruption now: {budget.current_healthy} pods are healthy, and "
            f"{budget.desired_healthy} "
            f"have to be{names}",
            remedy=f"kubectl describe pdb {budget.name} -n {budget.namespace}",
        )


def _budget_covers_nothing(facts: Facts) -> Iterator[Finding]:
    """Tell of namespaces that are checked as a whole; what is scaled to nothing now is covered all the same."""
    labels: dict[str, list[Labels]] = {}
    for pod in facts.snapshot.pods.values():
        labels.setdefault(pod.namespace, []).append(pod.labels)
    owners: Iterable[Workload | ReplicaSet] = (
        *facts.snapshot.workloads.values(),
        *facts.snapshot.replica_sets.values(),
    )
    for its in owners:
        labels.setdefault(its.namespace, []).append(its.template_labels or {})
    for budget in facts.snapshot.budgets:
        if budget.namespace not in facts.whole:
            continue
        if not any(budget.selects(budget.namespace, its) for its in labels.get(budget.namespace, ())):
            yield Finding(
                code="budget-covers-nothing",
                subject=_subject(budget),
                fact="its selector selects no pod, and no pod that a workload would create",
                remedy=f"kubectl get pods -n {budget.namespace} --show-labels\n"
                f"kubectl edit pdb {budget.name} -n {budget.namespace}",
            )


def _budget_missing(facts: Facts) -> Iterator[Finding]:
    for workload in served(facts):
        pods = pods_of(workload, facts)
        if workload.kind not in RESIZABLE or workload.replicas <= 1:
            continue
        if any(facts.snapshot.budgets_of(pod) for pod in pods):
            continue
        subject, selector = of_workload(workload), ",".join(f"{key}={its}" for key, its in matched(workload).items())
        yield Finding(
            code="budget-missing",
            subject=subject,
            fact=f"no PodDisruptionBudget covers its {counted(len(pods), 'pod')}",
            remedy=f"kubectl create pdb {subject.name} -n {workload.namespace} --selector={selector} "
            "--max-unavailable=1",
        )


_warning, _note = partial(Rule, severity=Severity.WARNING), partial(Rule, severity=Severity.NOTE)

RULES = (
    Rule(
        code="budget-allows-nothing",
        severity=Severity.ERROR,
        title="A disruption budget that never allows an eviction",
        why="Its pods can't be evicted, neither by this nor by kubectl drain nor by an autoscaler: drains of their "
        "nodes "
        "never end, and end by force. Source: kubernetes.io, Specifying a Disruption Budget.",
        find=_budget_allows_nothing,
    ),
    _warning(
        code="budget-keeps-all",
        title="A disruption budget that wants every pod there is",
        why="kubectl drain and autoscalers evict first and never get that far. A handoff passes where a replacement "
        "may "
        "come first, and doesn't where it may not. Source: kubernetes.io, Specifying a Disruption Budget.",
        find=_budget_keeps_all,
    ),
    _warning(
        code="budget-exhausted",
        title="A disruption budget that allows nothing now",
        why="As many pods as it lets go are away or not ready: until they are back every eviction is refused, and a "
        "handoff waits. Source: kubernetes.io, Specifying a Disruption Budget.",
        find=_budget_exhausted,
    ),
    _warning(
        code="budget-covers-nothing",
        title="A disruption budget without pods",
        why="What it was made to protect has other labels: drains and autoscalers take as many of those pods at once "
        "as "
        "they like. Source: kubernetes.io, Specifying a Disruption Budget.",
        find=_budget_covers_nothing,
    ),
    _note(
        code="budget-missing",
        title="Replicas without a disruption budget",
        why="Whoever drains several nodes at once, people or autoscalers, may evict all of them together. Source: "
        "kubernetes.io, Specifying a Disruption Budget.",
        find=_budget_missing,
    ),
)
