"""The plan: what, in which order, what each step waits for, how long it will take, and what sets that."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from textwrap import wrap

from tabulate import tabulate

from kubectl_safe.decide.estimate import Estimate
from kubectl_safe.decide.intent import Intent, Planned
from kubectl_safe.decide.labels import labels_to_withdraw
from kubectl_safe.decide.node_first import memberships, nodes_of, targets_of
from kubectl_safe.decide.preflight import workloads_of
from kubectl_safe.decide.settings import go_duration
from kubectl_safe.decide.step import surge_of
from kubectl_safe.model.pod import Pod
from kubectl_safe.model.snapshot import Snapshot
from kubectl_safe.model.target import EXCLUDE_LABEL, account_and_region, group_name, is_arn
from kubectl_safe.model.workload import Workload
from kubectl_safe.render.durations import about, short

WIDTH = 100
INSEPARABLE = "as its Services use every label by which its controller knows it"
NOT_HANDED_OVER = "as it is, and then replaced: not handed over, as it can't leave its Services without leaving"
_KEPT_FLOWS = (
    "connections through target group {} outlive its deregistration delay and end with their pod, unless its attribute "
    "deregistration_delay.connection_termination.enabled is set"
)


def plan_lines(intent: Intent, snapshot: Snapshot, estimate: Estimate) -> Iterator[str]:
    """Return the plan, ready to be printed."""
    yield from _nodes_first(intent, snapshot)
    if not intent.pods:
        yield "no pod has to be moved"
        return
    has_namespaces = len({planned.namespace for planned in intent.pods}) > 1
    heads = ["BATCH", *(["NAMESPACE"] if has_namespaces else []), "POD", "NODE", "OWNER"]
    yield _table(heads, [_row(planned, intent, snapshot, has_namespaces=has_namespaces) for planned in intent.pods])
    for workload in workloads_of(intent, snapshot):
        pods = _pods(workload, intent, snapshot)
        if pods:
            yield ""
            yield from _waits(workload, pods, intent, snapshot)
    if any(planned.workload is None for planned in intent.pods):
        yield ""
        yield f"Pods without a batch leave their Services and are {_stopped(intent)}; no replacement is waited for."
    yield from _target_groups(intent, snapshot)
    yield from _publishing_services(intent, snapshot)
    yield from _tight_budgets(intent, snapshot)
    yield ""
    yield f"{about(estimate.total)}: {estimate.why}" if estimate.total else estimate.why


def _nodes_first(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    """Return what nodes leave before the first pod is begun."""
    for node in nodes_of(intent, snapshot):
        arns = {its.target.group for its in memberships(node, snapshot) if its.target}
        if not arns:
            continue
        done = "has" if node.is_excluded else "gets"
        yield from wrap(
            f"Node {node.name} {done} label {EXCLUDE_LABEL}, and no pod is begun before it is out of target group "
            f"{_names(arns)}.",
            WIDTH,
            break_on_hyphens=False,
        )
        yield ""


def _row(planned: Planned, intent: Intent, snapshot: Snapshot, *, has_namespaces: bool) -> list[str]:
    pod = snapshot.pods.get(planned.uid)
    controller = pod.controller if pod else None
    batch, owner = "-", f"{controller.kind.lower()}/{controller.name}" if controller else "-"
    workload = snapshot.workloads.get(planned.workload.uid) if planned.workload else None
    if workload is not None:
        settings = intent.settings
        surge = surge_of(workload, _pods(workload, intent, snapshot), settings, snapshot)
        size = surge or max(1, settings.unavailable_of(workload, is_withdraw_first=True))
        same = [p for p in intent.pods if p.workload and p.workload.uid == workload.uid]
        batch, owner = str(same.index(planned) // size + 1), f"{workload.named}"
    return [batch, *([planned.namespace] if has_namespaces else []), planned.name, planned.node or "-", owner]


def _pods(workload: Workload, intent: Intent, snapshot: Snapshot) -> list[Pod]:
    return [
        pod
        for planned in intent.pods
        if planned.workload and planned.workload.uid == workload.uid and (pod := snapshot.pods.get(planned.uid))
    ]


def _waits(workload: Workload, pods: list[Pod], intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    settings, stopped = intent.settings, _stopped(intent)
    surge = surge_of(workload, pods, settings, snapshot)
    governing = workload.governing_service
    services = {s.name: s for pod in pods for s in snapshot.original_services_of(pod) if s.name != governing}
    if any(labels_to_withdraw(pod, snapshot) is None for pod in pods):
        others = max(0, workload.replicas - settings.unavailable_of(workload, is_withdraw_first=True))
        why = f"{stopped} {NOT_HANDED_OVER} {governing}"
        yield from wrap(f"Each pod of {workload.named} is {why}. It waits, before it is", WIDTH)
        yield from _step(stopped, f"until {others} others are in service")
        return
    arns = {target.group for pod in pods for target in snapshot.targets_of(pod)}
    groups, unseen = _names(arns - snapshot.unseen), _names(arns & snapshot.unseen)
    leave = "withdrawn" if services or groups or unseen else stopped
    steps = [
        *(["released"] if surge else []),
        *dict.fromkeys([leave, stopped]),
        *([] if surge else ["and then replaced"]),
    ]
    why = f", {INSEPARABLE}" if settings.surge_of(workload) > surge else ""
    yield from wrap(f"Each pod of {workload.named} is {', '.join(steps)}{why}. It waits, before it is", WIDTH)
    if surge:
        yield from _step("released", f"for one of {surge} places beyond {workload.replicas} replicas")
    ways = ["Ready", *(["all gates True"] if any(p.readiness_gates for p in pods) else [])]
    ways += [f"in every EndpointSlice of {', '.join(sorted(services))}"] if services else []
    ways += [f"healthy in target group {groups}"] if groups else []
    ways += [f"the gate of target group {unseen} True, which is not asked"] if unseen else []
    others = workload.replicas - settings.unavailable_of(workload, is_withdraw_first=surge == 0)
    yield from _step(leave, f"until {max(0, others)} others are in service: {', '.join(ways)}")
    if services:
        settle = settings.settle_for(is_headless=any(s.is_headless for s in services.values()))
        gone = f", and Target.NotRegistered in target group {groups}" if groups else ""
        gone += f", and withdrawn for {_drain_wait(intent)}, as target group {unseen} is not asked" if unseen else ""
        yield from _step(stopped, f"until it is out of every EndpointSlice for {short(settle)}{gone}")


def _stopped(intent: Intent) -> str:
    return "deleted" if intent.settings.disable_eviction else "evicted"


def _step(name: str, wait: str) -> list[str]:
    return wrap(f"  {name:<9}  {wait}", WIDTH, subsequent_indent=" " * 13, break_on_hyphens=False)


def _target_groups(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    arns = {
        target.group
        for planned in intent.pods
        if planned.workload and (pod := snapshot.pods.get(planned.uid))
        for target in snapshot.targets_of(pod)
        if is_arn(target.group)
    } | {target.group for target in targets_of(intent, snapshot)}
    if not arns:
        return
    yield ""
    rows = []
    for arn in sorted(arns):
        account, region = account_and_region(arn)
        group = snapshot.groups.get(arn)
        rows.append([group_name(arn), account, region, short(group.deregistration_delay) if group else "?"])
    yield _table(["TARGET GROUP", "ACCOUNT", "REGION", "DEREGISTRATION DELAY"], rows)
    for arn in sorted(arns):
        if (group := snapshot.groups.get(arn)) and group.keeps_flows:
            yield from wrap(_KEPT_FLOWS.format(group_name(arn)), WIDTH)
    for arn in sorted(arns & snapshot.unseen):
        wait = _drain_wait(intent)
        yield f"target group {group_name(arn)} is not asked: confirmed by gates, drained for {wait}"


def _publishing_services(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    """Name the Services whose slices never say that a pod is not ready: nothing that is done here changes that."""
    pods = [pod for planned in intent.pods if (pod := snapshot.pods.get(planned.uid))]
    services = {f"{s.namespace}/{s.name}": s for pod in pods for s in snapshot.services_to_leave(pod)}
    for name, service in sorted(services.items()):
        if service.publishes_unready:
            yield ""
            yield from wrap(
                f"service {name} publishes the addresses of pods that are not ready: what is sent to it may reach a "
                "replacement before that serves",
                WIDTH,
            )


def _names(arns: Iterable[str]) -> str:
    return ", ".join(sorted(map(group_name, arns)))


def _drain_wait(intent: Intent) -> str:
    return go_duration(intent.settings.drain_wait or timedelta(0))


def _tight_budgets(intent: Intent, snapshot: Snapshot) -> Iterator[str]:
    pods = [pod for planned in intent.pods if (pod := snapshot.pods.get(planned.uid))]
    is_asked = not intent.settings.disable_eviction
    for budget in snapshot.budgets if is_asked else ():
        if budget.disruptions_allowed == 0 and any(budget.selects(p.namespace, p.labels) for p in pods):
            yield ""
            yield f"budget {budget.namespace}/{budget.name} allows no disruption now; replacements may change that"


def _table(heads: list[str], rows: list[list[str]]) -> str:
    # Numbers would be parsed and aligned: an account's leading zeros are part of it, a pod's name may look like 1e5.
    return tabulate(rows, headers=heads, tablefmt="plain", disable_numparse=True)
