"""The plan: what, in which order, what each step waits for, how long it will take, and what sets that."""

from collections.abc import Iterator

from tabulate import tabulate

from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.floor import floor
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.preflight import deployments_of
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import account_and_region, group_name
from kubectl_safe.model.workload import Deployment
from kubectl_safe.render.durations import about, short


def plan_lines(intent: Intent, snapshot: Snapshot, estimate: Estimate) -> Iterator[str]:
    """Return the plan, ready to be printed."""
    if not intent.pods:
        yield "no pod has to be moved"
        return
    yield tabulate(
        [_row(planned, intent, snapshot) for planned in intent.pods],
        headers=["BATCH", "NAMESPACE", "POD", "NODE", "OWNER", "STEPS"],
        tablefmt="plain",
    )
    for deployment in deployments_of(intent, snapshot):
        yield ""
        yield from _waits(deployment, intent, snapshot)
    yield from _target_groups(intent, snapshot)
    yield from _tight_budgets(intent, snapshot)
    yield ""
    yield f"{about(estimate.total)}: {estimate.why}"


def _row(planned: Planned, intent: Intent, snapshot: Snapshot) -> tuple[str, ...]:
    pod = snapshot.pods.get(planned.uid)
    controller = pod.controller if pod else None
    if planned.workload is None:
        owner = f"{controller.kind.lower()}/{controller.name}" if controller else "-"
        return "-", planned.namespace, planned.name, planned.node, owner, "evict, as kubectl drain does"
    deployment = snapshot.deployments[planned.workload.uid]
    surge = intent.settings.surge_of(deployment)
    same = [p for p in intent.pods if p.workload and p.workload.uid == deployment.uid]
    size = surge or max(1, intent.settings.unavailable_of(deployment, is_withdraw_first=True))
    batch = same.index(planned) // size + 1
    steps = "release, withdraw, evict" if surge else "withdraw, evict, await the replacement"
    return str(batch), planned.namespace, planned.name, planned.node, f"deployment/{deployment.name}", steps


def _waits(deployment: Deployment, intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    pods = [
        pod
        for planned in intent.pods
        if planned.workload and planned.workload.uid == deployment.uid and (pod := snapshot.pods.get(planned.uid))
    ]
    if not pods:
        return
    settings = intent.settings
    surge = settings.surge_of(deployment)
    services = {s.name: s for pod in pods for s in snapshot.original_services_of(pod)}
    groups = sorted({group_name(t.group) for pod in pods for t in snapshot.targets_of(pod)})
    yield f"Each pod of deployment/{deployment.name} waits, before it is"
    if surge:
        yield f"  released   for a place among the {surge} that may serve beyond {deployment.replicas} replicas"
    ways = ["Ready", *(["all gates True"] if any(p.readiness_gates for p in pods) else [])]
    ways += [f"in every EndpointSlice of {', '.join(sorted(services))}"] if services else []
    ways += [f"healthy in {', '.join(groups)}"] if groups else []
    yield f"  withdrawn  until {max(0, floor(pods[0], deployment, settings))} others are in service: {', '.join(ways)}"
    if services:
        settle = settings.settle_for(is_headless=any(s.is_headless for s in services.values()))
        gone = f", and Target.NotRegistered in {', '.join(groups)}" if groups else ""
        yield f"  evicted    until it is out of every EndpointSlice for {short(settle)}{gone}"


def _target_groups(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    arns = {
        target.group
        for planned in intent.pods
        if planned.workload and (pod := snapshot.pods.get(planned.uid))
        for target in snapshot.targets_of(pod)
    }
    if not arns:
        return
    yield ""
    rows = []
    for arn in sorted(arns):
        account, region = account_and_region(arn)
        group = snapshot.groups.get(arn)
        rows.append((group_name(arn), account, region, short(group.deregistration_delay) if group else "?"))
    yield tabulate(rows, headers=["TARGET GROUP", "ACCOUNT", "REGION", "DEREGISTRATION DELAY"], tablefmt="plain")


def _tight_budgets(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    pods = [pod for planned in intent.pods if (pod := snapshot.pods.get(planned.uid))]
    for budget in snapshot.budgets:
        if budget.disruptions_allowed == 0 and any(budget.selects(p.namespace, p.labels) for p in pods):
            yield ""
            yield f"budget {budget.namespace}/{budget.name} allows no disruption now; replacements may change that"
